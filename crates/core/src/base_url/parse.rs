//! The rules that the text of a base URL must follow.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use http::uri::{Authority, Scheme};
use serde::{Deserialize, Deserializer};

use super::BaseUrl;
use crate::json;
use crate::session_id::is_segment_character;

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > Self::MAX_LEN {
            return Err(InvalidBaseUrl::TooLong);
        }
        if text.trim_matches(|c: char| c.is_whitespace() || c.is_control()) != text {
            return Err(InvalidBaseUrl::Whitespace);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidBaseUrl::NotAUrl)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => Scheme::HTTPS,
            "http" => Scheme::HTTP,
            _ => return Err(InvalidBaseUrl::Scheme),
        };
        if rest.contains(['?', '#']) {
            return Err(InvalidBaseUrl::QueryOrFragment);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(InvalidBaseUrl::UserInfo);
        }
        let host = check_authority(authority)?;
        if scheme == Scheme::HTTP && !is_loopback(host) {
            return Err(InvalidBaseUrl::PlainHttp);
        }
        let prefix = path.trim_end_matches('/');
        if !prefix.split('/').skip(1).all(is_plain_segment) {
            return Err(InvalidBaseUrl::Path);
        }
        let authority = authority.trim_end_matches(':').to_ascii_lowercase();
        Ok(Self {
            scheme,
            authority: Authority::try_from(authority).map_err(|_| InvalidBaseUrl::Host)?,
            prefix: prefix.into(),
        })
    }
}

impl<'de> Deserialize<'de> for BaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer, "a base URL", str::parse)
    }
}

/// Validates `host[:port]` and returns the host, including brackets.
fn check_authority(authority: &str) -> Result<&str, InvalidBaseUrl> {
    let host_len = match authority.find(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(host_len);
    let ipv6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let valid = match ipv6 {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
            // A host that ends in a number is an IPv4 address, of which only the dotted-decimal
            // notation is accepted.
            let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
            let address = last.starts_with(|c: char| c.is_ascii_digit())
                && (last.bytes().all(|b| b.is_ascii_digit()) || last[1..].starts_with(['x', 'X']));
            !host.is_empty()
                && host.chars().all(allowed)
                && (!address || host.parse::<Ipv4Addr>().is_ok())
        }
    };
    if !valid {
        return Err(InvalidBaseUrl::Host);
    }
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(host),
        Some("") => Ok(host),
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse::<u16>() {
            Ok(1..) => Ok(host),
            _ => Err(InvalidBaseUrl::Port),
        },
        _ => Err(InvalidBaseUrl::Port),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Returns whether no HTTP client rewrites this segment: it is not empty, not a dot segment, and
/// contains nothing to encode.
pub(crate) fn is_plain_segment(segment: &str) -> bool {
    let is_dot_segment = matches!(segment, "." | "..");
    !segment.is_empty() && !is_dot_segment && segment.chars().all(is_segment_character)
}

/// Error parsing a [`BaseUrl`]. It never contains the text, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidBaseUrl {
    /// A blank, a line end or another control character at the beginning or the end.
    Whitespace,
    /// No `scheme://` at the beginning.
    NotAUrl,
    /// A scheme other than `https` and `http`.
    Scheme,
    /// Plain `http` to another machine.
    PlainHttp,
    /// A user name or password before the host.
    UserInfo,
    /// No host, or one that is neither an ASCII name nor an address.
    Host,
    /// A port that is not a number from 1 to 65535.
    Port,
    /// A path with empty, dot or encoded segments.
    Path,
    /// A `?` or a `#`.
    QueryOrFragment,
    /// More than [`BaseUrl::MAX_LEN`] bytes.
    TooLong,
}

impl fmt::Display for InvalidBaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whitespace => "the base URL begins or ends with a blank or a line end",
            Self::NotAUrl => "the base URL does not begin with https://",
            Self::Scheme => "the base URL's scheme is neither https nor http",
            Self::PlainHttp => "the base URL is plain http to another machine; use https",
            Self::UserInfo => "the base URL contains a user name; pass credentials separately",
            Self::Host => "the base URL's host is neither a name in ASCII nor an address",
            Self::Port => "the base URL's port is not a number from 1 to 65535",
            Self::Path => "the base URL's path has an empty, dot or percent-encoded segment",
            Self::QueryOrFragment => "the base URL has a query or a fragment",
            Self::TooLong => "the base URL is longer than 2048 bytes",
        })
    }
}

impl std::error::Error for InvalidBaseUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_invalid_urls_with_a_reason() {
        use InvalidBaseUrl::*;
        let cases = [
            ("https://h\n", Whitespace),
            (" https://h", Whitespace),
            ("", NotAUrl),
            ("apx.didit.me", NotAUrl),
            ("ftp://h", Scheme),
            ("http://apx.didit.me", PlainHttp),
            ("http://127.0.0.1.example.com", PlainHttp),
            ("http://localhost.example.com", PlainHttp),
            ("http://0x7f.1", Host),
            ("https://2130706433", Host),
            ("https://1.2.3.4.5", Host),
            ("https://999.1.1.1", Host),
            ("https://example.0x10", Host),
            ("http://[::ffff:127.0.0.1]", PlainHttp),
            ("https://user:pass@h", UserInfo),
            ("http://127.0.0.1@evil.example", UserInfo),
            ("https://", Host),
            ("https:///path", Host),
            ("https://[::1", Host),
            ("https://bücher.example", Host),
            ("https://h\r\nx", Host),
            ("https://h:0", Port),
            ("https://h:65536", Port),
            ("https://h:+1", Port),
            ("https://[::1]x", Port),
            ("https://h//a", Path),
            ("https://h/a/../b", Path),
            ("https://h/%2e%2e", Path),
            ("https://h/a b", Path),
            ("https://h?x", QueryOrFragment),
            ("https://h/#x", QueryOrFragment),
        ];
        for (text, reason) in cases {
            assert_eq!(text.parse::<BaseUrl>(), Err(reason), "{text}");
            assert!(reason.to_string().starts_with("the base URL"));
        }
        let url_of_length =
            |length| format!("https://h/{}", "a".repeat(length - "https://h/".len()));
        assert_eq!(url_of_length(BaseUrl::MAX_LEN + 1).parse::<BaseUrl>(), Err(TooLong));
        assert!(url_of_length(BaseUrl::MAX_LEN).parse::<BaseUrl>().is_ok());
    }
}

//! Chooses the proxy for a host, from the customary environment variables.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;

use percent_encoding::percent_decode_str;

use crate::base_url::BaseUrl;
use crate::secret::Secret;

/// A proxy for https requests, and the hosts that are reached without it.
///
/// ```
/// use didit_core::{BaseUrl, ProxySettings};
///
/// let settings = ProxySettings::from_variables(|name| match name {
///     "HTTPS_PROXY" => Some("http://proxy.example:3128".into()),
///     "NO_PROXY" => Some("localhost,.intern.example,10.0.0.0/8".into()),
///     _ => None,
/// });
/// let proxy = settings.proxy_for(&BaseUrl::production())?.expect("a proxy");
/// assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 3128));
/// assert!(settings.proxy_for(&"https://api.intern.example".parse()?)?.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// The name of the variable, and the URL of the proxy.
    proxy: Option<(&'static str, OsString)>,
    no_proxy: String,
}

const PROXY_VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const NO_PROXY_VARIABLES: [&str; 2] = ["no_proxy", "NO_PROXY"];

impl ProxySettings {
    /// Reads `HTTPS_PROXY` or `ALL_PROXY`, and `NO_PROXY`. As in curl, a variable in lower case has
    /// precedence, and an empty one counts as unset. `HTTP_PROXY` is ignored, since plain http is
    /// never sent through a proxy.
    pub fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &&'static str| {
            variable(name).filter(|value| !value.is_empty()).map(|value| (*name, value))
        };
        let no_proxy = NO_PROXY_VARIABLES.iter().find_map(set);
        Self {
            proxy: PROXY_VARIABLES.iter().find_map(set),
            no_proxy: no_proxy
                .map(|(_, list)| list.to_string_lossy().into_owned())
                .unwrap_or_default(),
        }
    }

    /// Sets the proxy: `[http://][user:password@]host:port`.
    #[must_use]
    pub fn with_proxy(mut self, url: &str) -> Self {
        self.proxy = Some(("the proxy", url.into()));
        self
    }

    /// Sets the hosts that are reached without the proxy, in curl's format: domain names, which
    /// include all subdomains, addresses, and address blocks (`10.0.0.0/8`), separated by commas; or
    /// `*` alone for all hosts. IPv6 addresses have no brackets.
    #[must_use]
    pub fn with_no_proxy(mut self, list: &str) -> Self {
        list.clone_into(&mut self.no_proxy);
        self
    }

    /// Returns the proxy for this host, if it is reached through one.
    ///
    /// # Errors
    /// The proxy applies, but is not the address of an HTTP proxy.
    pub fn proxy_for(&self, base: &BaseUrl) -> Result<Option<HttpProxy>, InvalidProxy> {
        let Some((variable, url)) = &self.proxy else { return Ok(None) };
        if base.is_plain_http() || self.exempts(base.host()) {
            return Ok(None);
        }
        let proxy = url.to_str().and_then(HttpProxy::parse);
        proxy.map(Some).ok_or(InvalidProxy { variable })
    }

    fn exempts(&self, host: &str) -> bool {
        if self.no_proxy == "*" {
            return true;
        }
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        let mut entries = self.no_proxy.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
        match host.parse() {
            Ok(address) => entries.any(|entry| block_contains(entry, address).unwrap_or(false)),
            Err(_) => entries.any(|entry| {
                let domain = entry.strip_prefix('.').unwrap_or(entry);
                let domain = domain.strip_suffix('.').unwrap_or(domain).to_ascii_lowercase();
                let above = host.strip_suffix(&domain).filter(|_| !domain.is_empty());
                above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }),
        }
    }
}

/// Returns whether an entry like `10.0.0.0/8` or `10.1.2.3` contains an address; `None` if it is
/// neither.
fn block_contains(entry: &str, address: IpAddr) -> Option<bool> {
    let (block, length) = entry.split_once('/').map_or((entry, None), |(b, l)| (b, Some(l)));
    // The bits, left-aligned in 128, and their number.
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let ((block, width), (address, other_width)) = (bits(block.parse().ok()?), bits(address));
    // As in curl, text after the number is ignored, and none or 0 stands for all bits.
    let length = length.map(|text| text.strip_prefix('+').unwrap_or(text)).unwrap_or_default();
    let digits = length.len() - length.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let length = match &length[..digits] {
        "" if length.starts_with('-') => return None,
        "" => width,
        digits => digits.parse().ok().map(|bits| if bits == 0 { width } else { bits })?,
    };
    let same = (block ^ address).checked_shr(128_u32.checked_sub(length)?).unwrap_or(0) == 0;
    Some(same && width == other_width && length <= width)
}

/// The address of an HTTP proxy, with the credentials for it.
#[derive(Clone)]
pub struct HttpProxy {
    tls: bool,
    host: String,
    port: u16,
    user: Option<(Secret, Secret)>,
}

impl HttpProxy {
    fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user, authority) = match rest.rsplit_once('@') {
            Some((user, authority)) => (Some(user), authority),
            None => (None, rest),
        };
        let (host, port) = authority.rsplit_once(':')?;
        // The rules for hosts and ports are those of a base URL.
        let base: BaseUrl = format!("https://{authority}").parse().ok()?;
        let valid_user = |text: &str| !text.contains(['/', '?', '#', '@', '[', ']', ' ']);
        if host.contains('/') || !user.is_none_or(valid_user) {
            return None;
        }
        let user = match user.map(|user| user.split_once(':').unwrap_or((user, ""))) {
            Some((name, password)) => Some((percent_decoded(name)?, percent_decoded(password)?)),
            None => None,
        };
        // RFC 7617, section 2.
        let is_refused = |text: &Secret| text.expose().contains(char::is_control);
        if user.as_ref().is_some_and(|(name, password)| {
            is_refused(name) || is_refused(password) || name.expose().contains(':')
        }) {
            return None;
        }
        Some(Self { tls, host: base.host().to_owned(), port: port.parse().ok()?, user })
    }

    /// Returns whether the connection to the proxy itself uses TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Returns the host; an IPv6 address has brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the user name and the password, if there are any.
    pub fn user(&self) -> Option<(&Secret, &Secret)> {
        self.user.as_ref().map(|(name, password)| (name, password))
    }
}

/// Decodes a user name or a password; `None` if an escape is malformed.
fn percent_decoded(text: &str) -> Option<Secret> {
    let is_escape = |after: &str| {
        after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    // A reallocated vector would leave an unwiped copy behind.
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend(percent_decode_str(text));
    String::from_utf8(decoded).ok().map(Secret::from)
}

/// Writes the host and the port, without credentials.
impl fmt::Display for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpProxy({self})")
    }
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value may contain a password.
        f.debug_struct("ProxySettings")
            .field("proxy", &self.proxy.as_ref().map(|(variable, _)| variable))
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

/// Error parsing the address of an HTTP proxy. It does not contain the value, which may contain a
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidProxy {
    variable: &'static str,
}

impl InvalidProxy {
    /// Returns the name of the variable, or `the proxy` if it was set in code.
    pub fn variable(&self) -> &'static str {
        self.variable
    }
}

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable } = self;
        write!(
            f,
            "{variable} is not the address of an HTTP proxy, like http://host:port (SOCKS is not supported)"
        )
    }
}

impl std::error::Error for InvalidProxy {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_http_proxies_with_a_port() {
        for (url, host, port) in [
            ("http://p.example:3128", "p.example", 3128),
            ("HTTPS://u:p@p.example:1/", "p.example", 1),
            ("p.example:8080", "p.example", 8080),
            ("http://[::1]:65535", "[::1]", 65535),
        ] {
            let proxy = HttpProxy::parse(url).unwrap();
            assert_eq!((proxy.host(), proxy.port()), (host, port), "{url}");
        }
        let proxy = HttpProxy::parse("http://us%65r:p%40:s%3As@p:1").unwrap();
        let (user, password) = proxy.user().unwrap();
        assert_eq!((user.expose(), password.expose()), ("user", "p@:s:s"));
        assert_eq!(format!("{proxy:?}"), "HttpProxy(p:1)");
        for url in [
            "socks5://127.0.0.1:9",
            "/",
            "http://",
            "http://u:p@:1",
            "http://a b:1",
            ":80",
            "p",
            "http://127.0.0.1:99999",
            "http://p:abc",
            "http://p:3128a",
            "http://p:0",
            "http://p:",
            "http://user:pa#ss@p:1",
            "http://user:pa/ss@p:1",
            "http://u:pa?ss@p:1",
            "http://p:1/x",
            "http://u:%zz@p:1",
            "http://u:%+5@p:1",
            "http://u%4@p:1",
            "http://p:+1",
            "http://u%3Av:p@p:1",
            "http://u%00:p@p:1",
            "http://u:p%0a@p:1",
            "http://u:%7F@p:1",
            "http://u:p\n@p:1",
        ] {
            assert!(HttpProxy::parse(url).is_none(), "{url}");
        }
    }

    #[test]
    fn hosts_bypass_the_proxy_as_with_curl() {
        let exempts = |list: &str, host: &str| {
            let settings = ProxySettings::default().with_proxy("p:1").with_no_proxy(list);
            settings.proxy_for(&format!("https://{host}").parse().unwrap()).unwrap().is_none()
        };
        let domains = ["a.example", ".a.example", "a.example.", ".a.example.", "A.EXAMPLE"];
        let lists =
            ["x,a.example", " x , a.example ", ",,a.example,", "x a.example", "x\ta.example"];
        for list in domains.into_iter().chain(lists) {
            for (host, exempt) in
                [("a.example", true), ("b.A.example", true), ("ba.example", false)]
            {
                assert_eq!(exempts(list, host), exempt, "{list}: {host}");
            }
        }
        for list in [
            "",
            " ",
            ".",
            "..a.example",
            "b.a.example",
            "ample",
            "x;a.example",
            "\"a.example\"",
            "a.example:443",
            "https://a.example",
            "a.example/8",
            "*.a.example",
            "*a.example",
            " * ",
            "*,x",
            "x,*",
            "a.*",
            "x\na.example",
        ] {
            assert!(!exempts(list, "a.example"), "{list}");
        }
        let blocks = ["127.0.0.0/8", "127.0.0.1/32", "126.0.0.0/7", "127.0.0.0/31", "127.0.0.1/08"];
        let odd = ["127.0.0.1/", "127.0.0.1/0", "127.0.0.1/x", "127.0.0.0/8x", "127.9.9.9/+8"];
        let blocks = blocks.into_iter().chain(odd);
        for list in blocks.chain(["*", "127.0.0.1", "127.0.0.1 ", "x 127.0.0.1"]) {
            assert!(exempts(list, "127.0.0.1"), "{list}");
        }
        let others = "127 127. 127.0.0 0.0.1 .0.0.1 127.* 127.1/8 [127.0.0.1] 127.0.0.1:443 127.0.0.1. \
            .127.0.0.1 127.0.0.01 localhost 10.0.0.0/8 127.0.0.2/31 128.0.0.0/1 127.0.0.1/33 \
            127.0.0.1/129 127.0.0.1/-1 127.0.0.0/255.0.0.0 ::ffff:127.0.0.1 ::/0 0.0.0.0/0 \
            127.0.0.0/0";
        for list in others.split(' ') {
            assert!(!exempts(list, "127.0.0.1"), "{list}");
        }
        // curl 7.88 compares IPv6 addresses as text; its documentation says this.
        for list in ["::1", "x,::1", "0:0:0:0:0:0:0:1", "::1/128", "::/127", "::1/0", "*"] {
            assert!(exempts(list, "[::1]"), "{list}");
        }
        for list in [
            "[::1]",
            "[::]/0",
            "::/0",
            "[::1",
            "::1/129",
            "::2",
            "::2/127",
            ":1",
            "::1:443",
            "0.0.0.0/0",
        ] {
            assert!(!exempts(list, "[::1]"), "{list}");
        }
    }

    #[test]
    fn variables_have_precedence_and_are_named_in_errors() {
        let settings = |set: &'static [(&str, &str)]| {
            ProxySettings::from_variables(|name| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
            })
        };
        let base = BaseUrl::production();
        let port = |set| settings(set).proxy_for(&base).unwrap().map(|proxy| proxy.port());
        assert_eq!(port(&[("HTTP_PROXY", "p:1")]), None);
        assert_eq!(port(&[("HTTPS_PROXY", ""), ("https_proxy", "p:2")]), Some(2));
        assert_eq!(port(&[("HTTPS_PROXY", "p:1"), ("https_proxy", "p:2")]), Some(2));
        assert_eq!(port(&[("all_proxy", "p:3"), ("HTTPS_PROXY", "p:4")]), Some(4));
        let broken = settings(&[("ALL_PROXY", "socks5://secret"), ("no_proxy", "h.example")]);
        let error = broken.proxy_for(&base).unwrap_err();
        let expected = "ALL_PROXY is not the address of an HTTP proxy, like http://host:port (SOCKS is not supported)";
        assert_eq!((error.to_string().as_str(), error.variable()), (expected, "ALL_PROXY"));
        let shown = r#"ProxySettings { proxy: Some("ALL_PROXY"), no_proxy: "h.example" }"#;
        assert_eq!(format!("{broken:?}"), shown);
        // An invalid proxy does not affect exempt hosts or plain http.
        assert!(broken.proxy_for(&"https://h.example".parse().unwrap()).unwrap().is_none());
        assert!(broken.proxy_for(&"http://127.0.0.1:1".parse().unwrap()).unwrap().is_none());
    }
}

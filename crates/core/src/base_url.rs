mod parse;

use std::fmt;

use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use serde::Serialize;

pub use self::parse::InvalidBaseUrl;
pub(crate) use self::parse::is_plain_segment;
use crate::error::BuildError;

/// The base URL of the service: a scheme, a host, and optionally a port and a path prefix.
///
/// The scheme is `https`; plain `http` is accepted only for this machine (`localhost`,
/// `127.0.0.0/8`, `[::1]`), since requests and responses contain secrets and personal data.
///
/// ```
/// use didit_core::BaseUrl;
///
/// let base: BaseUrl = "https://gateway.example.com/didit/".parse()?;
/// assert_eq!(base.to_string(), "https://gateway.example.com/didit");
/// assert!("http://gateway.example.com".parse::<BaseUrl>().is_err());
/// # Ok::<(), didit_core::InvalidBaseUrl>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub struct BaseUrl {
    scheme: Scheme,
    authority: Authority,
    /// Empty, or one or more times `/segment`.
    prefix: Box<str>,
}

/// The longest URL that the `http` crate accepts, in bytes.
const MAX_URL_LEN: usize = 65_534;

impl BaseUrl {
    /// The longest base URL accepted, in bytes.
    pub const MAX_LEN: usize = 2048;

    /// Returns the live service of the data-transfer API, `https://apx.didit.me`.
    pub fn production() -> Self {
        Self::documented("apx.didit.me")
    }

    /// Returns the staging service of the data-transfer API, `https://apx.staging.didit.me`.
    pub fn staging() -> Self {
        Self::documented("apx.staging.didit.me")
    }

    /// Returns the live service of the verification API, `https://verification.didit.me`.
    pub fn verification() -> Self {
        Self::documented("verification.didit.me")
    }

    /// Returns the staging service of the verification API,
    /// `https://verification.staging.didit.me`.
    pub fn verification_staging() -> Self {
        Self::documented("verification.staging.didit.me")
    }

    /// Returns the base URL of the verification API that belongs to this one of the data-transfer
    /// API: another host for the live and the staging service, the same URL for a gateway or a test
    /// server.
    #[must_use]
    pub fn verification_counterpart(&self) -> Self {
        if *self == Self::production() {
            Self::verification()
        } else if *self == Self::staging() {
            Self::verification_staging()
        } else {
            self.clone()
        }
    }

    fn documented(host: &'static str) -> Self {
        Self {
            scheme: Scheme::HTTPS,
            authority: Authority::from_static(host),
            prefix: Box::default(),
        }
    }

    /// Returns whether requests are unencrypted, which is allowed only to this machine.
    pub fn is_plain_http(&self) -> bool {
        self.scheme == Scheme::HTTP
    }

    /// Returns the host, without the port; an IPv6 address has brackets.
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// Returns the port, or the scheme's default if there is none.
    pub fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.is_plain_http() { 80 } else { 443 })
    }

    /// Returns the URI of `path`, which begins with `/`.
    ///
    /// # Errors
    /// [`BuildError::TooLong`].
    pub(crate) fn join(&self, path: String) -> Result<Uri, BuildError> {
        let path = if self.prefix.is_empty() { path } else { format!("{}{path}", self.prefix) };
        let base = self.scheme.as_str().len() + "://".len() + self.authority.as_str().len();
        if base + path.len() > MAX_URL_LEN {
            return Err(BuildError::TooLong);
        }
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(path).map_err(http::Error::from)?);
        Ok(Uri::from_parts(parts).map_err(http::Error::from)?)
    }
}

impl From<BaseUrl> for String {
    fn from(base: BaseUrl) -> Self {
        base.to_string()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.prefix)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str) -> String {
        let base: BaseUrl = base.parse().unwrap();
        base.join("/auth/v2/token/".to_owned()).unwrap().to_string()
    }

    #[test]
    fn joins_host_port_and_prefix() {
        assert_eq!(joined("https://apx.didit.me"), "https://apx.didit.me/auth/v2/token/");
        assert_eq!(
            joined("HTTPS://APX.didit.me:8443/"),
            "https://apx.didit.me:8443/auth/v2/token/"
        );
        assert_eq!(joined("https://h/a/b//"), "https://h/a/b/auth/v2/token/");
        assert_eq!(joined("http://127.3.2.1:80"), "http://127.3.2.1:80/auth/v2/token/");
        assert_eq!(joined("http://localhost:"), "http://localhost/auth/v2/token/");
        assert_eq!(joined("http://[::1]:1"), "http://[::1]:1/auth/v2/token/");
        assert_eq!(BaseUrl::production().to_string(), "https://apx.didit.me");
        assert_eq!(String::from(BaseUrl::staging()), "https://apx.staging.didit.me");
    }

    #[test]
    fn verification_counterpart_differs_only_for_documented_hosts() {
        assert_eq!(BaseUrl::production().verification_counterpart(), BaseUrl::verification());
        assert_eq!(BaseUrl::staging().verification_counterpart(), BaseUrl::verification_staging());
        let gateway: BaseUrl = "https://gateway.example/didit".parse().unwrap();
        assert_eq!(gateway.verification_counterpart(), gateway);
    }

    #[test]
    fn is_plain_http_reflects_the_scheme() {
        let is_plain = |base: &str| base.parse::<BaseUrl>().unwrap().is_plain_http();
        assert!(is_plain("http://127.0.0.1") && !is_plain("https://127.0.0.1"));
        assert!(!BaseUrl::production().is_plain_http());
    }
}

//! A destination of webhooks: a URL of this machine, and the secret to sign with.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[derive(Clone)]
pub(crate) struct Destination {
    pub(crate) url: String,
    /// The value of the `Host` header.
    pub(crate) host: String,
    pub(crate) path: String,
    /// The addresses to try, in this order.
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) secret: String,
}

impl Destination {
    /// Parses an `http` URL whose host is `localhost` or a loopback address, without a DNS lookup.
    pub(crate) fn new(url: &str, secret: &str) -> io::Result<Self> {
        Self::parse(url, secret).ok_or_else(|| {
            let shown = public_part(url).map(|part| format!(" {part:?}")).unwrap_or_default();
            let why = format!(
                "the webhook destination{shown} is not an http URL of this machine, like \
                 http://127.0.0.1:3000/webhooks"
            );
            io::Error::new(io::ErrorKind::InvalidInput, why)
        })
    }

    fn parse(url: &str, secret: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) || rest.contains('#') {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at_checked(end)?;
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, port.parse().ok()?),
            _ => (host, 80),
        };
        let addresses: Vec<IpAddr> = if name.eq_ignore_ascii_case("localhost") {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        } else {
            vec![crate::host::address(name)?]
        };
        let loopback = addresses.iter().all(IpAddr::is_loopback);
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        loopback.then(|| Self {
            url: url.to_owned(),
            host: host.to_owned(),
            path,
            addresses: addresses.into_iter().map(|address| (address, port).into()).collect(),
            secret: secret.to_owned(),
        })
    }
}

/// Returns the beginning of a URL, without its query, which may be secret; `None` if it may have user
/// information.
fn public_part(url: &str) -> Option<&str> {
    url.split(['?', '#']).next().filter(|_| !url.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_show_neither_user_information_nor_query() {
        for (url, shown) in [
            ("https://h/path?key=canary#canary", " \"https://h/path\""),
            ("https://u:canary@h", ""),
            ("http://u:can/ary?canary@127.0.0.1", ""),
            ("//canary@h", ""),
            ("https://h/?email=a@b&key=canary", ""),
        ] {
            let error = Destination::new(url, "s").err().unwrap().to_string();
            let start = format!("the webhook destination{shown} is not an http URL");
            assert!(error.starts_with(&start), "{url}: {error}");
        }
    }

    #[test]
    fn only_http_urls_of_this_machine_are_accepted() {
        let parts = |url: &str| {
            let found = Destination::new(url, "s").ok()?;
            Some((found.host, found.path, found.addresses[0].to_string()))
        };
        let some = |host: &str, path: &str, address: &str| {
            Some((host.to_owned(), path.to_owned(), address.to_owned()))
        };
        assert_eq!(
            parts("http://127.0.0.1:3000/a?b"),
            some("127.0.0.1:3000", "/a?b", "127.0.0.1:3000")
        );
        assert_eq!(parts("http://LOCALHOST"), some("LOCALHOST", "/", "127.0.0.1:80"));
        assert_eq!(parts("http://[::1]:9?x"), some("[::1]:9", "/?x", "[::1]:9"));
        for url in [
            "https://127.0.0.1/",
            "http://example.com/",
            "http://192.168.0.1/",
            "http://a@127.0.0.1/",
            "http://127.0.0.1:99999/",
            "http://[::2]/",
            "http://127.0.0.1/ a",
            "http://127.0.0.1/\r\nX: y",
            "http://localhost.example.com/",
            "",
        ] {
            assert_eq!(parts(url), None, "{url}");
        }
    }
}

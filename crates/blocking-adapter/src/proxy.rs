use std::env;

use ureq::{Proxy, ProxyProtocol};

use crate::error::ConfigError;

/// Where the proxy of https addresses is looked for: of each pair the first that is set counts, and
/// the second pair if that is empty.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// The proxy for https addresses; `ureq`'s own look at the environment takes the one for http as
/// well, and goes without one that it cannot read.
pub(crate) fn from_environment() -> Result<Option<Proxy>, ConfigError> {
    let set = VARIABLES
        .iter()
        .filter_map(|pair| pair.iter().find_map(|name| Some((*name, env::var_os(name)?))))
        .find(|(_, value)| !value.is_empty());
    let Some((name, value)) = set else { return Ok(None) };
    let except = env::var("NO_PROXY").or_else(|_| env::var("no_proxy")).unwrap_or_default();
    let proxy = value.to_str().and_then(|text| parse(text, &except));
    proxy.map(Some).ok_or(ConfigError::Proxy(name))
}

/// A proxy of HTTP for all hosts but those of a list.
fn parse(text: &str, except: &str) -> Option<Proxy> {
    let proxy = Proxy::new(text).ok()?;
    let protocol = proxy.protocol();
    if !matches!(protocol, ProxyProtocol::Http | ProxyProtocol::Https) || proxy.host().is_empty() {
        return None;
    }
    let mut builder = Proxy::builder(protocol).host(proxy.host()).port(proxy.port());
    if let Some(name) = proxy.username() {
        builder = builder.username(name);
    }
    if let Some(password) = proxy.password() {
        builder = builder.password(password);
    }
    for host in except.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        // A domain stands for all hosts below it as well.
        let domain = host.trim_start_matches('.');
        builder = builder.no_proxy(domain).no_proxy(&format!(".{domain}"));
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_one_of_http() {
        for (text, host, port) in [
            ("http://p.example:3128", "p.example", 3128),
            ("https://u:p@p.example", "p.example", 443),
            ("p.example:8080", "p.example", 8080),
            ("p", "p", 80),
        ] {
            let proxy = parse(text, "").unwrap();
            assert_eq!((proxy.host(), proxy.port()), (host, port), "{text}");
        }
        let named = parse("http://user:p%40ss@p.example", "").unwrap();
        assert_eq!((named.username(), named.password()), (Some("user"), Some("p@ss")));
        assert_eq!(parse("http://user@p.example", "").unwrap().username(), Some("user"));
        for text in ["socks5://127.0.0.1:9", "/", "http://", "http://u:p@:1", "http://a b", ":80"] {
            assert!(parse(text, "").is_none(), "{text}");
        }
    }

    #[test]
    fn hosts_of_the_list_and_below_are_reached_without_it() {
        let except = parse("p", "localhost, .intern.example,,shop.example").unwrap();
        for (host, without) in [
            ("localhost", true),
            ("intern.example", true),
            ("a.intern.example", true),
            ("b.shop.example", true),
            ("other.example", false),
            ("notshop.example", false),
        ] {
            let uri = format!("https://{host}/").parse().unwrap();
            assert_eq!(except.is_no_proxy(&uri), without, "{host}");
        }
        assert!(parse("p", "*").unwrap().is_no_proxy(&"https://any.example".parse().unwrap()));
    }
}

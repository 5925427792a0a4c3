use std::env;

use http::Uri;

use crate::error::ConfigError;

/// Where the HTTP library looks for the proxy of https addresses: of each pair the first that is
/// set counts, and the second pair if that is empty.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// Refuses a proxy that cannot be used: the HTTP library would go without it and say nothing.
pub(crate) fn check() -> Result<(), ConfigError> {
    let set = VARIABLES
        .iter()
        .filter_map(|pair| pair.iter().find_map(|name| Some((*name, env::var_os(name)?))))
        .find(|(_, value)| !value.is_empty());
    match set {
        Some((name, value)) if !value.to_str().is_some_and(is_http_proxy) => {
            Err(ConfigError::Proxy(name))
        }
        _ => Ok(()),
    }
}

/// Without a scheme, http is meant.
fn is_http_proxy(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        uri.authority().is_some_and(|authority| !authority.host().is_empty())
            && matches!(uri.scheme_str(), None | Some("http" | "https"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_one_of_http() {
        for text in ["http://p.example:3128", "https://u:p@p.example", "p.example:8080", "p"] {
            assert!(is_http_proxy(text), "{text}");
        }
        for text in ["socks5://127.0.0.1:9", "/", "http://", "http://u:p@:1", "http://a b", ":80"] {
            assert!(!is_http_proxy(text), "{text}");
        }
    }
}

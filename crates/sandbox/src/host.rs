//! Which names of this machine a request may be addressed to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a `Host` header names the loopback interface, with any port or none.
///
/// A page of another site can reach the sandbox only by a name of its own that was made to resolve
/// to this machine (DNS rebinding), and that name stands in the header.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    if let Some(address) = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| IpAddr::from(address).is_loopback());
    }
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn loopback_has_few_names() {
        for host in
            ["127.0.0.1", "127.0.0.1:8080", "127.1.2.3", "LOCALHOST:9", "a.localhost", "[::1]:9"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "a:b",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com:80",
            "0.0.0.0",
            "192.168.0.1:80",
            "[::2]",
            "::1",
            "127.1",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}

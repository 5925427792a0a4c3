//! Checks of the `Host` header.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Returns whether a `Host` header names the loopback interface, with or without a port.
///
/// With DNS rebinding another site can make its own host name resolve to this machine, but the
/// header then contains that name.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = without_port(host).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || address(&name).is_some_and(|address| address.is_loopback())
}

/// Returns whether a `Host` header contains an IP address instead of a name.
pub(crate) fn is_address(host: &str) -> bool {
    address(without_port(host)).is_some()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Parses an IP address, which is in brackets if it is one of IPv6.
pub(crate) fn address(name: &str) -> Option<IpAddr> {
    match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse().map(Ipv6Addr::into).ok(),
        None => name.parse().map(Ipv4Addr::into).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_address, is_loopback};

    #[test]
    fn loopback_hosts_are_recognized() {
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

    #[test]
    fn names_are_not_addresses() {
        for host in ["192.168.0.1", "10.0.0.1:8080", "[fe80::1]:9", "0.0.0.0"] {
            assert!(is_address(host), "{host}");
        }
        for host in ["", "localhost", "example.com:80", "192.168.0.1.example.com", "fe80::1", "1:2"]
        {
            assert!(!is_address(host), "{host}");
        }
    }
}

//! The address that the sandbox listens on, and the URLs at which it can be reached.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use crate::host;
use crate::random::unguessable;

/// The URLs and host names at which the sandbox can be reached.
pub(crate) struct Reach {
    /// The base URL, without a trailing slash. It names the loopback interface, unless the sandbox
    /// listens on a single other address.
    pub(crate) url: String,
    /// Access for other machines; `None` if the sandbox listens on the loopback interface only.
    pub(crate) network: Option<Network>,
}

/// Access for other machines.
pub(crate) struct Network {
    /// The base URL for other machines, without a trailing slash.
    pub(crate) url: String,
    /// The secret with which a browser on another machine can see more than one session.
    pub(crate) token: String,
    /// The name of the cookie that contains the token. It includes the port, because all ports of a
    /// host share their cookies.
    pub(crate) cookie: String,
}

impl Reach {
    pub(crate) fn bind(
        address: IpAddr,
        port: u16,
        scheme: &str,
    ) -> io::Result<(TcpListener, Self)> {
        let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        if is_broadcast || address.is_multicast() {
            let why = format!(
                "{address} is a broadcast or multicast address; listen on an address of this machine"
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let listener = TcpListener::bind((address, port))?;
        let bound = listener.local_addr()?;
        let url =
            |address: IpAddr| format!("{scheme}://{}", SocketAddr::new(address, bound.port()));
        let own = match bound.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
            address => address,
        };
        let network = if bound.ip().is_loopback() {
            None
        } else {
            Some(Network {
                url: url(if bound.ip().is_unspecified() { address_in_network(own) } else { own }),
                token: unguessable()?,
                cookie: format!("didit-sandbox-{}", bound.port()),
            })
        };
        Ok((listener, Self { url: url(own), network }))
    }

    /// Returns whether a request with this `Host` header is addressed to the sandbox.
    ///
    /// With DNS rebinding another site can make its own host name resolve to this machine. It cannot
    /// do so with an IP address.
    pub(crate) fn is_host(&self, host: &str) -> bool {
        host::is_loopback(host) || self.network.is_some() && host::is_address(host)
    }

    /// Describes the accepted hosts, for error messages.
    pub(crate) fn hosts(&self) -> &'static str {
        match self.network {
            None => "127.0.0.1 and localhost",
            Some(_) => "localhost and the IP addresses of its machine",
        }
    }

    /// Returns the base URL of the pages, which may be opened on another device.
    pub(crate) fn pages(&self) -> &str {
        self.network.as_ref().map_or(&self.url, |network| &network.url)
    }
}

/// Returns the address at which other machines can most likely reach this one; `own` if there is no
/// network.
fn address_in_network(own: IpAddr) -> IpAddr {
    // Connecting a UDP socket selects the outgoing address without sending anything. The targets are
    // documentation addresses (RFC 5737, RFC 3849).
    let (any, target) = match own {
        IpAddr::V4(_) => ("0.0.0.0:0", "192.0.2.1:9"),
        IpAddr::V6(_) => ("[::]:0", "[2001:db8::1]:9"),
    };
    let address = || {
        let socket = UdpSocket::bind(any)?;
        socket.connect(target)?;
        socket.local_addr()
    };
    address().map_or(own, |address| address.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(address: &str) -> Reach {
        Reach::bind(address.parse().expect(address), 0, "http").expect("a free port").1
    }

    #[test]
    fn loopback_sandbox_accepts_loopback_hosts_only() {
        let reach = reach("127.0.0.1");
        assert!(reach.network.is_none() && reach.url.starts_with("http://127.0.0.1:"));
        assert!(reach.is_host("localhost:1") && !reach.is_host("192.168.0.1:1"));
        assert_eq!(reach.pages(), reach.url);
    }

    #[test]
    fn addresses_of_many_machines_are_refused() {
        for address in ["255.255.255.255", "224.0.0.1", "ff02::1"] {
            let bound = Reach::bind(address.parse().expect(address), 0, "http");
            assert!(bound.is_err_and(|error| error.to_string().starts_with(address)));
        }
    }

    #[test]
    fn network_sandbox_accepts_addresses_but_no_names() {
        let reach = reach("0.0.0.0");
        assert!(reach.url.starts_with("http://127.0.0.1:"), "{}", reach.url);
        assert!(reach.is_host("192.168.0.1:1") && reach.is_host("[fe80::1]:1"));
        assert!(reach.is_host("localhost") && !reach.is_host("example.com"));
        let network = reach.network.as_ref().expect("network access");
        assert!(network.token.len() >= 32 && !network.url.contains("0.0.0.0"), "{}", network.url);
        assert_eq!(reach.pages(), network.url);
    }
}

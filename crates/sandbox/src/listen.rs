//! The address that the sandbox listens at, and the URLs that it is reached by.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use crate::host;
use crate::random::unguessable;

/// The ways to reach a sandbox.
pub(crate) struct Reach {
    /// The base URL, with no slash at its end: of this machine, unless the sandbox listens at one
    /// other address only.
    pub(crate) url: String,
    /// Set if other machines can connect.
    pub(crate) network: Option<Network>,
}

/// The way in for other machines.
pub(crate) struct Network {
    /// The base URL, with no slash at its end.
    pub(crate) url: String,
    /// The secret that lets a browser of another machine see more than one session.
    pub(crate) token: String,
    /// The name of the cookie that carries the token. Cookies are shared by all ports of a host.
    pub(crate) cookie: String,
}

impl Reach {
    pub(crate) fn bind(
        address: IpAddr,
        port: u16,
        scheme: &str,
    ) -> io::Result<(TcpListener, Self)> {
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

    /// Returns whether a request with this `Host` header is addressed to the sandbox itself.
    ///
    /// Another site can make a name of its own resolve to this machine (DNS rebinding), but not an
    /// address.
    pub(crate) fn is_host(&self, host: &str) -> bool {
        host::is_loopback(host) || self.network.is_some() && host::is_address(host)
    }

    /// Returns the hosts that it answers at, in words.
    pub(crate) fn hosts(&self) -> &'static str {
        match self.network {
            None => "127.0.0.1 and localhost",
            Some(_) => "localhost and the IP addresses of its machine",
        }
    }

    /// Returns the base URL of the pages that a person may open on another device.
    pub(crate) fn pages(&self) -> &str {
        self.network.as_ref().map_or(&self.url, |network| &network.url)
    }
}

/// Returns the address that other machines of the network most likely know this one by, or the
/// given one if there is no network.
fn address_in_network(own: IpAddr) -> IpAddr {
    // Connecting a UDP socket chooses the outgoing address and sends nothing. These are addresses
    // for documentation (RFC 5737, RFC 3849).
    let (any, elsewhere) = match own {
        IpAddr::V4(_) => ("0.0.0.0:0", "192.0.2.1:9"),
        IpAddr::V6(_) => ("[::]:0", "[2001:db8::1]:9"),
    };
    let address = || {
        let socket = UdpSocket::bind(any)?;
        socket.connect(elsewhere)?;
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
    fn a_sandbox_of_this_machine_answers_to_no_other_address() {
        let reach = reach("127.0.0.1");
        assert!(reach.network.is_none() && reach.url.starts_with("http://127.0.0.1:"));
        assert!(reach.is_host("localhost:1") && !reach.is_host("192.168.0.1:1"));
        assert_eq!(reach.pages(), reach.url);
    }

    #[test]
    fn a_sandbox_of_the_network_answers_to_addresses_and_to_no_name() {
        let reach = reach("0.0.0.0");
        assert!(reach.url.starts_with("http://127.0.0.1:"), "{}", reach.url);
        assert!(reach.is_host("192.168.0.1:1") && reach.is_host("[fe80::1]:1"));
        assert!(reach.is_host("localhost") && !reach.is_host("example.com"));
        let network = reach.network.as_ref().expect("a way in");
        assert!(network.token.len() >= 32 && !network.url.contains("0.0.0.0"), "{}", network.url);
        assert_eq!(reach.pages(), network.url);
    }
}

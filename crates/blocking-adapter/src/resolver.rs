use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use http::uri::{Authority, Scheme};
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Looks a host up once in a while. `ureq` does it for every request, also where a connection is
/// open already, in a thread of its own so that it can be given up in time.
#[derive(Debug, Default)]
pub(crate) struct CachingResolver {
    inner: DefaultResolver,
    last: Mutex<Option<LookedUp>>,
}

#[derive(Debug)]
struct LookedUp {
    scheme: Scheme,
    authority: Authority,
    addresses: Vec<SocketAddr>,
    at: Instant,
}

/// Short enough for a service that moves, long enough for a load of requests.
const KEPT: Duration = Duration::from_secs(10);

impl CachingResolver {
    fn kept(&self, scheme: &Scheme, authority: &Authority) -> Option<ResolvedSocketAddrs> {
        let mut addresses = self.inner.empty();
        if let Ok(ip) = host_ip(authority) {
            addresses.push(SocketAddr::new(ip, port(scheme, authority)));
            return Some(addresses);
        }
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let last = last.as_ref().filter(|last| last.at.elapsed() < KEPT)?;
        if last.scheme != *scheme || last.authority != *authority {
            return None;
        }
        for address in &last.addresses {
            addresses.push(*address);
        }
        Some(addresses)
    }
}

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return self.inner.resolve(uri, config, timeout);
        };
        if let Some(addresses) = self.kept(scheme, authority) {
            return Ok(addresses);
        }
        let addresses = self.inner.resolve(uri, config, timeout)?;
        let looked_up = LookedUp {
            scheme: scheme.clone(),
            authority: authority.clone(),
            addresses: addresses.to_vec(),
            at: Instant::now(),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(looked_up);
        Ok(addresses)
    }
}

fn host_ip(authority: &Authority) -> Result<IpAddr, std::net::AddrParseError> {
    authority.host().trim_matches(['[', ']']).parse()
}

fn port(scheme: &Scheme, authority: &Authority) -> u16 {
    authority.port_u16().unwrap_or(if *scheme == Scheme::HTTPS { 443 } else { 80 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(text: &str) -> Authority {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_needs_no_looking_up() {
        let resolver = CachingResolver::default();
        for (scheme, text, expected) in [
            (Scheme::HTTPS, "127.0.0.1", "127.0.0.1:443"),
            (Scheme::HTTP, "127.0.0.1", "127.0.0.1:80"),
            (Scheme::HTTP, "[::1]:7", "[::1]:7"),
        ] {
            let kept = resolver.kept(&scheme, &authority(text)).unwrap();
            assert_eq!(kept.to_vec(), [expected.parse().unwrap()], "{text}");
        }
    }

    #[test]
    fn what_was_looked_up_is_kept_for_a_while_and_for_that_host_alone() {
        let kept = |age: Duration, scheme: Scheme, name: &str| {
            let resolver = CachingResolver::default();
            *resolver.last.lock().unwrap() = Some(LookedUp {
                scheme: Scheme::HTTPS,
                authority: authority("h.example"),
                addresses: vec!["127.0.0.1:443".parse().unwrap()],
                at: Instant::now().checked_sub(age).unwrap(),
            });
            resolver.kept(&scheme, &authority(name)).map(|addresses| addresses.to_vec())
        };
        let addresses = Some(vec!["127.0.0.1:443".parse().unwrap()]);
        assert_eq!(kept(Duration::ZERO, Scheme::HTTPS, "h.example"), addresses);
        assert_eq!(kept(KEPT, Scheme::HTTPS, "h.example"), None);
        assert_eq!(kept(Duration::ZERO, Scheme::HTTP, "h.example"), None);
        assert_eq!(kept(Duration::ZERO, Scheme::HTTPS, "other.example"), None);
        let none = CachingResolver::default();
        assert!(none.kept(&Scheme::HTTPS, &authority("h.example")).is_none());
    }
}

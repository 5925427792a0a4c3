use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Resolves a host once in a while. `ureq` does it for every request, also where a connection is
/// open already, in a thread of its own so that it can be given up in time.
#[derive(Debug, Default)]
pub(crate) struct CachingResolver {
    inner: DefaultResolver,
    last: Mutex<Option<(String, Vec<SocketAddr>, Instant)>>,
}

/// Short enough for a service that moves, long enough for a load of requests.
const KEPT: Duration = Duration::from_secs(10);

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = format!("{:?} {:?}", uri.scheme_str(), uri.authority());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, kept, _)) =
            last.as_ref().filter(|(name, _, at)| *name == host && at.elapsed() < KEPT)
        {
            let mut addresses = self.inner.empty();
            for address in kept {
                addresses.push(*address);
            }
            return Ok(addresses);
        }
        drop(last.take());
        drop(last);
        // An error here that is not the system's own is one of name resolution.
        let addresses = self.inner.resolve(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Io(error) if error.raw_os_error().is_none() => ureq::Error::HostNotFound,
            error => error,
        })?;
        let resolved = (host, addresses.to_vec(), Instant::now());
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(resolved);
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_resolved_again_after_a_while() {
        let uri = Uri::from_static("http://127.0.0.1:80/");
        let (after, reason) = (KEPT.into(), ureq::Timeout::Resolve);
        let timeout = || NextTimeout { after, reason, per_read: None, per_write: None };
        let resolver = CachingResolver::default();
        let resolve = || resolver.resolve(&uri, &Config::default(), timeout()).unwrap()[0];
        let (found, other) = (resolve(), SocketAddr::from(([127, 0, 0, 9], 9)));
        let mut last = resolver.last.lock().unwrap();
        last.as_mut().unwrap().1 = vec![other];
        drop(last);
        assert_eq!(resolve(), other);
        resolver.last.lock().unwrap().as_mut().unwrap().2 -= KEPT;
        assert_eq!(resolve(), found);
    }
}

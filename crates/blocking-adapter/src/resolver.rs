use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Caches the addresses of the last host. `ureq` resolves the host for every request, even on an
/// open connection, and starts a thread each time to enforce the timeout.
#[derive(Debug, Default)]
pub(crate) struct CachingResolver {
    inner: DefaultResolver,
    last: Mutex<Option<(String, Vec<SocketAddr>, Instant)>>,
}

/// Short enough to follow a change of addresses, long enough for a burst of requests.
const TIME_TO_LIVE: Duration = Duration::from_secs(10);

impl Resolver for CachingResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = format!("{:?} {:?}", uri.scheme_str(), uri.authority());
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cached, _)) =
            last.as_ref().filter(|(name, _, at)| *name == host && at.elapsed() < TIME_TO_LIVE)
        {
            let mut addresses = self.inner.empty();
            for address in cached {
                addresses.push(*address);
            }
            return Ok(addresses);
        }
        drop(last.take());
        drop(last);
        // Failed name resolution is the only I/O error here without an OS error code.
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
    fn cached_addresses_expire() {
        let uri = Uri::from_static("http://127.0.0.1:80/");
        let (after, reason) = (TIME_TO_LIVE.into(), ureq::Timeout::Resolve);
        let timeout = || NextTimeout { after, reason, per_read: None, per_write: None };
        let resolver = CachingResolver::default();
        let resolve = || resolver.resolve(&uri, &Config::default(), timeout()).unwrap()[0];
        let (found, other) = (resolve(), SocketAddr::from(([127, 0, 0, 9], 9)));
        let mut last = resolver.last.lock().unwrap();
        last.as_mut().unwrap().1 = vec![other];
        drop(last);
        assert_eq!(resolve(), other);
        resolver.last.lock().unwrap().as_mut().unwrap().2 -= TIME_TO_LIVE;
        assert_eq!(resolve(), found);
    }
}

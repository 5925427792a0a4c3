use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::Uri;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Caches the addresses of each host. `ureq` resolves the host for every request, even on an
/// open connection, and starts a thread each time to enforce the timeout.
#[derive(Debug, Default)]
pub(crate) struct CachingResolver {
    inner: DefaultResolver,
    resolved: Mutex<HashMap<String, (Vec<SocketAddr>, Instant)>>,
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
        let mut resolved = self.resolved.lock().unwrap_or_else(PoisonError::into_inner);
        resolved.retain(|_, (_, at)| at.elapsed() < TIME_TO_LIVE);
        if let Some((cached, _)) = resolved.get(&host) {
            let mut addresses = self.inner.empty();
            for address in cached {
                addresses.push(*address);
            }
            return Ok(addresses);
        }
        drop(resolved);
        // Failed name resolution is the only I/O error here without an OS error code.
        let addresses = self.inner.resolve(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Io(error) if error.raw_os_error().is_none() => ureq::Error::HostNotFound,
            error => error,
        })?;
        let entry = (addresses.to_vec(), Instant::now());
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner).insert(host, entry);
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
        let change = |change: fn(&mut (Vec<SocketAddr>, Instant), SocketAddr)| {
            resolver.resolved.lock().unwrap().values_mut().for_each(|entry| change(entry, other));
        };
        change(|(addresses, _), other| *addresses = vec![other]);
        assert_eq!(resolve(), other);
        change(|(_, at), _| *at -= TIME_TO_LIVE);
        assert_eq!(resolve(), found);
    }
}

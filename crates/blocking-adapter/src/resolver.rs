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

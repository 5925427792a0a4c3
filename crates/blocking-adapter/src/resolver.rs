use std::net::IpAddr;
use std::sync::{PoisonError, RwLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use http::Uri;
use http::uri::{Authority, Scheme};
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{NextTimeout, time};

/// Caches the addresses of each host. `ureq` resolves the host for every request, even on an
/// open connection, and starts a thread each time to enforce the timeout.
#[derive(Debug, Default)]
pub(crate) struct CachingResolver {
    resolved: RwLock<Vec<Resolved>>,
}

#[derive(Debug)]
struct Resolved {
    host: (Option<Scheme>, Option<Authority>),
    addresses: ResolvedSocketAddrs,
    at: Instant,
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
        let host = (uri.scheme().cloned(), uri.authority().cloned());
        let is_fresh = |entry: &Resolved| entry.at.elapsed() < TIME_TO_LIVE;
        let resolved = self.resolved.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = resolved.iter().find(|entry| entry.host == host && is_fresh(entry)) {
            return Ok(found.addresses.clone());
        }
        drop(resolved);
        // Failed name resolution is the only I/O error here without an OS error code.
        let addresses = look_up(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Io(error) if error.raw_os_error().is_none() => ureq::Error::HostNotFound,
            error => error,
        })?;
        let mut resolved = self.resolved.write().unwrap_or_else(PoisonError::into_inner);
        resolved.retain(is_fresh);
        resolved.push(Resolved { host, addresses: addresses.clone(), at: Instant::now() });
        Ok(addresses)
    }
}

/// Resolves a host within the timeout, an IP address without a thread. `ureq` would panic if no
/// thread could be started.
fn look_up(
    uri: &Uri,
    config: &Config,
    timeout: NextTimeout,
) -> Result<ResolvedSocketAddrs, ureq::Error> {
    let unlimited = NextTimeout { after: time::Duration::NotHappening, ..timeout };
    let address = uri.host().map(|host| host.trim_matches(['[', ']']).parse::<IpAddr>());
    if matches!(address, Some(Ok(_))) {
        return DefaultResolver::default().resolve(uri, config, unlimited);
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let (uri, config) = (uri.clone(), config.clone());
    let resolve = move || DefaultResolver::default().resolve(&uri, &config, unlimited);
    thread::Builder::new().spawn(move || sender.send(resolve()).ok())?;
    receiver.recv_timeout(*timeout.after).map_err(|_| ureq::Error::Timeout(timeout.reason))?
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn cached_addresses_expire() {
        let uri = Uri::from_static("http://127.0.0.1:80/");
        let (after, reason) = (TIME_TO_LIVE.into(), ureq::Timeout::Resolve);
        let timeout = || NextTimeout { after, reason, per_read: None, per_write: None };
        let resolver = CachingResolver::default();
        let resolve = || resolver.resolve(&uri, &Config::default(), timeout()).unwrap()[0];
        let (found, other) = (resolve(), SocketAddr::from(([127, 0, 0, 9], 9)));
        resolver.resolved.write().unwrap()[0].addresses[0] = other;
        assert_eq!(resolve(), other);
        resolver.resolved.write().unwrap()[0].at -= TIME_TO_LIVE;
        assert_eq!(resolve(), found);
    }
}

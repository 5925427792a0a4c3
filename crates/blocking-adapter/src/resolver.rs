use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{PoisonError, RwLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use http::Uri;
use ureq::config::Config;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{NextTimeout, time};

/// Caches the addresses of each host. `ureq` resolves the host for every request, even on an
/// open connection, and starts a thread each time to enforce the timeout.
#[derive(Debug, Default)]
pub(crate) struct CachingResolver(RwLock<HashMap<Option<String>, (ResolvedSocketAddrs, Instant)>>);

type Addresses = Result<ResolvedSocketAddrs, ureq::Error>;

/// Short enough to follow a change of addresses, long enough for a burst of requests.
const TIME_TO_LIVE: Duration = Duration::from_secs(10);

impl Resolver for CachingResolver {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Addresses {
        let host = uri.scheme().zip(uri.authority());
        let host = host.and_then(|(scheme, it)| DefaultResolver::host_and_port(scheme, it));
        let is_fresh = |at: &Instant| at.elapsed() < TIME_TO_LIVE;
        let found = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&host).cloned();
        if let Some((addresses, _)) = found.filter(|(_, at)| is_fresh(at)) {
            return Ok(addresses);
        }
        let addresses = look_up(uri.clone(), config.clone(), timeout);
        // A failed look-up has no OS error code. Other errors must not pass for connection errors.
        let addresses = addresses.map_err(|error| match error {
            ureq::Error::Io(error) if error.raw_os_error().is_none() => ureq::Error::HostNotFound,
            ureq::Error::Io(error) => ureq::Error::Other(Box::new(error)),
            error => error,
        })?;
        let mut resolved = self.0.write().unwrap_or_else(PoisonError::into_inner);
        resolved.retain(|_, (_, at)| is_fresh(at));
        resolved.insert(host, (addresses.clone(), Instant::now()));
        Ok(addresses)
    }
}

/// Resolves a host within the timeout; an IP address needs no thread. `ureq` would panic if no
/// thread could be started.
fn look_up(uri: Uri, config: Config, timeout: NextTimeout) -> Addresses {
    let unlimited = NextTimeout { after: time::Duration::NotHappening, ..timeout };
    let address = uri.host().map(|host| host.trim_matches(['[', ']']).parse::<IpAddr>());
    let resolve = move || DefaultResolver::default().resolve(&uri, &config, unlimited);
    if matches!(address, Some(Ok(_))) {
        return resolve();
    }
    let (sender, receiver) = mpsc::sync_channel(1);
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
        let timeout = NextTimeout { after: TIME_TO_LIVE.into(), ..NextTimeout::default() };
        let resolver = CachingResolver::default();
        let resolve = || resolver.resolve(&uri, &Config::default(), timeout).unwrap()[0];
        let (found, other) = (resolve(), SocketAddr::from(([127, 0, 0, 9], 9)));
        resolver.0.write().unwrap().values_mut().for_each(|entry| entry.0[0] = other);
        assert_eq!(resolve(), other);
        resolver.0.write().unwrap().values_mut().for_each(|entry| entry.1 -= TIME_TO_LIVE);
        assert_eq!(resolve(), found);
    }
}

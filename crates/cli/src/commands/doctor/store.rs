//! The check of the store that processes share.

use didit_blocking_adapter::core::{Application, SharedLimit, SharedStore as _};
use didit_redis_adapter::{Inspection, QuotaUse};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::shared::Shared;

/// Returns what the store tells of itself, without taking part in what is shared.
pub(super) fn look(shared: &Shared, connection: &Connection) -> Result<String, Failure> {
    let mut store = shared.connect()?;
    store.open(&Application::of(&connection.credentials));
    let Inspection { server, latency, quotas, .. } =
        store.inspect().map_err(|error| shared.refused(&error))?;
    let quotas: Vec<_> = quotas.iter().filter(|it| it.processes > 0).map(quota).collect();
    let quotas =
        if quotas.is_empty() { "nobody shares a quota now".to_owned() } else { quotas.join(", ") };
    let (address, latency) = (store.address(), latency.as_secs_f64() * 1000.0);
    Ok(format!("{server} at {address} answered after {latency:.1} ms; {quotas}"))
}

fn quota(quota: &QuotaUse) -> String {
    let QuotaUse { bucket, processes, used, limit, .. } = *quota;
    let name = bucket.name();
    let who =
        if processes == 1 { "1 process".to_owned() } else { format!("{processes} processes") };
    match limit {
        SharedLimit::Of(limit) => format!("{name}: {who}, {used} of {limit} requests used"),
        SharedLimit::Unlimited => format!("{name}: {who}, no limit"),
        SharedLimit::Unknown => format!("{name}: {who}, limit not known yet"),
    }
}

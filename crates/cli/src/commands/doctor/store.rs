//! The doctor's check of the store that processes share.

use didit_blocking_adapter::core::{Application, SharedLimit, SharedStore as _};
use didit_redis_adapter::{Inspection, QuotaUse};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::shared::Shared;

/// Describes the store and the use of its quotas, without joining them.
pub(super) fn describe(shared: &Shared, connection: &Connection) -> Result<String, Failure> {
    let mut store = shared.connect()?;
    store.open(&Application::of(&connection.credentials));
    let Inspection { server, latency, quotas, .. } =
        store.inspect().map_err(|error| shared.refused(&error))?;
    let quotas: Vec<_> = quotas.iter().filter(|quota| quota.processes > 0).map(quota).collect();
    let quotas =
        if quotas.is_empty() { "nobody shares a quota now".to_owned() } else { quotas.join(", ") };
    let (address, latency) = (store.address(), latency.as_secs_f64() * 1000.0);
    Ok(format!("{server} at {address} answered after {latency:.1} ms; {quotas}"))
}

fn quota(quota: &QuotaUse) -> String {
    let QuotaUse { bucket, processes, used, limit, .. } = *quota;
    let name = bucket.name();
    let members =
        if processes == 1 { "1 process".to_owned() } else { format!("{processes} processes") };
    match limit {
        SharedLimit::Of(limit) => format!("{name}: {members}, {used} of {limit} requests used"),
        SharedLimit::Unlimited => format!("{name}: {members}, no limit"),
        SharedLimit::Unknown => format!("{name}: {members}, limit not known yet"),
    }
}

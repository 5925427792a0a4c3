//! The state of a store, for diagnosis.

use std::time::{Duration, Instant};

use didit_core::{Bucket, SharedLimit, StoreError};

use crate::quota::{MEMBER_TIMEOUT, limit};
use crate::store::{RedisStore, microseconds};

/// The state of a store and the quotas of its application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inspection {
    /// The name and version of the server, such as `Redis 7.0.15`.
    pub server: String,
    /// Duration of a round trip.
    pub latency: Duration,
    /// The quotas that processes share or have recently shared.
    pub quotas: Vec<QuotaUse>,
}

/// The use of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuotaUse {
    /// The rate limit.
    pub bucket: Bucket,
    /// Number of processes that asked for permits in the last 30 seconds.
    pub processes: u32,
    /// Number of permits in the window.
    pub used: u32,
    /// The limit that the processes learned from the service.
    pub limit: SharedLimit,
}

const SCRIPT: &str = include_str!("inspect.lua");

impl RedisStore {
    /// Reads the state of the store and of the quotas of its application, without changing it.
    ///
    /// # Errors
    /// Redis cannot be reached, or rejects the user.
    pub fn inspect(&mut self) -> Result<Inspection, StoreError> {
        let mut command = redis::cmd("EVAL");
        command.arg(SCRIPT).arg(3 * Bucket::ALL.len());
        for bucket in Bucket::ALL {
            for suffix in ["state", "permits", "members"] {
                command.arg(self.keys().quota_name(bucket, suffix));
            }
        }
        command.arg(microseconds(MEMBER_TIMEOUT));
        let started = Instant::now();
        let returned = self.run(command)?;
        let latency = started.elapsed();
        let parse = || {
            let (name, version, found): (String, String, Vec<i64>) =
                redis::from_redis_value(returned).ok()?;
            let quotas =
                Bucket::ALL.into_iter().zip(found.chunks_exact(3)).map(|(bucket, found)| {
                    let count = |at: usize| u32::try_from(found[at]).ok();
                    Some(QuotaUse {
                        bucket,
                        processes: count(0)?,
                        used: count(1)?,
                        limit: limit(found[2])?,
                    })
                });
            let in_use = |quota: &Option<QuotaUse>| {
                quota.is_none_or(|it| it.processes > 0 || it.limit != SharedLimit::Unknown)
            };
            Some(Inspection {
                server: format!("{name} {version}"),
                latency,
                quotas: quotas.filter(in_use).collect::<Option<_>>()?,
            })
        };
        parse().ok_or_else(|| self.unexpected())
    }
}

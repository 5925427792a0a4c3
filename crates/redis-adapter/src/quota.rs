//! Quota requests, as calls of `quota.lua`.

use std::time::Duration;

use didit_core::{QuotaAnswer, QuotaRequest, SharedLimit};
use redis::Cmd;
use serde_json::{Value, json};

use crate::keys::Keys;
use crate::store::microseconds;

/// The time after which a silent process is no longer a member.
pub(crate) const MEMBER_TIMEOUT: Duration = Duration::from_secs(30);
const SCRIPT: &str = include_str!("quota.lua");

pub(crate) fn command(keys: &Keys, request: &QuotaRequest) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(SCRIPT).arg(5);
    for suffix in ["state", "permits", "held", "members", "waiting"] {
        command.arg(keys.quota_name(request.bucket, suffix));
    }
    command.arg(keys.process()).arg(arguments(request).to_string());
    command
}

fn arguments(request: &QuotaRequest) -> Value {
    let completed = request.completed.iter();
    let completed: Vec<_> =
        completed.map(|(permit, age)| json!([permit, microseconds(*age)])).collect();
    let mut arguments = json!({
        "member_timeout": microseconds(MEMBER_TIMEOUT),
        "window": microseconds(request.window),
        "lease": microseconds(request.lease),
        "completed": completed,
        "unused": request.unused,
        "first": request.first,
        "wanted": request.wanted,
    });
    // An absent member is nil in the script; a null would not be.
    if let Some(budget) = request.budget {
        arguments["budget"] = json!(budget);
    }
    if let Some(join) = &request.join {
        arguments["join"] = json!(true);
        arguments["again"] = json!(join.again);
        arguments["in_flight"] = json!(join.in_flight);
    }
    match request.learned {
        Some(SharedLimit::Of(limit)) => arguments["learned"] = json!(limit),
        Some(SharedLimit::Unlimited) => arguments["learned"] = json!(-1),
        Some(SharedLimit::Unknown) | None => {}
    }
    if let Some(gate) = &request.gate {
        arguments["closed_for"] = json!(microseconds(gate.closed_for));
        arguments["named"] = json!(gate.named);
        arguments["age"] = json!(microseconds(gate.age));
    }
    arguments
}

/// Parses the return value of the script.
pub(crate) fn answer(request: &QuotaRequest, returned: redis::Value) -> Option<QuotaAnswer> {
    let [member, granted, wait, closed, limit, members]: [i64; 6] =
        redis::from_redis_value::<Vec<i64>>(returned).ok()?.try_into().ok()?;
    Some(QuotaAnswer {
        bucket: request.bucket,
        member: member == 1,
        granted: u32::try_from(granted).ok()?,
        wait: Duration::from_micros(u64::try_from(wait).ok()?),
        closed: closed == 1,
        limit: self::limit(limit)?,
        members: u32::try_from(members).ok()?,
    })
}

/// Parses a limit as the scripts encode it.
pub(crate) fn limit(limit: i64) -> Option<SharedLimit> {
    Some(match limit {
        -2 => SharedLimit::Unknown,
        -1 => SharedLimit::Unlimited,
        limit => SharedLimit::Of(u32::try_from(limit).ok()?),
    })
}

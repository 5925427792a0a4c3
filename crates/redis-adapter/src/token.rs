//! Requests for the shared token, as calls of `token.lua`.

use std::time::Duration;

use didit_core::{SharedToken, TokenAnswer, TokenRequest};
use redis::Cmd;

use crate::keys::Keys;
use crate::store::microseconds;

const SCRIPT: &str = include_str!("token.lua");

/// Returns the command; `None` if the token cannot be sealed.
pub(crate) fn command(keys: &Keys, request: &TokenRequest) -> Option<Cmd> {
    let mut command = redis::cmd("EVAL");
    command.arg(SCRIPT).arg(2).arg(keys.token_name("token")).arg(keys.token_name("lease"));
    command.arg(keys.process());
    match request {
        TokenRequest::Get { lease, known } => {
            let known = known.as_ref().map(|token| keys.mark(token.expose())).unwrap_or_default();
            command.arg("get").arg(microseconds(*lease)).arg(known);
        }
        TokenRequest::Hold { lease, age } => {
            command.arg("hold").arg(microseconds(*lease)).arg(microseconds(*age));
        }
        TokenRequest::Put(shared) => {
            command.arg("put").arg(keys.seal(&shared.token)?).arg(keys.mark(shared.token.expose()));
            command.arg(microseconds(shared.lifetime)).arg(microseconds(shared.renew_after));
        }
        TokenRequest::Release => {
            command.arg("release");
        }
        TokenRequest::Discard(token) => {
            command.arg("discard").arg(keys.mark(token.expose()));
        }
    }
    Some(command)
}

/// Parses the return value of the script.
pub(crate) fn answer(keys: &Keys, returned: redis::Value) -> Option<TokenAnswer> {
    let (kind, sealed, first, second): (i64, Vec<u8>, u64, u64) =
        redis::from_redis_value(returned).ok()?;
    Some(match kind {
        1 => match keys.unseal(&sealed) {
            Some(token) => TokenAnswer::Token(SharedToken {
                token,
                lifetime: Duration::from_micros(first),
                renew_after: Duration::from_micros(second),
            }),
            // The token was tampered with; this process fetches another.
            None => TokenAnswer::Fetch,
        },
        2 => TokenAnswer::Fetch,
        3 => TokenAnswer::Wait(Duration::from_micros(first)),
        _ => TokenAnswer::Done,
    })
}

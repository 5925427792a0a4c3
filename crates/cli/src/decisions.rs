//! Retrieves several decisions in order, or waits for one, for the commands of both APIs.

use std::sync::Arc;
use std::time::Duration;

use didit_blocking_adapter::core::{DecisionEndpoint, SessionId, WaitForDecision};

use crate::connection::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::export::workers::{AnyDecision, Workers, in_order};
use crate::failure::Failure;
use crate::format::Format;
use crate::observed::Observed;
use crate::{decision_table, live_line, output, verification_table};

/// Prints the decisions of sessions in the given order. A failed session does not stop the others;
/// the first failure determines the exit code.
pub(crate) fn print(
    session_ids: &[SessionId],
    connection: &Connection,
    format: Format,
    context: &Context,
) -> Result<Exit, Failure> {
    let style = context.style();
    let mut workers = Workers::new(connection, &Arc::default(), session_ids.len() > 1);
    let (mut printed, mut first_failure) = (false, None);
    in_order(&mut workers, session_ids, |outcome| match &outcome.result {
        None => Ok(()),
        Some(Ok(answer)) => {
            if std::mem::replace(&mut printed, true) && format == Format::Table {
                output::print("\n")?;
            }
            match answer {
                AnyDecision::Transfer(decision) => {
                    output::print_as(format, decision.json(), || {
                        decision_table::of(decision).shown(style)
                    })
                }
                AnyDecision::Verification(decision) => {
                    output::print_as(format, decision.json(), || {
                        verification_table::of(decision).shown(style)
                    })
                }
            }
        }
        Some(Err(error)) => {
            let failure = Failure::of_call(Some(outcome.session_id.as_str()), error);
            first_failure.get_or_insert(failure.report());
            Ok(())
        }
    })?;
    Ok(first_failure.unwrap_or(Exit::Done))
}

/// Waits for the final decision of a session while showing its current status.
pub(crate) fn wait<E: DecisionEndpoint>(
    session_id: &str,
    endpoint: E,
    poll: Option<Duration>,
    connection: &Connection,
    context: &Context,
) -> Result<E::Output, Failure> {
    let timeout = connection.timeout;
    let wait = WaitForDecision::for_endpoint(endpoint)
        .with_interval(poll.unwrap_or(WaitForDecision::DEFAULT_INTERVAL))
        .with_timeout(timeout);
    live_line::during(context, timeout, |seen| connection.run(Observed::new(wait, seen)))
        .map_err(|error| Failure::of_wait(session_id, &error, timeout))
}

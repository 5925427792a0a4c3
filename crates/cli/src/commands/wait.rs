//! `didit wait SESSION_ID`

use std::time::Duration;

use clap::Args;
use didit_blocking_adapter::core::WaitForDecision;

use crate::connection::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format::FormatArg;
use crate::{decision_table, duration, session_ids};

const EXAMPLES: &str = "\
Examples:
  didit wait 11111111-2222-3333-4444-555555555555 --poll 5s --timeout 15m";

/// Ask for a session's decision until its status is final, then print it
///
/// A status that nobody knows is not final. The timeout is that of the whole wait, 10m if nothing
/// else is said; nothing is printed when it runs out.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Wait {
    /// The session
    session_id: String,
    /// The time from one look to the next [default: 2s]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    poll: Option<Duration>,
    #[command(flatten)]
    format: FormatArg,
}

impl Wait {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let session_id = session_ids::parse(&self.session_id)?;
        let connection = Connection::new(context, WaitForDecision::DEFAULT_TIMEOUT)?;
        let interval = self.poll.unwrap_or(WaitForDecision::DEFAULT_INTERVAL);
        let decision = connection
            .client
            .wait_for_decision(&session_id)
            .every(interval)
            .at_most(connection.timeout)
            .wait()
            .map_err(|error| Failure::of_call(Some(session_id.as_str()), &error))?;
        decision_table::print(&decision, format)?;
        Ok(Exit::Done)
    }
}

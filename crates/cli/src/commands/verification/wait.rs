//! `didit verification wait SESSION_ID`

use std::time::Duration;

use clap::Args;
use didit_blocking_adapter::core::verification::{RetrieveDecision, SessionId, Status};

use crate::connection::Api;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, FormatArg};
use crate::{decisions, duration, values, verification_table};

const EXAMPLES: &str = "\
Examples:
  didit verification wait 11111111-2222-3333-4444-555555555555 --timeout 30m
  didit verification wait 11111111-2222-3333-4444-555555555555 --exit-status && echo approved";

/// Wait for a verification to be decided, then print the decision
///
/// It ends with Approved, Declined, In Review, Expired, Kyc Expired or Abandoned. --timeout limits
/// the whole wait (default: 10m); nothing is printed when it runs out. A webhook reports the
/// decision sooner.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Wait {
    /// The id of the session, a UUID
    #[arg(value_parser = values::verification_id)]
    session_id: SessionId,
    /// Polling interval [default: 2s]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse_positive)]
    #[arg(allow_hyphen_values = true)]
    poll: Option<Duration>,
    /// Exit with 1 unless the session is approved
    ///
    /// A failure exits with its own code, as without this option.
    #[arg(long)]
    exit_status: bool,
    #[command(flatten)]
    format: FormatArg,
}

impl Wait {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let id = self.session_id;
        let endpoint = RetrieveDecision::new(id.clone());
        let decision =
            decisions::wait(Api::Verification, id.as_str(), endpoint, self.poll, context)?;
        output::print_as(format, decision.json(), || {
            verification_table::of(&decision).shown(context.style())
        })?;
        let succeeded = *decision.status() == Status::Approved;
        Ok(if self.exit_status && !succeeded { Exit::Other } else { Exit::Done })
    }
}

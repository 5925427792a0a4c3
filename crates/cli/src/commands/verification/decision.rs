//! `didit verification decision SESSION_ID...`

use clap::Args;
use didit_blocking_adapter::core::SessionId;

use crate::connection::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::FormatArg;
use crate::{decisions, values};

const EXAMPLES: &str = "\
Examples:
  didit verification decision 11111111-2222-3333-4444-555555555555";

/// Print the decisions of verification sessions
///
/// JSON is the service's whole object, one per line, in the order given. If some fail, the others
/// are still printed, and the first failure determines the exit code.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Decision {
    /// The ids of the sessions
    #[arg(required = true, value_name = "SESSION_ID", value_parser = values::checked_verification_id)]
    session_ids: Vec<SessionId>,
    #[command(flatten)]
    format: FormatArg,
}

impl Decision {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let connection = Connection::verification(context)?;
        decisions::print(&self.session_ids, &connection, format, context)
    }
}

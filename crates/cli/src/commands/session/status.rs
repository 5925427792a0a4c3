//! `didit session status SESSION_ID`

use clap::Args;
use didit_blocking_adapter::core::data_transfer::ReadStatus;
use didit_blocking_adapter::core::{Secret, SessionId};

use crate::connection::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, FormatArg};
use crate::table::Table;
use crate::values;

const EXAMPLES: &str = "\
Examples:
  DIDIT_SESSION_TOKEN=TOKEN didit session status SESSION_ID
  didit session status SESSION_ID --session-token TOKEN";

/// Print a session's status; needs only its session token
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Status {
    /// The id of the session
    #[arg(value_parser = values::session_id)]
    session_id: SessionId,
    /// Token from the session's creation [env: DIDIT_SESSION_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    session_token: Option<String>,
    #[command(flatten)]
    format: FormatArg,
}

impl Status {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let session_id = self.session_id;
        let token = match self.session_token {
            Some(token) => Some(token),
            None => context.environment.text("DIDIT_SESSION_TOKEN")?,
        };
        let token = token.map(Secret::from).ok_or_else(|| {
            Failure::usage(
                "the session token is missing; set DIDIT_SESSION_TOKEN or give --session-token",
            )
        })?;
        let connection = Connection::without_credentials(context)?;
        let request = ReadStatus::new(session_id.clone(), token);
        let report = connection.call(Some(session_id.as_str()), request)?;
        output::print_as(format, report.json(), || {
            let mut table = Table::default();
            table.row("Session", Some(&session_id));
            table.status(report.status().as_str());
            table.shown(context.style())
        })?;
        Ok(Exit::Done)
    }
}

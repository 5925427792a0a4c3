//! `didit decision SESSION_ID...`

use clap::Args;
use didit_blocking_adapter::core::SessionId;

use crate::connection::{CALL_TIMEOUT, Connection};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format::{Format, FormatArg};
use crate::{decision_table, output, session_ids};

const EXAMPLES: &str = "\
Examples:
  didit decision 11111111-2222-3333-4444-555555555555
  didit decision first second --format table
  didit --sandbox decision anything";

/// Retrieve the decisions of sessions, and the data that was shared
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Decision {
    /// The sessions, in the order in which their decisions are printed
    #[arg(required = true, value_name = "SESSION_ID")]
    session_ids: Vec<String>,
    #[command(flatten)]
    format: FormatArg,
}

impl Decision {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let session_ids: Vec<SessionId> = self
            .session_ids
            .iter()
            .map(|text| session_ids::parse(text))
            .collect::<Result<_, _>>()?;
        let connection = Connection::new(context, CALL_TIMEOUT)?;
        let mut first_failure = None;
        let mut printed = false;
        for session_id in &session_ids {
            match connection.client.decision(session_id) {
                Ok(decision) => {
                    let gap = if printed && format == Format::Table { "\n" } else { "" };
                    output::print(&format!("{gap}{}", decision_table::render(&decision, format)))?;
                    printed = true;
                }
                Err(error) => {
                    let failure = Failure::of_call(Some(session_id.as_str()), &error);
                    first_failure.get_or_insert(failure.report());
                }
            }
        }
        Ok(first_failure.unwrap_or(Exit::Done))
    }
}

//! `didit decision SESSION_ID...`

use std::sync::Arc;

use clap::Args;
use didit_blocking_adapter::core::SessionId;

use crate::connection::{CALL_TIMEOUT, Connection};
use crate::context::Context;
use crate::exit::Exit;
use crate::export::workers::{Answer, Outcome, Workers, in_order};
use crate::failure::Failure;
use crate::format::{Format, FormatArg};
use crate::style::Style;
use crate::{decision_table, output, session_ids};

const EXAMPLES: &str = "\
Examples:
  didit decision 11111111-2222-3333-4444-555555555555
  didit decision first second --format table
  didit --sandbox decision anything";

/// Print the decisions of sessions, with the data that was shared
///
/// Many sessions are retrieved at once, within the rate limit, and printed in the order given. If
/// some fail, the others are printed all the same, and the first failure decides the exit code.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Decision {
    /// IDs of the sessions
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
        let style = context.style();
        let mut printer = Printer { format, style, printed: false, first_failure: None };
        let queued = session_ids.len() > 1;
        let mut workers = Workers::new(&connection, &Arc::default(), queued);
        in_order(&mut workers, &session_ids, |outcome| printer.print(&outcome))?;
        Ok(printer.first_failure.unwrap_or(Exit::Done))
    }
}

struct Printer {
    format: Format,
    style: Style,
    printed: bool,
    first_failure: Option<Exit>,
}

impl Printer {
    fn print(&mut self, outcome: &Outcome) -> Result<(), Failure> {
        match &outcome.result {
            None | Some(Ok(Answer::Verification(_))) => Ok(()),
            Some(Ok(Answer::Transfer(decision))) => {
                if std::mem::replace(&mut self.printed, true) && self.format == Format::Table {
                    output::print("\n")?;
                }
                decision_table::print(decision, self.format, self.style)
            }
            Some(Err(error)) => {
                let failure = Failure::of_call(Some(outcome.session_id.as_str()), error);
                self.first_failure.get_or_insert(failure.report());
                Ok(())
            }
        }
    }
}

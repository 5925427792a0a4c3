//! `didit verification decision SESSION_ID...`
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use std::sync::Arc;

use clap::Args;
use didit_blocking_adapter::core::verification;

use super::{session_id, table};
use crate::connection::{Api, CALL_TIMEOUT, Wanted};
use crate::context::Context;
use crate::exit::Exit;
use crate::export::workers::{Answer, Workers, in_order};
use crate::failure::Failure;
use crate::format::{Format, FormatArg};
use crate::output;

const EXAMPLES: &str = "\
Examples:
  didit verification decision 11111111-2222-3333-4444-555555555555";

/// Print the decisions of verification sessions
///
/// JSON is the service's object whole, one per line, in the order given. If some fail, the others
/// are printed all the same, and the first failure decides the exit code.
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
        let ids: Vec<verification::SessionId> =
            self.session_ids.iter().map(|text| session_id(text)).collect::<Result<_, _>>()?;
        let ids: Vec<_> = ids
            .iter()
            .map(|id| id.as_str().parse())
            .collect::<Result<_, _>>()
            .map_err(Failure::usage)?;
        let connection = Wanted::new(Api::Verification, CALL_TIMEOUT).connect(context)?;
        let mut workers = Workers::new(&connection, &Arc::default(), ids.len() > 1);
        let (mut printed, mut first_failure) = (false, None);
        in_order(&mut workers, &ids, |outcome| match &outcome.result {
            Some(Ok(Answer::Verification(decision))) => {
                let first = !std::mem::replace(&mut printed, true);
                match format {
                    Format::Json => output::print_json(&decision.json().to_compact()),
                    Format::Table => {
                        let gap = if first { "" } else { "\n" };
                        output::print(&format!(
                            "{gap}{}",
                            table::of(decision).shown(context.style())
                        ))
                    }
                }
            }
            Some(Err(error)) => {
                let failure = Failure::of_call(Some(outcome.session_id.as_str()), error);
                first_failure.get_or_insert(failure.report());
                Ok(())
            }
            _ => Ok(()),
        })?;
        Ok(first_failure.unwrap_or(Exit::Done))
    }
}

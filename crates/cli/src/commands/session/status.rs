//! `didit session status SESSION_ID`
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use clap::Args;
use didit_blocking_adapter::core::Secret;

use crate::connection::{CALL_TIMEOUT, Connection};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format::{Format, FormatArg};
use crate::table::Table;
use crate::{output, session_ids};

const EXAMPLES: &str = "\
Examples:
  didit session status SESSION_ID --session-token TOKEN
  DIDIT_SESSION_TOKEN=TOKEN didit session status SESSION_ID";

/// Read the status of a session with its own token and no other credentials
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Status {
    /// The session
    session_id: String,
    /// The token it gave when it was created [env: DIDIT_SESSION_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    session_token: Option<String>,
    #[command(flatten)]
    format: FormatArg,
}

impl Status {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let session_id = session_ids::parse(&self.session_id)?;
        let token = match self.session_token {
            Some(token) => Some(token),
            None => context.environment.text("DIDIT_SESSION_TOKEN")?,
        };
        let token = token.map(Secret::from).ok_or_else(|| {
            Failure::usage(
                "the session token is missing; set DIDIT_SESSION_TOKEN or give --session-token",
            )
        })?;
        let connection = Connection::without_credentials(context, CALL_TIMEOUT)?;
        let report = connection
            .client
            .session_status(&session_id, token)
            .map_err(|error| Failure::of_call(Some(session_id.as_str()), &error))?;
        match format {
            Format::Json => output::print_json(&report.json().to_compact())?,
            Format::Table => {
                let mut table = Table::default();
                table.row("Session", Some(&session_id));
                table.row("Status", Some(report.status()));
                output::print(&table.to_string())?;
            }
        }
        Ok(Exit::Done)
    }
}

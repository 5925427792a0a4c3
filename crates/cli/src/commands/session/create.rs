//! `didit session create`
#![allow(clippy::doc_markdown, reason = "these comments are the help text")]

use clap::Args;
use didit_blocking_adapter::core::RawJson;
use didit_blocking_adapter::core::data_transfer::{Scopes, Session};

use super::qr_code;
use crate::connection::{CALL_TIMEOUT, Connection};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::format::{Format, FormatArg};
use crate::output;
use crate::table::Table;

const EXAMPLES: &str = "\
Examples:
  didit session create --scope \"names email\"
  didit session create --scope \"picture phone\" --vendor-data \"order 7\"";

/// Create a session that asks a person for data, and print where the person answers
///
/// On a terminal the address is shown as a QR code as well. A request that may have reached the
/// service is not repeated, so a failed one may still have created a session. With --sandbox the
/// session ends with this process; run `didit sandbox` for one that lasts.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Create {
    /// What to ask for, like "picture names email"
    #[arg(long, value_name = "SCOPES")]
    scope: String,
    /// A text of yours that the decision will repeat
    #[arg(long, value_name = "TEXT")]
    vendor_data: Option<String>,
    #[command(flatten)]
    format: FormatArg,
}

impl Create {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let scopes: Scopes =
            self.scope.parse().map_err(|error| Failure::usage(format!("--scope: {error}")))?;
        let connection = Connection::new(context, CALL_TIMEOUT)?;
        let created = connection
            .client
            .create_session(scopes, self.vendor_data.as_deref())
            .map_err(|error| Failure::of_call(None, &error))?;
        let json: RawJson = created.json().expose().parse().map_err(Failure::other)?;
        match format {
            Format::Json => output::print_json(&json.to_compact())?,
            Format::Table => output::print(&shown(&created, context))?,
        }
        Ok(Exit::Done)
    }
}

fn shown(created: &Session, context: &Context) -> String {
    let url = created.url().expose();
    let mut table = Table::default();
    table.row("Session", Some(created.session_id()));
    table.row("Token", Some(created.session_token().expose()));
    table.row("URL", Some(url));
    match qr_code::for_terminal(url, &context.environment) {
        Some(code) => format!("{table}\n{code}"),
        None => table.to_string(),
    }
}

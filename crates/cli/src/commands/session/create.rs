//! `didit session create`

use clap::Args;
use didit_blocking_adapter::core::RawJson;
use didit_blocking_adapter::core::data_transfer::{CreateSession, Session};

use crate::connection::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, FormatArg};
use crate::table::Table;
use crate::{browser, scopes};

const EXAMPLES: &str = "\
Examples:
  didit session create --scope \"names email\"
  didit session create --scope \"picture phone\" --vendor-data \"order 7\"";

/// Create a session and print its URL for the user
///
/// On a terminal the URL is shown as a QR code as well. A request that may have reached the service
/// is not repeated, so a failed one may still have created a session. With --sandbox the session
/// ends with this process; run `didit sandbox` for one that lasts.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Create {
    /// Data to ask the user for, like "names email"; repeatable
    #[arg(long = "scope", value_name = "SCOPES", required = true, value_parser = scopes::parser())]
    #[arg(hide_possible_values = true, long_help = scopes::help())]
    scopes: Vec<String>,
    /// Accept scopes that look like a misspelled documented one
    #[arg(long)]
    undocumented_scopes: bool,
    /// Your own reference, returned with the decision
    #[arg(long, value_name = "TEXT")]
    vendor_data: Option<String>,
    /// Open the session's URL in a browser
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    format: FormatArg,
}

impl Create {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let scopes = scopes::parse(&self.scopes, self.undocumented_scopes, context)?;
        let connection = Connection::new(context)?;
        let request = CreateSession::new(scopes).with_vendor_data(self.vendor_data.as_deref());
        let created = connection.call(None, request)?;
        let json: RawJson = created.secret_json().expose().parse().map_err(Failure::other)?;
        output::print_as(format, &json, || shown(&created, context))
            .map_err(|failure| failure.after_creation(created.session_id()))?;
        if self.open {
            browser::open(created.url().expose(), context);
        }
        Ok(Exit::Done)
    }
}

fn shown(created: &Session, context: &Context) -> String {
    let mut table = Table::default();
    table.row("Session", Some(created.session_id()));
    table.row("Token", Some(created.session_token().expose()));
    browser::with_url(table, created.url().expose(), context)
}

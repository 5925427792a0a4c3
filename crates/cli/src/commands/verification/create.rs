//! `didit verification create`

use clap::{Args, ValueHint};
use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::verification::{CreateSession, Session};
use didit_blocking_adapter::core::{BuildError, Call, CallErrorKind, RawJson};

use crate::connection::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, FormatArg};
use crate::table::Table;
use crate::{browser, values};

/// The members of the request that have a flag of their own.
const OWN_FLAGS: [(&str, &str); 5] = [
    ("workflow_id", "--workflow"),
    ("vendor_data", "--vendor-data"),
    ("callback", "--callback"),
    ("language", "--language"),
    ("metadata", "--metadata"),
];

const EXAMPLES: &str = "\
Examples:
  didit verification create --workflow 9f9b1234-aaaa-bbbb-cccc-1234567890ab
  didit verification create --workflow 9f9b1234-aaaa-bbbb-cccc-1234567890ab --vendor-data user-7";

/// Create a verification session and print its URL for the user
///
/// Creating costs money at the live service, so a request that may have reached it is not repeated
/// unless --repeat allows it; the service then recognizes it by its --vendor-data, as long as the
/// session is unfinished.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Create {
    /// The id of the workflow, a UUID
    #[arg(long, value_name = "ID", value_parser = values::uuid)]
    workflow: String,
    /// Your own reference for the user, returned with the decision
    ///
    /// While a session with the same reference and workflow is unfinished, the service returns that
    /// one. Two users must never share a reference.
    #[arg(long, value_name = "TEXT")]
    vendor_data: Option<String>,
    /// Repeat the request if it may have been lost; needs --vendor-data
    #[arg(long, requires = "vendor_data")]
    repeat: bool,
    /// URL to send the user to at the end
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    callback: Option<String>,
    /// Language of the pages, like en or pt-BR
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    /// Any JSON value, returned with the decision
    #[arg(long, value_name = "JSON", value_parser = json)]
    metadata: Option<RawJson>,
    /// Any other member of the request, like sandbox_scenario=declined; repeatable
    ///
    /// A value that is not valid JSON is sent as a string.
    #[arg(long = "with", value_name = "NAME=VALUE", value_parser = member)]
    members: Vec<(String, RawJson)>,
    /// Open the session's URL in a browser
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    format: FormatArg,
}

impl Create {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let open = self.open;
        let request = self.request()?;
        let connection = Connection::verification(context)?;
        let created = connection.run(Call::new(request)).map_err(|error| failure(&error))?;
        let json: RawJson = created.secret_json().expose().parse().map_err(Failure::other)?;
        output::print_as(format, &json, || shown(&created, context))
            .map_err(|failure| failure.after_creation(created.session_id()))?;
        if open {
            browser::open(created.url().expose(), context);
        }
        Ok(Exit::Done)
    }

    fn request(self) -> Result<CreateSession, Failure> {
        let mut request = CreateSession::new(&self.workflow).map_err(Failure::usage)?;
        if let Some(text) = &self.vendor_data {
            request = request.with_vendor_data(text);
        }
        if self.repeat {
            request = request.allow_retry();
        }
        if let Some(url) = &self.callback {
            request = request.with_callback(url);
        }
        if let Some(language) = &self.language {
            request = request.with_language(language);
        }
        if let Some(json) = &self.metadata {
            request = request.with_metadata(json).map_err(Failure::usage)?;
        }
        for (at, (name, value)) in self.members.iter().enumerate() {
            if let Some((_, flag)) = OWN_FLAGS.iter().find(|(member, _)| member == name) {
                return Err(Failure::usage(format!("--with {name}: use {flag} instead")));
            }
            if self.members[..at].iter().any(|(earlier, _)| earlier == name) {
                return Err(Failure::usage(format!("--with {name} is given twice; keep one")));
            }
            request = request.with_member(name, value).map_err(Failure::usage)?;
        }
        Ok(request)
    }
}

/// Returns the failure of the creation; an invalid member with a flag of its own is named by the flag.
fn failure(error: &Error) -> Failure {
    if let CallErrorKind::Build(BuildError::InvalidMember { name, problem }) = error.call().kind()
        && let Some((_, flag)) = OWN_FLAGS.iter().find(|(member, _)| member == name)
    {
        return Failure::usage(format!("{flag} {problem}; fix the input"));
    }
    Failure::of_call(None, error)
}

fn json(text: &str) -> Result<RawJson, String> {
    text.parse().map_err(|error| format!("{text:?} is not JSON: {error}"))
}

fn member(text: &str) -> Result<(String, RawJson), String> {
    let problem = || format!("{text:?} is not NAME=VALUE");
    let (name, value) =
        text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(problem)?;
    let value = match value.parse() {
        Ok(json) => json,
        Err(_) => serde_json::Value::from(value).to_string().parse().map_err(|_| problem())?,
    };
    Ok((name.to_owned(), value))
}

fn shown(created: &Session, context: &Context) -> String {
    let mut table = Table::default();
    table.row("Session", Some(created.session_id()));
    table.row("Number", created.session_number());
    if let Some(status) = created.status() {
        table.status(status.as_str());
    }
    table.row("Vendor data", created.vendor_data());
    table.row("Token", created.session_token().map(|token| token.expose().to_owned()));
    browser::with_url(table, created.url().expose(), context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_is_parsed_as_json_or_text() {
        let value = |text| member(text).unwrap().1.as_str().to_owned();
        assert_eq!(value("a=1"), "1");
        assert_eq!(value("a={\"b\":[]}"), "{\"b\":[]}");
        assert_eq!(value("a=declined"), "\"declined\"");
        assert_eq!(value("a=b=c"), "\"b=c\"");
        assert!(member("a").is_err() && member("=1").is_err());
    }
}

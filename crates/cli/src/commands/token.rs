//! `didit token`

use clap::Args;
use didit_blocking_adapter::core::Credentials;
use didit_blocking_adapter::core::oauth::{AccessToken, FetchToken};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::connection::Connection;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{self, Format, FormatArg};

const EXAMPLES: &str = "\
Examples:
  didit token
  didit token --format json";

/// Check your client id and secret, and show when the token expires
///
/// The token itself is never printed.
#[derive(Args)]
#[command(before_long_help = EXAMPLES)]
pub(crate) struct Token {
    #[command(flatten)]
    format: FormatArg,
}

impl Token {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let format = self.format.resolve(&context.environment)?;
        let connection = Connection::new(context)?;
        let Credentials::Client(client) = &connection.credentials else {
            return Err(Failure::usage(
                "only a client id and secret have a token to fetch; to check an access token or an \
                 API key, run `didit doctor`",
            ));
        };
        let token = connection.call(None, FetchToken::new(client.clone()))?;
        let expires_at = expires_at(&token, OffsetDateTime::now_utc());
        output::print(&match (format, expires_at) {
            (Format::Json, Some(at)) => format!("{{\"expires_at\":\"{at}\"}}\n"),
            (Format::Json, None) => "{\"expires_at\":null}\n".to_owned(),
            (Format::Table, Some(at)) => format!("Token: valid until {at}\n"),
            (Format::Table, None) => {
                "Token: valid; the service does not say for how long\n".to_owned()
            }
        })?;
        Ok(Exit::Done)
    }
}

/// Returns the expiry in RFC 3339 format, rounded down to the second.
fn expires_at(token: &AccessToken, now: OffsetDateTime) -> Option<String> {
    let lifetime = time::Duration::try_from(token.lifetime()?).ok()?;
    let at = now.checked_add(lifetime)?.replace_nanosecond(0).ok()?;
    at.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use didit_blocking_adapter::core::{ClientCredentials, Endpoint as _};
    use http::Response;

    use super::*;

    fn expiry(body: &str) -> Option<String> {
        let client = ClientCredentials::new("id", "secret").unwrap();
        let token = FetchToken::new(client.clone()).parse(&Response::new(body.as_bytes())).unwrap();
        let now = OffsetDateTime::from_unix_timestamp_nanos(1_722_508_199_999_999_999).unwrap();
        expires_at(&token, now)
    }

    #[test]
    fn expiry_is_in_utc_and_whole_seconds() {
        let at = expiry(r#"{"access_token":"t","expires_in":60}"#);
        assert_eq!(at.as_deref(), Some("2024-08-01T10:30:59Z"));
        assert_eq!(expiry(r#"{"access_token":"t"}"#), None);
    }
}

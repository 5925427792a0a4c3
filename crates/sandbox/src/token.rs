//! `POST /auth/v2/token/`

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::RecordedRequest;
use crate::answer::Answer;
use crate::application::Application;
use crate::state::Shared;
use crate::tokens::after_scheme;
use crate::{clock, fixtures};

pub(crate) fn answer(shared: &Shared, request: &RecordedRequest) -> Result<Answer, Answer> {
    let Some(authorization) = request.header("Authorization") else {
        let why = "The client id and secret must be sent in: Authorization: Basic.";
        return Err(invalid_client(Answer::oauth(401, "invalid_client", why)));
    };
    let (id, secret) = credentials(authorization).map_err(invalid_request)?;
    let known = |application: &Application| {
        (&application.client_id, &application.client_secret) == (&id, &secret)
    };
    if !shared.settings.applications().any(known) {
        return Err(invalid_client(Answer::new(401, fixtures::ERROR_OAUTH)));
    }
    check_grant(request)?;
    Ok(Answer::new(200, issue(shared, &id)?))
}

fn issue(shared: &Shared, client_id: &str) -> io::Result<String> {
    let settings = &shared.settings;
    let now = shared.now();
    let token = shared.state().tokens.issue(client_id, now, settings.token_lifetime)?;
    if let Some(answer) = &settings.token_answer {
        return Ok(answer.replace("{access_token}", &token));
    }
    let (now, lifetime) = (now.as_secs(), clock::seconds_up(settings.token_lifetime));
    let mut answer: Value = serde_json::from_str(fixtures::TOKEN).unwrap_or_default();
    answer["iat"] = now.into();
    answer["client_id"] = client_id.into();
    answer["expires_in"] = lifetime.into();
    answer["exp"] = now.saturating_add(lifetime).into();
    answer["access_token"] = token.into();
    Ok(answer.to_string())
}

fn check_grant(request: &RecordedRequest) -> Result<(), Answer> {
    let Some(form) = request.form() else {
        return Err(invalid_request("The Content-Type must be application/x-www-form-urlencoded."));
    };
    let mut grants = form.all("grant_type");
    match (grants.next(), grants.next()) {
        (Some("client_credentials"), None) => Ok(()),
        (Some(_), None) => Err(Answer::oauth(
            400,
            "unsupported_grant_type",
            "The grant_type must be client_credentials.",
        )),
        (None, _) => Err(invalid_request("The body contains no grant_type.")),
        (Some(_), Some(_)) => Err(invalid_request("The body contains more than one grant_type.")),
    }
}

/// Returns the client id and secret of a `Basic` header, in which they are form-urlencoded
/// ([RFC 6749, section 2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)).
fn credentials(authorization: &str) -> Result<(String, String), &'static str> {
    let encoded =
        after_scheme(authorization, "Basic").ok_or("The header Authorization is not Basic.")?;
    let decoded = STANDARD.decode(encoded).map_err(|_| "The Basic credentials are not base64.")?;
    let decoded = String::from_utf8(decoded).map_err(|_| "The Basic credentials are not UTF-8.")?;
    let (id, secret) = decoded.split_once(':').ok_or("The Basic credentials contain no colon.")?;
    let form_decoded =
        |text| form_decode(text).ok_or("The Basic credentials are not form-urlencoded.");
    Ok((form_decoded(id)?, form_decoded(secret)?))
}

fn form_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [bytes.next()?, bytes.next()?];
                // Checked separately because from_str_radix accepts a sign.
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn invalid_request(why: &str) -> Answer {
    Answer::oauth(400, "invalid_request", why)
}

fn invalid_client(answer: Answer) -> Answer {
    answer.with("WWW-Authenticate", "Basic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_form_decoded() {
        let read = |text: &str| credentials(&format!("basic {}", STANDARD.encode(text)));
        assert_eq!(read("id:se:cret"), Ok(("id".into(), "se:cret".into())));
        assert_eq!(read("a%3Ab:c+d%C3%a9"), Ok(("a:b".into(), "c dé".into())));
        for odd in ["no colon", "id:%", "id:%+1", "id:%zz", "id:%ff"] {
            assert!(read(odd).is_err(), "{odd}");
        }
        assert!(credentials("Basic ???").is_err());
        assert!(credentials("Bearer abc").is_err());
    }
}

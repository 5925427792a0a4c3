//! Who may ask: the headers that authorize a request on the session routes.

use std::time::Instant;

use crate::RecordedRequest;
use crate::answer::Answer;
use crate::state::Shared;

/// Lets a valid access token or the application's key pass.
pub(crate) fn authorize(shared: &Shared, request: &RecordedRequest) -> Result<(), Answer> {
    if let Some(key) = request.header("X-Api-Key") {
        return if key == shared.settings.api_key {
            Ok(())
        } else {
            Err(refused("The application key does not match."))
        };
    }
    let Some(authorization) = request.header("Authorization") else {
        return Err(refused("Authentication credentials were not provided."));
    };
    match after_scheme(authorization, "Bearer") {
        Some(token) if shared.state().tokens.is_valid(token, Instant::now()) => Ok(()),
        Some(_) => Err(refused("The access token is unknown, expired or revoked.")),
        None => Err(refused("The header Authorization must be: Bearer {access_token}.")),
    }
}

/// What follows the scheme in an `Authorization` header, if it is this scheme.
pub(crate) fn after_scheme<'a>(authorization: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = authorization.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn refused(why: &str) -> Answer {
    Answer::detail(401, why).with("WWW-Authenticate", "Bearer")
}

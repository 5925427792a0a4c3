//! Authorization of requests to the session routes.

use crate::RecordedRequest;
use crate::answer::Answer;
use crate::state::Shared;

/// Returns the client id of the application whose key or valid access token a request carries.
pub(crate) fn authorize(shared: &Shared, request: &RecordedRequest) -> Result<String, Answer> {
    if let Some(key) = request.header("X-Api-Key") {
        return shared
            .settings
            .by_key(key)
            .map(|application| application.client_id.clone())
            .ok_or_else(|| refused("The application key does not match."));
    }
    let Some(authorization) = request.header("Authorization") else {
        return Err(refused("Authentication credentials were not provided."));
    };
    let Some(token) = after_scheme(authorization, "Bearer") else {
        return Err(refused("The header Authorization must be: Bearer {access_token}."));
    };
    let application = shared.state().tokens.application(token, shared.now()).map(str::to_owned);
    application.ok_or_else(|| refused("The access token is unknown, expired or revoked."))
}

/// Returns the credentials of an `Authorization` header, if it has this scheme.
pub(crate) fn after_scheme<'a>(authorization: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = authorization.split_once(' ')?;
    found.eq_ignore_ascii_case(scheme).then_some(rest)
}

fn refused(why: &str) -> Answer {
    Answer::detail(401, why).with("WWW-Authenticate", "Bearer")
}

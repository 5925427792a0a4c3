//! The routes of the two APIs, and the matching of paths.

use std::fmt;
use std::str::FromStr;

use crate::answer::Answer;
use crate::verification::{self, route::is_verification};

const TOKEN: &str = "/auth/v2/token/";
const SESSION: &str = "/auth/v2/session/";

/// A route of the data-transfer or the verification API.
///
/// Its text form, for example in fault rules, is `token`, `create-session`, `session-status`,
/// `decision`, `verification-create`, `verification-decision`, `verification-list`,
/// `verification-update-status`, `verification-pdf` or `verification-delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Route {
    /// `POST /auth/v2/token/`
    Token,
    /// `POST /auth/v2/session/`
    CreateSession,
    /// `GET /auth/v2/session/{session_id}/status/`
    SessionStatus,
    /// `GET /auth/v2/session/{session_id}/decision/`
    Decision,
    /// `POST /v3/session/`
    CreateVerification,
    /// `GET /v3/session/{session_id}/decision/`
    VerificationDecision,
    /// `GET /v3/sessions/`
    ListVerifications,
    /// `PATCH /v3/session/{session_id}/update-status/`
    UpdateVerificationStatus,
    /// `GET /v3/session/{session_id}/generate-pdf/`
    VerificationPdf,
    /// `DELETE /v3/session/{session_id}/delete/`
    DeleteVerification,
}

impl Route {
    /// Every route.
    pub const ALL: [Self; 10] = [
        Self::Token,
        Self::CreateSession,
        Self::SessionStatus,
        Self::Decision,
        Self::CreateVerification,
        Self::VerificationDecision,
        Self::ListVerifications,
        Self::UpdateVerificationStatus,
        Self::VerificationPdf,
        Self::DeleteVerification,
    ];

    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Token | Self::CreateSession | Self::CreateVerification => "POST",
            Self::UpdateVerificationStatus => "PATCH",
            Self::DeleteVerification => "DELETE",
            _ => "GET",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::CreateSession => "create-session",
            Self::SessionStatus => "session-status",
            Self::Decision => "decision",
            Self::CreateVerification => "verification-create",
            Self::VerificationDecision => "verification-decision",
            Self::ListVerifications => "verification-list",
            Self::UpdateVerificationStatus => "verification-update-status",
            Self::VerificationPdf => "verification-pdf",
            Self::DeleteVerification => "verification-delete",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Route {
    type Err = UnknownRoute;

    fn from_str(text: &str) -> Result<Self, UnknownRoute> {
        Self::ALL.into_iter().find(|route| route.name() == text).ok_or(UnknownRoute)
    }
}

/// The error for a text that is not the name of a [`Route`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRoute;

impl fmt::Display for UnknownRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such route; the routes are ")?;
        let (last, others) = Route::ALL.split_last().unwrap_or((&Route::Decision, &[]));
        others.iter().try_for_each(|route| write!(f, "{route}, "))?;
        write!(f, "and {last}")
    }
}

impl std::error::Error for UnknownRoute {}

/// Returns the route of a request target and its session id as sent (empty if the route has none),
/// or the 404 response with the reason.
pub(crate) fn resolve<'a>(method: &str, target: &'a str) -> Result<(Route, &'a str), Answer> {
    if is_verification(target) {
        return verification::route::resolve(method, target);
    }
    if let Some(found) = find(target) {
        return Ok(found);
    }
    let why = if find(&format!("{target}/")).is_some() {
        "This path is missing its trailing slash.".to_owned()
    } else if target.contains('?') {
        "No path of this API takes a query.".to_owned()
    } else {
        format!("This API has no path {target:?}.")
    };
    Err(Answer::message(404, &why))
}

fn find(target: &str) -> Option<(Route, &str)> {
    if target == TOKEN {
        return Some((Route::Token, ""));
    }
    let rest = target.strip_prefix(SESSION)?;
    if rest.is_empty() {
        return Some((Route::CreateSession, ""));
    }
    let decision = rest.strip_suffix("/decision/").map(|id| (Route::Decision, id));
    decision.or_else(|| rest.strip_suffix("/status/").map(|id| (Route::SessionStatus, id)))
}

/// Refuses a session id that is not valid unencoded in a path segment.
pub(crate) fn check_session_id(id: &str) -> Result<(), Answer> {
    let pchar = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
    let why = if id.is_empty() {
        "The session id is empty.".to_owned()
    } else if id.len() > 256 {
        "The session id is longer than 256 characters.".to_owned()
    } else if id.contains('%') {
        "The session id is percent-encoded.".to_owned()
    } else if id == "." || id == ".." {
        "The session id is a dot segment.".to_owned()
    } else if let Some(odd) = id.chars().find(|&c| !u8::try_from(c).is_ok_and(pchar)) {
        format!("The session id contains the character {odd:?}.")
    } else {
        return Ok(());
    };
    Err(Answer::message(400, &why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_resolve_to_routes() {
        assert_eq!(resolve("GET", "/auth/v2/token/"), Ok((Route::Token, "")));
        assert_eq!(resolve("GET", "/auth/v2/session/"), Ok((Route::CreateSession, "")));
        assert_eq!(resolve("GET", "/auth/v2/session/a/status/"), Ok((Route::SessionStatus, "a")));
        assert_eq!(resolve("GET", "/auth/v2/session/a/decision/"), Ok((Route::Decision, "a")));
        for (target, why) in [
            ("/", "has no path"),
            ("/auth/v2/session/a/", "has no path"),
            ("/auth/v2/session/decision/", "has no path"),
            ("/auth/v2/token/?a=b", "takes a query"),
            ("/auth/v2/token", "trailing slash"),
            ("/auth/v2/session/a/decision", "trailing slash"),
        ] {
            let answer = resolve("GET", target).expect_err(target);
            assert_eq!(answer.status, 404);
            assert!(String::from_utf8_lossy(&answer.body).contains(why), "{target}");
        }
    }

    #[test]
    fn invalid_session_ids_are_refused() {
        for id in ["unique-session-identifier", "a.b~c:@!$&'()*+,;=", &"x".repeat(256), "..."] {
            assert_eq!(check_session_id(id), Ok(()), "{id}");
        }
        for id in ["", ".", "..", "a%20b", "a/b", "a\"b", "é", &"x".repeat(257)] {
            assert_eq!(check_session_id(id).map_err(|answer| answer.status), Err(400), "{id}");
        }
    }

    #[test]
    fn text_form_round_trips() {
        for route in Route::ALL {
            assert_eq!(route.to_string().parse(), Ok(route));
        }
        assert_eq!("sessions".parse::<Route>(), Err(UnknownRoute));
    }
}

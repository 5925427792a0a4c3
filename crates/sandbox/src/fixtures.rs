//! The documented responses, one file each, as the sandbox serves them.

/// The response to a token request. As documented, its `iat + expires_in` is not its `exp`.
pub const TOKEN: &str = include_str!("../fixtures/token.json");

/// The documented decision as valid JSON: [`DECISION_AS_PRINTED`] without its stray comma.
pub const DECISION: &str = include_str!("../fixtures/decision.json");

/// The documented decision exactly as printed: a comma after the last member of `user_data` makes
/// it invalid JSON.
pub const DECISION_AS_PRINTED: &str = include_str!("../fixtures/decision-as-printed.txt");

/// A decision with every documented scope. The members from `gender` on are made up, since their
/// shapes are not documented.
pub const DECISION_ALL_SCOPES: &str = include_str!("../fixtures/decision-all-scopes.json");

/// The response to the creation of a session.
pub const CREATE_SESSION: &str = include_str!("../fixtures/create-session.json");

/// The response to a request for a session's status.
pub const SESSION_STATUS: &str = include_str!("../fixtures/session-status.json");

/// An error response of the form `{"message": ...}`.
pub const ERROR_MESSAGE: &str = include_str!("../fixtures/error-message.json");

/// An error response of the form `{"detail": ...}`: no such session.
pub const ERROR_DETAIL: &str = include_str!("../fixtures/error-detail.json");

/// An OAuth 2.0 error response of the token route: wrong credentials.
pub const ERROR_OAUTH: &str = include_str!("../fixtures/error-oauth.json");

/// The body of a 502 response from a gateway in front of the service.
pub const GATEWAY: &str = include_str!("../fixtures/gateway.html");

/// The published responses of the verification API.
pub mod verification {
    /// A decision with status `In Review` and nearly every kind of report.
    pub const DECISION: &str = include_str!("../fixtures/verification/decision.json");

    /// The decision of a session that has not started: each block of reports is `null`.
    pub const DECISION_NOT_STARTED: &str =
        include_str!("../fixtures/verification/decision-not-started.json");

    /// The response to the creation of a session.
    pub const SESSION_CREATED: &str = include_str!("../fixtures/verification/session-created.json");

    /// A page of the list of sessions, with one finished session and one that has not started.
    pub const SESSIONS_PAGE: &str = include_str!("../fixtures/verification/sessions-page.json");

    /// Test vectors of webhook signatures: raw body, canonical JSON and all three signatures.
    ///
    /// They were computed from the documentation, not captured from the service.
    pub const WEBHOOK_SIGNATURE_VECTORS: &str =
        include_str!("../fixtures/verification/webhook-signature-vectors.json");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixture_is_a_json_object() {
        let fixtures = [
            TOKEN,
            DECISION,
            DECISION_ALL_SCOPES,
            CREATE_SESSION,
            SESSION_STATUS,
            ERROR_MESSAGE,
            ERROR_DETAIL,
            ERROR_OAUTH,
            verification::DECISION,
            verification::DECISION_NOT_STARTED,
            verification::SESSION_CREATED,
            verification::SESSIONS_PAGE,
            verification::WEBHOOK_SIGNATURE_VECTORS,
        ];
        for text in fixtures {
            let value: serde_json::Value = serde_json::from_str(text).expect(text);
            assert!(value.is_object(), "{text}");
        }
    }

    #[test]
    fn decision_as_printed_has_one_extra_comma() {
        assert!(serde_json::from_str::<serde_json::Value>(DECISION_AS_PRINTED).is_err());
        assert_eq!(DECISION_AS_PRINTED.len(), DECISION.len() + 1);
        assert_eq!(DECISION_AS_PRINTED.replacen("},\n},", "}\n},", 1), DECISION);
    }
}

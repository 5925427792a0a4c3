//! The documented answers, one file each, as the sandbox serves them.

pub mod verification;

/// The answer to a token request. Its `iat + expires_in` is not its `exp`, as documented.
pub const TOKEN: &str = include_str!("../fixtures/token.json");

/// The documented decision, as JSON: [`DECISION_AS_PRINTED`] without its stray comma.
pub const DECISION: &str = include_str!("../fixtures/decision.json");

/// The documented decision exactly as printed: a comma after the last member of `user_data` makes
/// it invalid JSON.
pub const DECISION_AS_PRINTED: &str = include_str!("../fixtures/decision-as-printed.txt");

/// A decision with every documented scope. The inner shapes of those that are not documented
/// (`gender` and what follows it) are made up.
pub const DECISION_ALL_SCOPES: &str = include_str!("../fixtures/decision-all-scopes.json");

/// The answer to the creation of a session.
pub const CREATE_SESSION: &str = include_str!("../fixtures/create-session.json");

/// The answer to a question about a session's status.
pub const SESSION_STATUS: &str = include_str!("../fixtures/session-status.json");

/// A failed answer in the style `{"message": ...}`.
pub const ERROR_MESSAGE: &str = include_str!("../fixtures/error-message.json");

/// A failed answer in the style `{"detail": ...}`: no such session.
pub const ERROR_DETAIL: &str = include_str!("../fixtures/error-detail.json");

/// A failed answer of the token route, in the style of OAuth 2.0: wrong credentials.
pub const ERROR_OAUTH: &str = include_str!("../fixtures/error-oauth.json");

/// The answer of a gateway in front of the service, with status 502.
pub const GATEWAY: &str = include_str!("../fixtures/gateway.html");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_answer_is_a_json_object() {
        let answers = [
            TOKEN,
            DECISION,
            DECISION_ALL_SCOPES,
            CREATE_SESSION,
            SESSION_STATUS,
            ERROR_MESSAGE,
            ERROR_DETAIL,
            ERROR_OAUTH,
        ];
        for text in answers {
            let value: serde_json::Value = serde_json::from_str(text).expect(text);
            assert!(value.is_object(), "{text}");
        }
    }

    #[test]
    fn the_printed_decision_differs_by_one_comma_only() {
        assert!(serde_json::from_str::<serde_json::Value>(DECISION_AS_PRINTED).is_err());
        assert_eq!(DECISION_AS_PRINTED.len(), DECISION.len() + 1);
        assert_eq!(DECISION_AS_PRINTED.replacen("},\n},", "}\n},", 1), DECISION);
    }
}

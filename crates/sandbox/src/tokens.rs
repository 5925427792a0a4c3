//! The valid access tokens, and the authorization of requests to the session routes.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::random::unguessable;
use crate::state::Shared;
use crate::state_file::{Record, Store};
use crate::{RecordedRequest, clock};

/// An access token that was issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) number: u64,
    /// The client id of its application.
    pub(crate) application: String,
    #[serde(with = "clock::milliseconds")]
    pub(crate) expires_at: Duration,
    /// The random suffix of its text, if tokens must be unguessable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) random: Option<String>,
}

impl Token {
    fn text(&self) -> String {
        let random = self.random.iter().map(|random| format!("-{random}"));
        format!("sandbox-access-token-{}{}", self.number, random.collect::<String>())
    }
}

pub(crate) struct Tokens {
    store: Store,
    unguessable: bool,
    valid: HashMap<String, Token>,
    last: u64,
    /// The number of tokens issued since the start of the sandbox.
    pub(crate) issued: u64,
}

impl Tokens {
    pub(crate) fn new(store: Store, unguessable: bool) -> Self {
        Self { store, unguessable, valid: HashMap::new(), last: 0, issued: 0 }
    }

    /// Inserts a token without saving it.
    pub(crate) fn restore(&mut self, token: Token) {
        self.last = self.last.max(token.number);
        self.valid.insert(token.text(), token);
    }

    pub(crate) fn issue(
        &mut self,
        application: &str,
        now: Duration,
        lifetime: Duration,
    ) -> io::Result<String> {
        self.valid.retain(|_, token| token.expires_at > now);
        let token = Token {
            number: self.last + 1,
            application: application.to_owned(),
            expires_at: now.saturating_add(lifetime),
            random: self.unguessable.then(unguessable).transpose()?,
        };
        self.store.save(&Record::Token(token.clone()))?;
        let text = token.text();
        self.restore(token);
        self.issued += 1;
        Ok(text)
    }

    /// Returns the client id of a token's application, if the token is valid.
    pub(crate) fn application(&self, token: &str, now: Duration) -> Option<&str> {
        let token = self.valid.get(token).filter(|token| token.expires_at > now)?;
        Some(&token.application)
    }

    /// Removes all valid tokens. Their numbers are not used again.
    pub(crate) fn forget(&mut self) {
        self.valid.clear();
    }

    pub(crate) fn revoke_all(&mut self) -> io::Result<()> {
        self.forget();
        self.store.save(&Record::TokensRevoked)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_valid_until_expired_or_revoked() {
        let mut tokens = Tokens::new(Store::default(), false);
        let seconds = Duration::from_secs;
        let token = tokens.issue("a", seconds(100), seconds(10)).expect("a token");
        assert_eq!(tokens.application(&token, seconds(109)), Some("a"));
        assert_eq!(tokens.application(&token, seconds(110)), None);
        let forever = tokens.issue("b", seconds(110), Duration::MAX).expect("a token");
        assert_eq!(tokens.application(&forever, Duration::from_secs(1 << 40)), Some("b"));
        assert_eq!((tokens.issued, tokens.valid.len()), (2, 1));
        tokens.revoke_all().expect("saved");
        assert_eq!(tokens.application(&forever, seconds(110)), None);
        assert_eq!(
            tokens.issue("b", seconds(110), seconds(1)).expect("a token"),
            "sandbox-access-token-3"
        );
    }

    #[test]
    fn unguessable_token_has_a_random_suffix() {
        let mut tokens = Tokens::new(Store::default(), true);
        let token = tokens.issue("a", Duration::ZERO, Duration::MAX).expect("a token");
        assert!(token.len() > "sandbox-access-token-1-".len() + 30, "{token}");
        assert_eq!(tokens.application(&token, Duration::ZERO), Some("a"));
        assert_eq!(tokens.application("sandbox-access-token-1", Duration::ZERO), None);
    }
}

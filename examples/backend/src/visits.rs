//! The sessions of visitors, by a key that only the visitor's browser knows.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use didit_async_adapter::Client;
use didit_async_adapter::core::data_transfer::{Decision, Scope, Scopes};
use didit_async_adapter::core::verification::CreateSession;
use didit_async_adapter::core::{Secret, SessionId};

/// The interval and the time limit of polling for a decision.
const INTERVAL: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// The time for which a visitor's data is kept afterwards.
const RETENTION: Duration = Duration::from_secs(15 * 60);

#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "most visits end decided")]
pub(crate) enum Visit {
    /// The person has not decided yet; the URL is the page on which they do.
    Waiting(Secret),
    Decided(Decision),
    Failed,
    /// Webhooks report the state of the session; the URL is the page of the verification.
    Verifying {
        session_id: String,
        url: Secret,
    },
}

#[derive(Clone)]
pub(crate) struct Visits {
    client: Client,
    visits: Arc<Mutex<HashMap<String, Visit>>>,
}

impl Visits {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, visits: Arc::default() }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Visit> {
        self.lock().get(key).cloned()
    }

    /// Creates a session that requests data and polls its decision in the background; returns the
    /// key of the visit.
    pub(crate) async fn share(&self) -> Result<String, Box<dyn Error + Send + Sync>> {
        let key = random_key()?;
        let scopes = Scopes::new([Scope::NAMES, Scope::EMAIL, Scope::IS_OVER_18])?;
        let created = self.client.create_session(scopes, None).await?;
        self.lock().insert(key.clone(), Visit::Waiting(created.url().clone()));
        tokio::spawn(self.clone().follow(key.clone(), created.session_id().clone()));
        Ok(key)
    }

    /// Creates a session of a workflow; returns the key of the visit.
    pub(crate) async fn verify(
        &self,
        workflow: &str,
    ) -> Result<String, Box<dyn Error + Send + Sync>> {
        let key = random_key()?;
        // With vendor data of this visitor, a repeated request returns the same session.
        let session = CreateSession::new(workflow)?.with_vendor_data(&key).allow_retry();
        let created = self.client.verification().create_session(session).await?;
        let (session_id, url) = (created.session_id().to_string(), created.url().clone());
        self.lock().insert(key.clone(), Visit::Verifying { session_id, url });
        let (visits, expired) = (self.clone(), key.clone());
        tokio::spawn(async move {
            tokio::time::sleep(TIMEOUT + RETENTION).await;
            visits.lock().remove(&expired);
        });
        Ok(key)
    }

    async fn follow(self, key: String, session_id: SessionId) {
        let wait = self.client.wait_for_decision(&session_id).every(INTERVAL).at_most(TIMEOUT);
        let visit = match wait.await {
            Ok(decision) => Visit::Decided(decision),
            Err(error) => {
                tracing::error!("{error}");
                Visit::Failed
            }
        };
        self.lock().insert(key.clone(), visit);
        tokio::time::sleep(RETENTION).await;
        self.lock().remove(&key);
    }

    /// Ignores poisoning, since a panic cannot leave the map inconsistent.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Visit>> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns 128 random bits in hexadecimal digits.
fn random_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

//! The store that keeps sessions and tokens across restarts.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::sessions::Session;
use crate::tokens::Token;
use crate::verification::session::Session as Verification;

/// A change to be saved. Of several records about the same session the last one counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Record {
    Session(Box<Session>),
    Verification(Box<Verification>),
    VerificationDeleted {
        id: String,
    },
    Token(Token),
    /// The revocation of all tokens before this record.
    TokensRevoked,
}

/// A place where records are saved.
pub(crate) trait Persist: Send {
    fn save(&mut self, record: &Record) -> io::Result<()>;
}

/// A shared handle to where records are saved; by default they are discarded.
#[derive(Clone, Default)]
pub(crate) struct Store(Option<Arc<Mutex<dyn Persist>>>);

impl Store {
    pub(crate) fn new(inner: impl Persist + 'static) -> Self {
        Self(Some(Arc::new(Mutex::new(inner))))
    }

    pub(crate) fn save(&self, record: &Record) -> io::Result<()> {
        match &self.0 {
            Some(inner) => inner.lock().unwrap_or_else(PoisonError::into_inner).save(record),
            None => Ok(()),
        }
    }
}

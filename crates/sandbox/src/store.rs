//! The store that keeps sessions and tokens while the sandbox does not run.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::sessions::Session;
use crate::tokens::Token;
use crate::verification::session::Session as Verification;

/// Something that changed: of several records about the same thing the last one counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Record {
    Session(Box<Session>),
    Verification(Box<Verification>),
    VerificationDeleted {
        id: String,
    },
    Token(Token),
    /// All tokens before this record.
    TokensRevoked,
}

pub(crate) trait Keep: Send {
    fn save(&mut self, record: &Record) -> io::Result<()>;
}

/// A handle on what keeps the records; by default nothing does.
#[derive(Clone, Default)]
pub(crate) struct Store(Option<Arc<Mutex<dyn Keep>>>);

impl Store {
    pub(crate) fn new(keep: impl Keep + 'static) -> Self {
        Self(Some(Arc::new(Mutex::new(keep))))
    }

    pub(crate) fn save(&self, record: &Record) -> io::Result<()> {
        match &self.0 {
            Some(keep) => keep.lock().unwrap_or_else(PoisonError::into_inner).save(record),
            None => Ok(()),
        }
    }
}

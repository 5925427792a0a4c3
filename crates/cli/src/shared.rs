//! The Redis or Valkey server shared with other processes: `--shared` or `DIDIT_SHARED`.

use didit_blocking_adapter::core::Secret;
use didit_redis_adapter::{RedisStore, RedisStoreBuilder, StoreError};

use crate::connection;
use crate::context::Context;
use crate::failure::Failure;

const FLAG: &str = "--shared";
const VARIABLE: &str = "DIDIT_SHARED";

/// The address of the store; the URL may contain a password.
pub(crate) struct Shared {
    url: Secret,
    /// The flag or variable that named it.
    pub(crate) named_by: &'static str,
    root_certificate: Option<Vec<u8>>,
}

impl Shared {
    /// Returns the store named by the flag or else the variable, which `--sandbox` ignores.
    pub(crate) fn chosen(flag: Option<String>, context: &Context) -> Result<Option<Self>, Failure> {
        let (url, named_by) = match flag {
            Some(url) => (url, FLAG),
            None if context.options.sandbox => return Ok(None),
            None => match context.environment.text(VARIABLE)? {
                Some(url) => (url, VARIABLE),
                None => return Ok(None),
            },
        };
        let root_certificate = connection::root_certificate(context)?;
        Ok(Some(Self { url: Secret::from(url), named_by, root_certificate }))
    }

    /// Connects to the store.
    ///
    /// # Errors
    /// The URL is invalid, or Redis cannot be reached: a usage error, since nothing was sent to the
    /// service.
    pub(crate) fn connect(&self) -> Result<RedisStore, Failure> {
        self.builder().connect().map_err(|error| Failure::usage(self.explain(&error)))
    }

    /// Returns the store, which may turn out to be unreachable when it is used.
    ///
    /// # Errors
    /// The URL or the certificate is invalid.
    pub(crate) fn open(&self) -> Result<RedisStore, Failure> {
        let store = self.builder().optional().connect();
        store.map_err(|error| Failure::usage(self.explain(&error)))
    }

    /// Returns an error of the store, with the flag or variable that named it.
    pub(crate) fn explain(&self, error: &StoreError) -> String {
        format!("{}: {error}", self.named_by)
    }

    fn builder(&self) -> RedisStoreBuilder {
        let builder = RedisStore::builder(self.url.expose());
        match &self.root_certificate {
            Some(pem) => builder.root_certificate(pem),
            None => builder,
        }
    }
}

//! The settings of a store that is not connected yet.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use didit_core::client::HttpSettings;
use didit_core::{BaseUrl, ConfigError, StoreError};
use redis::{Client, IntoConnectionInfo, TlsCertificates};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

use crate::failure::error_at;
use crate::keys::Keys;
use crate::store::{RedisStore, uses_tls};

/// Settings of a [`RedisStore`].
#[derive(Clone)]
pub struct RedisStoreBuilder {
    url: String,
    prefix: String,
    optional: bool,
    shares_token: bool,
    root_certificates: Vec<Vec<u8>>,
}

/// Leaves out the URL, which may contain a password.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder")
            .field("prefix", &self.prefix)
            .field("optional", &self.optional)
            .field("shares_token", &self.shares_token)
            .finish_non_exhaustive()
    }
}

/// Timeout of the first connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl RedisStoreBuilder {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            prefix: "didit".to_owned(),
            optional: false,
            shares_token: true,
            root_certificates: Vec::new(),
        }
    }

    /// Sets the prefix of all key names. Default: `didit`.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Starts without the store if it cannot be reached, and uses it once it can be.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Does not share the access token: each process fetches its own.
    #[must_use]
    pub fn without_token(mut self) -> Self {
        self.shares_token = false;
        self
    }

    /// Trusts the given PEM certificates in addition to the platform's, for `rediss` URLs.
    #[must_use]
    pub fn root_certificate(mut self, pem: &[u8]) -> Self {
        self.root_certificates.push(pem.to_owned());
        self
    }

    /// Connects to Redis.
    ///
    /// # Errors
    /// The URL or the certificate is invalid; or, unless the store is [optional](Self::optional),
    /// Redis cannot be reached or rejects the user.
    pub fn connect(self) -> Result<RedisStore, StoreError> {
        let info = self.url.as_str().into_connection_info().map_err(|_| {
            StoreError::new("the URL of Redis is not redis://HOST[:PORT] or rediss://HOST[:PORT]")
        })?;
        let address = info.addr().to_string();
        let with_tls = uses_tls(info.addr());
        if with_tls && CryptoProvider::get_default().is_none() {
            // The library uses the process's default provider. Another thread may set it first.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let client = if with_tls {
            let roots = trusted_roots(&self.root_certificates)
                .map_err(|error| error_at(&address, error))?;
            let tls = TlsCertificates { client_tls: None, root_cert: Some(roots) };
            Client::build_with_tls(info, tls)
        } else {
            Client::open(info)
        };
        let client = client.map_err(|error| error_at(&address, error))?;
        let keys = Keys::new(&self.prefix)?;
        let mut store = RedisStore::new(client, address, keys, self.shares_token);
        match store.new_connection(CONNECT_TIMEOUT) {
            Err(error) if !self.optional => return Err(error),
            connection => store.connection = connection.ok(),
        }
        Ok(store)
    }
}

/// Returns the PEM texts of the platform's certificates and of the given ones, since the library
/// would trust only the given ones.
fn trusted_roots(given: &[Vec<u8>]) -> Result<Vec<u8>, ConfigError> {
    // The host serves only to say that TLS is used.
    let settings = HttpSettings::new(&BaseUrl::production(), given, None);
    let roots = settings.trusted_roots(|| rustls_native_certs::load_native_certs().certs)?;
    let pem = |der: &CertificateDer<'_>| {
        let text = STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    Ok(roots.iter().map(pem).collect::<String>().into_bytes())
}

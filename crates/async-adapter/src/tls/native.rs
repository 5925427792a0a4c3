use reqwest::{Certificate, ClientBuilder};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use crate::error::ConfigError;

/// A certificate to trust.
pub(crate) type Root = Certificate;

/// The certificates of a PEM text.
pub(crate) fn parse_pem(pem: &[u8]) -> Result<Vec<Root>, ConfigError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .map(|der| Certificate::from_der(&der.ok()?).ok())
        .collect::<Option<_>>()
        .ok_or(ConfigError::Certificate)?;
    if certificates.is_empty() {
        return Err(ConfigError::Certificate);
    }
    Ok(certificates)
}

/// A client that trusts what this machine trusts, and the extra roots.
#[allow(clippy::unnecessary_wraps, reason = "the other libraries may refuse")]
pub(crate) fn trusting(
    client: ClientBuilder,
    extra: Vec<Root>,
) -> Result<ClientBuilder, ConfigError> {
    Ok(client.tls_backend_native().tls_certs_merge(extra))
}

/// A client that speaks plain http alone.
#[allow(clippy::unnecessary_wraps, reason = "the other libraries may refuse")]
pub(crate) fn plain(client: ClientBuilder) -> Result<ClientBuilder, ConfigError> {
    Ok(client.tls_backend_native())
}

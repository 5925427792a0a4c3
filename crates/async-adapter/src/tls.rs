use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::error::ConfigError;

/// The certificates of a PEM text.
pub(crate) fn parse_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| ConfigError::Certificate)?;
    let (usable, _) =
        RootCertStore::empty().add_parsable_certificates(certificates.iter().cloned());
    if usable == 0 || usable < certificates.len() {
        return Err(ConfigError::Certificate);
    }
    Ok(certificates)
}

/// TLS that trusts this machine's roots and the extra ones.
pub(crate) fn config(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in extra {
        roots.add(certificate).map_err(|_| ConfigError::Certificate)?;
    }
    if roots.is_empty() {
        return Err(ConfigError::NoRootCertificates);
    }
    trusting(roots)
}

/// TLS that trusts nobody, for a client that speaks plain http alone.
pub(crate) fn unused() -> Result<ClientConfig, ConfigError> {
    trusting(RootCertStore::empty())
}

fn trusting(roots: RootCertStore) -> Result<ClientConfig, ConfigError> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(ConfigError::Tls)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

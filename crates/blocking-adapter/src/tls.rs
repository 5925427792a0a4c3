use std::sync::Arc;

use didit_core::ConfigError;
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use ureq::config::ConfigBuilder;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::typestate::AgentScope;

type Agent = ConfigBuilder<AgentScope>;

/// A certificate to trust.
pub(crate) type Root = CertificateDer<'static>;

/// Reads the certificates of a PEM text.
pub(crate) fn parse_pem(pem: &[u8]) -> Result<Vec<Root>, ConfigError> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|_| ConfigError::Certificate)?;
    let (usable, _) = RootCertStore::empty().add_parsable_certificates(certificates.clone());
    if usable == 0 || usable < certificates.len() {
        return Err(ConfigError::Certificate);
    }
    Ok(certificates)
}

/// Trusts the platform's roots and the extra ones.
pub(crate) fn configure(agent: Agent, extra: &[Root]) -> Result<Agent, ConfigError> {
    let platform = rustls_native_certs::load_native_certs().certs;
    let certificates = platform.iter().chain(extra);
    let roots: Vec<_> =
        certificates.map(|certificate| Certificate::from_der(certificate).to_owned()).collect();
    if roots.is_empty() {
        return Err(ConfigError::NoRootCertificates);
    }
    let config = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots)))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()));
    Ok(agent.tls_config(config.build()))
}

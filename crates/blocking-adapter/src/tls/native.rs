use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

use super::Agent;
use crate::error::ConfigError;

/// A certificate to trust.
pub(crate) type Root = CertificateDer<'static>;

/// The certificates of a PEM text.
pub(crate) fn parse_pem(pem: &[u8]) -> Result<Vec<Root>, ConfigError> {
    let certificates: Vec<Root> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| ConfigError::Certificate)?;
    let usable = |der: &Root| native_tls::Certificate::from_der(der).is_ok();
    if certificates.is_empty() || !certificates.iter().all(usable) {
        return Err(ConfigError::Certificate);
    }
    Ok(certificates)
}

/// An agent that trusts what this machine trusts, and the extra roots.
#[allow(clippy::unnecessary_wraps, reason = "the other libraries may refuse")]
pub(crate) fn trusting(agent: Agent, extra: &[Root]) -> Result<Agent, ConfigError> {
    let roots = if extra.is_empty() {
        RootCerts::PlatformVerifier
    } else {
        // The library takes either the platform's or those that it is given.
        let platform = rustls_native_certs::load_native_certs().certs;
        let roots = platform.iter().chain(extra);
        let roots = roots.map(|certificate| Certificate::from_der(certificate).to_owned());
        RootCerts::Specific(Arc::new(roots.collect()))
    };
    let config = TlsConfig::builder().provider(TlsProvider::NativeTls).root_certs(roots);
    Ok(agent.tls_config(config.build()))
}

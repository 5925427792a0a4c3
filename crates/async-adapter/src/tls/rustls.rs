use std::sync::Arc;

use reqwest::ClientBuilder;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::error::ConfigError;

/// A certificate to trust.
pub(crate) type Root = CertificateDer<'static>;

/// The certificates of a PEM text.
pub(crate) fn parse_pem(pem: &[u8]) -> Result<Vec<Root>, ConfigError> {
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

/// A client that trusts this machine's roots and the extra ones.
pub(crate) fn trusting(
    client: ClientBuilder,
    extra: Vec<Root>,
) -> Result<ClientBuilder, ConfigError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    for certificate in extra {
        roots.add(certificate).map_err(|_| ConfigError::Certificate)?;
    }
    if roots.is_empty() {
        return Err(ConfigError::NoRootCertificates);
    }
    configure(client, roots)
}

/// A client that speaks plain http alone, and trusts nobody.
pub(crate) fn plain(client: ClientBuilder) -> Result<ClientBuilder, ConfigError> {
    configure(client, RootCertStore::empty())
}

fn configure(client: ClientBuilder, roots: RootCertStore) -> Result<ClientBuilder, ConfigError> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(ConfigError::Tls)?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(client.tls_backend_preconfigured(config))
}

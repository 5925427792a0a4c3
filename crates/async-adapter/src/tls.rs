use std::sync::Arc;

use didit_core::{BaseUrl, ConfigError};
use reqwest::ClientBuilder;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

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

/// Trusts the platform's roots and the extra ones; nobody where plain http is spoken.
pub(crate) fn configure(
    client: ClientBuilder,
    base_url: &BaseUrl,
    extra: Vec<Root>,
) -> Result<ClientBuilder, ConfigError> {
    let mut roots = RootCertStore::empty();
    if !base_url.is_plain_http() {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in extra {
            roots.add(certificate).map_err(|_| ConfigError::Certificate)?;
        }
        if roots.is_empty() {
            return Err(ConfigError::NoRootCertificates);
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::Library(error.into()))?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    Ok(client.tls_backend_preconfigured(config))
}

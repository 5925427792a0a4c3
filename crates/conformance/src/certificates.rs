//! Certificates for local servers, generated for each run.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ALL_VERSIONS, ConfigBuilder, RootCertStore, ServerConfig, SupportedProtocolVersion,
    WantsVerifier,
};

/// A certificate authority.
#[derive(Clone)]
pub struct Authority(Arc<CertifiedIssuer<'static, KeyPair>>);

impl Authority {
    /// Creates an authority.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // With equal subject and issuer names, OpenSSL takes a certificate for self-signed.
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(Arc::new(CertifiedIssuer::self_signed(params, key).unwrap()))
    }

    /// Returns the authority's certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Returns the TLS settings of a server with a certificate of this authority.
    pub fn server(&self, host: &str) -> Arc<ServerConfig> {
        self.server_of_versions(host, ALL_VERSIONS)
    }

    /// Returns the same for a server that supports only `versions`.
    pub fn server_of_versions(
        &self,
        host: &str,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        self.sign(&params(host), versions)
    }

    /// Returns the same for a server that requires a client certificate of this authority.
    pub fn server_with_client_auth(
        &self,
        host: &str,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
        let key = KeyPair::generate().unwrap();
        let certificate = params(host).signed_by(&key, &self.0).unwrap();
        let config = builder(versions).with_client_cert_verifier(clients.build().unwrap());
        Arc::new(config.with_single_cert(vec![certificate.der().clone()], private(&key)).unwrap())
    }

    /// Returns the same for a server whose certificate expired at the end of 2020.
    pub fn expired_server(&self, host: &str) -> Arc<ServerConfig> {
        let mut params = params(host);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 12, 31);
        self.sign(&params, ALL_VERSIONS)
    }

    fn sign(
        &self,
        params: &CertificateParams,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        server(certificate.der(), &key, versions)
    }
}

/// Returns the TLS settings of a server with a self-signed certificate.
pub fn self_signed_server(host: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = params(host).self_signed(&key).unwrap();
    server(certificate.der(), &key, ALL_VERSIONS)
}

fn params(host: &str) -> CertificateParams {
    CertificateParams::new(vec![host.to_owned()]).unwrap()
}

fn server(
    certificate: &CertificateDer<'static>,
    key: &KeyPair,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let config = builder(versions).with_no_client_auth();
    Arc::new(config.with_single_cert(vec![certificate.clone()], private(key)).unwrap())
}

fn builder(
    versions: &[&'static SupportedProtocolVersion],
) -> ConfigBuilder<ServerConfig, WantsVerifier> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    builder.with_protocol_versions(versions).unwrap()
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(key.serialize_der()).unwrap()
}

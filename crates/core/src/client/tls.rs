//! The parts of TLS with rustls that need no I/O.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{AlertDescription, CertificateError, Error, RootCertStore};

use super::config_error::ConfigError;
use super::connect::HttpSettings;
use crate::engine::TransportErrorKind;

impl HttpSettings<'_> {
    /// Returns the certificates to trust: the platform's, which `platform` looks up, and those of the
    /// PEM texts. Empty without TLS.
    ///
    /// # Errors
    /// [`ConfigError::Certificate`] if a text contains no certificate or an unusable one;
    /// [`ConfigError::NoRootCertificates`] if there are none at all.
    pub fn trusted_roots(
        &self,
        platform: impl FnOnce() -> Vec<CertificateDer<'static>>,
    ) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let extra = self.root_certificates.iter().map(|pem| certificates(pem));
        let extra: Vec<_> = extra.collect::<Result<_, _>>()?;
        if !self.tls {
            return Ok(Vec::new());
        }
        let mut roots = platform();
        // Some platforms have unusable certificates; the caller's have already been checked.
        roots.retain(|root| RootCertStore::empty().add(root.clone()).is_ok());
        roots.extend(extra.into_iter().flatten());
        if roots.is_empty() { Err(ConfigError::NoRootCertificates) } else { Ok(roots) }
    }
}

/// Parses the certificates of a PEM text, all of which must be usable. Skips a byte order mark.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let pem = pem.strip_prefix("\u{feff}".as_bytes()).unwrap_or(pem);
    // The parser silently skips a certificate that does not start at the beginning of a line.
    let begun = pem.windows(BEGIN.len()).filter(|text| *text == BEGIN).count();
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|_| ConfigError::Certificate)?;
    let (usable, _) = RootCertStore::empty().add_parsable_certificates(certificates.clone());
    if usable == 0 || usable < certificates.len().max(begun) {
        return Err(ConfigError::Certificate);
    }
    Ok(certificates)
}

/// Returns the kind of an error that ended the TLS handshake, before any of the request was sent;
/// `None` for any other error.
pub fn kind(error: &Error) -> Option<TransportErrorKind> {
    match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented => {
            Some(TransportErrorKind::Certificate)
        }
        Error::PeerIncompatible(_) => Some(TransportErrorKind::Handshake),
        Error::AlertReceived(alert) if is_refusal(*alert) => Some(TransportErrorKind::Handshake),
        _ => None,
    }
}

/// Returns whether this alert means that the server refused the handshake, and would do so again
/// ([RFC 8446, section 6.2](https://www.rfc-editor.org/rfc/rfc8446#section-6.2)).
fn is_refusal(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::HandshakeFailure
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::ProtocolVersion
            | Alert::InsufficientSecurity
            | Alert::MissingExtension
            | Alert::UnsupportedExtension
            | Alert::UnrecognisedName
            | Alert::NoApplicationProtocol
    )
}

/// Returns a short description of the error.
pub fn describe(error: &Error) -> String {
    use CertificateError::{Expired, ExpiredContext, NotValidForName, NotValidForNameContext};
    let words = match error {
        Error::InvalidMessage(_) => "the server does not speak TLS on this port",
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server demands a client certificate"
        }
        Error::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::BadCertificate,
        ) => "the server may demand a client certificate or other ciphers",
        Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => "no trusted authority issued the certificate",
            Expired | ExpiredContext { .. } => "the certificate has expired",
            NotValidForName | NotValidForNameContext { .. } => {
                "the certificate is for another host"
            }
            CertificateError::Other(_) => {
                "the certificate is a CA certificate or of an old version, not a server certificate"
            }
            other => return other.to_string(),
        },
        other => return other.to_string(),
    };
    words.to_owned()
}

/// Returns advice for the user, if more specific than that for the kind of failure.
pub fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Some("if the server is right, trust its issuer as a root certificate (`--ca-file`)")
        }
        Error::InvalidCertificate(CertificateError::Other(_)) => {
            Some("give the server an X.509 version 3 server certificate")
        }
        Error::InvalidMessage(_) => Some("check the port of the base URL"),
        _ => None,
    }
}

//! TLS by rustls, as far as it does no I/O.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{AlertDescription, CertificateError, Error, RootCertStore};

use super::config_error::ConfigError;
use super::connect::HttpSettings;
use crate::engine::TransportErrorKind;

impl HttpSettings<'_> {
    /// Returns the certificates to trust: the platform's, which `platform` looks up, and those of the
    /// PEM texts. There are none where TLS is not spoken.
    ///
    /// # Errors
    /// [`ConfigError::Certificate`] if a text contains no certificate, or one that cannot be used;
    /// [`ConfigError::NoRootCertificates`] if there is none at all.
    pub fn trusted(
        &self,
        platform: impl FnOnce() -> Vec<CertificateDer<'static>>,
    ) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
        let extra = self.root_certificates.iter().map(|pem| certificates(pem));
        let extra: Vec<_> = extra.collect::<Result<_, _>>()?;
        if !self.tls {
            return Ok(Vec::new());
        }
        let mut roots = platform();
        // Some platforms have certificates that cannot be used; those of the caller were checked.
        roots.retain(|root| RootCertStore::empty().add(root.clone()).is_ok());
        roots.extend(extra.into_iter().flatten());
        if roots.is_empty() { Err(ConfigError::NoRootCertificates) } else { Ok(roots) }
    }
}

/// Reads the certificates of a PEM text, all of which must be usable. A byte order mark is skipped.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    let pem = pem.strip_prefix("\u{feff}".as_bytes()).unwrap_or(pem);
    // One that does not begin a line would be left out.
    let begun = pem.windows(BEGIN.len()).filter(|text| *text == BEGIN).count();
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|_| ConfigError::Certificate)?;
    let (usable, _) = RootCertStore::empty().add_parsable_certificates(certificates.clone());
    if usable == 0 || usable < certificates.len().max(begun) {
        return Err(ConfigError::Certificate);
    }
    Ok(certificates)
}

/// Returns the kind of a failure to agree on TLS, so that nothing of the request was seen; `None`
/// for any other.
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

/// Returns whether a server ends the handshake with that alert, and would do so again
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

/// Returns what went wrong, in a few words.
pub fn words(error: &Error) -> String {
    use CertificateError::{Expired, ExpiredContext, NotValidForName, NotValidForNameContext};
    let words = match error {
        Error::InvalidMessage(_) => "the server does not speak TLS on this port",
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the server demands a client certificate"
        }
        Error::AlertReceived(
            AlertDescription::HandshakeFailure | AlertDescription::BadCertificate,
        ) => "the server may demand a client certificate, or other ciphers",
        Error::InvalidCertificate(certificate) => match certificate {
            CertificateError::UnknownIssuer => "no trusted authority issued the certificate",
            Expired | ExpiredContext { .. } => "the certificate has expired",
            NotValidForName | NotValidForNameContext { .. } => {
                "the certificate is for another host"
            }
            CertificateError::Other(_) => {
                "the certificate is an authority's or of an old version, not a server's"
            }
            other => return other.to_string(),
        },
        other => return other.to_string(),
    };
    words.to_owned()
}

/// Returns what a person can do about it, if that is more than the kind of the failure tells.
pub fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Some("if the server is right, trust its issuer as a root certificate (`--ca-file`)")
        }
        Error::InvalidCertificate(CertificateError::Other(_)) => {
            Some("give the server a certificate of its own, of version 3")
        }
        Error::InvalidMessage(_) => Some("check the port of the base URL"),
        _ => None,
    }
}

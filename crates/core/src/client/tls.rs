//! The parts of TLS with rustls that need no I/O.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible, RootCertStore};

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
    use AlertDescription as Alert;
    use CertificateError as Certificate;
    let words = match error {
        Error::InvalidMessage(_) => "the server does not speak TLS on this port",
        Error::AlertReceived(Alert::ProtocolVersion)
        | Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            "the server supports neither TLS 1.2 nor 1.3"
        }
        Error::PeerIncompatible(_) => "the server's TLS settings are not supported",
        Error::AlertReceived(Alert::UnrecognisedName) => "the server does not know the host name",
        Error::AlertReceived(Alert::CertificateRequired) => {
            "the server demands a client certificate"
        }
        Error::AlertReceived(Alert::HandshakeFailure | Alert::BadCertificate) => {
            "the server may demand a client certificate or other ciphers"
        }
        Error::InvalidCertificate(certificate) => match certificate {
            Certificate::UnknownIssuer => "no trusted authority issued the certificate",
            Certificate::BadSignature => {
                "the signature of the certificate or the handshake does not verify"
            }
            Certificate::Expired | Certificate::ExpiredContext { .. } => {
                "the certificate has expired"
            }
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. } => {
                "the certificate is not valid yet"
            }
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                "the certificate is for another host"
            }
            Certificate::Other(reason) => {
                return format!(
                    "the certificate, or one that issued it, is not valid for a server ({reason})"
                );
            }
            other => return other.to_string(),
        },
        other => return other.to_string(),
    };
    words.to_owned()
}

/// Returns advice for the user, if more specific than that for the kind of failure. It fits any URL.
pub fn advice(error: &Error) -> Option<&'static str> {
    use AlertDescription as Alert;
    use CertificateError as Certificate;
    Some(match error {
        Error::InvalidMessage(_) => "check the port",
        Error::AlertReceived(Alert::ProtocolVersion) | Error::PeerIncompatible(_) => {
            "check the host; if it is right, change the TLS settings of the server"
        }
        Error::AlertReceived(Alert::UnrecognisedName)
        | Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => "check the host",
        // A trusted authority with the issuer's name may have another key.
        Error::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature) => {
            "if the server is right, trust its issuer as a root certificate (`--ca-file`)"
        }
        Error::InvalidCertificate(
            Certificate::NotValidYet | Certificate::NotValidYetContext { .. },
        ) => "check the clock of this machine",
        Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            "check the clock of this machine; if it is right, the server needs a new certificate"
        }
        Error::InvalidCertificate(_) => {
            "check the host; if it is right, the server needs another certificate"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rustls::pki_types::UnixTime;
    use rustls::{InvalidMessage, OtherError};

    use super::*;

    #[test]
    fn errors_are_described_with_advice() {
        use AlertDescription as Alert;
        use CertificateError as Certificate;
        let certificate = Error::InvalidCertificate;
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let untrusted = "no trusted authority issued the certificate";
        let trust = "if the server is right, trust its issuer as a root certificate (`--ca-file`)";
        let neither = "the server supports neither TLS 1.2 nor 1.3";
        let settings = "check the host; if it is right, change the TLS settings of the server";
        let expired =
            "check the clock of this machine; if it is right, the server needs a new certificate";
        let another = "check the host; if it is right, the server needs another certificate";
        let reason = std::sync::Arc::new(std::io::Error::other("the reason"));
        let not_yet = Certificate::NotValidYetContext { time: at(1), not_before: at(2) };
        let rejected = "the server may demand a client certificate or other ciphers";
        for (error, words, expected) in [
            (certificate(Certificate::UnknownIssuer), untrusted, Some(trust)),
            (
                certificate(Certificate::BadSignature),
                "the signature of the certificate or the handshake does not verify",
                Some(trust),
            ),
            (certificate(Certificate::Expired), "the certificate has expired", Some(expired)),
            (
                certificate(not_yet),
                "the certificate is not valid yet",
                Some("check the clock of this machine"),
            ),
            (
                certificate(Certificate::NotValidForName),
                "the certificate is for another host",
                Some("check the host"),
            ),
            (
                certificate(Certificate::Other(OtherError(reason))),
                "the certificate, or one that issued it, is not valid for a server (the reason)",
                Some(another),
            ),
            (
                Error::InvalidMessage(InvalidMessage::InvalidContentType),
                "the server does not speak TLS on this port",
                Some("check the port"),
            ),
            (Error::AlertReceived(Alert::ProtocolVersion), neither, Some(settings)),
            (
                Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13),
                neither,
                Some(settings),
            ),
            (
                Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon),
                "the server's TLS settings are not supported",
                Some(settings),
            ),
            (
                Error::AlertReceived(Alert::UnrecognisedName),
                "the server does not know the host name",
                Some("check the host"),
            ),
            (
                Error::AlertReceived(Alert::CertificateRequired),
                "the server demands a client certificate",
                None,
            ),
            (Error::AlertReceived(Alert::HandshakeFailure), rejected, None),
            (Error::AlertReceived(Alert::BadCertificate), rejected, None),
            (Error::DecryptError, "cannot decrypt peer's message", None),
        ] {
            assert_eq!((&*describe(&error), advice(&error)), (words, expected), "{error:?}");
        }
    }
}

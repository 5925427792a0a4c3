//! Failures that concern more than one session: they stop the export, which can be resumed.

use std::io;

use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::{CallErrorKind, EndpointKind, TransportErrorKind, WaitReason};

use crate::failure::{Failure, SHORTAGE, local_shortage};

/// The advice for an export that stopped.
pub(super) const RESUME_HINT: &str = "run the same command again (without --restart) to resume";

/// Returns the failure that stops the export, unless the error concerns only its session: a failure
/// to get a token says nothing about a session.
pub(super) fn stops(error: &Error) -> Option<Failure> {
    if let Some(shortage) = local_shortage(error) {
        return Some(shortage_failure(shortage));
    }
    let call = error.call();
    let stops = match call.kind() {
        CallErrorKind::Build(_) | CallErrorKind::Waiting(WaitReason::Token) => true,
        _ => call.endpoint() == EndpointKind::FetchToken && !is_about_tls(error),
    };
    stops.then(|| Failure::of_call(None, error).after_sending().with_advice(RESUME_HINT))
}

/// Like [`stops`], for a share of a list: TLS failures, which may affect only this machine, stop it
/// too.
pub(super) fn stops_share(error: &Error) -> Option<Failure> {
    let alone = || Failure::of_call(None, error).with_advice(RESUME_HINT);
    stops(error).or_else(|| is_about_tls(error).then(alone))
}

/// Returns true if the service's certificate is not trusted, or the service refuses the handshake,
/// which affects every session.
pub(super) fn is_about_tls(error: &Error) -> bool {
    use TransportErrorKind::{Certificate, Handshake};
    matches!(error.call().kind(), CallErrorKind::Transport(Certificate | Handshake))
}

/// Builds the failure of an export on a system that lacks a resource.
pub(super) fn shortage_failure(shortage: &io::Error) -> Failure {
    Failure::other(format!(
        "{SHORTAGE}: {shortage}; lower --concurrency or raise the \
         limit, and {RESUME_HINT}"
    ))
}

#[cfg(test)]
mod tests {
    use didit_blocking_adapter::core::client::{Route, TransportDetail};
    use didit_blocking_adapter::core::{BaseUrl, CallError};

    use super::*;

    /// A session is committed to a machine only if its result will be written.
    #[test]
    fn shortage_stops_whole_exports_and_shares() {
        for (error, stopped) in [
            (io::Error::from_raw_os_error(24), true),
            (io::ErrorKind::ConnectionReset.into(), false),
        ] {
            let detail =
                TransportDetail { error: ureq::Error::Io(error), description: None, advice: None };
            let lost = CallError::new(CallErrorKind::Transport(TransportErrorKind::ConnectionLost));
            let error = Error::new(lost, Some(detail), &Route::new(&BaseUrl::production(), None));
            assert_eq!([stops(&error), stops_share(&error)].map(|it| it.is_some()), [stopped; 2]);
        }
    }
}

//! Failures that concern more than one session: they stop the export, which can be resumed.

use std::error::Error as StdError;
use std::io;

use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::{CallErrorKind, EndpointKind, TransportErrorKind, WaitReason};

use crate::failure::{Failure, is_shortage};

/// The advice for an export that stopped.
pub(super) const RESUME_HINT: &str = "run the same command again (without --restart) to resume";

/// Returns the failure that stops the export, unless the error concerns only its session: a failure
/// to get a token says nothing about a session.
pub(super) fn stops(error: &Error) -> Option<Failure> {
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

/// Returns the failure that stops the export if the system lacks a resource.
pub(super) fn local_shortage(error: &Error) -> Option<Failure> {
    let error = match error.source()?.downcast_ref::<ureq::Error>()? {
        ureq::Error::Io(error) => error,
        ureq::Error::Other(error) => error.downcast_ref()?,
        _ => return None,
    };
    is_shortage(error).then(|| shortage_failure(error))
}

/// Builds the failure of an export on a system that lacks a resource.
pub(super) fn shortage_failure(shortage: &io::Error) -> Failure {
    Failure::other(format!(
        "this machine is short of a resource: {shortage}; lower --concurrency or raise the \
         limit, and {RESUME_HINT}"
    ))
}

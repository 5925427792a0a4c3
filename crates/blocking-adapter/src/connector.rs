use std::{error, fmt};

use didit_core::TransportErrorKind;
use ureq::unversioned::transport::{ConnectionDetails, Connector, DefaultConnector, Transport};

use crate::error::kind;

/// Connects as `ureq` does, TLS handshake included, and marks the errors that an open connection
/// could have as well: nothing of the request was sent.
#[derive(Debug, Default)]
pub(crate) struct MarkingConnector(DefaultConnector);

/// The error of a connection that was not established.
#[derive(Debug)]
pub(crate) struct NotConnected(ureq::Error);

impl Connector for MarkingConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        self.0.connect(details, chained).map_err(|error| match kind(&error) {
            TransportErrorKind::ConnectionLost => ureq::Error::Other(Box::new(NotConnected(error))),
            _ => error,
        })
    }
}

impl NotConnected {
    /// Returns the error without its mark, or as an `Err` if it has none.
    pub(crate) fn unmark(error: ureq::Error) -> Result<ureq::Error, ureq::Error> {
        match error {
            ureq::Error::Other(error) => {
                error.downcast().map(|marked: Box<Self>| marked.0).map_err(ureq::Error::Other)
            }
            error => Err(error),
        }
    }
}

impl fmt::Display for NotConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            ureq::Error::Io(error) => error.fmt(f),
            error => error.fmt(f),
        }
    }
}

impl error::Error for NotConnected {}

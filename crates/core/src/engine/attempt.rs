use super::moment::Moment;
use crate::credentials::Authorization;
use crate::error::EndpointKind;

/// One request that was sent.
pub(super) struct Attempt {
    pub(super) ticket: u64,
    pub(super) purpose: Purpose,
    /// The authorization it was sent with, which no error may repeat.
    pub(super) authorization: Option<Authorization>,
    pub(super) sent_at: Moment,
    /// The attempt's deadline.
    pub(super) until: Moment,
}

/// The purpose of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To fetch a token.
    Token,
    /// The endpoint's own request, with the token of that generation.
    Request(u64),
}

impl Purpose {
    /// Returns the endpoint, given the call's own.
    pub(super) fn endpoint(self, own: EndpointKind) -> EndpointKind {
        match self {
            Self::Token => EndpointKind::FetchToken,
            Self::Request(_) => own,
        }
    }
}

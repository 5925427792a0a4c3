use crate::credentials::Authorization;
use crate::engine::Moment;
use crate::error::EndpointKind;
use crate::oauth::FetchToken;

/// One request that was sent.
pub(super) struct Attempt {
    pub(super) ticket: u64,
    pub(super) purpose: Purpose,
    pub(super) sent_at: Moment,
    /// The attempt's deadline.
    pub(super) until: Moment,
}

/// The purpose of a request, with the credentials it is sent with.
pub(super) enum Purpose {
    /// To fetch a token.
    Token(FetchToken),
    /// The call's own request, with a token of this generation.
    Request(Option<Authorization>, u64),
}

impl Purpose {
    /// Returns the endpoint of the request, given that of the call.
    pub(super) fn endpoint(&self, own: EndpointKind) -> EndpointKind {
        match self {
            Self::Token(_) => EndpointKind::FetchToken,
            Self::Request(..) => own,
        }
    }

    pub(super) fn is_token(&self) -> bool {
        matches!(self, Self::Token(_))
    }

    /// Returns the secrets that it is sent with, which must not appear in errors.
    pub(super) fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Token(endpoint) => endpoint.client().secrets().into(),
            Self::Request(authorization, _) => {
                authorization.iter().map(Authorization::secret).collect()
            }
        }
    }
}

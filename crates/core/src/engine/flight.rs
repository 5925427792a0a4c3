use super::moment::Moment;
use crate::credentials::Authorization;
use crate::error::Action;

/// One request on its way.
pub(super) struct Flight {
    pub(super) ticket: u64,
    pub(super) purpose: Purpose,
    /// What it went out with, to be kept out of what is told of the answer.
    pub(super) authorization: Authorization,
    /// When it counts as lost.
    pub(super) until: Moment,
}

/// What a call sent a request for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Token,
    /// The endpoint's own request, and the generation of the token it went out with.
    Own(u64),
}

impl Purpose {
    /// The action, given the endpoint's own.
    pub(super) fn action(self, own: Action) -> Action {
        match self {
            Self::Token => Action::FetchToken,
            Self::Own(_) => own,
        }
    }
}

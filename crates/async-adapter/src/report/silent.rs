//! What stands in for the report where nobody can listen.

use didit_core::{Engine, Event, SessionId};

pub(crate) fn listen(_: &mut Engine) {}

pub(crate) fn events(_: Vec<Event>) {}

pub(crate) fn within<F: Future>(_: &SessionId, future: F) -> F {
    future
}

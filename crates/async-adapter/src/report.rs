//! What the engine tells, as `tracing` events of the target `didit`.

use didit_core::{Engine, Event, SessionId};
use tracing::instrument::Instrumented;
use tracing::{Instrument as _, Level};

/// Has events kept only while somebody listens.
pub(crate) fn listen(engine: &mut Engine) {
    engine.record_events(tracing::enabled!(target: "didit", Level::INFO));
}

/// Tells what happened; called without the engine's lock, since a subscriber may take its time.
pub(crate) fn events(events: Vec<Event>) {
    for event in events {
        if event.is_notable() {
            tracing::info!(target: "didit", "{event}");
        } else {
            tracing::debug!(target: "didit", "{event}");
        }
    }
}

/// Names the session for what is told of it, to those who look for details.
pub(crate) fn within<F: Future>(session_id: &SessionId, future: F) -> Instrumented<F> {
    future.instrument(tracing::debug_span!(target: "didit", "session", %session_id))
}

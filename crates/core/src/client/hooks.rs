use std::fmt;
use std::sync::Arc;

use http::Request;

use crate::engine::Event;
use crate::error::EndpointKind;

type Listener = dyn Fn(&Event) + Send + Sync;
type RequestHook = dyn Fn(EndpointKind, &mut Request<Vec<u8>>) + Send + Sync;

/// The caller's functions that run between the steps of calls. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Hooks {
    on_event: Option<Arc<Listener>>,
    before_send: Option<Arc<RequestHook>>,
}

impl Hooks {
    pub(super) fn set_on_event(&mut self, listener: impl Fn(&Event) + Send + Sync + 'static) {
        self.on_event = Some(Arc::new(listener));
    }

    pub(super) fn set_before_send(
        &mut self,
        hook: impl Fn(EndpointKind, &mut Request<Vec<u8>>) + Send + Sync + 'static,
    ) {
        self.before_send = Some(Arc::new(hook));
    }

    /// Returns whether events are to be recorded.
    pub(super) fn want_events(&self) -> bool {
        self.on_event.is_some() || Event::is_traced()
    }

    /// Passes events to the listener and to `tracing`.
    pub(super) fn emit(&self, events: &[Event]) {
        for event in events {
            if let Some(listener) = &self.on_event {
                listener(event);
            }
            #[cfg(feature = "tracing")]
            event.trace();
        }
    }

    pub(super) fn before_send(&self, request: &mut Request<Vec<u8>>) {
        let endpoint = request.extensions().get().copied();
        if let (Some(hook), Some(endpoint)) = (&self.before_send, endpoint) {
            hook(endpoint, request);
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("on_event", &self.on_event.is_some())
            .field("before_send", &self.before_send.is_some())
            .finish()
    }
}

//! A wrapper that reports the requests and responses of an operation to an observer.

use didit_blocking_adapter::core::{
    Engine, Event, EventKind, Moment, Operation, Step, Ticket, TransportError,
};
use http::{Request, Response};

/// An observer of an operation's requests.
pub(crate) trait Observer {
    /// Sees a request before it is sent.
    fn on_request(&mut self, _request: &Request<Vec<u8>>, _now: Moment) {}

    /// Returns whether it needs the service's identifier of the request in flight.
    fn needs_request_id(&self) -> bool {
        false
    }

    /// Sees the response to it, and the identifier, without secrets, if it needs that.
    fn on_response<B: AsRef<[u8]>>(
        &mut self,
        response: &Response<B>,
        request_id: Option<&str>,
        now: Moment,
    );

    /// Sees that the request got no complete response.
    fn on_failure(&mut self, _now: Moment) {}
}

pub(crate) struct Observed<O, V> {
    pub(crate) operation: O,
    pub(crate) observer: V,
}

impl<O: Operation, V: Observer> Operation for Observed<O, V> {
    type Output = O::Output;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<O::Output> {
        let step = self.operation.poll(engine, now);
        if let Step::Send { request, .. } = &step {
            self.observer.on_request(request, now);
        }
        step
    }

    fn handle_response<B: AsRef<[u8]>>(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: &Response<B>,
    ) {
        if !self.observer.needs_request_id() {
            self.observer.on_response(response, None, now);
            return self.operation.handle_response(engine, now, ticket, response);
        }
        engine.record_events(true);
        self.operation.handle_response(engine, now, ticket, response);
        let events = engine.take_events();
        let request_id = events.iter().find_map(|event| match &event.kind {
            EventKind::Answered { request_id, .. } => request_id.as_deref(),
            _ => None,
        });
        self.observer.on_response(response, request_id, now);
        events.iter().for_each(Event::trace);
    }

    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        error: TransportError,
    ) {
        self.observer.on_failure(now);
        self.operation.handle_failure(engine, now, ticket, error);
    }

    fn cancel(&mut self, engine: &mut Engine, now: Moment) {
        self.operation.cancel(engine, now);
    }
}

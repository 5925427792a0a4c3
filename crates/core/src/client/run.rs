use std::ops::DerefMut;

use http::Response;

use super::hooks::Hooks;
use crate::engine::{Engine, Moment, Operation, Step, Ticket, TransportError};

/// What the calls of a client share, for a [`Run`].
pub trait Driver {
    /// Locks the engine. It is consistent after every step, also after one that panicked.
    fn lock(&self) -> impl DerefMut<Target = Engine>;

    /// Returns the time since the client was built.
    fn now(&self) -> Moment;

    /// Has the calls that wait poll again.
    fn wake_others(&self);

    /// Returns the functions of the caller.
    fn hooks(&self) -> &Hooks;
}

/// An operation under way in a client, which is canceled when dropped before its end.
#[derive(Debug)]
pub struct Run<'a, D: Driver, O: Operation> {
    driver: &'a D,
    operation: O,
    over: bool,
}

impl<'a, D: Driver, O: Operation> Run<'a, D, O> {
    /// Starts an operation.
    pub fn new(driver: &'a D, operation: O) -> Self {
        Self { driver, operation, over: false }
    }

    /// Returns what to do now; see [`Operation::poll`].
    pub fn poll(&mut self) -> Step<O::Output> {
        let mut step = self.step(|operation, engine, now| operation.poll(engine, now));
        self.over = matches!(step, Step::Done(_));
        if let Step::Send { request, .. } = &mut step {
            self.driver.hooks().before_send(request);
        }
        step
    }

    /// Takes what became of a request.
    pub fn handle(&mut self, ticket: Ticket, result: Result<Response<Vec<u8>>, TransportError>) {
        self.step(|operation, engine, now| match result {
            Ok(response) => operation.handle_response(engine, now, ticket, &response),
            Err(error) => operation.handle_failure(engine, now, ticket, error),
        });
    }

    /// Takes one step with the engine; then wakes others, and tells what happened.
    fn step<T>(&mut self, step: impl FnOnce(&mut O, &mut Engine, Moment) -> T) -> T {
        let hooks = self.driver.hooks();
        let mut engine = self.driver.lock();
        engine.record_events(hooks.listen());
        let result = step(&mut self.operation, &mut engine, self.driver.now());
        let (wakes, events) = (engine.take_wake(), engine.take_events());
        drop(engine);
        if wakes {
            self.driver.wake_others();
        }
        hooks.tell(&events);
        result
    }
}

impl<D: Driver, O: Operation> Drop for Run<'_, D, O> {
    fn drop(&mut self) {
        if !self.over {
            self.step(|operation, engine, now| operation.cancel(engine, now));
        }
    }
}

use std::ops::DerefMut;
use std::time::Duration;

use http::Response;

use super::hooks::Hooks;
use crate::engine::{
    Engine, Moment, Operation, SharedStore, Step, StoreStep, Ticket, TransportError,
};

/// What the calls of a client share, for a [`Run`].
pub trait Driver {
    /// Locks the engine. It is consistent after every step, also after one that panicked.
    fn lock(&self) -> impl DerefMut<Target = Engine>;

    /// Returns the time since the client was built.
    fn now(&self) -> Moment;

    /// Has the calls that wait poll again.
    fn wake_others(&self);

    /// Has the store that processes share asked again, if there is one: see [`serve_store`].
    fn wake_store(&self);

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
        self.driver.wake_store();
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

/// Asks the store all that the engine wants of it, for a thread that does nothing else. Returns how
/// long there is nothing more to ask, unless [`wake_store`](Driver::wake_store) is called.
pub fn serve_store<D: Driver>(driver: &D, store: &mut dyn SharedStore) -> Duration {
    loop {
        let now = driver.now();
        let step = driver.lock().poll_store(now);
        let requests = match step {
            StoreStep::Exchange(requests) => requests,
            StoreStep::Wait { until } => return until.since(now),
        };
        let answers = store.exchange(&requests);
        let mut engine = driver.lock();
        engine.handle_store(driver.now(), answers);
        let wakes = engine.take_wake();
        drop(engine);
        if wakes {
            driver.wake_others();
        }
    }
}

use std::ops::DerefMut;
use std::sync::Weak;
use std::time::{Duration, SystemTime};

use http::header::{HeaderMap, HeaderValue, LOCATION};
use http::{Response, StatusCode};

use super::error::{ClientError, TransportDetail};
use super::transport::Transport;
use crate::endpoint::MAX_HEAD_BYTES;
use crate::endpoint::triage::FollowedRedirect;
use crate::engine::{
    CallError, Engine, Moment, Operation, SharedStore, Step, StoreStep, Ticket, TransportError,
    TransportErrorKind,
};
use crate::rate_limit::RateLimit;

/// The error of a failed exchange: for the engine, and with the HTTP library's details for the
/// caller.
pub type FailedExchange<T> = (TransportError, Option<TransportDetail<T>>);

/// The outcome of a request: the response, of any status, or the failure.
pub type Exchange<T> = Result<Response<Vec<u8>>, FailedExchange<T>>;

/// Marks a response, in its extensions, whose `Date` header is not the server's but the time of
/// arrival: see [`RateLimit::stamp_arrival`].
#[derive(Clone, Copy, Debug)]
pub struct ArrivalDate;

/// Builds the head of a response that arrived at the time `at`, with an [`ArrivalDate`] if it has
/// that date.
///
/// # Errors
/// The headers are longer than [`MAX_HEAD_BYTES`].
pub fn receive_head<T>(
    status: StatusCode,
    headers: HeaderMap,
    at: SystemTime,
) -> Result<Response<()>, FailedExchange<T>> {
    let bytes: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if bytes > MAX_HEAD_BYTES {
        return Err((TransportError::new(TransportErrorKind::HeadTooLarge), None));
    }
    let mut head = Response::new(());
    *head.status_mut() = status;
    *head.headers_mut() = headers;
    if RateLimit::stamp_arrival(head.headers_mut(), at) {
        head.extensions_mut().insert(ArrivalDate);
    }
    Ok(head)
}

/// Returns a redirect to this URL, in place of the response that an HTTP client got there by following
/// one: the call fails, and a request that must not be repeated may have taken effect.
pub fn followed_redirect(url: &str) -> Response<Vec<u8>> {
    let mut redirect = Response::new(Vec::new());
    *redirect.status_mut() = StatusCode::FOUND;
    redirect.extensions_mut().insert(FollowedRedirect);
    if let Ok(url) = HeaderValue::from_str(url) {
        redirect.headers_mut().insert(LOCATION, url);
    }
    redirect
}

/// The state that the calls of a client share, for a [`Run`].
pub trait Driver {
    /// The client of the HTTP library.
    type HttpClient;
    /// The error of the HTTP library.
    type HttpError;

    /// Locks the engine. It is consistent after every step, even one that panicked, so a poisoned
    /// lock can be ignored.
    fn lock(&self) -> impl DerefMut<Target = Engine>;

    /// Returns the time since the client was built.
    fn now(&self) -> Moment;

    /// Wakes the waiting calls, so that they poll again.
    fn wake_others(&self);

    /// Wakes the thread that serves the shared store, if there is one: see [`serve_store`].
    fn wake_store(&self);

    /// Returns the HTTP clients and the caller's hooks.
    fn transport(&self) -> &Transport<Self::HttpClient>;
}

/// A running operation of a client, which is canceled if dropped before it has finished.
#[derive(Debug)]
pub struct Run<'a, D: Driver, O: Operation> {
    driver: &'a D,
    operation: O,
    /// The last failure of the transport.
    failure: Option<TransportDetail<D::HttpError>>,
    finished: bool,
}

impl<'a, D: Driver, O: Operation> Run<'a, D, O> {
    /// Starts an operation.
    pub fn new(driver: &'a D, operation: O) -> Self {
        Self { driver, operation, failure: None, finished: false }
    }

    /// Handles the outcome of the last request, if there was one, and returns the next step; see
    /// [`Operation::poll`].
    pub fn poll(&mut self, outcome: Option<(Ticket, Exchange<D::HttpError>)>) -> Step<O::Output> {
        let mut step = self.step(|run, engine, now| {
            match outcome {
                Some((ticket, Ok(response))) => {
                    run.operation.handle_response(engine, now, ticket, &response);
                }
                Some((ticket, Err((error, detail)))) => {
                    run.failure = detail;
                    run.operation.handle_failure(engine, now, ticket, error);
                }
                None => {}
            }
            run.operation.poll(engine, now)
        });
        self.finished = matches!(step, Step::Done(_));
        if let Step::Send { request, .. } = &mut step {
            self.driver.transport().hooks.before_send(request);
        }
        step
    }

    /// Returns the error of the operation, with the route and the last failure of the transport.
    pub fn error(&mut self, error: CallError) -> ClientError<D::HttpError> {
        let route = self.driver.transport().route(error.endpoint());
        ClientError::new(error, self.failure.take(), route)
    }

    /// Takes one step with the engine; then wakes other calls and emits the events.
    fn step<T>(&mut self, step: impl FnOnce(&mut Self, &mut Engine, Moment) -> T) -> T {
        let driver = self.driver;
        let hooks = &driver.transport().hooks;
        let mut engine = driver.lock();
        engine.record_events(hooks.want_events());
        let result = step(self, &mut engine, driver.now());
        let (wakes, events) = (engine.take_wake(), engine.take_events());
        drop(engine);
        if wakes {
            driver.wake_others();
        }
        driver.wake_store();
        hooks.emit(&events);
        result
    }
}

impl<D: Driver, O: Operation> Drop for Run<'_, D, O> {
    fn drop(&mut self) {
        if !self.finished {
            self.step(|run, engine, now| run.operation.cancel(engine, now));
        }
    }
}

/// Exchanges the engine's requests with the store until the driver is dropped, on a dedicated
/// thread. `wait` blocks for the given time, or until [`wake_store`](Driver::wake_store) is called.
pub fn serve_store<D: Driver>(
    driver: &Weak<D>,
    store: &mut dyn SharedStore,
    wait: impl Fn(Duration),
) {
    while let Some(driver) = driver.upgrade() {
        let mut engine = driver.lock();
        let now = driver.now();
        let step = engine.poll_store(now);
        drop(engine);
        match step {
            StoreStep::Exchange(requests) => {
                let answers = store.exchange(&requests);
                let mut engine = driver.lock();
                engine.handle_store(driver.now(), answers);
                let wakes = engine.take_wake();
                drop(engine);
                if wakes {
                    driver.wake_others();
                }
            }
            StoreStep::Wait { until } => {
                drop(driver);
                wait(until.since(now));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::header::{DATE, RETRY_AFTER};

    use super::*;
    use crate::data_transfer::CreateSession;
    use crate::endpoint::{Endpoint as _, Replay};
    use crate::engine::CallErrorKind;

    #[test]
    fn followed_redirect_of_a_creation_shows_no_secret() {
        let create = CreateSession::new("email".parse().unwrap());
        let answer = followed_redirect("https://u@h/s/canary-T0ken/?canary");
        let error = create.parse(&answer).unwrap_err();
        assert_eq!(
            error.to_string(),
            "could not create the session: the HTTP client followed a redirect to https://h/s/***/"
        );
        assert!(error.advice().starts_with("make the HTTP client follow no redirects"));
        let error = CallError::new(CallErrorKind::Response(error));
        assert!(!error.may_have_taken_effect(), "a safe request");
        assert!(error.with_replay(Replay::OnlyIfUnsent).may_have_taken_effect());
    }

    #[test]
    fn date_of_arrival_is_marked() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let own = |pairs: &[(http::HeaderName, &'static str)]| {
            let value = |value| http::HeaderValue::from_static(value);
            let headers = pairs.iter().map(|(name, text)| (name.clone(), value(text))).collect();
            let head = receive_head::<()>(StatusCode::OK, headers, SystemTime::UNIX_EPOCH).unwrap();
            let has_date = head.headers().contains_key(DATE);
            (has_date, head.extensions().get::<ArrivalDate>().is_some())
        };
        assert_eq!(own(&[]), (false, false));
        assert_eq!(own(&[(RETRY_AFTER, "1")]), (true, true));
        assert_eq!(own(&[(RETRY_AFTER, "1"), (DATE, "junk")]), (true, true));
        assert_eq!(own(&[(RETRY_AFTER, "1"), (DATE, date)]), (true, false));
    }
}

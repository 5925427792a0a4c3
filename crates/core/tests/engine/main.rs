//! The behavior of the engine, step by step in virtual time.

// Test code outside of `#[test]` functions may panic as well.
#![allow(clippy::unwrap_used, clippy::panic)]

mod calls;
mod counts;
mod credentials;
mod lost_store;
mod private_data;
mod refusals;
mod settings;
mod shared_token;
mod store;
mod token;
mod waiting;

use std::time::Duration;

use didit_core::data_transfer::{CreateSession, Decision, ReadStatus, RetrieveDecision, Status};
use didit_core::{
    Authorization, BaseUrl, Call, CallError, CallErrorKind, ClientCredentials, Credentials,
    EndpointKind, Engine, EngineBuilder, EventKind, GaveUp, Moment, Operation, Policy, Step,
    Ticket, TransportError, TransportErrorKind, WaitForDecision, WaitReason,
};
use http::{Request, Response};

const BASE: &str = "https://example.com";

fn at(seconds: u64) -> Moment {
    Moment::new(Duration::from_secs(seconds))
}

fn builder() -> EngineBuilder {
    let client = ClientCredentials::new("id", "secret").unwrap();
    Engine::builder(client).base_url(BASE.parse::<BaseUrl>().unwrap())
}

fn engine() -> Engine {
    builder().build().unwrap()
}

/// Returns an engine that records events.
fn recording() -> Engine {
    recorded(builder())
}

/// Returns an engine with a budget, which records events.
fn paced(requests_per_window: u32) -> Engine {
    let limit = |policy: &mut Policy| policy.max_requests_per_window = Some(requests_per_window);
    recorded(builder().edit_policy(limit))
}

fn recorded(builder: EngineBuilder) -> Engine {
    let mut engine = builder.build().unwrap();
    engine.record_events(true);
    engine
}

fn kinds(engine: &mut Engine) -> Vec<EventKind> {
    engine.take_events().into_iter().map(|event| event.kind).collect()
}

fn call() -> Call<RetrieveDecision> {
    Call::new(RetrieveDecision::new("s-1".parse().unwrap()))
}

/// Returns the request that an operation sends now, as its last path segment and bearer token, and
/// its ticket.
#[track_caller]
fn sends<O: Operation>(operation: &mut O, engine: &mut Engine, now: Moment) -> (String, Ticket)
where
    O::Output: std::fmt::Debug,
{
    match operation.poll(engine, now) {
        Step::Send { request, ticket, .. } => (describe(&request), ticket),
        other => panic!("{other:?}"),
    }
}

fn describe(request: &Request<Vec<u8>>) -> String {
    let bearer = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or("-");
    let path = request.uri().path().trim_end_matches('/');
    format!("{} {bearer}", path.rsplit('/').next().unwrap())
}

#[track_caller]
fn waits<O: Operation>(operation: &mut O, engine: &mut Engine, now: Moment) -> (Moment, WaitReason)
where
    O::Output: std::fmt::Debug,
{
    match operation.poll(engine, now) {
        Step::Wait { until, reason } => (until, reason),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn fails<O: Operation>(operation: &mut O, engine: &mut Engine, now: Moment) -> CallError
where
    O::Output: std::fmt::Debug,
{
    match operation.poll(engine, now) {
        Step::Done(Err(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn succeeds<O: Operation>(operation: &mut O, engine: &mut Engine, now: Moment) -> O::Output
where
    O::Output: std::fmt::Debug,
{
    match operation.poll(engine, now) {
        Step::Done(Ok(output)) => output,
        other => panic!("{other:?}"),
    }
}

fn answer(
    operation: &mut impl Operation,
    engine: &mut Engine,
    now: Moment,
    ticket: Ticket,
    status: u16,
    body: &str,
) {
    let response = Response::builder().status(status).body(body.as_bytes()).unwrap();
    operation.handle_response(engine, now, ticket, &response);
}

fn token(name: &str, expires_in: u64) -> String {
    format!(r#"{{"access_token":"{name}","expires_in":{expires_in}}}"#)
}

fn decision(status: &str) -> String {
    format!(r#"{{"session_id":"s-1","status":"{status}"}}"#)
}

/// Runs a call to its decision, including its token request if it sends one.
fn retrieve(engine: &mut Engine, now: Moment, new_token: &str) -> Decision {
    let mut call = call();
    let (mut sent, mut ticket) = sends(&mut call, engine, now);
    if sent == "token -" {
        answer(&mut call, engine, now, ticket, 200, &token(new_token, 1000));
        (sent, ticket) = sends(&mut call, engine, now);
    }
    assert!(sent.starts_with("decision "), "{sent}");
    answer(&mut call, engine, now, ticket, 200, &decision("Confirmed"));
    succeeds(&mut call, engine, now)
}

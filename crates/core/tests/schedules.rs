//! What the engine does when, step by step in virtual time.

// The steps are helpers of tests, and fail by panicking as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use didit_core::{
    Action, BaseUrl, Call, CallError, Cause, ClientCredentials, CreateSession, Decision, Engine,
    Event, Failure, FailureKind, Moment, Operation, Policy, Reason, RetrieveDecision,
    SessionStatus, Status, Step, Stopped, Ticket, WaitForDecision,
};
use http::{Request, Response};

const BASE: &str = "https://example.com";

fn at(seconds: u64) -> Moment {
    Moment::new(Duration::from_secs(seconds))
}

fn engine() -> Engine {
    let client = ClientCredentials::new("id", "secret").unwrap();
    Engine::new(BASE.parse::<BaseUrl>().unwrap(), client)
}

fn call() -> Call<RetrieveDecision> {
    Call::new(RetrieveDecision::new("s-1".parse().unwrap()))
}

/// The request that an operation sends now: its last path segment, its bearer, its ticket.
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
fn waits<O: Operation>(operation: &mut O, engine: &mut Engine, now: Moment) -> (Moment, Reason)
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
    operation.handle_response(engine, now, ticket, response);
}

fn token(name: &str, expires_in: u64) -> String {
    format!(r#"{{"access_token":"{name}","expires_in":{expires_in}}}"#)
}

fn decision(status: &str) -> String {
    format!(r#"{{"session_id":"s-1","status":"{status}"}}"#)
}

/// Takes a call through its token, if it fetches one, to its decision.
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

#[test]
fn one_call_renews_early_while_the_others_go_on() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "old");
    // A tenth of 1000 s is more than 60 s, so the token is renewed 60 s before its end.
    assert_eq!(sends(&mut call(), &mut engine, at(939)).0, "decision old");
    let mut renewing = call();
    let (sent, ticket) = sends(&mut renewing, &mut engine, at(940));
    assert_eq!(sent, "token -");
    assert_eq!(sends(&mut call(), &mut engine, at(940)).0, "decision old");
    answer(&mut renewing, &mut engine, at(941), ticket, 200, &token("new", 1000));
    assert_eq!(sends(&mut renewing, &mut engine, at(941)).0, "decision new");
    assert_eq!(sends(&mut call(), &mut engine, at(942)).0, "decision new");
}

#[test]
fn a_renewal_that_fails_leaves_the_old_token_in_use() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "old");
    let mut renewing = call();
    let (_, ticket) = sends(&mut renewing, &mut engine, at(950));
    answer(&mut renewing, &mut engine, at(950), ticket, 400, "{}");
    assert_eq!(sends(&mut renewing, &mut engine, at(950)).0, "decision old");
    assert_eq!(sends(&mut call(), &mut engine, at(999)).0, "decision old");
    assert_eq!(sends(&mut call(), &mut engine, at(1000)).0, "token -");
}

#[test]
fn a_renewal_that_is_put_off_leaves_the_old_token_in_use() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "old");
    let mut renewing = call();
    let (_, ticket) = sends(&mut renewing, &mut engine, at(950));
    let later = Response::builder().status(429).header("retry-after", "600").body(&b""[..]);
    renewing.handle_response(&mut engine, at(950), ticket, later.unwrap());
    assert_eq!(sends(&mut renewing, &mut engine, at(950)).0, "decision old");
}

#[test]
fn a_late_401_does_not_throw_away_a_newer_token() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "first");
    let (mut early, mut late) = (call(), call());
    let (_, early_ticket) = sends(&mut early, &mut engine, at(1));
    let (_, late_ticket) = sends(&mut late, &mut engine, at(1));
    answer(&mut early, &mut engine, at(2), early_ticket, 401, "");
    let (sent, ticket) = sends(&mut early, &mut engine, at(2));
    assert_eq!(sent, "token -");
    answer(&mut early, &mut engine, at(3), ticket, 200, &token("second", 1000));
    answer(&mut late, &mut engine, at(4), late_ticket, 401, "");
    assert_eq!(sends(&mut late, &mut engine, at(4)).0, "decision second");
}

#[test]
fn the_second_401_is_final() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "first");
    let mut call = call();
    let (_, ticket) = sends(&mut call, &mut engine, at(1));
    answer(&mut call, &mut engine, at(1), ticket, 401, "");
    let (_, ticket) = sends(&mut call, &mut engine, at(1));
    answer(&mut call, &mut engine, at(1), ticket, 200, &token("second", 1000));
    let (sent, ticket) = sends(&mut call, &mut engine, at(1));
    assert_eq!(sent, "decision second");
    answer(&mut call, &mut engine, at(1), ticket, 401, "");
    let error = fails(&mut call, &mut engine, at(1));
    assert_eq!((error.stopped(), error.attempts()), (Stopped::Final, 3));
    assert_eq!(error.response().unwrap().status(), 401);
}

#[test]
fn the_others_wait_for_the_one_who_fetches() {
    let mut engine = engine();
    let (mut first, mut second) = (call(), call());
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    assert_eq!(waits(&mut second, &mut engine, at(0)), (at(10), Reason::Token));
    assert!(!engine.take_wake());
    answer(&mut first, &mut engine, at(1), ticket, 200, &token("t", 1000));
    assert!(engine.take_wake(), "the second need not wait for the lease to end");
    assert_eq!(sends(&mut second, &mut engine, at(1)).0, "decision t");
}

#[test]
fn a_fetcher_that_vanished_strands_nobody() {
    let mut engine = engine();
    let (mut vanished, mut second, mut third) = (call(), call(), call());
    let (_, late) = sends(&mut vanished, &mut engine, at(0));
    assert_eq!(waits(&mut second, &mut engine, at(1)), (at(10), Reason::Token));
    assert_eq!(sends(&mut second, &mut engine, at(10)).0, "token -");
    assert_eq!(waits(&mut third, &mut engine, at(10)), (at(20), Reason::Token));
    // The first one's answer is welcome all the same.
    answer(&mut vanished, &mut engine, at(11), late, 200, &token("late", 1000));
    assert_eq!(sends(&mut third, &mut engine, at(11)).0, "decision late");
}

#[test]
fn a_fetcher_that_gives_up_hands_over_at_once() {
    let mut engine = engine();
    let (mut first, mut second) = (call(), call());
    let _ = sends(&mut first, &mut engine, at(0));
    let _ = waits(&mut second, &mut engine, at(0));
    first.cancel(&mut engine, at(1));
    assert!(engine.take_wake());
    assert_eq!(sends(&mut second, &mut engine, at(1)).0, "token -");
}

#[test]
fn refused_credentials_fail_those_who_wait_but_not_those_who_come_later() {
    let mut engine = engine();
    let (mut first, mut second, mut later) = (call(), call(), call());
    let (_, ticket) = sends(&mut first, &mut engine, at(0));
    let _ = waits(&mut second, &mut engine, at(0));
    answer(&mut first, &mut engine, at(1), ticket, 401, r#"{"error":"invalid_client"}"#);
    assert!(engine.take_wake(), "the second need not wait for the lease to end");
    for call in [&mut first, &mut second] {
        let error = fails(call, &mut engine, at(1));
        assert_eq!(error.action(), Action::FetchToken);
        assert_eq!(error.response().unwrap().message(), Some("invalid_client"));
    }
    assert_eq!(sends(&mut later, &mut engine, at(1)).0, "token -");
}

#[test]
fn however_short_a_token_lives_it_serves_the_one_who_fetched_it() {
    let mut engine = engine();
    let mut call = call();
    let (_, ticket) = sends(&mut call, &mut engine, at(0));
    let answered = r#"{"access_token":"brief","expires_in":0.000001}"#;
    answer(&mut call, &mut engine, at(1), ticket, 200, answered);
    assert_eq!(sends(&mut call, &mut engine, at(2)).0, "decision brief");
}

#[test]
fn what_the_service_named_as_the_next_time_holds_for_all() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let (mut first, mut queued) = (call(), call().queued());
    let (_, ticket) = sends(&mut first, &mut engine, at(1));
    let refusal = || Response::builder().status(429).header("retry-after", "60").body(&b""[..]);
    first.handle_response(&mut engine, at(1), ticket, refusal().unwrap());
    assert_eq!(fails(&mut first, &mut engine, at(1)).stopped(), Stopped::Deadline);
    let error = fails(&mut call(), &mut engine, at(2));
    assert!(matches!(error.cause(), Cause::Waiting(Reason::Pacing)), "{error}");
    // One in a queue has the time.
    assert_eq!(waits(&mut queued, &mut engine, at(2)), (at(61), Reason::Pacing));
    let (_, ticket) = sends(&mut queued, &mut engine, at(61));
    queued.handle_response(&mut engine, at(61), ticket, refusal().unwrap());
    assert_eq!(waits(&mut queued, &mut engine, at(61)), (at(121), Reason::RetryAfter));
    assert_eq!(sends(&mut queued, &mut engine, at(121)).0, "decision t");
}

#[test]
fn a_token_that_never_comes_ends_a_queued_call_as_well() {
    let mut engine = engine();
    let mut queued = call().queued();
    let mut now = at(0);
    let error = loop {
        match queued.poll(&mut engine, now) {
            Step::Send { ticket, .. } => answer(&mut queued, &mut engine, now, ticket, 429, ""),
            Step::Wait { until, .. } => now = until,
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    assert!(now <= at(30) && error.action() == Action::FetchToken, "{error}");
}

#[test]
fn a_wait_is_told_once() {
    let mut policy = Policy::default();
    policy.budget = Some(1);
    let client = ClientCredentials::new("id", "secret").unwrap();
    let mut engine = Engine::with_policy(BASE.parse().unwrap(), client, policy);
    retrieve(&mut engine, at(0), "t");
    let _in_flight = sends(&mut call(), &mut engine, at(60));
    engine.record_events(true);
    let mut queued = call().queued();
    for _ in 0..3 {
        let _ = waits(&mut queued, &mut engine, at(61));
    }
    assert_eq!(queued.take_events().len(), 1);
}

#[test]
fn a_retry_that_cannot_begin_in_time_is_an_error_at_once() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut call = call().with_timeout(Duration::from_secs(5));
    let (_, ticket) = sends(&mut call, &mut engine, at(1));
    let refusal =
        Response::builder().status(503).header("retry-after", "5").body(&b""[..]).unwrap();
    call.handle_response(&mut engine, at(1), ticket, refusal);
    let error = fails(&mut call, &mut engine, at(1));
    assert_eq!(error.stopped(), Stopped::Deadline);
    assert_eq!(
        error.to_string(),
        "could not retrieve the decision: HTTP 503 Service Unavailable, and the time ran out"
    );
}

#[test]
fn an_answer_that_nobody_waits_for_any_more_changes_nothing() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut call = call();
    let (_, late) = sends(&mut call, &mut engine, at(1));
    // Ten seconds without an answer are a timeout, whoever notices.
    let (until, reason) = waits(&mut call, &mut engine, at(11));
    assert_eq!(reason, Reason::Backoff);
    let (_, ticket) = sends(&mut call, &mut engine, until);
    answer(&mut call, &mut engine, until, late, 404, "");
    assert_eq!(waits(&mut call, &mut engine, until).1, Reason::Response);
    answer(&mut call, &mut engine, until, ticket, 200, &decision("Confirmed"));
    succeeds(&mut call, &mut engine, until);
}

#[test]
fn a_creation_is_never_repeated_once_it_may_have_arrived() {
    let failed = |kind| Err(Failure::new(kind));
    for (outcome, repeated) in [
        (failed(FailureKind::Connect), true),
        (failed(FailureKind::Broken), false),
        (failed(FailureKind::Timeout), false),
        (Ok(429), true),
        (Ok(401), true),
        (Ok(408), false),
        (Ok(500), false),
        (Ok(503), false),
    ] {
        let mut engine = engine();
        retrieve(&mut engine, at(0), "t");
        let shown = format!("{outcome:?}");
        let mut create = Call::new(CreateSession::new("names".parse().unwrap()));
        let (sent, ticket) = sends(&mut create, &mut engine, at(1));
        assert_eq!(sent, "session t");
        match outcome {
            Ok(status) => answer(&mut create, &mut engine, at(1), ticket, status, ""),
            Err(failure) => create.handle_failure(&mut engine, at(1), ticket, failure),
        }
        let step = create.poll(&mut engine, at(1));
        let over = matches!(step, Step::Done(Err(_)));
        assert_eq!(!over, repeated, "{shown}");
        if let Step::Done(Err(error)) = step {
            assert!(!error.is_retryable(), "{shown}");
            assert!(error.advice().starts_with("the session may have been created"), "{shown}");
        }
    }
}

#[test]
fn a_status_is_read_without_any_token() {
    let mut engine = engine();
    let mut call = Call::new(SessionStatus::new("s-1".parse().unwrap(), "session"));
    let (sent, ticket) = sends(&mut call, &mut engine, at(0));
    assert_eq!(sent, "status -");
    answer(&mut call, &mut engine, at(0), ticket, 200, r#"{"status":"retrieved"}"#);
    assert_eq!(succeeds(&mut call, &mut engine, at(0)).status(), &Status::Retrieved);
}

#[test]
fn polling_on_after_the_end_is_an_error() {
    let mut engine = engine();
    let mut call = call();
    call.cancel(&mut engine, at(0));
    assert!(matches!(fails(&mut call, &mut engine, at(0)).cause(), Cause::Finished));
}

#[test]
fn waiting_ends_with_a_final_status() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut wait =
        WaitForDecision::new("s-1".parse().unwrap()).with_interval(Duration::from_secs(3));
    let mut now = at(10);
    for status in ["Initialized", "Retrieved", "In Review"] {
        let (_, ticket) = sends(&mut wait, &mut engine, now);
        answer(&mut wait, &mut engine, now, ticket, 200, &decision(status));
        let (until, reason) = waits(&mut wait, &mut engine, now);
        assert_eq!((until.since(now), reason), (Duration::from_secs(3), Reason::Polling));
        now = until;
    }
    let (_, ticket) = sends(&mut wait, &mut engine, now);
    answer(&mut wait, &mut engine, now, ticket, 200, &decision("declined"));
    assert_eq!(succeeds(&mut wait, &mut engine, now).status(), &Status::Declined);
    assert!(matches!(fails(&mut wait, &mut engine, now).cause(), Cause::Finished));
}

#[test]
fn waiting_outlives_failures_that_pass_and_ends_by_its_deadline() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let timeout = Duration::from_secs(100);
    let mut wait = WaitForDecision::new("s-1".parse().unwrap()).with_timeout(timeout);
    let mut now = at(0);
    let mut looks = 0;
    let error = loop {
        match wait.poll(&mut engine, now) {
            Step::Send { ticket, .. } => {
                let (status, body) =
                    if looks < 9 { (503, "") } else { (200, &*decision("retrieved")) };
                answer(&mut wait, &mut engine, now, ticket, status, body);
                looks += 1;
            }
            Step::Wait { until, .. } => now = until,
            Step::Done(result) => break result.unwrap_err(),
        }
    };
    assert_eq!(now, at(100));
    assert!(matches!(error.cause(), Cause::Undecided(Status::Retrieved)), "{error}");
    assert!(error.to_string().contains("the session was still Retrieved when the time ran out"));
}

#[test]
fn waiting_ends_at_once_with_a_failure_that_stays() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "t");
    let mut wait = WaitForDecision::new("s-1".parse().unwrap());
    let (_, ticket) = sends(&mut wait, &mut engine, at(1));
    answer(&mut wait, &mut engine, at(1), ticket, 404, "");
    assert_eq!(fails(&mut wait, &mut engine, at(1)).response().unwrap().status(), 404);
}

#[test]
fn a_budget_paces_from_the_second_request_on() {
    let mut policy = Policy::default();
    policy.budget = Some(2);
    let client = ClientCredentials::new("id", "secret").unwrap();
    let mut engine = Engine::with_policy(BASE.parse().unwrap(), client, policy);
    retrieve(&mut engine, at(0), "t");
    retrieve(&mut engine, at(20), "t");
    let patient = || call().with_timeout(Duration::from_secs(600));
    let (mut third, mut fourth) = (patient(), patient());
    assert_eq!(waits(&mut third, &mut engine, at(30)), (at(60), Reason::Pacing));
    assert_eq!(waits(&mut fourth, &mut engine, at(30)), (at(80), Reason::Pacing));
    // A call that has less time than that is told at once.
    let error = fails(&mut call(), &mut engine, at(30));
    assert!(matches!(error.cause(), Cause::Waiting(Reason::Pacing)));
    // First come, first served, whoever asks first.
    assert_eq!(waits(&mut fourth, &mut engine, at(60)), (at(80), Reason::Pacing));
    assert_eq!(sends(&mut third, &mut engine, at(60)).0, "decision t");
}

#[test]
fn the_clock_of_a_queued_call_starts_when_its_turn_comes() {
    let mut policy = Policy::default();
    policy.budget = Some(1);
    let client = ClientCredentials::new("id", "secret").unwrap();
    let mut engine = Engine::with_policy(BASE.parse().unwrap(), client, policy);
    retrieve(&mut engine, at(0), "t");
    let mut queued = call().queued();
    assert_eq!(waits(&mut queued, &mut engine, at(0)), (at(60), Reason::Pacing));
    let (_, _ticket) = sends(&mut queued, &mut engine, at(60));
    assert_eq!(waits(&mut queued, &mut engine, at(65)), (at(70), Reason::Response));
    let error = loop {
        match queued.poll(&mut engine, at(90)) {
            Step::Done(result) => break result.unwrap_err(),
            Step::Wait { .. } => panic!("its 30 s are over"),
            Step::Send { .. } => {}
        }
    };
    assert_eq!(error.stopped(), Stopped::Deadline);
}

#[test]
fn events_tell_the_story_when_asked_for() {
    let mut engine = engine();
    let mut silent = call();
    let (_, ticket) = sends(&mut silent, &mut engine, at(0));
    answer(&mut silent, &mut engine, at(0), ticket, 200, &token("t", 1000));
    assert_eq!(silent.take_events(), []);

    engine.record_events(true);
    let mut told = call();
    let (_, ticket) = sends(&mut told, &mut engine, at(1));
    told.handle_failure(&mut engine, at(1), ticket, Failure::new(FailureKind::Broken));
    let (until, _) = waits(&mut told, &mut engine, at(1));
    let action = Action::RetrieveDecision;
    let events = told.take_events();
    assert_eq!(
        events[..2],
        [
            Event::Sent { action, attempt: 1 },
            Event::Failed { action, failure: FailureKind::Broken },
        ]
    );
    assert_eq!(events[2], Event::Waiting { duration: until.since(at(1)), reason: Reason::Backoff });
    assert_eq!(events.len(), 3);
}

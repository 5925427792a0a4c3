//! The token that processes share through a store.

use didit_core::oauth::AccessToken;
use didit_core::{
    Application, QuotaAnswer, SharedLimit, SharedStore, SharedToken, StoreAnswer, StoreError,
    StoreRequest, StoreStep, TokenAnswer, TokenRequest,
};

use super::*;

/// The store's part is played by the tests.
#[derive(Debug)]
struct Played;

impl SharedStore for Played {
    fn open(&mut self, _: &Application<'_>) {}

    fn exchange(&mut self, _: &[StoreRequest]) -> Result<Vec<StoreAnswer>, StoreError> {
        Ok(Vec::new())
    }
}

pub(super) fn sharing() -> Engine {
    builder().build_shared(&mut Played).unwrap()
}

/// Returns the engine's requests to the store about the token, and the answers to all requests:
/// every permit is granted, and a token is answered with `token`.
pub(super) fn asked(
    engine: &mut Engine,
    now: Moment,
    token: &TokenAnswer,
) -> (Vec<String>, Vec<StoreAnswer>) {
    let StoreStep::Exchange(requests) = engine.poll_store(now) else { return Default::default() };
    let seconds = |duration: Duration| duration.as_secs();
    let mut tokens = Vec::new();
    let answers = requests.into_iter().map(|request| match request {
        StoreRequest::Quota(quota) => StoreAnswer::Quota(QuotaAnswer {
            bucket: quota.bucket,
            member: true,
            granted: quota.wanted,
            wait: Duration::ZERO,
            closed: false,
            limit: SharedLimit::Unlimited,
            members: 2,
        }),
        StoreRequest::Token(request) => {
            let (text, answer) = match request {
                TokenRequest::Get { lease, known } => {
                    let known = known.as_ref().map_or("none", |known| known.expose());
                    (format!("get {} {known}", seconds(lease)), token.clone())
                }
                TokenRequest::Hold { lease, .. } => {
                    (format!("hold {}", seconds(lease)), TokenAnswer::Done)
                }
                TokenRequest::Put(shared) => {
                    let (lifetime, renewal) =
                        (seconds(shared.lifetime), seconds(shared.renew_after));
                    let text = format!("put {} {lifetime} {renewal}", shared.token.expose());
                    (text, TokenAnswer::Done)
                }
                TokenRequest::Release => ("release".to_owned(), TokenAnswer::Done),
                TokenRequest::Discard(token) => {
                    (format!("discard {}", token.expose()), TokenAnswer::Done)
                }
            };
            tokens.push(text);
            StoreAnswer::Token(answer)
        }
    });
    let answers = answers.collect();
    (tokens, answers)
}

/// Exchanges the engine's requests with the store; returns those about the token.
pub(super) fn exchange(engine: &mut Engine, now: Moment, token: &TokenAnswer) -> Vec<String> {
    let (requests, answers) = asked(engine, now, token);
    engine.handle_store(now, Ok(answers));
    requests
}

pub(super) fn shared(name: &str) -> TokenAnswer {
    TokenAnswer::Token(SharedToken {
        token: name.into(),
        lifetime: Duration::from_secs(1000),
        renew_after: Duration::from_secs(900),
    })
}

/// Returns an engine, and a call that has just sent the token request under the store's lease.
pub(super) fn fetching(now: Moment) -> (Engine, Call<RetrieveDecision>, Ticket) {
    let (mut engine, mut call) = (sharing(), call());
    waits(&mut call, &mut engine, now);
    assert_eq!(exchange(&mut engine, now, &TokenAnswer::Fetch), ["get 15 none"]);
    let (sent, ticket) = sends(&mut call, &mut engine, now);
    assert_eq!(sent, "token -");
    (engine, call, ticket)
}

/// Answers a token request with a refusal for a number of seconds.
pub(super) fn refuse(
    call: &mut Call<RetrieveDecision>,
    engine: &mut Engine,
    now: Moment,
    ticket: Ticket,
    seconds: &str,
) {
    let later = Response::builder().status(429).header("retry-after", seconds).body(&b""[..]);
    call.handle_response(engine, now, ticket, &later.unwrap());
}

/// Polls a call until it sends its request, with the store's permit; returns the request.
pub(super) fn sends_with_permit(
    call: &mut Call<RetrieveDecision>,
    engine: &mut Engine,
    now: Moment,
) -> (String, Ticket) {
    if let Step::Send { request, ticket, .. } = call.poll(engine, now) {
        return (describe(&request), ticket);
    }
    exchange(engine, now, &TokenAnswer::Wait(Duration::from_secs(60)));
    sends(call, engine, now)
}

#[test]
fn fetched_token_is_shared_and_ends_the_lease() {
    let (mut engine, mut call, ticket) = fetching(at(0));
    answer(&mut call, &mut engine, at(1), ticket, 200, &token("new", 1000));
    waits(&mut call, &mut engine, at(1));
    assert_eq!(exchange(&mut engine, at(1), &TokenAnswer::Fetch), ["put new 1000 940"]);
    assert_eq!(sends(&mut call, &mut engine, at(1)).0, "decision new");
}

#[test]
fn token_for_a_single_request_is_not_shared() {
    let (mut engine, mut call, ticket) = fetching(at(0));
    answer(&mut call, &mut engine, at(1), ticket, 200, r#"{"access_token":"once"}"#);
    assert_eq!(exchange(&mut engine, at(1), &TokenAnswer::Fetch), ["release"]);
}

#[test]
fn token_of_another_process_is_used_until_it_is_due_for_renewal() {
    let (mut engine, mut call) = (sharing(), call());
    waits(&mut call, &mut engine, at(0));
    let (requests, answers) = asked(&mut engine, at(0), &shared("theirs"));
    assert_eq!(requests, ["get 15 none"]);
    // The token's times count from the request.
    engine.handle_store(at(1), Ok(answers));
    assert_eq!(sends_with_permit(&mut call, &mut engine, at(1)).0, "decision theirs");
    let mut renewing = super::call();
    assert_eq!(sends_with_permit(&mut renewing, &mut engine, at(900)).0, "decision theirs");
    assert_eq!(engine.access_token(at(900)).unwrap().lifetime(), Some(Duration::from_secs(100)));
    let mut next = super::call();
    waits(&mut next, &mut engine, at(961));
    assert_eq!(exchange(&mut engine, at(961), &shared("renewed")), ["get 15 theirs"]);
    assert_eq!(sends_with_permit(&mut next, &mut engine, at(961)).0, "decision renewed");
}

#[test]
fn process_asks_again_while_another_one_fetches() {
    let (mut engine, mut call) = (sharing(), call());
    waits(&mut call, &mut engine, at(0));
    let elsewhere = TokenAnswer::Wait(Duration::from_secs(3));
    assert_eq!(exchange(&mut engine, at(0), &elsewhere), ["get 15 none"]);
    waits(&mut call, &mut engine, at(2));
    assert_eq!(exchange(&mut engine, at(2), &elsewhere), [""; 0]);
    let StoreStep::Wait { until } = engine.poll_store(at(2)) else { panic!("nothing to ask") };
    assert_eq!(until, at(3));
    assert_eq!(exchange(&mut engine, at(3), &shared("theirs")), ["get 15 none"]);
    assert_eq!(sends_with_permit(&mut call, &mut engine, at(3)).0, "decision theirs");
}

#[test]
fn process_with_a_usable_token_does_not_ask_until_its_next_call() {
    let mut engine = sharing();
    let due = AccessToken::new("due", Duration::from_secs(1000)).unwrap();
    assert!(engine.set_access_token(&due, at(0)));
    let elsewhere = TokenAnswer::Wait(Duration::from_secs(1));
    let mut first = call();
    waits(&mut first, &mut engine, at(950));
    assert_eq!(exchange(&mut engine, at(950), &elsewhere), ["get 15 due"]);
    let (sent, ticket) = sends(&mut first, &mut engine, at(950));
    assert_eq!(sent, "decision due");
    answer(&mut first, &mut engine, at(950), ticket, 200, &decision("Confirmed"));
    succeeds(&mut first, &mut engine, at(950));
    for seconds in 951..960 {
        assert_eq!(exchange(&mut engine, at(seconds), &elsewhere), [""; 0]);
        let StoreStep::Wait { until } = engine.poll_store(at(seconds)) else { panic!() };
        assert!(until > at(seconds));
    }
    let mut next = call();
    let _ = next.poll(&mut engine, at(960));
    assert_eq!(exchange(&mut engine, at(960), &shared("new")), ["get 15 due"]);
    assert_eq!(sends_with_permit(&mut call(), &mut engine, at(960)).0, "decision new");
}

#[test]
fn process_asks_only_while_a_call_waits_for_the_token() {
    let (mut engine, mut dropped) = (sharing(), call());
    let elsewhere = TokenAnswer::Wait(Duration::from_secs(1));
    for seconds in 0..5 {
        waits(&mut dropped, &mut engine, at(seconds));
        assert_eq!(exchange(&mut engine, at(seconds), &elsewhere), ["get 15 none"]);
    }
    assert_eq!(exchange(&mut engine, at(5), &elsewhere), ["get 15 none"]);
    drop(dropped);
    for seconds in 6..30 {
        assert_eq!(exchange(&mut engine, at(seconds), &elsewhere), [""; 0]);
    }
    let mut canceled = call();
    waits(&mut canceled, &mut engine, at(30));
    assert_eq!(exchange(&mut engine, at(30), &elsewhere), ["get 15 none"]);
    canceled.cancel(&mut engine, at(30));
    assert_eq!(exchange(&mut engine, at(31), &elsewhere), [""; 0]);
}

#[test]
fn store_is_not_asked_for_a_call_that_is_not_polled_any_more() {
    let (mut engine, mut vanished) = (sharing(), call());
    waits(&mut vanished, &mut engine, at(0));
    exchange(&mut engine, at(0), &TokenAnswer::Wait(Duration::from_secs(1)));
    for second in [3, 4] {
        let StoreStep::Wait { until } = engine.poll_store(at(second)) else { panic!("asks") };
        assert!(until > at(second));
    }
}

#[test]
fn lease_that_was_not_used_for_five_seconds_is_requested_again() {
    let (mut engine, mut call) = (sharing(), call());
    waits(&mut call, &mut engine, at(0));
    exchange(&mut engine, at(0), &TokenAnswer::Fetch);
    waits(&mut call, &mut engine, at(5));
    assert_eq!(exchange(&mut engine, at(5), &TokenAnswer::Fetch), ["get 15 none"]);
    assert_eq!(sends(&mut call, &mut engine, at(9)).0, "token -");
}

#[test]
fn lease_that_no_call_uses_is_released() {
    let mut engine = sharing();
    let due = AccessToken::new("due", Duration::from_secs(1000)).unwrap();
    assert!(engine.set_access_token(&due, at(0)));
    let mut call = call();
    waits(&mut call, &mut engine, at(950));
    assert_eq!(exchange(&mut engine, at(950), &TokenAnswer::Fetch), ["get 15 due"]);
    // The next call would renew the token, but there is none.
    call.cancel(&mut engine, at(950));
    assert_eq!(exchange(&mut engine, at(950), &TokenAnswer::Fetch), [""; 0]);
    let StoreStep::Wait { until } = engine.poll_store(at(950)) else { panic!() };
    assert_eq!(until, at(955));
    assert_eq!(exchange(&mut engine, at(955), &TokenAnswer::Fetch), ["release"]);
    assert_eq!(exchange(&mut engine, at(956), &TokenAnswer::Fetch), [""; 0]);
}

#[test]
fn canceled_call_releases_the_lease() {
    let (mut engine, mut call, _) = fetching(at(0));
    call.cancel(&mut engine, at(1));
    assert_eq!(exchange(&mut engine, at(1), &TokenAnswer::Fetch), ["release"]);
    assert_eq!(exchange(&mut engine, at(2), &TokenAnswer::Fetch), [""; 0]);
}

#[test]
fn lease_that_arrives_after_the_call_was_canceled_is_released() {
    let (mut engine, mut canceled) = (sharing(), call());
    waits(&mut canceled, &mut engine, at(0));
    let (_, answers) = asked(&mut engine, at(0), &TokenAnswer::Fetch);
    canceled.cancel(&mut engine, at(0));
    engine.handle_store(at(0), Ok(answers));
    assert_eq!(exchange(&mut engine, at(0), &TokenAnswer::Fetch), ["release"]);
}

#[test]
fn lease_that_another_call_needs_is_kept() {
    let (mut engine, mut canceled) = (sharing(), call());
    waits(&mut canceled, &mut engine, at(0));
    let (_, answers) = asked(&mut engine, at(0), &TokenAnswer::Fetch);
    canceled.cancel(&mut engine, at(0));
    let mut other = call();
    waits(&mut other, &mut engine, at(0));
    engine.handle_store(at(0), Ok(answers));
    assert_eq!(sends(&mut other, &mut engine, at(0)).0, "token -");
}

#[test]
fn token_that_the_caller_sets_ends_the_lease() {
    let (mut engine, mut call) = (sharing(), call());
    waits(&mut call, &mut engine, at(0));
    exchange(&mut engine, at(0), &TokenAnswer::Fetch);
    let seeded = AccessToken::new("seeded", Duration::from_secs(1000)).unwrap();
    assert!(engine.set_access_token(&seeded, at(0)));
    waits(&mut call, &mut engine, at(0));
    assert_eq!(exchange(&mut engine, at(0), &TokenAnswer::Fetch), ["release"]);
    assert_eq!(sends(&mut call, &mut engine, at(0)).0, "decision seeded");
}

#[test]
fn retry_of_the_token_request_holds_the_lease() {
    let (mut engine, mut call, ticket) = fetching(at(0));
    answer(&mut call, &mut engine, at(1), ticket, 503, "");
    let (until, reason) = waits(&mut call, &mut engine, at(1));
    assert_eq!(reason, WaitReason::Backoff);
    // Five seconds to start, and the time of the fetch.
    assert_eq!(exchange(&mut engine, at(1), &TokenAnswer::Fetch), ["hold 15"]);
    assert_eq!(sends(&mut call, &mut engine, until).0, "token -");
}

#[test]
fn refusal_of_the_token_endpoint_holds_the_lease_for_all_processes() {
    let (mut engine, mut call, ticket) = fetching(at(0));
    refuse(&mut call, &mut engine, at(1), ticket, "20");
    // A third of the lease, which would end after 15 seconds if the process died, passes before it
    // is extended.
    assert_eq!(exchange(&mut engine, at(1), &TokenAnswer::Fetch), ["hold 15"]);
    assert_eq!(exchange(&mut engine, at(5), &TokenAnswer::Fetch), [""; 0]);
    assert_eq!(exchange(&mut engine, at(6), &TokenAnswer::Fetch), ["hold 15"]);
    for seconds in 7..21 {
        assert_eq!(exchange(&mut engine, at(seconds), &TokenAnswer::Fetch), [""; 0]);
    }
    // The next fetch needs a new lease.
    waits(&mut call, &mut engine, at(21));
    assert_eq!(exchange(&mut engine, at(21), &TokenAnswer::Fetch), ["get 15 none"]);
}

#[test]
fn long_refusal_is_extended_by_a_living_process_until_the_next_trial() {
    let (mut engine, mut call, ticket) = fetching(at(0));
    refuse(&mut call, &mut engine, at(0), ticket, "86400");
    fails(&mut call, &mut engine, at(0));
    let mut now = at(0);
    let (mut ends, mut extensions) = (at(0), 0);
    while now < at(3600) {
        match exchange(&mut engine, now, &TokenAnswer::Fetch).as_slice() {
            [] => {}
            [hold] => {
                assert!(extensions == 0 || now < ends, "the lease ended before {now:?}");
                let seconds = hold.strip_prefix("hold ").and_then(|hold| hold.parse().ok());
                ends = now.after(Duration::from_secs(seconds.unwrap()));
                extensions += 1;
            }
            requests => panic!("{requests:?}"),
        }
        let StoreStep::Wait { until } = engine.poll_store(now) else { panic!("more to request") };
        assert!(until > now);
        now = until;
    }
    assert_eq!(ends, at(900), "after 15 minutes, any process may try");
    assert!(extensions <= 180, "{extensions}");
}

#[test]
fn refused_token_is_discarded_for_all_processes() {
    let mut engine = sharing();
    let mut call = call();
    waits(&mut call, &mut engine, at(0));
    exchange(&mut engine, at(0), &shared("theirs"));
    let (sent, ticket) = sends_with_permit(&mut call, &mut engine, at(0));
    assert_eq!(sent, "decision theirs");
    answer(&mut call, &mut engine, at(1), ticket, 401, "");
    waits(&mut call, &mut engine, at(1));
    let requests = exchange(&mut engine, at(1), &shared("new"));
    assert_eq!(requests, ["discard theirs", "get 15 none"]);
    assert_eq!(sends_with_permit(&mut call, &mut engine, at(1)).0, "decision new");
}

/// Lets an exchange fail.
pub(super) fn fail_exchange(engine: &mut Engine, now: Moment) {
    assert!(matches!(engine.poll_store(now), StoreStep::Exchange(_)));
    engine.handle_store(now, Err(StoreError::new("refused")));
}

//! The shared token while the store is lost.

use didit_core::{StoreAnswer, StoreRequest, StoreStep, TokenAnswer, TokenRequest};

use super::shared_token::{
    exchange, fail_exchange, fetching, refuse, sends_with_permit, shared, sharing,
};
use super::*;

#[test]
fn token_is_shared_when_the_store_returns_unless_it_has_expired() {
    for (returns, shared) in [(at(2), "put own 998 938"), (at(1001), "release")] {
        let (mut engine, mut call, ticket) = fetching(at(0));
        answer(&mut call, &mut engine, at(0), ticket, 200, &token("own", 1000));
        fail_exchange(&mut engine, at(0));
        fail_exchange(&mut engine, at(1));
        assert_eq!(exchange(&mut engine, returns, &TokenAnswer::Fetch), [shared]);
        assert_eq!(exchange(&mut engine, returns, &TokenAnswer::Fetch), [""; 0]);
    }
}

#[test]
fn answer_to_the_first_retry_counts() {
    let (mut engine, mut call, ticket) = fetching(at(0));
    answer(&mut call, &mut engine, at(0), ticket, 200, &token("own", 1000));
    fail_exchange(&mut engine, at(0));
    let retry = Moment::new(Duration::from_millis(500));
    let requests = exchange(&mut engine, retry, &TokenAnswer::Fetch);
    assert!(requests[0].starts_with("put own "), "{requests:?}");
    assert_eq!(exchange(&mut engine, at(1), &TokenAnswer::Fetch), [""; 0]);
}

#[test]
fn token_that_was_refused_before_it_was_shared_is_not_shared() {
    let (mut engine, mut call, ticket) = fetching(at(0));
    answer(&mut call, &mut engine, at(0), ticket, 200, &token("own", 1000));
    fail_exchange(&mut engine, at(0));
    let (sent, ticket) = sends(&mut call, &mut engine, at(0));
    assert_eq!(sent, "decision own");
    answer(&mut call, &mut engine, at(0), ticket, 401, "");
    assert_eq!(exchange(&mut engine, at(1), &TokenAnswer::Fetch), ["release", "discard own"]);
}

#[test]
fn lost_store_is_told_of_refused_tokens_and_the_own_one_when_it_returns() {
    let (mut engine, mut first, ticket) = fetching(at(0));
    answer(&mut first, &mut engine, at(0), ticket, 200, &token("own", 1000));
    let (sent, ticket) = sends_with_permit(&mut first, &mut engine, at(0));
    assert_eq!(sent, "decision own");
    answer(&mut first, &mut engine, at(1), ticket, 401, "");
    waits(&mut first, &mut engine, at(1));
    fail_exchange(&mut engine, at(1));
    // Without the store, the process fetches its own token.
    let (sent, ticket) = sends(&mut first, &mut engine, at(1));
    assert_eq!(sent, "token -");
    answer(&mut first, &mut engine, at(1), ticket, 200, &token("second", 1000));
    let (_, ticket) = sends(&mut first, &mut engine, at(1));
    answer(&mut first, &mut engine, at(1), ticket, 200, &decision("Confirmed"));
    succeeds(&mut first, &mut engine, at(1));
    let requests = exchange(&mut engine, at(2), &TokenAnswer::Fetch);
    assert_eq!(requests, ["discard own", "put second 999 939"]);
}

#[test]
fn refusal_is_in_effect_again_when_the_store_returns() {
    let (mut engine, mut call, ticket) = fetching(at(0));
    refuse(&mut call, &mut engine, at(0), ticket, "20");
    fail_exchange(&mut engine, at(0));
    assert_eq!(exchange(&mut engine, at(8), &TokenAnswer::Fetch), ["hold 12"]);
    assert_eq!(exchange(&mut engine, at(19), &TokenAnswer::Fetch), [""; 0]);
}

#[test]
fn token_that_another_process_fetched_since_a_refusal_ends_it() {
    let (mut engine, mut call, ticket) = fetching(at(0));
    refuse(&mut call, &mut engine, at(0), ticket, "86400");
    fails(&mut call, &mut engine, at(0));
    fail_exchange(&mut engine, at(0));
    let StoreStep::Exchange(requests) = engine.poll_store(at(8)) else { panic!() };
    let [StoreRequest::Token(TokenRequest::Hold { age, .. }), ..] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert_eq!(*age, Duration::from_secs(8));
    engine.handle_store(at(8), Ok(vec![StoreAnswer::Token(shared("theirs"))]));
    assert_eq!(sends_with_permit(&mut super::call(), &mut engine, at(9)).0, "decision theirs");
    // This process may also fetch the next one.
    let mut renewing = super::call();
    waits(&mut renewing, &mut engine, at(1009));
    assert_eq!(exchange(&mut engine, at(1009), &TokenAnswer::Fetch), ["get 15 none"]);
    assert_eq!(sends(&mut renewing, &mut engine, at(1009)).0, "token -");
}

#[test]
fn refusal_without_the_store_is_in_effect_for_all_processes_when_it_returns() {
    let (mut engine, mut call) = (sharing(), call());
    waits(&mut call, &mut engine, at(0));
    fail_exchange(&mut engine, at(0));
    let (sent, ticket) = sends(&mut call, &mut engine, at(0));
    assert_eq!(sent, "token -");
    refuse(&mut call, &mut engine, at(0), ticket, "20");
    assert_eq!(exchange(&mut engine, at(8), &TokenAnswer::Fetch), ["hold 12"]);
}

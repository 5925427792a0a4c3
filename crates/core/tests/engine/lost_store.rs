//! The shared token while the store is lost.

use didit_core::TokenAnswer;

use super::shared_token::{exchange, fail_exchange, fetching, sends_with_permit};
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

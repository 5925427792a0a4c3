//! Tokens and credentials that the caller reads, sets and replaces.

use didit_core::oauth::{AccessToken, FetchToken};
use didit_core::verification::ListSessions;

use super::*;

fn bearer(token: &str) -> Authorization {
    Authorization::bearer(token).unwrap()
}

#[test]
fn token_can_be_passed_to_another_engine() {
    let mut first = engine();
    assert!(first.access_token(at(0)).is_none());
    retrieve(&mut first, at(0), "fetched");
    let token = first.access_token(at(400)).unwrap();
    assert_eq!(token.secret().expose(), "fetched");
    assert_eq!(token.lifetime(), Some(Duration::from_secs(600)));
    assert!(first.access_token(at(1000)).is_none());

    let mut second = engine();
    assert!(second.set_access_token(&token, at(0)));
    assert_eq!(sends(&mut call(), &mut second, at(0)).0, "decision fetched");
    // It is renewed like any other.
    assert_eq!(sends(&mut call(), &mut second, at(545)).0, "token -");
}

#[test]
fn refused_token_of_the_caller_is_replaced() {
    let mut engine = engine();
    let token = AccessToken::new("stale", Duration::from_secs(600)).unwrap();
    engine.set_access_token(&token, at(0));
    let mut call = call();
    let (sent, ticket) = sends(&mut call, &mut engine, at(0));
    assert_eq!(sent, "decision stale");
    answer(&mut call, &mut engine, at(1), ticket, 401, "");
    assert_eq!(sends(&mut call, &mut engine, at(1)).0, "token -");
}

#[test]
fn supplied_token_ends_the_wait_for_another_attempt_to_fetch_one() {
    let (mut engine, mut call) = (engine(), call());
    let (_, ticket) = sends(&mut call, &mut engine, at(0));
    let later = Response::builder().status(503).header("retry-after", "20").body(&b""[..]);
    call.handle_response(&mut engine, at(0), ticket, &later.unwrap());
    assert_eq!(waits(&mut call, &mut engine, at(1)).0, at(20));
    let token = AccessToken::new("supplied", Duration::from_secs(600)).unwrap();
    engine.set_access_token(&token, at(2));
    let (sent, ticket) = sends(&mut call, &mut engine, at(2));
    assert_eq!(sent, "decision supplied");
    // A wait of its own request is not ended.
    answer(&mut call, &mut engine, at(3), ticket, 503, "");
    assert!(waits(&mut call, &mut engine, at(3)).0 > at(3));
}

#[test]
fn call_with_a_supplied_token_waits_for_the_rate_limit_alone() {
    let mut engine = paced(1);
    let (mut queued, mut other) = (call().deadline_from_first_send(), call());
    let (_, ticket) = sends(&mut queued, &mut engine, at(0));
    let later = Response::builder().status(503).header("retry-after", "20").body(&b""[..]);
    queued.handle_response(&mut engine, at(0), ticket, &later.unwrap());
    let token = AccessToken::new("supplied", Duration::from_secs(600)).unwrap();
    engine.set_access_token(&token, at(1));
    let (_, ticket) = sends(&mut other, &mut engine, at(1));
    answer(&mut other, &mut engine, at(2), ticket, 200, &decision("Confirmed"));
    for _ in 0..2 {
        assert_eq!(waits(&mut queued, &mut engine, at(3)), (at(62), WaitReason::Pacing));
    }
    assert_eq!(sends(&mut queued, &mut engine, at(62)).0, "decision supplied");
}

#[test]
fn set_access_token_requires_client_credentials() {
    let mut engine = Engine::builder(bearer("mine")).build().unwrap();
    let token = AccessToken::new("other", Duration::from_secs(600)).unwrap();
    assert!(!engine.set_access_token(&token, at(0)));
    assert_eq!(sends(&mut call(), &mut engine, at(0)).0, "decision mine");
    assert!(engine.access_token(at(0)).is_none());
    assert!(AccessToken::new("two words", Duration::ZERO).is_err());
}

#[test]
fn advice_to_client_credentials_refused_by_the_verification_api_is_an_api_key() {
    let needed = "use an API key: the verification API takes no client credentials";
    for status in [401, 403] {
        let mut engine = engine();
        let held = AccessToken::new("held", Duration::from_secs(600)).unwrap();
        engine.set_access_token(&held, at(0));
        let mut list = Call::new(ListSessions::new());
        let (_, mut ticket) = sends(&mut list, &mut engine, at(0));
        if status == 401 {
            answer(&mut list, &mut engine, at(0), ticket, 401, "");
            ticket = sends(&mut list, &mut engine, at(1)).1;
            answer(&mut list, &mut engine, at(1), ticket, 200, &token("new", 1000));
            ticket = sends(&mut list, &mut engine, at(1)).1;
        }
        answer(&mut list, &mut engine, at(1), ticket, status, "");
        assert_eq!(fails(&mut list, &mut engine, at(1)).advice(), needed);
    }
    // Some routes accept the token of a console's user.
    let mut engine = Engine::builder(bearer("of-a-user")).build().unwrap();
    let mut list = Call::new(ListSessions::new());
    let (_, ticket) = sends(&mut list, &mut engine, at(0));
    answer(&mut list, &mut engine, at(0), ticket, 401, "");
    assert_eq!(fails(&mut list, &mut engine, at(0)).advice(), "check the API key");
}

#[test]
fn new_bearer_token_applies_to_the_next_request() {
    let mut engine = Engine::builder(bearer("old")).build().unwrap();
    let mut under_way = call();
    let (_, ticket) = sends(&mut under_way, &mut engine, at(0));
    engine.set_credentials(bearer("new"));
    assert!(engine.take_wake());
    answer(&mut under_way, &mut engine, at(1), ticket, 200, &decision("Confirmed"));
    succeeds(&mut under_way, &mut engine, at(1));
    assert_eq!(sends(&mut call(), &mut engine, at(1)).0, "decision new");
}

#[test]
fn token_of_replaced_credentials_is_not_shared() {
    let mut engine = engine();
    let (mut fetching, mut waiting) = (call(), call());
    let (_, old) = sends(&mut fetching, &mut engine, at(0));
    waits(&mut waiting, &mut engine, at(0));
    engine.set_credentials(ClientCredentials::new("id", "rotated").unwrap());
    let (sent, new) = sends(&mut waiting, &mut engine, at(1));
    assert_eq!(sent, "token -");
    answer(&mut waiting, &mut engine, at(2), new, 200, &token("new", 1000));
    // Only the call that sent the request uses its late response.
    answer(&mut fetching, &mut engine, at(3), old, 200, &token("old", 1000));
    assert_eq!(sends(&mut call(), &mut engine, at(3)).0, "decision new");
}

#[test]
fn late_refusal_of_replaced_credentials_does_not_affect_the_new_ones() {
    let client = |secret: &str| ClientCredentials::new("id", secret).unwrap();
    for status in [400, 401, 429, 503] {
        let mut engine = recorded(Engine::builder(client("canary-secret")));
        let mut call = call();
        let (_, ticket) = sends(&mut call, &mut engine, at(0));
        engine.set_credentials(client("rotated-secret"));
        let words = r#"{"detail":"canary-secret is wrong"}"#;
        let refusal = Response::builder().status(status).header("retry-after", "600").body(words);
        call.handle_response(&mut engine, at(1), ticket, &refusal.unwrap());
        assert_eq!(sends(&mut call, &mut engine, at(1)).0, "token -", "{status}");
        assert!(!format!("{:?}", kinds(&mut engine)).contains("-secret"));
    }
}

#[test]
fn late_error_redacts_the_secrets_that_it_was_sent_with() {
    let client = |secret: &str| ClientCredentials::new("id", secret).unwrap();
    let mut engine = recorded(Engine::builder(client("first")));
    let mut call = call();
    let (_, ticket) = sends(&mut call, &mut engine, at(0));
    answer(&mut call, &mut engine, at(0), ticket, 200, &token("canary-secret", 1000));
    let (_, ticket) = sends(&mut call, &mut engine, at(0));
    engine.set_credentials(client("second"));
    engine.set_credentials(client("third-secret"));
    let words = r#"{"detail":"canary-secret and third-secret are wrong"}"#;
    let echo = Response::builder().status(400).header("x-request-id", "canary-secret").body(words);
    call.handle_response(&mut engine, at(1), ticket, &echo.unwrap());
    let error = fails(&mut call, &mut engine, at(1));
    assert!(!format!("{error} {error:#?} {:?}", kinds(&mut engine)).contains("-secret"), "{error}");
}

#[test]
fn late_token_of_replaced_credentials_is_not_used() {
    let client = |secret: &str| ClientCredentials::new("id", secret).unwrap();
    let (bearer, rotated) = (Credentials::from(bearer("held")), Credentials::from(client("new")));
    for (replacements, next) in
        [(vec![bearer.clone()], "decision held"), (vec![bearer, rotated], "token -")]
    {
        let mut engine = engine();
        let mut fetching = call();
        let (_, ticket) = sends(&mut fetching, &mut engine, at(0));
        for credentials in replacements {
            engine.set_credentials(credentials);
        }
        answer(&mut fetching, &mut engine, at(1), ticket, 200, &token("old", 1000));
        assert_eq!(sends(&mut fetching, &mut engine, at(1)).0, next);
        fetching.cancel(&mut engine, at(1));
        assert_eq!(sends(&mut call(), &mut engine, at(1)).0, next);
    }
}

#[test]
fn with_credentials_copies_only_the_settings() {
    let mut first = paced(7);
    retrieve(&mut first, at(0), "first");
    let mut second = first.with_credentials(bearer("second"), 1);
    assert_eq!(second.policy(), first.policy());
    assert_eq!(second.base_url(), first.base_url());
    assert_eq!(sends(&mut call(), &mut second, at(0)).0, "decision second");
    assert_eq!(sends(&mut call(), &mut first, at(0)).0, "decision first");
    // Applications with hundreds of tenants keep one engine for each.
    assert!(size_of::<Engine>() <= 800, "{} bytes", size_of::<Engine>());
}

#[test]
fn new_credentials_end_the_wait_for_another_attempt_to_fetch_a_token() {
    let (mut engine, mut call) = (engine(), call());
    let (_, ticket) = sends(&mut call, &mut engine, at(0));
    let later = Response::builder().status(503).header("retry-after", "20").body(&b""[..]);
    call.handle_response(&mut engine, at(0), ticket, &later.unwrap());
    engine.set_credentials(bearer("mine"));
    assert_eq!(sends(&mut call, &mut engine, at(2)).0, "decision mine");
}

#[test]
fn token_without_a_lifetime_does_not_replace_a_good_one() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "good");
    engine.set_access_token(&AccessToken::new("brief", Duration::ZERO).unwrap(), at(1));
    assert_eq!(sends(&mut call(), &mut engine, at(1)).0, "decision good");
}

#[test]
fn call_that_only_fetches_a_token_pauses_although_there_is_one() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "cached");
    let client = ClientCredentials::new("id", "secret").unwrap();
    let mut fetch = Call::new(FetchToken::new(client));
    let (_, ticket) = sends(&mut fetch, &mut engine, at(1));
    let later = Response::builder().status(503).header("retry-after", "20").body(&b""[..]);
    fetch.handle_response(&mut engine, at(1), ticket, &later.unwrap());
    assert_eq!(waits(&mut fetch, &mut engine, at(1)), (at(21), WaitReason::RetryAfter));
}

#[test]
fn failure_to_fetch_is_forgotten_when_a_token_is_supplied() {
    let (mut engine, mut call, mut other) = (paced(3), call(), super::call());
    retrieve(&mut engine, at(0), "t");
    let (_, ticket) = sends(&mut call, &mut engine, at(1));
    answer(&mut call, &mut engine, at(1), ticket, 401, "");
    let (sent, ticket) = sends(&mut call, &mut engine, at(1));
    assert_eq!(sent, "token -");
    let later = Response::builder().status(503).header("retry-after", "20").body(&b""[..]);
    call.handle_response(&mut engine, at(1), ticket, &later.unwrap());
    let supplied = AccessToken::new("supplied", Duration::from_secs(600)).unwrap();
    engine.set_access_token(&supplied, at(2));
    let (_, ticket) = sends(&mut other, &mut engine, at(2));
    answer(&mut other, &mut engine, at(3), ticket, 200, &decision("Confirmed"));
    // Three requests are in the window until 60, the call has time until 31.
    let error = fails(&mut call, &mut engine, at(3));
    assert!(matches!(error.kind(), CallErrorKind::Waiting(WaitReason::Pacing)), "{error}");
}

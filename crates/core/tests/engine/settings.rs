//! The settings of an engine.

use super::*;

fn user_agent(engine: &mut Engine) -> String {
    match call().poll(engine, at(0)) {
        Step::Send { request, .. } => request.headers()["user-agent"].to_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn user_agent_names_the_application_and_the_library() {
    let library = concat!("didit-rust/", env!("CARGO_PKG_VERSION"));
    assert_eq!(user_agent(&mut engine()), library);
    for refused in ["shop\n", "sh\u{f6}p", "\u{7f}", "a\tb"] {
        let error = builder().user_agent(refused).build().unwrap_err();
        let expected = "the user agent contains a character that is not visible ASCII";
        assert_eq!(error.to_string(), expected, "{refused:?}");
    }
    let mut engine = builder().user_agent("shop/1.0 (a b)").build().unwrap();
    assert_eq!(user_agent(&mut engine), format!("shop/1.0 (a b) {library}"));
    let key = Authorization::api_key("key").unwrap();
    let mut engine = Engine::builder(key).user_agent("shop").build().unwrap();
    assert_eq!(user_agent(&mut engine), format!("shop {library}"));
    let mut tenant = engine.with_credentials(Authorization::api_key("other").unwrap(), 0);
    assert_eq!(user_agent(&mut tenant), format!("shop {library}"));
}

#[test]
fn different_seeds_give_different_backoffs() {
    let wait = |seed: Option<u64>| {
        let builder = seed.into_iter().fold(builder(), EngineBuilder::seed);
        let (mut engine, mut call) = (builder.build().unwrap(), call());
        let (_, ticket) = sends(&mut call, &mut engine, at(0));
        answer(&mut call, &mut engine, at(0), ticket, 503, "");
        waits(&mut call, &mut engine, at(0)).0
    };
    assert_eq!(wait(None), wait(Some(0)));
    assert_eq!(wait(Some(1)), wait(Some(1)));
    assert_ne!(wait(Some(1)), wait(Some(2)));
}

#[test]
fn timeout_of_zero_is_refused() {
    let refusal = |edit: fn(&mut Policy)| builder().edit_policy(edit).build().unwrap_err();
    for (error, name) in [
        (refusal(|policy| policy.call_timeout = Duration::ZERO), "call_timeout"),
        (refusal(|policy| policy.attempt_timeout = Duration::ZERO), "attempt_timeout"),
    ] {
        let expected = format!("{name} is zero, so every call would fail; give a longer time");
        assert_eq!(error.to_string(), expected);
    }
    // Zero is what remains of the caller's own deadline.
    let error = fails(&mut call().with_timeout(Duration::ZERO), &mut engine(), at(0));
    assert!(error.is_timeout() && error.attempts() == 0, "{error}");
}

#[test]
fn engine_for_other_credentials_records_events_as_well() {
    for (original, records) in [(recording(), true), (engine(), false)] {
        let mut other = original.with_credentials(Authorization::bearer("held").unwrap(), 1);
        let _in_flight = sends(&mut call(), &mut other, at(0));
        assert_eq!(!other.take_events().is_empty(), records);
    }
}

#[test]
fn request_timeout_is_at_most_a_day() {
    let endless = |policy: &mut Policy| {
        (policy.attempt_timeout, policy.call_timeout) = (Duration::MAX, Duration::MAX);
    };
    let mut engine = builder().edit_policy(endless).build().unwrap();
    assert_eq!(engine.policy().call_timeout, Duration::MAX);
    let Step::Send { timeout, .. } = call().poll(&mut engine, at(0)) else { panic!("not sent") };
    assert_eq!(timeout, Duration::from_secs(86_400));
}

#[test]
fn hanging_renewal_leaves_time_to_use_the_old_token() {
    let mut engine = engine();
    retrieve(&mut engine, at(0), "old"); // valid until 1000, renewed from 940
    let mut renewing = call().with_timeout(Duration::from_secs(5));
    let Step::Send { ticket, timeout, .. } = renewing.poll(&mut engine, at(941)) else { panic!() };
    let end = at(941).after(timeout);
    renewing.handle_failure(
        &mut engine,
        end,
        ticket,
        TransportError::new(TransportErrorKind::Timeout),
    );
    assert_eq!(sends(&mut renewing, &mut engine, end).0, "decision old");
}

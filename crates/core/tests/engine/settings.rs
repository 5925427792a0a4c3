//! What an engine is told before its first call.

use super::*;

fn user_agent(engine: &mut Engine) -> String {
    match call().poll(engine, at(0)) {
        Step::Send { request, .. } => request.headers()["user-agent"].to_str().unwrap().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_user_agent_names_the_caller_and_the_library() {
    let library = concat!("didit-rust/", env!("CARGO_PKG_VERSION"));
    let mut engine = engine();
    assert_eq!(user_agent(&mut engine), library);
    engine.set_user_agent("shop/1.0 (a b)").unwrap();
    for refused in ["shop\n", "sh\u{f6}p", "\u{7f}", "a\tb"] {
        let error = engine.set_user_agent(refused).unwrap_err();
        assert_eq!(error.to_string(), "the user agent is not visible ASCII", "{refused:?}");
    }
    let mut engine = super::engine();
    engine.set_user_agent("shop/1.0 (a b)").unwrap();
    assert_eq!(user_agent(&mut engine), format!("shop/1.0 (a b) {library}"));
}

#[test]
fn a_name_that_is_given_late_holds_for_every_request_from_then_on() {
    let named = format!("shop {}", concat!("didit-rust/", env!("CARGO_PKG_VERSION")));
    let mut fetching = engine();
    retrieve(&mut fetching, at(0), "t");
    let held = Authorization::api_key("key").unwrap();
    let mut holding = Engine::builder(held).base_url(BASE.parse().unwrap()).build().unwrap();
    for engine in [&mut fetching, &mut holding] {
        engine.set_user_agent("first").unwrap();
        engine.set_user_agent("shop").unwrap();
        assert_eq!(user_agent(engine), named);
    }
}

#[test]
fn clients_with_other_seeds_wait_for_other_times() {
    let wait = |seed: Option<u64>| {
        let (mut engine, mut call) = (engine(), call());
        if let Some(seed) = seed {
            engine.set_seed(seed);
        }
        let (_, ticket) = sends(&mut call, &mut engine, at(0));
        answer(&mut call, &mut engine, at(0), ticket, 503, "");
        waits(&mut call, &mut engine, at(0)).0
    };
    assert_eq!(wait(None), wait(Some(0)));
    assert_eq!(wait(Some(1)), wait(Some(1)));
    assert_ne!(wait(Some(1)), wait(Some(2)));
}

#[test]
fn no_request_is_given_more_than_a_day() {
    let mut policy = Policy::default();
    (policy.attempt_timeout, policy.call_timeout) = (Duration::MAX, Duration::MAX);
    let client = ClientCredentials::new("id", "secret").unwrap();
    let mut engine =
        Engine::builder(client).base_url(BASE.parse().unwrap()).policy(policy).build().unwrap();
    let Step::Send { timeout, .. } = call().poll(&mut engine, at(0)) else { panic!("not sent") };
    assert_eq!(timeout, Duration::from_secs(86_400));
}

//! Events, steps and errors never show the data of the request.

use didit_core::Operation;
use didit_core::verification::{ListSessions, Raw};

use super::*;

fn list() -> ListSessions {
    ListSessions::new().with_limit(20).with_search("Jane Roe").with_vendor_data("jane@example.com")
}

fn keyed() -> Engine {
    recorded(Engine::builder(Authorization::api_key("key").unwrap()))
}

#[test]
fn queries_are_not_in_events_and_steps() {
    fn check<O: Operation>(mut operation: O, path: &str)
    where
        O::Output: std::fmt::Debug,
    {
        let mut engine = keyed();
        let step = operation.poll(&mut engine, at(0));
        let shown = format!("{step:?}");
        let Step::Send { request, .. } = step else { panic!("{shown}") };
        assert!(request.uri().query().is_some());
        let uri = format!("https://verification.didit.me{path}");
        let sent = kinds(&mut engine).into_iter().find_map(|kind| match kind {
            EventKind::Sent { uri, .. } => Some(uri),
            _ => None,
        });
        assert_eq!(sent.unwrap().to_string(), uri);
        let beginning = format!("Send {{ method: GET, uri: {uri}, ticket: ");
        assert!(shown.starts_with(&beginning) && !shown.contains("Jane"), "{shown}");
    }
    check(Call::new(list()), "/v3/sessions/");
    let raw = Raw::new(http::Method::GET, "/v3/users/").with_query("search", "Jane");
    check(Call::new(raw.with_json(&"Jane Roe").unwrap()), "/v3/users/");
}

#[test]
fn request_id_does_not_show_the_private_texts_of_the_request() {
    fn check<O: Operation>(mut operation: O, mut engine: Engine)
    where
        O::Output: std::fmt::Debug,
    {
        let (_, ticket) = sends(&mut operation, &mut engine, at(0));
        let answer = Response::builder().status(403).header("x-request-id", "of canary-text");
        operation.handle_response(&mut engine, at(0), ticket, &answer.body(b"").unwrap());
        let events = format!("{:?}", engine.take_events());
        assert!(events.contains("of ***") && !events.contains("canary"), "{events}");
        let error = format!("{:?}", fails(&mut operation, &mut engine, at(0)));
        assert!(error.contains("of ***") && !error.contains("canary"), "{error}");
    }
    let status = ReadStatus::new("s-1".parse().unwrap(), "canary-text");
    check(Call::new(status), recorded(Engine::builder(Credentials::None)));
    check(Call::new(ListSessions::new().with_search("canary-text")), keyed());
    let create = CreateSession::new("email".parse().unwrap()).with_vendor_data("canary-text");
    let bearer = Authorization::bearer("held").unwrap();
    check(Call::new(create), recorded(Engine::builder(bearer)));
}

#[test]
fn request_id_does_not_show_the_token_of_the_same_response() {
    let complete = "\u{feff}{\"access_token\":\"canary-text\",\"expires_in\":9}";
    for body in [complete, &complete[..complete.len() - 1]] {
        let (mut engine, mut call) = (recording(), call());
        let (_, ticket) = sends(&mut call, &mut engine, at(0));
        let answer = Response::builder().header("x-request-id", "of canary%2Dtext");
        call.handle_response(&mut engine, at(0), ticket, &answer.body(body).unwrap());
        let shown = format!("{:?}{:?}", engine.take_events(), call.poll(&mut engine, at(0)));
        assert!(shown.contains("of ***") && !shown.contains("canary"), "{shown}");
    }
}

#[test]
fn error_of_a_wait_shows_a_short_status_without_secrets() {
    let mut fetching = engine();
    retrieve(&mut fetching, at(0), "canary-token");
    let keyed = Engine::builder(Authorization::api_key("canary-key").unwrap()).build().unwrap();
    for (mut engine, secret) in [(fetching, "canary-token"), (keyed, "canary-key")] {
        let mut wait = WaitForDecision::new("s-1".parse().unwrap());
        let (_, ticket) = sends(&mut wait, &mut engine, at(0));
        let status = format!("wa iting for {secret} {}", "x".repeat(1000));
        answer(&mut wait, &mut engine, at(0), ticket, 200, &decision(&status));
        let error = fails(&mut wait, &mut engine, at(600)).to_string();
        assert!(error.contains("still wa iting for *** xxx"), "{error}");
        assert!(error.len() < 400, "{error}");
    }
}

#[test]
fn redirect_of_a_creation_does_not_show_the_token_of_the_session() {
    for (page, shown) in [
        ("https://app.didit.me/authorize/canary-T0ken/start/?a=b", "//app.didit.me/authorize/***/"),
        ("//canary@app.didit.me/s/canary-T0ken", "//app.didit.me/s/***"),
        ("/s//canary-T0ken", "/s//***"),
        ("canary-T0ken/verify", "a redirect to ***/verify"),
        ("https://status.didit.me/maintenance.html", "//status.didit.me/maintenance.html"),
        ("https://canary@h\u{e4}user.example/", "https://h\u{e4}user.example/"),
    ] {
        let mut create = Call::new(CreateSession::new("email".parse().unwrap()));
        let mut engine = Engine::builder(Authorization::bearer("held").unwrap()).build().unwrap();
        let (_, ticket) = sends(&mut create, &mut engine, at(0));
        let answer = Response::builder().status(303).header("location", page).body(b"").unwrap();
        create.handle_response(&mut engine, at(0), ticket, &answer);
        let error = fails(&mut create, &mut engine, at(0)).to_string();
        assert!(error.contains(shown) && !error.contains("canary"), "{error}");
    }
}

#[test]
fn error_does_not_show_the_token_that_was_replaced() {
    for lifetime in [r#","expires_in":1000"#, ""] {
        let (mut engine, mut refused) = (engine(), call());
        for name in ["canary-first", "canary-second"] {
            let (_, ticket) = sends(&mut refused, &mut engine, at(1));
            let token = format!(r#"{{"access_token":"{name}"{lifetime}}}"#);
            answer(&mut refused, &mut engine, at(1), ticket, 200, &token);
            let (_, ticket) = sends(&mut refused, &mut engine, at(1));
            let echo = r#"{"detail":"not canary-first, not canary-second"}"#;
            answer(&mut refused, &mut engine, at(1), ticket, 401, echo);
        }
        let error = fails(&mut refused, &mut engine, at(1)).to_string();
        assert!(error.contains("not ***, not ***"), "{error}");
    }
}

#[test]
fn error_does_not_show_the_token_that_expired_before_the_retry() {
    let (mut engine, mut retried) = (engine(), call());
    for (now, name, status) in [(1, "canary-first", 503), (11, "canary-second", 403)] {
        let (_, ticket) = sends(&mut retried, &mut engine, at(now));
        let token = format!(r#"{{"access_token":"{name}","expires_in":5}}"#);
        answer(&mut retried, &mut engine, at(now), ticket, 200, &token);
        let (_, ticket) = sends(&mut retried, &mut engine, at(now));
        let echo = r#"{"detail":"not canary-first, not canary-second"}"#;
        answer(&mut retried, &mut engine, at(now), ticket, status, echo);
        if status == 503 {
            waits(&mut retried, &mut engine, at(now));
        }
    }
    let error = fails(&mut retried, &mut engine, at(11)).to_string();
    assert!(error.contains("not ***, not ***"), "{error}");
}

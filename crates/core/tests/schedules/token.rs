//! The one token that all calls share.

use super::*;

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

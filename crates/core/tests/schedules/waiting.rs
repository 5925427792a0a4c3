//! Waiting for a final status.

use super::*;

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

//! Pacing, retries, waiting for a final status, and shared failures.

use std::thread;
use std::time::Duration;

use didit_core::data_transfer::Status;
use didit_core::{CallErrorKind, GaveUp, ResponseErrorKind};
use didit_sandbox::{Fault, Quota, Route, Sandbox};

use crate::{Adapter, CallFailure, assert_one_connection, client, id, sandbox, settings, with};

fn rejections(sandbox: &Sandbox) -> usize {
    sandbox.requests().iter().filter(|request| request.status == Some(429)).count()
}

fn paced<A: Adapter>(sandbox: &Sandbox, window: Duration) -> A {
    let mut settings = settings(sandbox);
    settings.policy.rate_limit_window = window;
    A::new(settings).unwrap()
}

/// A single client drains a quota without a 429 response.
pub fn single_client_is_never_rate_limited<A: Adapter>() {
    let window = Duration::from_millis(400);
    let sandbox = Sandbox::builder().quota(Quota { limit: 10, window });
    let sandbox = sandbox.latency(Duration::from_millis(5)).start().unwrap();
    let client: A = paced(&sandbox, window);
    thread::scope(|scope| {
        for caller in 0..16 {
            let client = &client;
            scope.spawn(move || {
                for n in 0..3 {
                    client.decision(&id(&format!("s-{caller}-{n}"))).unwrap();
                }
            });
        }
    });
    assert_eq!((rejections(&sandbox), sandbox.requests_to(Route::Decision).len()), (0, 48));
}

/// Two clients that share a quota both complete their calls.
pub fn clients_drain_a_shared_quota<A: Adapter>() {
    let window = Duration::from_millis(400);
    let sandbox = Sandbox::builder().quota(Quota { limit: 10, window }).start().unwrap();
    let clients: [A; 2] = [paced(&sandbox, window), paced(&sandbox, window)];
    thread::scope(|scope| {
        for client in &clients {
            scope.spawn(move || {
                for n in 0..20 {
                    client.decision(&id(&format!("s-{n}"))).unwrap();
                }
            });
        }
    });
    let answered = sandbox.requests_to(Route::Decision).len() - rejections(&sandbox);
    assert_eq!(answered, 40);
}

/// The `Retry-After` of the service is honored.
pub fn retry_after_is_honored<A: Adapter>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    client.decision(&id("s-1")).unwrap();
    sandbox.script(Route::Decision, [Fault::answer(503).header("retry-after", "1")]);
    client.decision(&id("s-2")).unwrap();
    let requests = sandbox.requests_to(Route::Decision);
    let earliest = requests[1].received + Duration::from_secs(1);
    assert!(requests[2].received >= earliest, "{:?}", requests[2].received);
}

/// A wait ends when the person has decided.
pub fn wait_ends_with_a_final_status<A: Adapter>() {
    let sandbox = sandbox();
    sandbox.set_status("s-1", "initialized");
    let client = client::<A>(&sandbox);
    let decision = thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            client.wait(&id("s-1"), Duration::from_millis(10), Duration::from_secs(30)).unwrap()
        });
        for status in ["retrieved", "in review", "confirmed"] {
            let seen = sandbox.requests_to(Route::Decision).len();
            while sandbox.requests_to(Route::Decision).len() < seen + 2 {
                thread::yield_now();
            }
            sandbox.set_status("s-1", status);
        }
        waiting.join().unwrap()
    });
    assert_eq!(decision.status(), &Status::Confirmed);
    assert_eq!(sandbox.tokens_issued(), 1);
    assert_one_connection::<A>(&sandbox);
}

/// A wait ends at its deadline and reports the last status of the session.
pub fn wait_ends_at_its_deadline<A: Adapter>() {
    let sandbox = sandbox();
    sandbox.set_status("s-1", "retrieved");
    let wait = |client: A| -> CallFailure {
        client.wait(&id("s-1"), Duration::from_millis(10), Duration::from_secs(2)).unwrap_err()
    };
    let error = wait(client(&sandbox));
    assert!(
        matches!(error.call.kind(), CallErrorKind::Undecided(Status::Retrieved)),
        "{}",
        error.shown
    );
    assert_eq!(error.call.gave_up(), GaveUp::DeadlineExceeded);
    sandbox.missing("s-1");
    assert_eq!(wait(client(&sandbox)).kind(), &ResponseErrorKind::NotFound);
}

/// A rejected token request fails all calls that wait for the token.
pub fn rejected_credentials_fail_all_waiting_calls<A: Adapter>() {
    let sandbox = Sandbox::builder().latency(Duration::from_millis(200)).start().unwrap();
    let wrong = didit_core::ClientCredentials::new(sandbox.client_id(), "wrong").unwrap();
    let client = &with::<A>(&sandbox, wrong);
    thread::scope(|scope| {
        for n in 0..8 {
            scope.spawn(move || {
                let error = client.decision(&id(&format!("s-{n}"))).unwrap_err();
                assert_eq!(error.kind(), &ResponseErrorKind::Unauthorized);
            });
        }
    });
    // A thread that starts late sends its own token request.
    assert!(sandbox.requests().len() < 8, "{}", sandbox.requests().len());
}

//! Wake-ups of waiting calls and of the thread that queries the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use didit_core::{
    Application, QuotaAnswer, SharedLimit, SharedStore, StoreAnswer, StoreError, StoreRequest,
    TokenAnswer, TokenRequest,
};
use didit_sandbox::{Fault, Route};

use crate::{Adapter, client, id, sandbox, settings};

/// Much longer than a call to the sandbox takes.
const SOON: Duration = Duration::from_secs(10);

/// A token from the caller wakes the calls that wait for a token.
pub fn supplied_token_wakes_waiting_calls<A: Adapter>() {
    let sandbox = sandbox();
    let spare = client::<A>(&sandbox);
    spare.decision(&id("s-0")).unwrap();
    let token = spare.access_token().expect("a token");
    let client = client::<A>(&sandbox);
    sandbox.always(Route::Token, Fault::answer(503).header("Retry-After", "20"));
    let started = Instant::now();
    thread::scope(|scope| {
        // One call would retry the token request after 20 seconds; the other waits for its token.
        let calls = ["s-1", "s-2"].map(|n| {
            let client = &client;
            scope.spawn(move || client.decision(&id(n)).map(|_| started.elapsed()))
        });
        while sandbox.requests_to(Route::Token).len() < 2 {
            thread::sleep(Duration::from_millis(10));
        }
        thread::sleep(Duration::from_millis(200));
        client.set_access_token(&token);
        let took = calls.map(|call| call.join().unwrap().unwrap());
        assert!(took.iter().max() < Some(&SOON), "{took:?}");
    });
}

/// Each request uses a permit from the store.
pub fn permits_come_from_the_store<A: Adapter>() {
    let sandbox = sandbox();
    let granted = Arc::new(AtomicU32::new(0));
    let mut settings = settings(&sandbox);
    settings.store = Some(Store(Arc::clone(&granted)));
    let client = A::new(settings).unwrap();
    let started = Instant::now();
    for n in 0..5 {
        client.decision(&id(&format!("s-{n}"))).unwrap();
    }
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert!(granted.load(Ordering::Relaxed) >= 5, "{granted:?} permits");
    assert_eq!(sandbox.requests_to(Route::Decision).len(), 5);
}

/// A store that grants every request.
#[derive(Debug)]
pub struct Store(Arc<AtomicU32>);

impl SharedStore for Store {
    fn open(&mut self, _: &Application<'_>) {}

    fn exchange(&mut self, requests: &[StoreRequest]) -> Result<Vec<StoreAnswer>, StoreError> {
        let answer = |request: &StoreRequest| match request {
            StoreRequest::Quota(quota) => {
                self.0.fetch_add(quota.wanted, Ordering::Relaxed);
                StoreAnswer::Quota(QuotaAnswer {
                    bucket: quota.bucket,
                    member: true,
                    granted: quota.wanted,
                    wait: Duration::ZERO,
                    closed: false,
                    limit: SharedLimit::Unlimited,
                    members: 1,
                })
            }
            StoreRequest::Token(TokenRequest::Get { .. }) => StoreAnswer::Token(TokenAnswer::Fetch),
            StoreRequest::Token(_) => StoreAnswer::Token(TokenAnswer::Done),
        };
        Ok(requests.iter().map(answer).collect())
    }
}

//! Promotion of a replica after its master is killed. Replication is asynchronous, so the replica may
//! lack the last writes.

use std::thread;
use std::time::{Duration, Instant};

use didit_blocking_adapter::Client;
use didit_conformance::redis_server::RedisServer;
use didit_core::{
    ClientCredentials, Policy, QuotaRequest, SessionId, SharedLimit, SharedStore as _, StoreRequest,
};
use didit_redis_adapter::RedisStore;
use didit_sandbox::{Quota, Route, Sandbox};

use super::forwarder::Forwarder;
use super::{command, join_request, member_request, process, quota};

/// A master and a replica behind fixed addresses.
struct Pair {
    master: RedisServer,
    replica: RedisServer,
    clients: Forwarder,
    replication: Forwarder,
}

impl Pair {
    fn start() -> Self {
        let master = RedisServer::start();
        let (clients, replication) = (Forwarder::to(master.port()), Forwarder::to(master.port()));
        let address = format!("127.0.0.1 {}", replication.port());
        let replica = RedisServer::with(&["--replicaof", &address]);
        let pair = Self { master, replica, clients, replication };
        wait_until(|| command(&pair.replica, &["INFO", "replication"]).contains("link_status:up"));
        pair
    }

    /// Waits until the replica has caught up with the master.
    fn replicate(&self) {
        command(&self.master, &["SET", "mark", "1"]);
        wait_until(|| command(&self.replica, &["EXISTS", "mark"]) == "int(1)");
        command(&self.master, &["DEL", "mark"]);
        wait_until(|| command(&self.replica, &["EXISTS", "mark"]) == "int(0)");
    }

    /// Kills the master and replaces it with the replica.
    fn fail_over(&mut self) {
        self.clients.redirect(None);
        self.master.kill();
        command(&self.replica, &["REPLICAOF", "NO", "ONE"]);
        self.clients.redirect(Some(self.replica.port()));
    }
}

fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(30), "timed out");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn quota_holds_except_for_unreplicated_permits() {
    const LIMIT: u32 = 20;
    let mut pair = Pair::start();
    let (mut first, mut second) = (process(&pair.clients.url()), process(&pair.clients.url()));
    let learned = Some(SharedLimit::Of(LIMIT));
    let mut granted = quota(&mut first, QuotaRequest { learned, ..join_request(5) }).granted;
    granted += quota(&mut second, join_request(4)).granted;
    pair.replicate();
    pair.replication.redirect(None);
    let unreplicated = quota(&mut second, member_request(4, 3)).granted;
    assert_eq!((granted, unreplicated), (9, 3));
    pair.fail_over();
    for store in [&mut first, &mut second] {
        store.exchange(&[StoreRequest::Quota(member_request(50, 0))]).unwrap_err();
    }
    // The replica has the members, the limit, and all permits but the last ones.
    let rest = [
        quota(&mut first, member_request(100, LIMIT)),
        quota(&mut second, member_request(100, LIMIT)),
    ];
    assert!(rest.iter().all(|answer| answer.member && answer.limit == SharedLimit::Of(LIMIT)));
    let all = granted + unreplicated + rest.iter().map(|answer| answer.granted).sum::<u32>();
    assert_eq!(all, LIMIT + unreplicated);
}

#[test]
fn failover_loses_no_call_and_causes_few_rejections() {
    const CALLS: usize = 60;
    const LIMIT: u32 = 20;
    let window = Duration::from_secs(1);
    let sandbox = Sandbox::builder().quota(Quota { limit: LIMIT, window }).start().unwrap();
    let mut pair = Pair::start();
    let client = || {
        let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret());
        let mut policy = Policy::default();
        policy.rate_limit_window = window;
        let store = RedisStore::connect(&pair.clients.url()).unwrap();
        let builder =
            Client::builder(credentials.unwrap()).base_url(sandbox.url().parse().unwrap());
        builder.policy(policy).shared_store(store).build().unwrap()
    };
    let clients: Vec<_> = (0..3).map(|_| client()).collect();
    let first: SessionId = "s-first".parse().unwrap();
    for client in &clients {
        // Each client gets the token before the store is lost; afterwards it would fetch its own.
        client.decision(&first).unwrap();
    }
    thread::scope(|scope| {
        for (n, client) in clients.iter().enumerate() {
            for thread in 0..2 {
                scope.spawn(move || {
                    for call in 0..CALLS / 6 {
                        let id: SessionId = format!("s-{n}-{thread}-{call}").parse().unwrap();
                        client.decision(&id).unwrap();
                    }
                });
            }
        }
        while sandbox.requests_to(Route::Decision).len() < CALLS / 3 {
            thread::sleep(Duration::from_millis(5));
        }
        pair.fail_over();
    });
    let requests = sandbox.requests_to(Route::Decision);
    let refused = requests.iter().filter(|request| request.status == Some(429)).count();
    eprintln!("{refused} of {} refused", requests.len());
    assert_eq!(requests.len() - refused, clients.len() + CALLS, "each call had one answer");
    assert!(refused <= LIMIT as usize / 4, "{refused} refused");
    assert_eq!(sandbox.tokens_issued(), 1);
}

//! Loss of a server that returns with its data, which lacks what the processes did meanwhile.

use std::thread;
use std::time::Duration;

use didit_blocking_adapter::Client;
use didit_conformance::redis_server::RedisServer;
use didit_core::{ClientCredentials, Policy, SessionId};
use didit_redis_adapter::RedisStore;
use didit_sandbox::{Quota, Route, Sandbox};

use super::command;

const PROCESSES: usize = 4;
const CALLS: usize = 140;

/// Drains a quota with several clients. After 40 calls, `lose` makes Redis unavailable
/// for two seconds. Returns the number of refused requests.
fn refused_with(lose: impl FnOnce(&RedisServer)) -> usize {
    let quota = Quota { limit: 20, window: Duration::from_secs(1) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let server = RedisServer::start();
    let client = || {
        let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret());
        let mut policy = Policy::default();
        policy.rate_limit_window = quota.window;
        let builder =
            Client::builder(credentials.unwrap()).base_url(sandbox.url().parse().unwrap());
        let store = RedisStore::connect(&server.url()).unwrap();
        builder.policy(policy).shared_store(store).build().unwrap()
    };
    let clients: [_; PROCESSES] = std::array::from_fn(|_| client());
    thread::scope(|scope| {
        for (n, client) in clients.iter().enumerate() {
            for thread in 0..5 {
                scope.spawn(move || {
                    for call in 0..CALLS / PROCESSES / 5 {
                        let id: SessionId = format!("s-{n}-{thread}-{call}").parse().unwrap();
                        client.decision(&id).unwrap();
                    }
                });
            }
        }
        while sandbox.requests_to(Route::Decision).len() < 40 {
            thread::sleep(Duration::from_millis(5));
        }
        lose(&server);
    });
    let requests = sandbox.requests_to(Route::Decision);
    requests.iter().filter(|request| request.status == Some(429)).count()
}

#[test]
fn server_that_refuses_writes_for_a_time_causes_no_refusals() {
    let refused = refused_with(|server| {
        command(server, &["REPLICAOF", "127.0.0.1", "1"]);
        thread::sleep(Duration::from_secs(2));
        command(server, &["REPLICAOF", "NO", "ONE"]);
    });
    assert_eq!(refused, 0);
}

#[test]
fn server_that_pauses_causes_no_refusals() {
    let refused = refused_with(|server| {
        command(server, &["CLIENT", "PAUSE", "2000"]);
    });
    assert_eq!(refused, 0);
}

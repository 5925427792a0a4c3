//! Tests of the store against real servers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod connection;
mod failover;
mod forwarder;
mod inspect;
mod outage;
mod quota;
mod token;
mod work_list;

use std::sync::LazyLock;
use std::time::Duration;

use didit_conformance::redis_server::RedisServer;
use didit_core::{
    Application, BaseUrl, Bucket, Join, QuotaAnswer, QuotaRequest, SharedStore as _, StoreAnswer,
    StoreRequest, TokenAnswer, TokenRequest,
};
use didit_redis_adapter::RedisStore;

static BASE_URL: LazyLock<BaseUrl> = LazyLock::new(BaseUrl::production);

fn application(client_id: &'static str, secret: &'static str) -> Application<'static> {
    Application { client_id, secret, base_url: &BASE_URL, verification_base_url: &BASE_URL }
}

fn canary() -> Application<'static> {
    application("client-canary", "secret-canary")
}

/// Runs a command as the default user and returns the `Debug` text of its result.
fn command(server: &RedisServer, command: &[&str]) -> String {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut request = redis::cmd(command[0]);
    request.arg(&command[1..]);
    let value: redis::Value = request.query(&mut connection).unwrap();
    format!("{value:?}")
}

/// Adds a user with the documented access rights, and returns the URL with its password.
fn user_url(server: &RedisServer) -> String {
    let rights = ["on", ">canary", "~{didit:*", "+eval", "+time", "+ping", "+@read", "+@write"];
    command(server, &[&["ACL", "SETUSER", "fleet"], rights.as_slice()].concat());
    format!("redis://fleet:canary@{}", server.address())
}

/// Connects as another process of the same application.
fn process(url: &str) -> RedisStore {
    let mut store = RedisStore::connect(url).unwrap();
    store.open(&canary());
    store
}

/// Starts a server, and connects two processes.
fn pair() -> (RedisServer, RedisStore, RedisStore) {
    let server = RedisServer::start();
    let (first, second) = (process(&server.url()), process(&server.url()));
    (server, first, second)
}

/// Returns a request for permits that joins as a new member.
fn join_request(wanted: u32) -> QuotaRequest {
    QuotaRequest {
        bucket: Bucket::Decisions,
        window: Duration::from_secs(60),
        lease: Duration::from_secs(11),
        budget: None,
        join: Some(Join { again: false, in_flight: Vec::new() }),
        completed: Vec::new(),
        unused: Vec::new(),
        learned: None,
        gate: None,
        first: 0,
        wanted,
    }
}

/// Returns a request for permits of a member.
fn member_request(first: u64, wanted: u32) -> QuotaRequest {
    QuotaRequest { join: None, first, ..join_request(wanted) }
}

fn quota(store: &mut RedisStore, request: QuotaRequest) -> QuotaAnswer {
    match store.exchange(&[StoreRequest::Quota(request)]).unwrap().as_slice() {
        [StoreAnswer::Quota(answer)] => *answer,
        answers => panic!("{answers:?}"),
    }
}

fn token(store: &mut RedisStore, request: TokenRequest) -> TokenAnswer {
    match store.exchange(&[StoreRequest::Token(request)]).unwrap().remove(0) {
        StoreAnswer::Token(answer) => answer,
        StoreAnswer::Quota(answer) => panic!("{answer:?}"),
    }
}

use std::thread;
use std::time::Duration;

use didit_blocking_adapter::Client;
use didit_conformance::redis_server::RedisServer;
use didit_core::{
    ClientCredentials, Policy, Secret, SharedStore as _, SharedToken, StoreRequest, TokenAnswer,
    TokenRequest,
};
use didit_redis_adapter::RedisStore;
use didit_sandbox::{Fault, Route, Sandbox};

use super::{application, command, join_request, pair, process, quota, token};

const LEASE: Duration = Duration::from_secs(15);

fn get() -> TokenRequest {
    TokenRequest::Get { lease: LEASE, known: None }
}

fn hold(lease: Duration) -> TokenRequest {
    TokenRequest::Hold { lease, age: Duration::from_secs(600) }
}

fn put(text: &str, lifetime: u64, renew_after: u64) -> TokenRequest {
    TokenRequest::Put(SharedToken {
        token: Secret::from(text),
        lifetime: Duration::from_secs(lifetime),
        renew_after: Duration::from_secs(renew_after),
    })
}

fn token_text(answer: &TokenAnswer) -> Option<&str> {
    match answer {
        TokenAnswer::Token(shared) => Some(shared.token.expose()),
        _ => None,
    }
}

#[test]
fn one_process_fetches_the_token_for_all() {
    let (_server, mut first, mut second) = pair();
    assert!(matches!(token(&mut first, get()), TokenAnswer::Fetch));
    assert!(matches!(token(&mut first, get()), TokenAnswer::Fetch), "it already has the lease");
    assert!(matches!(token(&mut second, get()), TokenAnswer::Wait(_)));
    token(&mut first, put("token-canary", 3600, 3000));
    let answer = token(&mut second, get());
    assert_eq!(token_text(&answer), Some("token-canary"));
    let TokenAnswer::Token(shared) = answer else { panic!() };
    assert!(shared.lifetime > Duration::from_secs(3590) && shared.lifetime.as_secs() <= 3600);
    assert!(shared.renew_after > Duration::from_secs(2990) && shared.renew_after.as_secs() <= 3000);
}

#[test]
fn waiting_process_asks_less_often_the_longer_the_fetch_takes() {
    let (_server, mut first, mut second) = pair();
    assert!(matches!(token(&mut first, get()), TokenAnswer::Fetch));
    let mut wait = || match token(&mut second, get()) {
        TokenAnswer::Wait(wait) => wait,
        answer => panic!("{answer:?}"),
    };
    let [soon, at_most] = [20, 1_000].map(Duration::from_millis);
    let mut waited = Duration::ZERO;
    for _ in 0..24 {
        let pause = wait();
        assert!(pause >= soon && pause <= at_most, "{pause:?}");
        thread::sleep(pause);
        waited += pause;
    }
    assert!(waited > Duration::from_millis(900), "{waited:?}");
    // At the end of the lease, the process may fetch.
    token(&mut first, hold(Duration::from_millis(30)));
    assert!(wait() <= Duration::from_millis(30));
}

#[test]
fn lease_ends_by_expiry_or_release() {
    let (_server, mut first, mut second) = pair();
    let short = TokenRequest::Get { lease: Duration::from_millis(50), known: None };
    assert!(matches!(token(&mut first, short), TokenAnswer::Fetch));
    thread::sleep(Duration::from_millis(70));
    assert!(matches!(token(&mut second, get()), TokenAnswer::Fetch));
    token(&mut first, TokenRequest::Release);
    assert!(
        matches!(token(&mut first, get()), TokenAnswer::Wait(_)),
        "only the holder can release the lease"
    );
    token(&mut second, TokenRequest::Release);
    assert!(matches!(token(&mut first, get()), TokenAnswer::Fetch));
    token(&mut second, hold(LEASE));
    token(&mut first, hold(LEASE));
    assert!(matches!(token(&mut second, get()), TokenAnswer::Wait(_)));
}

/// Returns the remaining time of the lease.
fn lease_left(server: &RedisServer) -> Duration {
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*:lease").query(&mut connection).unwrap();
    let [key] = keys.as_slice() else { panic!("{keys:?}") };
    let left: u64 = redis::cmd("PTTL").arg(key).query(&mut connection).unwrap();
    Duration::from_millis(left)
}

#[test]
fn refusal_is_in_effect_for_all_processes_while_the_one_that_met_it_lives() {
    let server = RedisServer::start();
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Token, [Fault::answer(503).header("retry-after", "86400")]);
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret());
    let mut policy = Policy::default();
    policy.attempt_timeout = Duration::from_secs(1);
    let builder = Client::builder(credentials.unwrap()).base_url(sandbox.url().parse().unwrap());
    let store = RedisStore::connect(&server.url()).unwrap();
    let client = builder.policy(policy).shared_store(store).build().unwrap();
    let error = client.decision(&"s-1".parse().unwrap()).unwrap_err().to_string();
    assert!(error.contains("503"), "{error}");
    // A lease of six seconds: five to start the fetch, and its time.
    thread::sleep(Duration::from_millis(2_500));
    let left = lease_left(&server);
    assert!(left > Duration::from_secs(4) && left <= Duration::from_secs(6), "{left:?}");
    drop(client);
    thread::sleep(Duration::from_millis(2_500));
    let left = lease_left(&server);
    assert!(left < Duration::from_secs(4), "{left:?}");
}

#[test]
fn one_process_renews_while_the_others_use_the_old_token() {
    let (_server, mut first, mut second) = pair();
    token(&mut first, put("old", 3600, 0));
    let known = Some(Secret::from("old"));
    let renew = TokenRequest::Get { lease: LEASE, known };
    assert!(matches!(token(&mut first, renew.clone()), TokenAnswer::Fetch));
    assert_eq!(token_text(&token(&mut second, get())), Some("old"));
    assert!(matches!(token(&mut second, renew.clone()), TokenAnswer::Wait(_)));
    token(&mut first, put("new", 3600, 3000));
    assert_eq!(token_text(&token(&mut second, renew)), Some("new"));
}

#[test]
fn refused_process_does_not_take_the_lease_after_another_has_fetched() {
    let (server, mut first, mut second) = pair();
    assert!(matches!(token(&mut first, get()), TokenAnswer::Fetch));
    command(&server, &["FLUSHALL"]);
    assert!(matches!(token(&mut second, get()), TokenAnswer::Fetch));
    token(&mut second, put("new", 60, 1));
    assert_eq!(token_text(&token(&mut first, hold(LEASE))), Some("new"));
    thread::sleep(Duration::from_millis(1_100));
    let known = Some(Secret::from("new"));
    let renew = TokenRequest::Get { lease: LEASE, known };
    assert!(matches!(token(&mut second, renew), TokenAnswer::Fetch));
    token(&mut second, TokenRequest::Release);
    // A token from before the refusal proves nothing.
    let hold = TokenRequest::Hold { lease: LEASE, age: Duration::from_secs(1) };
    assert!(matches!(token(&mut first, hold), TokenAnswer::Done));
    assert!(matches!(token(&mut second, get()), TokenAnswer::Token(_)));
}

#[test]
fn token_does_not_replace_a_newer_one() {
    let (_server, mut first, mut second) = pair();
    token(&mut first, put("newer", 3600, 3000));
    token(&mut second, put("older", 3500, 2900));
    assert_eq!(token_text(&token(&mut second, get())), Some("newer"));
    token(&mut first, hold(LEASE));
    token(&mut first, put("due", 3600, 3100));
    token(&mut first, TokenRequest::Discard(Secret::from("due")));
    assert!(matches!(token(&mut second, get()), TokenAnswer::Fetch), "the lease was released");
    // One that is due for renewal is replaced even by one with a shorter life.
    token(&mut second, put("due", 3600, 0));
    token(&mut second, put("short", 10, 9));
    assert_eq!(token_text(&token(&mut first, get())), Some("short"));
}

#[test]
fn rejected_token_is_discarded_once() {
    let (_server, mut first, mut second) = pair();
    token(&mut first, put("refused", 3600, 3000));
    token(&mut second, TokenRequest::Discard(Secret::from("refused")));
    assert!(matches!(token(&mut second, get()), TokenAnswer::Fetch));
    token(&mut second, put("new", 3600, 3000));
    token(&mut first, TokenRequest::Discard(Secret::from("refused")));
    assert_eq!(token_text(&token(&mut first, get())), Some("new"));
}

#[test]
fn redis_contains_no_secret_and_no_client_id() {
    let server = RedisServer::start();
    let mut store = process(&server.url());
    quota(&mut store, join_request(3));
    token(&mut store, put("token-canary", 3600, 3000));
    let keys = command(&server, &["KEYS", "*"]);
    let dumps: Vec<_> = keys
        .split(['"', '\''])
        .filter(|part| part.contains(':'))
        .map(|key| command(&server, &["DUMP", key]))
        .collect();
    assert!(dumps.len() >= 4, "{keys}");
    assert!(!format!("{keys}{dumps:?}").contains("canary"));
    assert!(!format!("{store:?}").contains("canary"));
}

#[test]
fn tokens_are_separate_per_application_and_secret() {
    let server = RedisServer::start();
    token(&mut process(&server.url()), put("mine", 3600, 3000));
    for (client_id, secret) in [("client-canary", "rotated"), ("other", "secret-canary"), ("", "k")]
    {
        let mut other = RedisStore::connect(&server.url()).unwrap();
        other.open(&application(client_id, secret));
        assert!(matches!(token(&mut other, get()), TokenAnswer::Fetch), "{client_id} {secret}");
    }
}

#[test]
fn clients_of_another_base_url_share_nothing() {
    let server = RedisServer::start();
    let services = [Sandbox::start().unwrap(), Sandbox::start().unwrap()];
    let ask = |sandbox: &Sandbox| {
        let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret());
        // The store applies to the base URL that is set after it, too.
        let client = Client::builder(client.unwrap())
            .shared_store(RedisStore::connect(&server.url()).unwrap())
            .base_url(sandbox.url().parse().unwrap());
        client.build().unwrap().decision(&"s-1".parse().unwrap()).unwrap();
    };
    for sandbox in services.iter().chain(&services) {
        ask(sandbox);
    }
    let sent = services.map(|it| [Route::Token, Route::Decision].map(|r| it.requests_to(r).len()));
    assert_eq!(sent, [[1, 2]; 2]);
}

#[test]
fn without_token_each_process_fetches_its_own() {
    let server = RedisServer::start();
    let builder = RedisStore::builder(&server.url()).without_token();
    let mut store = builder.connect().unwrap();
    token(&mut store, put("mine", 3600, 3000));
    assert!(matches!(token(&mut store, get()), TokenAnswer::Fetch));
    assert_eq!(command(&server, &["DBSIZE"]), "int(0)");
}

#[test]
fn token_that_cannot_be_encrypted_is_an_error() {
    let server = RedisServer::start();
    // Without an application there is no key.
    let mut store = RedisStore::connect(&server.url()).unwrap();
    let requests = [StoreRequest::Token(put("canary", 3600, 3000))];
    let error = store.exchange(&requests).unwrap_err().to_string();
    let place = server.address();
    assert_eq!(error, format!("Redis at {place}: the token could not be encrypted for it"));
}

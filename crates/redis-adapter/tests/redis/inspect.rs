use didit_conformance::redis_server::RedisServer;
use didit_core::{Bucket, QuotaRequest, SharedLimit};
use didit_redis_adapter::RedisStore;

use super::{command, join_request, process, quota, user_url};

#[test]
fn inspect_lists_members_without_joining() {
    let server = RedisServer::start();
    let mut observer = process(&user_url(&server));
    let found = observer.inspect().unwrap();
    let info = command(&server, &["INFO", "server"]);
    let version = |name: &str| info.split(name).nth(1)?.split("\\r").next();
    let expected = match (version("valkey_version:"), version("redis_version:")) {
        (Some(valkey), _) => format!("Valkey {valkey}"),
        (None, redis) => format!("Redis {}", redis.unwrap()),
    };
    assert_eq!(found.server, expected);
    assert_eq!(found.quotas, []);
    assert_eq!(observer.address(), server.address());

    let (mut first, mut second) = (process(&server.url()), process(&server.url()));
    let learned = Some(SharedLimit::Of(10));
    quota(&mut first, QuotaRequest { learned, ..join_request(3) });
    quota(&mut second, join_request(2));
    for _ in 0..2 {
        let found = observer.inspect().unwrap().quotas;
        let [decisions] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((decisions.bucket, decisions.processes), (Bucket::Decisions, 2));
        assert_eq!((decisions.used, decisions.limit), (5, SharedLimit::Of(10)));
    }
}

#[test]
fn inspect_of_an_unreachable_store_fails() {
    let mut server = RedisServer::start();
    let mut store = RedisStore::connect(&server.url()).unwrap();
    server.kill();
    let error = store.inspect().unwrap_err().to_string();
    assert!(error.contains(&format!("127.0.0.1:{}", server.port())), "{error}");
}

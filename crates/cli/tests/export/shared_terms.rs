//! Tests which exports share a list, and which options are refused.

use didit_conformance::redis_server::RedisServer;
use didit_sandbox::Sandbox;

use crate::shared::machine;
use crate::support::{Place, run};

#[test]
fn list_ignores_order_and_other_arguments_are_refused() {
    let sandbox = Sandbox::start().unwrap();
    let redis = RedisServer::start();
    let place = Place::new("s-1\ns-2\n\n# mine\ns-3\n");
    run(&mut machine(&place, &sandbox, &redis, "a", "")).ends(0, "3 exported");
    place.write("ids", "s-3\r\ns-1\ns-2\ns-3\n");
    run(&mut machine(&place, &sandbox, &redis, "b", "")).ends(0, "3 by other machines");
    run(&mut machine(&place, &sandbox, &redis, "c", "--job again")).ends(0, "3 exported");
    for (output, more, words) in [
        ("a", "--job again", "was started with different ids and no --job"),
        ("c", "", "was started with --job again"),
        ("c", "--job other", "was started with --job again"),
    ] {
        run(&mut machine(&place, &sandbox, &redis, output, more)).ends(2, words);
    }
    let mut alone = place.export_with(&sandbox, "--input ids --output a");
    run(&mut alone).ends(2, "was started with --shared");
    run(&mut place.export_with(&sandbox, "--input ids --output d")).ends(0, "3 exported");
    run(&mut machine(&place, &sandbox, &redis, "d", "")).ends(2, "was started without --shared");
    place.write("ids", "s-1\ns-2\ns-4\n");
    let changed = "was started with different ids and no --job";
    run(&mut machine(&place, &sandbox, &redis, "a", "")).ends(2, changed);
    run(&mut machine(&place, &sandbox, &redis, "e", "--job again")).ends(0, "1 exported");
}

#[test]
fn unshareable_exports_are_refused_before_sending() {
    let sandbox = Sandbox::start().unwrap();
    let redis = RedisServer::start();
    let place = Place::with_ids(3);
    let url = redis.url();
    for (arguments, words) in [
        (format!("--output - --shared {url}"), "--shared needs an --output file"),
        (format!("--output a --shared {url} --restart"), "--shared cannot be used with --restart"),
        (format!("--output a --shared {url} --lease 10ms"), "--lease is shorter than 1s"),
        (format!("--output a --shared {url} --job="), "--job is empty"),
        ("--output a --job night".to_owned(), "require --shared"),
        ("--output a --lease 5s".to_owned(), "require --shared"),
        (
            "--output a --shared redis://me:canary@127.0.0.1:1".to_owned(),
            "--shared: Redis at 127.0.0.1:1: Connection refused",
        ),
        (
            "--output a --shared rediss://:canary@127.0.0.1:1/0".to_owned(),
            "--shared: Redis at 127.0.0.1:1: Connection refused",
        ),
        (
            "--output a --shared http://:canary@127.0.0.1".to_owned(),
            "--shared: the URL of Redis is not redis://HOST[:PORT] or rediss://HOST[:PORT]; nothing",
        ),
        ("--output a --shared ://canary".to_owned(), "--shared: the URL of Redis is not "),
        ("--output a --shared=canary".to_owned(), "--shared: the URL of Redis is not "),
        (
            format!("--output a --shared {}", url.replace("//", "//:canary@")),
            &format!("--shared: Redis at {}: ", redis.address()),
        ),
    ] {
        let ran = run(&mut place.export_with(&sandbox, &format!("--input ids {arguments}")));
        let ran = ran.ends(2, words);
        assert!(!ran.stderr.contains("canary"), "{ran:?}");
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    }
    let mut by_token = machine(&place, &sandbox, &redis, "a", "");
    by_token.env_remove("DIDIT_CLIENT_ID").env_remove("DIDIT_CLIENT_SECRET");
    run(by_token.env("DIDIT_ACCESS_TOKEN", "t")).ends(2, "in place of DIDIT_ACCESS_TOKEN");
    let mut by_variable = place.export_with(&sandbox, "--input ids --output a");
    let by_variable = by_variable.env("DIDIT_SHARED", "redis://:canary@127.0.0.1:1");
    let ran = run(by_variable).ends(2, "DIDIT_SHARED: Redis at 127.0.0.1:1: ");
    assert!(!ran.stderr.contains("canary"), "{ran:?}");
    assert_eq!(sandbox.connections(), 0);
    assert!(!place.has("a") && !place.has("a.state"));
    run(by_variable.env("DIDIT_SHARED", &url)).ends(0, "3 exported");
    run(by_variable.env("DIDIT_SHARED", "")).ends(2, "was started with --shared");
}

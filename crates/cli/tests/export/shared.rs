//! Machines that divide one list through a real `redis-server`.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use didit_blocking_adapter::core::{Application, SessionId};
use didit_conformance::certificates::Authority;
use didit_conformance::next_random;
use didit_conformance::redis_server::RedisServer;
use didit_redis_adapter::{Claim, RedisStore, WorkList};
use didit_sandbox::{Fault, Quota, Route, Sandbox};

use crate::support::{
    Place, requested_ids, run, signal, start, wait, wait_for_requests, with_client,
};

/// Returns the export command of a machine that writes to `output`.
pub(crate) fn machine(
    place: &Place,
    sandbox: &Sandbox,
    redis: &RedisServer,
    output: &str,
    more: &str,
) -> Command {
    let url = redis.url();
    let arguments = format!("--input ids --output {output} --shared {url} {more}");
    with_client(place.export_with(sandbox, &arguments), sandbox)
}

/// Counts each id in the files of the machines, ignoring torn ends.
fn settled(place: &Place, outputs: &[&str]) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for output in outputs {
        for name in [(*output).to_owned(), format!("{output}.failures")] {
            let text = fs::read_to_string(place.path(&name)).unwrap_or_default();
            for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let line: serde_json::Value = serde_json::from_str(line).expect("a whole line");
                *times.entry(line["session_id"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    times
}

/// Returns the number of records in the files of a machine.
fn records(place: &Place, output: &str) -> u64 {
    let names = [output.to_owned(), format!("{output}.failures")];
    let files = names.iter().filter_map(|name| fs::read(place.path(name)).ok());
    files.map(|file| file.iter().filter(|byte| **byte == b'\n').count() as u64).sum()
}

/// Asserts that there are `count` ids, each exactly once in the files of one machine.
#[track_caller]
fn assert_divided(place: &Place, outputs: &[&str], count: usize) {
    let settled = settled(place, outputs);
    let duplicates: Vec<_> = settled.iter().filter(|(_, times)| **times != 1).collect();
    assert!(duplicates.is_empty(), "{duplicates:?}");
    assert_eq!(settled.len(), count);
}

/// The variable `SHARED_EXPORT_IDS` sets the number of ids.
#[test]
fn ten_kills_leave_each_id_in_one_file() {
    const KILLS: u64 = 10;
    let ids = std::env::var("SHARED_EXPORT_IDS").ok();
    let ids: usize = ids.map_or(600, |ids| ids.parse().unwrap());
    let latency = Duration::from_millis(if ids > 5000 { 4 } else { 20 });
    let sandbox = Sandbox::builder().latency(latency).start().unwrap();
    let redis = RedisServer::start();
    let place = Place::with_ids(ids);
    for n in (3..ids).step_by(50) {
        sandbox.missing(format!("s-{n:04}"));
    }
    let steady = start(&mut machine(&place, &sandbox, &redis, "a", "--concurrency 2"));
    let mut victim = machine(&place, &sandbox, &redis, "b", "--concurrency 8");
    let mut seed = 42;
    for kill in 0..KILLS {
        let before = records(&place, "b");
        let mut child = start(&mut victim);
        // Usually after some records, so that a slow machine behaves the same; every fifth time
        // after a delay, which also covers the start.
        if kill % 5 == 4 {
            thread::sleep(Duration::from_millis(next_random(&mut seed) % 40));
        } else {
            let until = before + 1 + next_random(&mut seed) % (ids as u64 / 2 / KILLS);
            while records(&place, "b") < until {
                thread::sleep(Duration::from_millis(2));
            }
            thread::sleep(Duration::from_micros(next_random(&mut seed) % 5000));
        }
        assert_eq!(child.try_wait().unwrap(), None, "there is work left to be interrupted");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let ended = [wait(start(&mut victim)), wait(steady)];
    assert!(ended.iter().all(|ran| matches!(ran.code, Some(0 | 4))), "{ended:?}");
    assert!(ended.iter().all(|ran| ran.stderr.contains(" by other machines")), "{ended:?}");
    assert_divided(&place, &["a", "b"], ids);
    let [a, b] = ["a", "b"].map(|output| settled(&place, &[output]).len());
    eprintln!("{ids} ids: {a} and {b}");
    // Both report that nothing is left.
    for output in ["a", "b"] {
        let again = run(&mut machine(&place, &sandbox, &redis, output, ""));
        assert!(again.stderr.contains("0 exported and 0 failed in"), "{again:?}");
    }
    assert_divided(&place, &["a", "b"], ids);
}

#[test]
fn rate_limit_and_token_are_shared() {
    let quota = Quota { limit: 30, window: Duration::from_secs(1) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let redis = RedisServer::start();
    let place = Place::with_ids(80);
    let machines = ["a", "b"]
        .map(|output| start(&mut machine(&place, &sandbox, &redis, output, "--window 1s")));
    for machine in machines {
        wait(machine).ends(0, "");
    }
    assert_divided(&place, &["a", "b"], 80);
    assert_eq!(requested_ids(&sandbox).len(), 80, "none was refused");
    assert_eq!(sandbox.tokens_issued(), 1);
}

#[test]
fn expired_lease_passes_ids_to_other_machines() {
    let sandbox = Sandbox::start().unwrap();
    let redis = RedisServer::start();
    let place = Place::with_ids(40);
    sandbox.script(Route::Decision, (0..10).map(|_| Fault::Pass));
    sandbox.always(Route::Decision, Fault::Hang);
    let mut dead = start(&mut machine(&place, &sandbox, &redis, "b", "--concurrency 8 --lease 1s"));
    wait_for_requests(&sandbox, Route::Decision, 18);
    while settled(&place, &["b"]).len() < 10 {
        thread::sleep(Duration::from_millis(2));
    }
    dead.kill().unwrap();
    dead.wait().unwrap();
    sandbox.clear(Route::Decision);
    let survivor = run(&mut machine(&place, &sandbox, &redis, "a", "--lease 1s"));
    survivor.ends(0, "30 exported and 0 failed");
    assert_divided(&place, &["a", "b"], 40);
}

#[test]
fn ctrl_c_releases_claimed_ids() {
    let sandbox = Sandbox::start().unwrap();
    let redis = RedisServer::start();
    let place = Place::with_ids(20);
    sandbox.always(Route::Decision, Fault::Hang);
    let first = start(&mut machine(&place, &sandbox, &redis, "a", "--lease 1h"));
    wait_for_requests(&sandbox, Route::Decision, 8);
    signal(&first, "-INT");
    wait(first).ends(130, "interrupted; ");
    sandbox.clear(Route::Decision);
    run(&mut machine(&place, &sandbox, &redis, "b", "")).ends(0, "20 exported and 0 failed");
}

#[test]
fn unconfirmed_ids_are_neither_lost_nor_repeated() {
    let sandbox = Sandbox::start().unwrap();
    let redis = RedisServer::start();
    let place = Place::with_ids(20);
    let url = sandbox.url().parse().unwrap();
    let (client_id, secret) = (sandbox.client_id(), sandbox.client_secret());
    let application =
        Application { client_id, secret, base_url: &url, verification_base_url: &url };
    let store = RedisStore::connect(&redis.url()).unwrap();
    let list = WorkList::new(store, &application, "name night", "a machine that died");
    let mut list = list.with_lease(Duration::from_millis(10));
    let [written, unwritten]: [SessionId; 2] = ["s-0003", "s-0007"].map(|id| id.parse().unwrap());
    let both = [written.clone(), unwritten.clone()];
    assert_eq!(list.claim(&both).unwrap(), [Claim::Claimed; 2]);
    assert_eq!(list.commit(&both).unwrap(), [true; 2]);
    let mut command = machine(&place, &sandbox, &redis, "a", "--job night");
    run(&mut command).ends(1, "2 sessions may be in the files of a machine that was killed; ");
    assert_eq!(settled(&place, &["a"]).len(), 18);
    // The killed machine is started again, and finds one of them in its files.
    list.written(&[written]).unwrap();
    list.release(&[unwritten]).unwrap();
    run(&mut command).ends(0, "1 exported and 0 failed in");
    assert_divided(&place, &["a"], 19);
    assert!(!settled(&place, &["a"]).contains_key("s-0003"));
}

#[test]
fn short_redis_outage_loses_no_results() {
    let sandbox = Sandbox::builder().latency(Duration::from_millis(10)).start().unwrap();
    let place = Place::with_ids(300);
    let folder = place.path("redis");
    fs::create_dir(&folder).unwrap();
    let mut redis = RedisServer::persistent(&folder);
    let machines = ["a", "b"]
        .map(|output| start(&mut machine(&place, &sandbox, &redis, output, "--concurrency 4")));
    while settled(&place, &["a", "b"]).len() < 50 {
        thread::sleep(Duration::from_millis(2));
    }
    redis.kill();
    thread::sleep(Duration::from_millis(300));
    redis.restart();
    for machine in machines {
        wait(machine).ends(0, "");
    }
    assert_divided(&place, &["a", "b"], 300);
}

#[test]
fn long_redis_outage_stops_a_resumable_export() {
    let sandbox = Sandbox::builder().latency(Duration::from_millis(10)).start().unwrap();
    let place = Place::with_ids(300);
    let folder = place.path("redis");
    fs::create_dir(&folder).unwrap();
    let mut redis = RedisServer::persistent(&folder);
    let mut command = machine(&place, &sandbox, &redis, "a", "--concurrency 4 --timeout 2s");
    let child = start(&mut command);
    while settled(&place, &["a"]).len() < 20 {
        thread::sleep(Duration::from_millis(2));
    }
    redis.kill();
    let ran = wait(child).ends(6, "(no response for 2s); run the same command again");
    assert!(ran.stderr.contains(&redis.address()), "{ran:?}");
    redis.restart();
    run(&mut command).ends(0, " before");
    assert_divided(&place, &["a"], 300);
}

#[test]
fn lost_list_stops_the_export_and_is_rebuilt() {
    let sandbox = Sandbox::builder().latency(Duration::from_millis(10)).start().unwrap();
    let place = Place::with_ids(300);
    let mut redis = RedisServer::start();
    let mut commands =
        ["a", "b"].map(|output| machine(&place, &sandbox, &redis, output, "--concurrency 4"));
    let children = commands.each_mut().map(start);
    while settled(&place, &["a", "b"]).len() < 50 {
        thread::sleep(Duration::from_millis(2));
    }
    redis.kill();
    redis.restart();
    for child in children {
        wait(child).ends(1, "has lost the list of the job; run the same command again on every");
    }
    // Each confirms the ids in its files before it claims more.
    run(&mut commands[0]).ends(0, "");
    let ran = run(&mut commands[1]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let settled = settled(&place, &["a", "b"]);
    assert_eq!(settled.len(), 300);
    let duplicates = settled.values().filter(|times| **times > 1).count();
    // The first one to start again could not know which ids the other had.
    if duplicates > 0 {
        let note = "in b were also exported by another machine, because Redis lost the list\n";
        assert!(ran.stderr.contains(&format!("didit: {duplicates} session")), "{ran:?}");
        assert!(ran.stderr.contains(note), "{ran:?}");
    }
}

#[test]
fn formats_retries_and_verification_can_be_divided() {
    let sandbox = Sandbox::start().unwrap();
    let redis = RedisServer::start();
    let place = Place::with_ids(10);
    // One session always fails, and the first one fails once.
    sandbox.missing("s-0002");
    sandbox.script(Route::Decision, [Fault::answer(404)]);
    let mut csv = machine(&place, &sandbox, &redis, "a.csv", "--concurrency 1");
    run(&mut csv).ends(4, "8 exported and 2 failed");
    assert_eq!(place.read("a.csv").lines().count(), 9);
    run(&mut machine(&place, &sandbox, &redis, "b", "")).ends(0, "10 by other machines");
    // A machine retries its own failures, and only into its own output.
    let url = redis.url();
    let retry = |output: &str| {
        let arguments = format!("--retry-failures a.csv.failures --output {output} --shared {url}");
        with_client(place.export_with(&sandbox, &arguments), &sandbox)
    };
    run(&mut retry("c")).ends(2, "sessions are retried into the output that they failed for");
    run(&mut retry("a.csv")).ends(4, "1 exported and 1 failed");
    assert_eq!(place.read("a.csv").lines().count(), 10);
    assert_eq!(place.read("a.csv.failures").lines().count(), 1);
    run(&mut csv).ends(4, "0 exported and 0 failed in");

    let created = ["x", "y"].map(|data| sandbox_verification(&sandbox, data));
    place.write("ids", &(created.join("\n") + "\n"));
    for (output, words) in [("v", "2 exported"), ("w", "2 by other machines")] {
        let arguments = "--verification --job reviews";
        let mut command = machine(&place, &sandbox, &redis, output, arguments);
        command.env_remove("DIDIT_CLIENT_ID").env_remove("DIDIT_CLIENT_SECRET");
        run(command.env("DIDIT_API_KEY", sandbox.api_key())).ends(0, words);
    }
    assert_divided(&place, &["v", "w"], 2);
}

/// Creates a session of the verification API, and returns its id.
fn sandbox_verification(sandbox: &Sandbox, vendor_data: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_didit"));
    command.args(["verification", "create", "--json", "--vendor-data", vendor_data]);
    command.args(["--workflow", "9f9b1234-aaaa-bbbb-cccc-1234567890ab"]).env_clear();
    command.env("DIDIT_BASE_URL", sandbox.url()).env("DIDIT_API_KEY", sandbox.api_key());
    let created = command.output().unwrap();
    let created: serde_json::Value = serde_json::from_slice(&created.stdout).unwrap();
    created["session_id"].as_str().unwrap().to_owned()
}

#[test]
fn untrusted_certificate_leaves_sessions_to_other_machines() {
    let authority = Authority::new();
    let sandbox = Sandbox::builder().tls(authority.server("127.0.0.1")).start().unwrap();
    let redis = RedisServer::start();
    let place = Place::with_ids(10);
    place.write("ca.pem", &authority.pem());
    let mut distrusting = machine(&place, &sandbox, &redis, "a", "");
    run(&mut distrusting).ends(6, "run the same command again");
    assert_eq!(settled(&place, &["a"]).len(), 0);
    run(&mut machine(&place, &sandbox, &redis, "b", "--ca-file ca.pem")).ends(0, "10 exported");
    run(&mut distrusting).ends(0, "10 by other machines");
}

#[test]
fn redis_tls_uses_the_custom_certificate() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(5);
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    place.write("cert.pem", &certified.cert.pem());
    place.write("key.pem", &certified.signing_key.serialize_pem());
    let redis = RedisServer::with_tls(place.path("ids").parent().unwrap());
    let distrusted = run(&mut machine(&place, &sandbox, &redis, "a", ""));
    let words =
        "no trusted authority issued the certificate; if the server is right, trust its issuer";
    distrusted.ends(2, &format!("--shared: Redis at {}: {words}", redis.address()));
    assert_eq!(sandbox.connections(), 0);
    run(&mut machine(&place, &sandbox, &redis, "a", "--ca-file cert.pem")).ends(0, "5 exported");
}

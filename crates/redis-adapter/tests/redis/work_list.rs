use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use didit_conformance::redis_server::RedisServer;
use didit_core::SessionId;
use didit_redis_adapter::{Claim, RedisStore, WorkList, WorkListError};

use super::{canary, command};

const LEASE: Duration = Duration::from_millis(300);

fn list(url: &str, owner: &str) -> WorkList {
    let store = RedisStore::connect(url).unwrap();
    WorkList::new(store, &canary(), "job", owner).with_lease(LEASE)
}

fn ids(count: usize) -> Vec<SessionId> {
    (0..count).map(|n| format!("session-canary-{n}").parse().unwrap()).collect()
}

#[test]
fn session_has_one_owner_until_its_lease_ends() {
    use Claim::{Claimed, ClaimedElsewhere, Done, DoneElsewhere};
    let server = RedisServer::start();
    let (mut first, mut second) = (list(&server.url(), "a"), list(&server.url(), "b"));
    let ids = ids(4);
    assert_eq!(first.claim(&ids[..3]).unwrap(), [Claimed; 3]);
    assert_eq!(
        second.claim(&ids).unwrap(),
        [ClaimedElsewhere, ClaimedElsewhere, ClaimedElsewhere, Claimed]
    );
    assert_eq!(first.commit(&ids[..1]).unwrap(), [true]);
    first.release(&ids[1..2]).unwrap();
    assert_eq!(second.claim(&ids[..2]).unwrap(), [ClaimedElsewhere, Claimed]);
    assert_eq!(first.written(&ids[..1]).unwrap(), [true]);
    assert_eq!(second.claim(&ids[..1]).unwrap(), [DoneElsewhere]);
    std::thread::sleep(LEASE + Duration::from_millis(50));
    assert_eq!(second.claim(&ids[2..3]).unwrap(), [Claimed], "its lease has ended");
    assert_eq!(first.commit(&ids).unwrap(), [true, false, false, false]);
    // Its lease has ended, but nobody else has claimed it.
    assert_eq!(second.commit(&ids[3..]).unwrap(), [true]);
    assert_eq!(
        list(&server.url(), "a").claim(&ids[..1]).unwrap(),
        [Done],
        "the owner was restarted"
    );
    assert!(!command(&server, &["KEYS", "*"]).contains("canary"));
}

#[test]
fn unconfirmed_commit_waits_for_its_owner() {
    use Claim::{Claimed, ClaimedElsewhere, Done, DoneElsewhere, Unconfirmed};
    let server = RedisServer::start();
    let (mut first, mut second) = (list(&server.url(), "a"), list(&server.url(), "b"));
    let ids = ids(3);
    first.claim(&ids).unwrap();
    assert_eq!(first.commit(&ids).unwrap(), [true; 3]);
    assert_eq!(second.claim(&ids).unwrap(), [ClaimedElsewhere; 3]);
    std::thread::sleep(LEASE + Duration::from_millis(50));
    assert_eq!(second.claim(&ids).unwrap(), [Unconfirmed; 3]);
    assert_eq!(second.commit(&ids).unwrap(), [false; 3]);
    // The restarted owner confirms the first, renews the second, and releases the third.
    let mut again = list(&server.url(), "a");
    assert_eq!(again.written(&ids[..1]).unwrap(), [true]);
    assert_eq!(again.claim(&ids[1..2]).unwrap(), [Done]);
    again.release(&ids).unwrap();
    assert_eq!(second.claim(&ids).unwrap(), [DoneElsewhere, Claimed, Claimed]);
    assert_eq!(again.claim(&ids[..1]).unwrap(), [Done], "a written session cannot be released");
}

#[test]
fn lost_list_is_rebuilt_from_the_outputs() {
    use Claim::{Claimed, DoneElsewhere};
    let server = RedisServer::start();
    let (mut first, mut second) = (list(&server.url(), "a"), list(&server.url(), "b"));
    let ids = ids(2);
    first.claim(&ids).unwrap();
    first.commit(&ids).unwrap();
    first.written(&ids).unwrap();
    command(&server, &["FLUSHALL"]);
    // A list that knew the old state fails.
    for _ in 0..2 {
        let error = first.claim(&ids).unwrap_err();
        assert!(matches!(error, WorkListError::Forgotten(_)), "{error:?}");
        assert!(error.to_string().contains(&format!("127.0.0.1:{}", server.port())), "{error}");
    }
    // A list without earlier requests cannot detect the loss. Its uncommitted claims are void once the
    // first owner confirms its sessions.
    assert_eq!(second.claim(&ids).unwrap(), [Claimed; 2]);
    assert!(matches!(first.commit(&ids), Err(WorkListError::Forgotten(_))));
    assert_eq!(second.commit(&ids[1..]).unwrap(), [true]);
    let mut again = list(&server.url(), "a");
    assert_eq!(again.written(&ids).unwrap(), [true, false], "the second is in both outputs");
    assert_eq!(second.commit(&ids[..1]).unwrap(), [false]);
    assert_eq!(second.claim(&ids[..1]).unwrap(), [DoneElsewhere]);
}

#[test]
fn claim_succeeds_after_a_server_restart() {
    let mut server = RedisServer::start();
    let mut list = list(&server.url(), "a");
    server.kill();
    let error = list.claim(&ids(1)).unwrap_err();
    assert!(matches!(error, WorkListError::Store(_)), "{error:?}");
    server.restart();
    assert_eq!(list.claim(&ids(1)).unwrap(), [Claim::Claimed]);
}

const ITEMS: usize = 3000;
const BATCH: usize = 16;

/// The child process of `killed_exporters_write_each_session_exactly_once`.
#[test]
fn exporter() {
    let Ok(url) = std::env::var("EXPORTER_URL") else { return };
    let path = std::env::var("EXPORTER_OUTPUT").unwrap();
    let mut list = list(&url, &path);
    let text = fs::read_to_string(&path).unwrap_or_default();
    // A line that was cut off by a kill counts as not written.
    let complete = text.rfind('\n').map_or(0, |at| at + 1);
    let written: BTreeSet<_> = text[..complete].lines().map(str::to_owned).collect();
    let mut output = OpenOptions::new().create(true).append(true).open(&path).unwrap();
    output.set_len(complete as u64).unwrap();
    let confirmed: Vec<SessionId> = written.iter().map(|id| id.parse().unwrap()).collect();
    assert!(list.written(&confirmed).unwrap().into_iter().all(|alone| alone));
    let mut pending: Vec<_> =
        ids(ITEMS).into_iter().filter(|id| !written.contains(id.as_str())).collect();
    while !pending.is_empty() {
        let mut later = Vec::new();
        for batch in pending.chunks(BATCH) {
            let claims = list.claim(batch).unwrap();
            let mut mine = Vec::new();
            for (id, claim) in batch.iter().zip(claims) {
                match claim {
                    Claim::Claimed | Claim::Done => mine.push(id.clone()),
                    Claim::ClaimedElsewhere | Claim::Unconfirmed => later.push(id.clone()),
                    Claim::DoneElsewhere => {}
                }
            }
            // Stands in for the work.
            std::thread::sleep(Duration::from_millis(2));
            let allowed = list.commit(&mine).unwrap();
            let (ours, theirs): (Vec<_>, Vec<_>) =
                mine.into_iter().zip(allowed).partition(|(_, may_write)| *may_write);
            later.extend(theirs.into_iter().map(|(id, _)| id));
            let ours: Vec<_> = ours.into_iter().map(|(id, _)| id).collect();
            for id in &ours {
                writeln!(output, "{id}").unwrap();
            }
            list.written(&ours).unwrap();
        }
        pending = later;
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn start_exporter(url: &str, output: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "work_list::exporter"]).stdout(Stdio::null());
    command.env("EXPORTER_URL", url).env("EXPORTER_OUTPUT", output).spawn().unwrap()
}

#[test]
fn killed_exporters_write_each_session_exactly_once() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let outputs = [folder.path().join("one"), folder.path().join("two")];
    let kill = |mut victim: Child| {
        victim.kill().unwrap();
        victim.wait().unwrap();
    };
    // The first victim is killed after its first output, the others at arbitrary times.
    let victim = start_exporter(&server.url(), &outputs[1]);
    while fs::metadata(&outputs[1]).map_or(0, |it| it.len()) == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(victim);
    let mut steady = start_exporter(&server.url(), &outputs[0]);
    for n in 1..10 {
        let victim = start_exporter(&server.url(), &outputs[1]);
        std::thread::sleep(Duration::from_millis(15 + 7 * n));
        kill(victim);
    }
    let mut last = start_exporter(&server.url(), &outputs[1]);
    assert!(steady.wait().unwrap().success() && last.wait().unwrap().success());
    let written: Vec<_> = outputs.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut lines: Vec<_> = written.iter().flat_map(|text| text.lines()).collect();
    lines.sort_unstable();
    let mut expected: Vec<_> = ids(ITEMS).iter().map(|id| id.as_str().to_owned()).collect();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

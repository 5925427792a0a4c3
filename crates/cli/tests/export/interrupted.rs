use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use didit_conformance::next_random;
use didit_sandbox::{Fault, Quota, Route, Sandbox};

use crate::support::{
    Place, limited, requested_id, requested_ids, run, signal, start, wait, wait_for_requests,
};

/// Returns the ids in whole lines, ignoring torn ends.
fn settled(place: &Place) -> BTreeSet<String> {
    let texts = ["out", "out.failures"].map(|name| std::fs::read_to_string(place.path(name)));
    let texts: String = texts.into_iter().map(Result::unwrap_or_default).collect();
    let whole = texts.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    let id = |line: &str| line.split('"').nth(3).unwrap().to_owned();
    whole.map(id).collect()
}

/// Opens a connection, and returns its number. The connections of a process that has ended have
/// lower numbers, even if the sandbox has not read all of their requests yet.
fn knock(sandbox: &Sandbox) -> u64 {
    ureq::get(sandbox.url()).call().unwrap();
    sandbox.connections()
}

#[test]
fn fifty_kills_neither_lose_nor_repeat_ids() {
    const IDS: usize = 2000;
    const KILLS: usize = 50;
    const CONCURRENCY: usize = 8;
    let sandbox = Sandbox::builder().latency(Duration::from_millis(8)).start().unwrap();
    let faults =
        [Fault::answer(503), Fault::Reset, Fault::Truncate, Fault::answer(404), Fault::Close];
    sandbox.random_faults(7, 20, faults.to_vec());
    let place = Place::with_ids(IDS);
    let mut export = place.export(&sandbox, &format!("--concurrency {CONCURRENCY}"));
    let mut seed = 42;
    // The ids settled before each connection number, which must not be requested after it.
    let mut done: Vec<(u64, BTreeSet<String>)> = Vec::new();
    for kill in 0..KILLS {
        let before = sandbox.requests_to(Route::Decision).len();
        let mut child = start(&mut export);
        // Usually after some requests, so that a slow machine behaves the same; every fifth time
        // after a delay, which also covers the start.
        if kill % 5 == 0 {
            thread::sleep(Duration::from_millis(next_random(&mut seed) % 40));
        } else {
            wait_for_requests(
                &sandbox,
                Route::Decision,
                before + usize::try_from(next_random(&mut seed) % 60).unwrap(),
            );
            thread::sleep(Duration::from_micros(next_random(&mut seed) % 5000));
        }
        assert_eq!(child.try_wait().unwrap(), None, "there is work left to be interrupted");
        child.kill().unwrap();
        child.wait().unwrap();
        done.push((knock(&sandbox), settled(&place)));
    }
    let before = settled(&place).len();
    assert!(before > IDS / 4, "{before} settled while it was killed again and again");
    run(&mut export).ends(4, " before");
    place.is_complete(IDS);

    let requests = sandbox.requests_to(Route::Decision);
    for (connection, settled) in &done {
        let later = requests.iter().filter(|request| request.connection > *connection);
        let again = later.map(requested_id).find(|id| settled.contains(id));
        assert_eq!(again, None, "was settled before connection {connection}");
    }
    let answered = requests.iter().filter(|request| request.status == Some(200)).count();
    let truncated = IDS / 10;
    assert!(answered <= IDS + truncated + KILLS * CONCURRENCY, "{answered} answers");
}

#[test]
fn torn_end_is_cut_off() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.missing("s-0003");
    let place = Place::with_ids(10);
    let mut export = place.export(&sandbox, "");
    run(&mut export).ends(4, "");
    for (name, torn) in [
        ("out", &b"{\"session_id\":\"s-00"[..]),
        ("out", b"\0\0\0\0"),
        ("out", b"{\"session_id\":\"s-9\",\"status\":\"x\"}"),
        ("out.failures", b"{\"session_id\":\"s-9\",\"error\":\""),
        (
            "out",
            b"{\"session_id\":\"s-00\0\0\0\0\0\"}\n{\"session_id\":\"s-9\",\"status\":\"x\"}\n",
        ),
        ("out.state", b"\0\0\0{\"session_id\":\"s-9\",\"exit\":4}\n"),
    ] {
        let before = place.read(name);
        let mut file = OpenOptions::new().append(true).open(place.path(name)).unwrap();
        file.write_all(torn).unwrap();
        run(&mut export).ends(4, "0 exported and 0 failed in");
        assert_eq!(place.read(name), before);
    }
    assert_eq!(requested_ids(&sandbox).len(), 10);
}

#[test]
fn corrupt_files_are_refused_and_unchanged() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.missing("s-0003");
    let place = Place::with_ids(10);
    let mut export = place.export(&sandbox, "");
    run(&mut export).ends(4, "");
    let good = ["out", "out.failures"].map(|name| place.read(name));
    let [output, failures] = &good;
    let first = output.split_inclusive('\n').next().unwrap();
    let failed = failures.replace("s-0003", "s-0001");
    let torn = output.trim_end();
    for (bad, why) in [
        ([&output[1..], failures], "record 1 of "),
        ([torn, &format!("{{\n{failures}")], "record 1 of "),
        ([&format!("{output}{first}"), failures], "out repeats the session s-00"),
        ([torn, &format!("{failures}{failures}")], "out.failures repeats the session s-0003"),
        ([output, &failed], "out.failures repeats the session s-0001"),
        ([&format!("{output}{{\"note\":\"mine\"}}\n"), failures], "record 10 of "),
        ([&format!("{output}my note"), failures], "record 10 of "),
        ([&format!("{output}{{\"note\":\"mine\"}}"), failures], "record 10 of "),
        ([output, &format!("{failures}{{}}\n")], "record 2 of "),
        ([&format!("SQLite format 3\0{output}"), failures], "record 1 of "),
    ] {
        place.write("out", bad[0]);
        place.write("out.failures", bad[1]);
        run(&mut export).ends(1, why);
        assert_eq!([place.read("out"), place.read("out.failures")], bad);
    }
    assert_eq!(requested_ids(&sandbox).len(), 10);
}

#[test]
fn full_disk_loses_no_results() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(300);
    // In units of 512 or 1024 bytes, depending on the shell: room for a part of the output.
    let mut limited = limited(&place.export(&sandbox, ""), "-f 120");
    let failed = run(&mut limited).ends(1, "could not write to out: File too large");
    assert!(failed.stderr.contains("could not write to "), "{failed:?}");
    let before = place.settled().len();
    assert!((1..300).contains(&before), "{before}");
    run(&mut limited).ends(1, "run the same command again (without --restart) to resume");
    run(&mut place.export(&sandbox, "")).ends(0, "0 failed before");
    place.is_complete(300);
}

const INTERRUPTED: &str = "interrupted; run the same command again (without --restart) to resume";

#[test]
fn signal_leaves_whole_files_and_the_export_resumes() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(100);
    let mut export = place.export(&sandbox, "--concurrency 4");
    sandbox.script(Route::Decision, (0..6).map(|_| Fault::Pass));
    sandbox.always(Route::Decision, Fault::Hang);
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let before = requested_ids(&sandbox).len();
        let child = start(&mut export);
        wait_for_requests(&sandbox, Route::Decision, before + 4);
        let started = Instant::now();
        signal(&child, name);
        wait(child).ends(code, INTERRUPTED);
        // A hanging attempt would take 10 s.
        assert!(started.elapsed() < Duration::from_secs(9), "{:?}", started.elapsed());
    }
    assert!(place.settled().len() <= 6);
    sandbox.clear(Route::Decision);
    run(&mut export).ends(0, "0 failed");
    place.is_complete(100);
}

#[test]
fn ctrl_c_keeps_received_results() {
    let sandbox = Sandbox::builder().latency(Duration::from_millis(50)).start().unwrap();
    let place = Place::with_ids(400);
    let mut export = place.export(&sandbox, "--concurrency 4");
    let child = start(&mut export);
    wait_for_requests(&sandbox, Route::Decision, 40);
    signal(&child, "-INT");
    wait(child).ends(130, INTERRUPTED);
    let kept = place.settled().len();
    // All but the requests in flight.
    assert!(kept + 8 >= 40, "{kept} of {}", requested_ids(&sandbox).len());
    run(&mut export).ends(0, "0 failed before");
    place.is_complete(400);
}

#[test]
fn ctrl_c_does_not_wait_for_the_rate_limit() {
    let quota = Quota { limit: 5, window: Duration::from_secs(60) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let place = Place::with_ids(100);
    let child = start(&mut place.export(&sandbox, ""));
    wait_for_requests(&sandbox, Route::Decision, 5);
    while place.settled().len() < 5 {
        thread::sleep(Duration::from_millis(5));
    }
    let started = Instant::now();
    signal(&child, "-INT");
    wait(child).ends(130, "5 exported and 0 failed");
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    place.is_complete(5);
}

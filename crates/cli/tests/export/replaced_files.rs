//! Files that are removed or replaced while an export writes to them.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::time::Duration;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{Place, Ran, run, signal, start, wait, wait_for_requests};

const NOTE: &str = "somebody else's note\n";

fn slow_sandbox() -> Sandbox {
    Sandbox::builder().latency(Duration::from_millis(50)).start().unwrap()
}

/// Puts somebody else's file at a name while an export runs.
fn replace_during(
    sandbox: &Sandbox,
    place: &Place,
    name: &str,
    arguments: &str,
    ctrl_c: bool,
) -> Ran {
    let before = sandbox.requests_to(Route::Decision).len();
    let child = start(&mut place.export_with(sandbox, arguments));
    wait_for_requests(sandbox, Route::Decision, before + 4);
    fs::remove_file(place.path(name)).unwrap();
    place.write(name, NOTE);
    if ctrl_c {
        signal(&child, "-INT");
    }
    wait(child)
}

#[test]
fn file_that_replaced_another_is_neither_removed_nor_taken_for_it() {
    let sandbox = slow_sandbox();
    let arguments = "--input ids --output out --concurrency 2";
    for name in ["out", "out.failures", "out.state"] {
        for ctrl_c in [false, true] {
            let place = Place::with_ids(20);
            let moved = format!("{name} was moved or replaced during the export; put it back");
            replace_during(&sandbox, &place, name, arguments, ctrl_c).ends(1, &moved);
            assert_eq!(place.read(name), NOTE, "{name} {ctrl_c}");
        }
    }
}

#[test]
fn removed_output_is_not_a_success() {
    let (sandbox, place) = (slow_sandbox(), Place::with_ids(20));
    let child = start(&mut place.export(&sandbox, "--concurrency 2"));
    wait_for_requests(&sandbox, Route::Decision, 4);
    fs::remove_file(place.path("out")).unwrap();
    wait(child).ends(1, "out was moved or replaced");
    run(&mut place.export(&sandbox, "")).ends(0, "20 exported");
    place.is_complete(20);
}

#[test]
fn output_that_another_program_changes_is_not_a_success() {
    for (text, append) in [("", false), ("note\n", true)] {
        let (sandbox, place) = (slow_sandbox(), Place::with_ids(20));
        let child = start(&mut place.export(&sandbox, "--concurrency 2"));
        wait_for_requests(&sandbox, Route::Decision, 4);
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).append(append).truncate(!append).open(place.path("out")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        wait(child).ends(1, "out was changed by another program during the export");
        if !append {
            run(&mut place.export(&sandbox, "")).ends(0, " exported and 0 failed before");
            place.is_complete(20);
        }
    }
}

#[test]
fn file_that_replaced_the_list_of_a_retry_is_not_removed() {
    let (sandbox, place) = (slow_sandbox(), Place::with_ids(20));
    sandbox.always(Route::Decision, Fault::answer(404));
    run(&mut place.export(&sandbox, "")).ends(4, "20 failed");
    sandbox.clear(Route::Decision);
    let retry = "--retry-failures out.failures --output out --concurrency 2";
    replace_during(&sandbox, &place, "out.retry", retry, false).ends(0, "20 exported");
    assert_eq!(place.read("out.retry"), NOTE);
    place.is_complete(20);
}

#[test]
fn restart_overwrites_only_the_output_of_an_export() {
    for format in ["jsonl", "csv"] {
        let (sandbox, place) = (Sandbox::start().unwrap(), Place::with_ids(3));
        let again = format!("--format {format} --restart");
        run(&mut place.export(&sandbox, &format!("--format {format}"))).ends(0, "3 exported");
        let output = place.read("out");
        for foreign in [NOTE, "{\"note\":\"mine\"}\n", "{\n  \"note\": 1\n}\n", "a,b\n1,2\n"] {
            place.write("out", foreign);
            run(&mut place.export(&sandbox, &again)).ends(2, "out is not the output of an export");
            assert_eq!(place.read("out"), foreign);
            let resumed = run(&mut place.export(&sandbox, &format!("--format {format}")));
            let resumed = resumed.ends(1, "repair the file, or move it away");
            assert!(!resumed.stderr.contains("--restart"), "{resumed:?}");
        }
        assert_eq!(sandbox.requests_to(Route::Decision).len(), 3);
        for own in [output.clone(), format!("{output}{NOTE}"), "\0\0\0".into(), String::new()] {
            place.write("out", &own);
            run(&mut place.export(&sandbox, &again)).ends(0, "3 exported");
            assert_eq!(place.read("out").lines().count(), output.lines().count());
        }
    }
}

/// Only root can make somebody else's files.
#[test]
fn writable_file_of_another_user_is_refused_before_sending() {
    const NOBODY: u32 = 65534;
    let sandbox = Sandbox::start().unwrap();
    for name in ["out", "out.failures"] {
        let place = Place::with_ids(3);
        let folder = place.path("");
        if fs::metadata(&folder).unwrap().uid() != 0 {
            return;
        }
        let mode =
            |path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        mode(folder, 0o1777);
        mode(place.path("ids"), 0o644);
        place.write(name, "");
        mode(place.path(name), 0o666);
        let mut export = place.export(&sandbox, "");
        run(export.uid(NOBODY).gid(NOBODY)).ends(2, "choose another file");
        assert!(place.has(name) && !place.has("out.state"));
    }
    assert_eq!(sandbox.connections(), 0);
}

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{Place, limited, requested_ids, run, start, wait_for_requests};

#[test]
fn foreign_state_file_is_never_modified() {
    let sandbox = Sandbox::start().unwrap();
    for arguments in ["", "--restart"] {
        for content in ["IMPORTANT NOTES\n", "", "{}\n", "{\"input\":\"x\"}"] {
            let place = Place::with_ids(3);
            place.write("out.state", content);
            run(&mut place.export(&sandbox, arguments)).ends(2, "out.state is needed for");
            assert_eq!(place.read("out.state"), content);
            assert!(!place.has("out") && !place.has("out.failures"), "{arguments} {content}");
        }
    }
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn refused_resume_leaves_files_unchanged() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    run(&mut place.export(&sandbox, "")).ends(0, "");
    let good = place.read("out");
    place.write("out", "{}\n");
    run(&mut place.export(&sandbox, "")).ends(1, "record 1 of out is damaged");
    assert!(!place.has("out.failures"));
    place.write("out.failures", "");
    run(&mut place.export(&sandbox, "")).ends(1, "record 1 of out is damaged");
    assert!(place.has("out.failures"));

    fs::remove_file(place.path("out")).unwrap();
    place.write("out.failures", "{}\n");
    run(&mut place.export(&sandbox, "")).ends(1, "record 1 of out.failures is damaged");
    assert!(!place.has("out"));
    place.write("out", &good);
    fs::remove_file(place.path("out.failures")).unwrap();
    run(&mut place.export(&sandbox, "")).ends(0, "3 exported and 0 failed before");
}

#[test]
fn links_and_fifos_are_refused_without_blocking() {
    let sandbox = Sandbox::start().unwrap();
    for name in ["out.state", "out.failures"] {
        for target in ["precious", "missing"] {
            let place = Place::with_ids(3);
            place.write("precious", "");
            symlink(target, place.path(name)).unwrap();
            run(&mut place.export(&sandbox, "")).ends(2, name);
            assert_eq!((place.read("precious"), place.has("missing")), (String::new(), false));
        }
    }
    for name in ["out", "out.state", "out.failures"] {
        let place = Place::with_ids(3);
        assert!(Command::new("mkfifo").arg(place.path(name)).status().unwrap().success());
        run(&mut place.export(&sandbox, "")).ends(2, "it is a fifo");
    }
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn linked_output_is_resumed() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    fs::create_dir(place.path("far")).unwrap();
    symlink("far/target", place.path("out")).unwrap();
    run(&mut place.export(&sandbox, "")).ends(0, "3 exported and 0 failed");
    run(&mut place.export(&sandbox, "")).ends(0, "3 exported and 0 failed before");
    assert_eq!((place.read("far/target").lines().count(), requested_ids(&sandbox).len()), (3, 3));
    assert!(place.has("far/target.state"));
}

#[test]
fn unwritable_failures_file_is_refused_before_sending() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::answer(404));
    for failures in ["/proc/nope", "nowhere/failures", "."] {
        let place = Place::with_ids(3);
        let export = format!("--failures {failures}");
        run(&mut place.export(&sandbox, &export)).ends(2, "could not open ");
        assert!(!place.has("out") && !place.has("out.state"));
    }
    let place = Place::with_ids(3);
    place.write("notes", "mine\n");
    run(&mut place.export(&sandbox, "--failures notes --restart"))
        .ends(2, "notes is not a failures file");
    assert_eq!(place.read("notes"), "mine\n");
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn endless_line_is_refused_without_reading_all_of_it() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::with_ids(3));
    let mut image = fs::File::create(place.path("image")).unwrap();
    image.write_all(b"{\"session_id\":\"").unwrap();
    image.write_all(&vec![b'a'; 48 << 20]).unwrap();
    image.set_len(1 << 36).unwrap();
    let export = place.export(&sandbox, "--failures image --restart");
    run(&mut limited(&export, "-v 2000000")).ends(2, "image is not a failures file");
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn failures_file_in_use_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Hang);
    let place = Place::with_ids(3);
    let mut first = start(&mut place.export(&sandbox, "--failures f"));
    wait_for_requests(&sandbox, Route::Decision, 3);
    let other = "--input ids --output other --failures f";
    run(&mut place.export_with(&sandbox, other)).ends(2, "another export is writing to f");
    assert!(!place.has("other"));
    assert_eq!(requested_ids(&sandbox).len(), 3);
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn existing_empty_failures_file_is_kept() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    place.write("f", "");
    run(&mut place.export(&sandbox, "--failures f")).ends(0, "");
    run(&mut place.export(&sandbox, "--failures f")).ends(0, "");
    assert!(place.has("f"));
}

/// Otherwise, a kill in between would leave an empty failures file that no later run removes.
#[test]
fn new_failures_file_is_created_after_the_state() {
    let sandbox = Sandbox::start().unwrap();
    for arguments in ["", "--failures f"] {
        for _ in 0..20 {
            let place = Place::new("a\n");
            sandbox.script(Route::Decision, [Fault::answer(404)]);
            let mut child = start(&mut place.export(&sandbox, arguments));
            while child.try_wait().unwrap().is_none() {
                let failures = place.has("f") || place.has("out.failures");
                assert!(!failures || place.has("out.state"));
            }
        }
    }
}

#[test]
fn only_the_failures_file_of_the_killed_export_is_removed() {
    let sandbox = Sandbox::start().unwrap();
    for (arguments, name) in [("", "out.failures"), ("--failures f", "f")] {
        for other in [false, true] {
            let place = Place::with_ids(3);
            place.write("g", "");
            sandbox.always(Route::Decision, Fault::Hang);
            let before = requested_ids(&sandbox).len();
            let mut child = start(&mut place.export(&sandbox, arguments));
            wait_for_requests(&sandbox, Route::Decision, before + 3);
            child.kill().unwrap();
            child.wait().unwrap();
            assert_eq!(place.read(name), "");
            sandbox.clear(Route::Decision);
            let arguments = if other { "--failures g" } else { arguments };
            run(&mut place.export(&sandbox, arguments)).ends(0, "3 exported");
            assert_eq!((place.has(name), place.has("g")), (other, true));
        }
    }
}

#[test]
fn new_state_file_has_mode_0600() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    run(&mut place.export(&sandbox, "")).ends(0, "");
    // The state file of an earlier export is readable by all; the next export replaces it.
    fs::set_permissions(place.path("out.state"), fs::Permissions::from_mode(0o666)).unwrap();
    fs::remove_file(place.path("out")).unwrap();
    run(&mut place.export(&sandbox, "")).ends(0, "3 exported");
    let mode = fs::metadata(place.path("out.state")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn foreign_csv_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    run(&mut place.export(&sandbox, "--format csv")).ends(0, "3 exported");
    let output = place.read("out");
    let foreign = output.replacen("session_id", "session", 1);
    place.write("out", &foreign);
    run(&mut place.export(&sandbox, "--format csv")).ends(1, "record 1 of out is damaged");
    assert_eq!(place.read("out"), foreign);
    place.write("out", &format!("{output}a,note,of,mine\n"));
    run(&mut place.export(&sandbox, "--format csv")).ends(1, "record 5 of out is damaged");
    assert_eq!(requested_ids(&sandbox).len(), 3);
}

#[test]
fn descriptor_shortage_stops_the_export() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Hang);
    let place = Place::with_ids(60);
    let export = place.export(&sandbox, "--concurrency 50");
    let stopped =
        run(&mut limited(&export, "-n 14")).ends(1, "this machine is short of a resource");
    assert!(stopped.stderr.contains("to resume; 0 exported and 0 failed in "), "{stopped:?}");
    assert_eq!(stopped.stderr.matches("exported and").count(), 1, "{stopped:?}");
    assert!(!place.has("out.failures"));
    sandbox.clear(Route::Decision);
    run(&mut place.export(&sandbox, "")).ends(0, "0 failed");
    place.is_complete(60);
}

#[test]
fn descriptor_shortage_at_the_start_is_not_a_usage_error() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    let export = place.export(&sandbox, "");
    let mut short = 0;
    for descriptors in 4..24 {
        let ran = run(&mut limited(&export, &format!("-n {descriptors}")));
        assert_ne!(ran.code, Some(2), "{descriptors}: {ran:?}");
        short += u32::from(ran.stderr.contains("short of a resource: could not open out"));
    }
    assert!(short > 0);
    run(&mut place.export(&sandbox, "")).ends(0, "");
    place.is_complete(3);
}

#[test]
fn file_size_limit_is_a_write_error() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    run(&mut limited(&place.export(&sandbox, ""), "-f 0")).ends(1, "could not write out.state");
    assert!(!place.has("out"));
    let mut help = Command::new(env!("CARGO_BIN_EXE_didit"));
    help.args(["completions", "bash"]).env_clear();
    let mut help = limited(&help, "-f 0");
    let output = help.stdout(fs::File::create(place.path("help")).unwrap()).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("could not write to standard output: File too large"), "{stderr}");
}

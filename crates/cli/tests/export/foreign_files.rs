use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{Place, asked, limited, run, start, until_asked};

#[test]
fn a_state_file_of_somebody_else_is_left_alone() {
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
fn a_refused_resume_leaves_every_file_as_it_was() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    run(&mut place.export(&sandbox, "")).ends(0, "");
    let good = place.read("out");
    place.write("out", "{}\n");
    run(&mut place.export(&sandbox, "")).ends(1, "record 1 of out is broken");
    assert!(!place.has("out.failures"));
    place.write("out.failures", "");
    run(&mut place.export(&sandbox, "")).ends(1, "record 1 of out is broken");
    assert!(place.has("out.failures"));

    fs::remove_file(place.path("out")).unwrap();
    place.write("out.failures", "{}\n");
    run(&mut place.export(&sandbox, "")).ends(1, "record 1 of out.failures is broken");
    assert!(!place.has("out"));
    place.write("out", &good);
    fs::remove_file(place.path("out.failures")).unwrap();
    run(&mut place.export(&sandbox, "")).ends(0, "3 exported and 0 failed before");
}

#[test]
fn links_and_fifos_are_refused_and_nothing_hangs() {
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
fn an_output_named_by_a_link_is_found_again() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    fs::create_dir(place.path("far")).unwrap();
    symlink("far/target", place.path("out")).unwrap();
    run(&mut place.export(&sandbox, "")).ends(0, "3 exported and 0 failed");
    run(&mut place.export(&sandbox, "")).ends(0, "3 exported and 0 failed before");
    assert_eq!((place.read("far/target").lines().count(), asked(&sandbox).len()), (3, 3));
    assert!(place.has("far/target.state"));
}

#[test]
fn failures_that_cannot_be_written_are_known_before_anything_is_sent() {
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
fn two_exports_do_not_share_a_failures_file() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Hang);
    let place = Place::with_ids(3);
    let mut first = start(&mut place.export(&sandbox, "--failures f"));
    until_asked(&sandbox, 3);
    let other = "--input ids --output other --failures f";
    run(&mut place.export_with(&sandbox, other)).ends(2, "another export is writing to f");
    assert!(!place.has("other"));
    assert_eq!(asked(&sandbox).len(), 3);
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn an_empty_failures_file_of_somebody_else_stays() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    place.write("f", "");
    run(&mut place.export(&sandbox, "--failures f")).ends(0, "");
    run(&mut place.export(&sandbox, "--failures f")).ends(0, "");
    assert!(place.has("f"));
}

#[test]
fn a_state_is_a_file_of_its_own() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    run(&mut place.export(&sandbox, "")).ends(0, "");
    // Somebody may read what an earlier export left; the next one makes the file anew.
    fs::set_permissions(place.path("out.state"), fs::Permissions::from_mode(0o666)).unwrap();
    fs::remove_file(place.path("out")).unwrap();
    run(&mut place.export(&sandbox, "")).ends(0, "3 exported");
    let mode = fs::metadata(place.path("out.state")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_csv_of_somebody_else_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(3);
    run(&mut place.export(&sandbox, "--format csv")).ends(0, "3 exported");
    let output = place.read("out");
    let foreign = output.replacen("session_id", "session", 1);
    place.write("out", &foreign);
    run(&mut place.export(&sandbox, "--format csv")).ends(1, "record 1 of out is broken");
    assert_eq!(place.read("out"), foreign);
    place.write("out", &format!("{output}a,note,of,mine\n"));
    run(&mut place.export(&sandbox, "--format csv")).ends(1, "record 5 of out is broken");
    assert_eq!(asked(&sandbox).len(), 3);
}

#[test]
fn too_few_descriptors_fail_no_session() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Hang);
    let place = Place::with_ids(60);
    let export = place.export(&sandbox, "--concurrency 50");
    let stopped = run(&mut limited(&export, "-n 24")).ends(1, "this machine gives the export too");
    assert!(stopped.stderr.contains("to resume"), "{stopped:?}");
    assert!(!place.has("out.failures"));
    sandbox.clear(Route::Decision);
    run(&mut place.export(&sandbox, "")).ends(0, "0 failed");
    place.is_complete(60);
}

#[test]
fn a_limit_of_the_file_size_is_a_line_of_every_command() {
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

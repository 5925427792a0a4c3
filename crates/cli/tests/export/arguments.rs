use std::fs;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{Place, requested_ids, run, start, wait_for_requests};

#[test]
fn resume_with_other_arguments_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(10);
    run(&mut place.export(&sandbox, "")).ends(0, "");
    place.write("others", "x\n");
    let output = place.read("out");
    for (arguments, words) in [
        ("--input others --output out", "was started with --input "),
        ("--input - --output out", "was started with --input "),
        ("--input ids --output out --format csv", "was started with --format jsonl"),
        ("--input ids --output out --failures f", "was started with --failures "),
        (
            "--input ids --output out --base-url https://x.invalid",
            "was started with a server on this machine",
        ),
    ] {
        run(&mut place.export_with(&sandbox, arguments)).ends(2, words);
    }
    assert_eq!(place.read("out"), output);
    assert_eq!(requested_ids(&sandbox).len(), 10);
    let patient = "--concurrency 2 --timeout 1m -v";
    run(&mut place.export(&sandbox, patient)).ends(0, "10 exported and 0 failed before");
}

#[test]
fn foreign_file_is_never_modified() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(10);
    // The last two begin like a video, and like a failures file that an interruption tore.
    for content in ["precious\n", "\n", "{\"a\":1}\n", "session_id,mine\n", "\0\0 ftyp\n", "{"] {
        place.write("out", content);
        for arguments in ["", "--restart", "--format csv --restart"] {
            run(&mut place.export(&sandbox, arguments))
                .ends(2, "out is not empty, and there is no export to resume; ");
            assert_eq!(place.read("out"), content);
            assert!(!place.has("out.state") && !place.has("out.failures"));
        }
        let failures = "--input ids --output other --failures out";
        for arguments in [failures.to_owned(), format!("{failures} --restart")] {
            run(&mut place.export_with(&sandbox, &arguments)).ends(
                2,
                "out is not a failures file; move it away, or choose another --failures\n",
            );
            assert_eq!(place.read("out"), content);
        }
    }
    assert_eq!(requested_ids(&sandbox).len(), 0);
}

#[test]
fn output_without_state_is_never_modified() {
    let sandbox = Sandbox::start().unwrap();
    for format in ["", "--format csv"] {
        let place = Place::with_ids(10);
        run(&mut place.export(&sandbox, format)).ends(0, "10 exported");
        fs::remove_file(place.path("out.state")).unwrap();
        let output = place.read("out");
        // It may as well be the output of `didit decision`.
        for restart in ["", "--restart"] {
            run(&mut place.export(&sandbox, &format!("{format} {restart}")))
                .ends(2, "out is not empty, and there is no export to resume; move it away");
            assert_eq!(place.read("out"), output);
        }
    }
}

#[test]
fn failures_without_an_output_can_be_overwritten() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::with_ids(3));
    sandbox.script(Route::Decision, [Fault::answer(404)]);
    run(&mut place.export(&sandbox, "--failures f")).ends(4, "2 exported and 1 failed");
    let other = "--input ids --output other --failures f";
    run(&mut place.export_with(&sandbox, other))
        .ends(2, "f is not empty, and there is no export to resume");
    run(&mut place.export_with(&sandbox, &format!("{other} --restart"))).ends(0, "3 exported");
    assert!(!place.has("f"));
}

#[test]
fn restart_overwrites_what_a_power_loss_left() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::with_ids(3));
    run(&mut place.export(&sandbox, "")).ends(0, "3 exported");
    for name in ["out", "out.failures"] {
        place.write(name, "\0\0\0");
    }
    run(&mut place.export(&sandbox, "--restart")).ends(0, "3 exported and 0 failed");
    place.is_complete(3);
}

#[test]
fn restart_keeps_a_foreign_file_with_the_name_of_removed_failures() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::with_ids(3));
    run(&mut place.export(&sandbox, "")).ends(0, "3 exported");
    place.write("out.failures", "mine\n");
    run(&mut place.export(&sandbox, "--restart")).ends(2, "out.failures is not a failures file");
    assert_eq!(place.read("out.failures"), "mine\n");
}

#[test]
fn restart_overwrites_damaged_failures() {
    let (sandbox, place) = (Sandbox::start().unwrap(), Place::with_ids(3));
    sandbox.script(Route::Decision, vec![Fault::answer(404); 3]);
    run(&mut place.export(&sandbox, "")).ends(4, "0 exported and 3 failed");
    let first = place.read("out.failures").lines().next().unwrap().to_owned();
    place.write("out.failures", &format!("{first}\nbroken\n{first}\n"));
    run(&mut place.export(&sandbox, "")).ends(1, "start over with --restart");
    run(&mut place.export(&sandbox, "--restart")).ends(0, "3 exported and 0 failed");
}

#[test]
fn restart_overwrites_earlier_results() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(10);
    sandbox.script(Route::Decision, vec![Fault::answer(404); 3]);
    run(&mut place.export(&sandbox, "")).ends(4, "7 exported and 3 failed");
    run(&mut place.export(&sandbox, "--restart --format csv")).ends(0, "10 exported and 0 failed");
    assert!(!place.has("out.failures"));
    assert_eq!(place.read("out").lines().count(), 11);
}

#[test]
fn concurrent_export_to_one_output_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Hang);
    let place = Place::with_ids(10);
    let mut first = start(&mut place.export(&sandbox, ""));
    wait_for_requests(&sandbox, Route::Decision, 1);
    std::os::unix::fs::symlink(place.path("out"), place.path("alias")).unwrap();
    for arguments in ["", "--restart", "--output alias"] {
        let arguments = format!("--input ids --output out {arguments}");
        let arguments = arguments.replace("out --output alias", "alias");
        let mut second = place.export_with(&sandbox, &arguments);
        run(&mut second).ends(2, "another export is writing to ");
    }
    first.kill().unwrap();
    first.wait().unwrap();
    sandbox.clear(Route::Decision);
    run(&mut place.export(&sandbox, "")).ends(0, "10 exported");
}

#[test]
fn unusable_paths_exit_with_2() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(10);
    fs::create_dir(place.path("folder")).unwrap();
    for (arguments, words) in [
        ("--input nothing --output out", "could not read nothing: No such file"),
        ("--input folder --output out", "could not read folder: "),
        (
            "--input ids --output nowhere/out",
            "could not open nowhere/out: the folder nowhere does not exist; create it",
        ),
        ("--input ids --output folder", "could not open folder to write: it is a folder"),
        ("--input ids --output ids", "is both read and written; choose another --output"),
        (
            "--input ids --output out --failures ids",
            "is both read and written; choose another --failures",
        ),
        ("--input ids --output /dev/full", "could not open /dev/full to write: it is a device"),
        ("--input ids --output missing/", "could not open missing/: it names no file"),
        ("--input ids --output missing/.", "could not open missing/.: it names no file"),
        ("--input ids --output out --failures f/", "could not open f/: it names no file"),
        ("--input ids --output out --failures out", "out is the --output; choose another"),
        ("--input ids --output out --failures out.state", "out.state is where the export keeps"),
        ("--output out", "--input"),
        ("--input ids", "--output"),
        ("--input ids --output out --concurrency 0", "\"0\" is not a whole number from 1 to 1000"),
        ("--input ids --output out --format table", "table"),
    ] {
        run(&mut place.export_with(&sandbox, arguments)).ends(2, words);
    }
    run(place.export(&sandbox, "").env("DIDIT_API_KEY", "")).ends(2, "no credentials");
    let mut unkept = place.export_with(&sandbox, "--input - --output -");
    run(unkept.env("TMPDIR", place.path("nowhere"))).ends(2, "check the folder, or give --input");
    assert_eq!(sandbox.connections(), 0);
}

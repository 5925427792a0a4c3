use std::fs::{File, OpenOptions};
use std::process::Stdio;
use std::time::Duration;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{Place, requested_ids, run, start, wait, wait_for_requests};

#[test]
fn blank_lines_comments_and_repetitions_are_skipped() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::new("\u{feff}a\r\n\n# c\r\n  \n b\t\na\r\n  #d\na,b \n\u{a0}c");
    run(&mut place.export(&sandbox, "")).ends(0, "4 exported and 0 failed");
    place.is_complete(4);
    let mut requested_ids = requested_ids(&sandbox);
    requested_ids.sort_unstable();
    assert_eq!(requested_ids, ["a", "a,b", "b", "c"]);
}

#[test]
fn long_blank_lines_and_comments_are_skipped() {
    let (sandbox, many) = (Sandbox::start().unwrap(), 70_000);
    let (blank, comment) = (" ".repeat(many), "-".repeat(2 * many));
    let place =
        Place::new(&format!("{blank}\n#{comment}\na\n{blank}# {comment}\r\n{blank}b\n{blank}"));
    run(&mut place.export(&sandbox, "")).ends(0, "2 exported and 0 failed in");
    let mut piped = place.export_with(&sandbox, "--input - --output other");
    piped.stdin(std::fs::File::open(place.path("ids")).unwrap());
    run(&mut piped).ends(0, "2 exported and 0 failed in");
    assert_eq!(requested_ids(&sandbox).len(), 4);
}

#[test]
fn invalid_id_is_refused_with_its_line_number() {
    let sandbox = Sandbox::start().unwrap();
    let long = "x".repeat(257);
    let endless = "x".repeat(1 << 17);
    for (bad, words) in [
        ("a/b", "line 3 of ids: the session id cannot contain '/' (character 2)"),
        ("..", "line 3 of ids: the session id cannot be `.`"),
        ("a b", "cannot contain ' '"),
        (&long, "257 characters"),
        (&endless, "line 3 of ids: it is too long"),
    ] {
        let place = Place::new(&format!("good\n\n{bad}\nfine\n"));
        run(&mut place.export(&sandbox, "")).ends(2, words);
        assert!(!place.has("out"));
        let mut piped = place.export_with(&sandbox, "--input - --output out");
        let piped = piped.stdin(File::open(place.path("ids")).unwrap());
        run(piped).ends(2, "line 3 of standard input: ");
    }
    assert_eq!(sandbox.connections(), 0);
}

#[test]
fn export_from_standard_input_resumes() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(30);
    let again = || {
        let mut export = place.export_with(&sandbox, "--input - --output out");
        run(export.stdin(File::open(place.path("ids")).unwrap()))
    };
    again().ends(0, "30 exported");
    let output = place.read("out");
    let (left, _) = output.split_at(output.len() / 2);
    place.write("out", left);
    again().ends(0, "exported and 0 failed before");
    place.is_complete(30);
}

#[test]
fn pipe_path_is_read_like_standard_input() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::with_ids(30);
    let mut export = place.export_with(&sandbox, "--input /dev/stdin --output out");
    let mut child = export.stdin(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut pipe, place.read("ids").as_bytes()).unwrap();
    drop(pipe);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    place.is_complete(30);
}

#[test]
fn lines_appended_during_the_export_are_not_read() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.always(Route::Decision, Fault::Delay(Duration::from_millis(300)));
    let place = Place::with_ids(3);
    let child = start(&mut place.export(&sandbox, "--concurrency 1"));
    wait_for_requests(&sandbox, Route::Decision, 1);
    let mut ids = std::fs::OpenOptions::new().append(true).open(place.path("ids")).unwrap();
    std::io::Write::write_all(&mut ids, b"not/checked\ns-added\n").unwrap();
    wait(child).ends(0, "3 exported");
    place.is_complete(3);
    run(&mut place.export(&sandbox, "")).ends(2, "line 4 of ids");
}

#[test]
fn ids_added_later_are_exported_by_the_next_run() {
    let sandbox = Sandbox::start().unwrap();
    let place = Place::new("a\nb\n");
    run(&mut place.export(&sandbox, "")).ends(0, "2 exported");
    place.write("ids", "a\nb\nc\n");
    run(&mut place.export(&sandbox, "")).ends(0, "1 exported");
    place.is_complete(3);
    assert_eq!(requested_ids(&sandbox).len(), 3);
}

/// Returns a list of ids, all of the same length, that is longer than what is read at once.
fn long_list(name: &str, count: usize) -> String {
    let name = name.repeat(20);
    let ids: Vec<_> = (0..count).map(|n| format!("{name}-{n:03}")).collect();
    ids.join("\n") + "\n"
}

#[test]
fn input_that_changes_during_the_export_is_not_a_success() {
    let all = long_list("session", 200);
    let middle_of_a_line = all.len() - 1000;
    for (changed, length) in [
        (String::new(), 0),
        (String::new(), middle_of_a_line),
        (all[..all.len() - 145].to_owned(), 0),
        (long_list("another", 200), 0),
        (long_list("other", 200), 0),
        (long_list("much-longer", 200), 0),
    ] {
        let sandbox = Sandbox::start().unwrap();
        let place = Place::new(&all);
        sandbox.script(Route::Decision, [Fault::Delay(Duration::from_secs(1))]);
        let child = start(&mut place.export(&sandbox, "--concurrency 1"));
        wait_for_requests(&sandbox, Route::Decision, 1);
        let mut options = OpenOptions::new();
        let mut ids = options.write(true).open(place.path("ids")).unwrap();
        ids.set_len(length as u64).unwrap();
        std::io::Write::write_all(&mut ids, changed.as_bytes()).unwrap();
        let ran = wait(child).ends(1, "could not read ids again: it has changed since");
        let advice =
            "leave it unchanged, and run the same command again (without --restart) to resume\n";
        assert!(ran.stderr.ends_with(advice), "{ran:?}");
        assert!(
            requested_ids(&sandbox).iter().all(|id| all.contains(&format!("{id}\n"))),
            "only checked ids are requested"
        );

        place.write("ids", &all);
        run(&mut place.export(&sandbox, "")).ends(0, "exported and 0 failed before");
        place.is_complete(200);
    }
}

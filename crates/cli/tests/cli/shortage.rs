use std::fs;

use didit_sandbox::{Fault, Route, Sandbox};

use crate::support::{didit, didit_at, limited, run};

const UUID: &str = "11111111-2222-3333-4444-555555555555";
const SHORT: &str = "this machine is short of a resource: ";

/// A request that no descriptor is left for was not sent.
#[test]
fn descriptor_shortage_is_neither_a_network_failure_nor_ambiguous() {
    let sandbox = Sandbox::start().unwrap();
    // The connection that fetched the token stays open, and a session is created on another one.
    let mut create = limited(&didit_at(&sandbox, "session create --scope names"), "-n 4");
    let ran = run(&mut create);
    let line = ran.error(1);
    assert!(line.starts_with(&format!("didit: {SHORT}could not create the session: ")), "{line}");
    assert!(line.ends_with("raise the limit, and run the same command again"), "{line}");
    assert_eq!(sandbox.requests_to(Route::CreateSession).len(), 0);

    // The first connection stays in use.
    sandbox.always(Route::Decision, Fault::Hang);
    let mut decisions = didit_at(&sandbox, "decision a b --timeout 3s");
    decisions.env_remove("DIDIT_CLIENT_ID").env_remove("DIDIT_CLIENT_SECRET");
    decisions.env("DIDIT_API_KEY", sandbox.api_key());
    let ran = run(&mut limited(&decisions, "-n 4"));
    assert!(matches!(ran.code, Some(1 | 8)), "{ran:?}");
    assert!(ran.stderr.contains(&format!("{SHORT}could not retrieve the decision")), "{ran:?}");
}

#[test]
fn shortage_at_opening_a_file_is_not_a_usage_error() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), tempfile::tempdir().unwrap());
    // Each opens a socket or the lock before the file.
    for arguments in ["sandbox --state state", "config set --client-id a"] {
        let mut command = didit(arguments);
        command.current_dir(&folder).env("XDG_CONFIG_HOME", folder.path());
        let ran = run(&mut limited(&command, "-n 4"));
        assert!(ran.error(1).starts_with(&format!("didit: {SHORT}")), "{arguments}: {ran:?}");
    }
    let ran = run(&mut limited(didit("man --output man").current_dir(&folder), "-f 0"));
    assert!(ran.error(1).starts_with(&format!("didit: {SHORT}could not write man/didit.1: ")));
    // The connection leaves no descriptor for the report.
    let mut pdf = didit(&format!("verification pdf {UUID} --output report.pdf"));
    pdf.current_dir(&folder).env("DIDIT_BASE_URL", sandbox.url());
    let ran = run(&mut limited(pdf.env("DIDIT_API_KEY", sandbox.api_key()), "-n 4"));
    assert!(ran.error(1).ends_with("raise the limit, and run the same command again"), "{ran:?}");
}

#[test]
fn report_that_cannot_be_written_is_refused_before_sending() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), tempfile::tempdir().unwrap());
    fs::write(folder.path().join("file"), "").unwrap();
    let long = "x".repeat(300);
    for output in ["nowhere/", "nowhere/.", "file/report.pdf", "..", &*long] {
        let mut command = didit(&format!("verification pdf {UUID} --force --output {output}"));
        command.current_dir(&folder).env("DIDIT_BASE_URL", sandbox.url());
        run(command.env("DIDIT_API_KEY", sandbox.api_key())).error(2);
    }
    assert_eq!(sandbox.connections(), 0);
}

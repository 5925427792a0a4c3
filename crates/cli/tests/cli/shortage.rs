use std::fs;

use didit_sandbox::{Route, Sandbox};

use crate::support::{didit, didit_at, limited, run};

const UUID: &str = "11111111-2222-3333-4444-555555555555";
const SHORT: &str = "this machine is short of a resource: ";

/// A request that no descriptor is left for was not sent.
#[test]
fn descriptor_shortage_is_neither_a_network_failure_nor_ambiguous() {
    let sandbox = Sandbox::start().unwrap();
    let verification = format!("verification decision {UUID}");
    for arguments in ["session create --scope names", "decision s-1", "token", &*verification] {
        let mut short = 0;
        for descriptors in 4..10 {
            let mut command = didit_at(&sandbox, arguments);
            if arguments == verification {
                command.env_remove("DIDIT_CLIENT_ID").env_remove("DIDIT_CLIENT_SECRET");
                command.env("DIDIT_API_KEY", sandbox.api_key());
            }
            let ran = run(&mut limited(&command, &format!("-n {descriptors}")));
            assert!(matches!(ran.code, Some(0 | 1)), "{arguments} {descriptors}: {ran:?}");
            assert!(!ran.stderr.contains("may have been"), "{arguments} {descriptors}: {ran:?}");
            short += u32::from(
                ran.stderr.contains(SHORT) && ran.stderr.contains("no connection could be made"),
            );
        }
        assert!(short > 0, "{arguments}");
    }
    let created = sandbox.requests_to(Route::CreateSession).len();
    assert!(created < 7, "{created}");
}

#[test]
fn shortage_at_opening_a_file_is_not_a_usage_error() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), tempfile::tempdir().unwrap());
    let pdf = format!("verification pdf {UUID} --output report.pdf");
    for arguments in ["sandbox --state state", "config set --client-id a", &*pdf] {
        let mut command = didit(arguments);
        command.current_dir(&folder).env("XDG_CONFIG_HOME", folder.path());
        command.env("DIDIT_BASE_URL", sandbox.url()).env("DIDIT_API_KEY", sandbox.api_key());
        let ran = run(&mut limited(&command, "-n 4"));
        assert!(ran.error(1).starts_with(&format!("didit: {SHORT}")), "{arguments}: {ran:?}");
    }
    assert_eq!(sandbox.connections(), 0);
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

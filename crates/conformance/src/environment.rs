//! Configuration by environment variables. They are process-wide, so each case runs the test again
//! in a child process.

use std::env;
use std::error::Error;
use std::process::Command;

use didit_core::client::Environment;
use didit_sandbox::Sandbox;

const CHILD: &str = "FROM_ENV_CHILD";

/// Runs `test` in a child process with `variables`, but without those in `removed`, and returns its
/// output.
pub(crate) fn child(test: &str, removed: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]);
    for name in removed {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Each kind of credentials works, and invalid settings are rejected before anything is sent.
///
/// `test` is the name of the calling test. `retrieve` creates a client from the environment,
/// retrieves the decision of `s-1`, and returns its session id.
pub fn client_from_environment(test: &str, retrieve: impl Fn() -> Result<String, Box<dyn Error>>) {
    if env::var_os(CHILD).is_some() {
        match retrieve() {
            Ok(session_id) => println!("retrieved {session_id}"),
            Err(error) => println!("refused: {error}"),
        }
        return;
    }
    let child = |variables: &[(&str, &str)]| {
        let variables = [&[(CHILD, "1")], variables].concat();
        child(test, &Environment::VARIABLES, &variables)
    };
    let sandbox = Sandbox::start().unwrap();
    let url = ("DIDIT_BASE_URL", sandbox.url());
    let key = ("DIDIT_API_KEY", sandbox.api_key());
    let file = env::temp_dir().join(format!("didit-secret-{}", std::process::id()));
    std::fs::write(&file, format!("{}\n", sandbox.client_secret())).unwrap();
    let id = ("DIDIT_CLIENT_ID", sandbox.client_id());
    let secret = ("DIDIT_CLIENT_SECRET", sandbox.client_secret());
    let secret_file = ("DIDIT_CLIENT_SECRET_FILE", file.to_str().unwrap());
    for variables in [vec![url, key], vec![url, id, secret], vec![url, id, secret_file]] {
        let printed = child(&variables);
        assert!(printed.contains("retrieved s-1"), "{printed}");
    }
    std::fs::remove_file(&file).unwrap();
    let requests = sandbox.requests().len();
    for (variables, words) in [
        (vec![url], "no credentials are configured; set DIDIT_CLIENT_ID"),
        (
            vec![url, key, id, secret],
            "DIDIT_CLIENT_ID, DIDIT_CLIENT_SECRET, DIDIT_API_KEY; keep one",
        ),
        (vec![url, key, ("DIDIT_TIMEOUT", "soon")], "DIDIT_TIMEOUT: \"soon\" is not a duration"),
        (vec![url, key, ("DIDIT_CA_FILE", "gone.pem")], "DIDIT_CA_FILE: could not read gone.pem"),
        (vec![url, key, ("DIDIT_CA_FILE", "Cargo.toml")], "not a PEM certificate"),
        (
            vec![key, ("DIDIT_BASE_URL", "http://h.example")],
            "DIDIT_BASE_URL: the base URL is plain",
        ),
    ] {
        let printed = child(&variables);
        assert!(printed.contains(words) && printed.contains("refused: "), "{printed}");
        assert!(!printed.contains(sandbox.client_secret()), "{printed}");
    }
    assert_eq!(sandbox.requests().len(), requests);
}

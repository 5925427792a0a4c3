//! Tests the help and the manual pages, whose examples must work.

use std::fs;
use std::path::Path;
use std::process::Command;

use didit_conformance::redis_server::RedisServer;
use didit_sandbox::Sandbox;
use tempfile::TempDir;

use crate::support::{didit, run};

/// Returns all commands; a subcommand has the name of its group before its own.
fn commands() -> Vec<String> {
    let mut names = Vec::new();
    for name in listed("") {
        match &*name {
            "session" | "verification" | "webhook" | "config" => {
                names.extend(listed(&name).iter().map(|sub| format!("{name} {sub}")));
            }
            _ => names.push(name),
        }
    }
    names
}

/// Returns the commands that the help of `command` lists, one per line.
fn listed(command: &str) -> Vec<String> {
    let ran = run(&mut didit(&format!("{command} --help")));
    let list = ran.results().split("Commands:\n").nth(1).unwrap();
    let list = list.split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  "));
    let names = names.map(|line| line.split(' ').next().unwrap().to_owned());
    names.filter(|name| !name.is_empty() && name != "help").collect()
}

fn examples(command: &str) -> Vec<String> {
    let ran = run(&mut didit(&format!("{command} --help")));
    let (_, examples) = ran.results().split_once("\nExamples:\n").unwrap_or_default();
    examples.lines().map_while(|line| line.strip_prefix("  ")).map(str::to_owned).collect()
}

/// Creates a folder for the examples, with ids to export and without an output.
fn scratch() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ids.txt"), "s-1\ns-2\n").unwrap();
    fs::write(folder.path().join("secret.txt"), "secret\n").unwrap();
    fs::write(folder.path().join("body.json"), "{}").unwrap();
    folder
}

fn shell(example: &str, sandbox: &Sandbox, folder: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_didit")).parent().unwrap();
    let mut command = Command::new("/bin/sh");
    let input = if example.contains(" < ") { "" } else { " < ids.txt" };
    command.args(["-c", &format!("{example}{input}")]).current_dir(folder).env_clear();
    command
        .env("PATH", format!("{}:/usr/bin:/bin", program.display()))
        .env("XDG_CONFIG_HOME", folder)
        .env("DIDIT_BASE_URL", sandbox.url());
    if example.starts_with("didit verification") {
        command.env("DIDIT_API_KEY", sandbox.api_key());
    } else {
        command.env("DIDIT_CLIENT_ID", sandbox.client_id());
        command.env("DIDIT_CLIENT_SECRET", sandbox.client_secret());
    }
    command
}

/// Creates a verification session that is in review.
fn created_verification(sandbox: &Sandbox, folder: &Path) -> String {
    let workflow = "9f9b1234-aaaa-bbbb-cccc-1234567890ab";
    let create = format!("didit verification create --workflow {workflow}");
    let created = run(&mut shell(&create, sandbox, folder));
    let created: serde_json::Value = serde_json::from_str(created.results()).unwrap();
    let id = created["session_id"].as_str().unwrap().to_owned();
    sandbox.verification().set_status(&id, "In Review");
    id
}

#[test]
fn examples_of_all_commands_work() {
    let sandbox = Sandbox::start().unwrap();
    let redis = RedisServer::start();
    let scratch = scratch();
    let folder = scratch.path();
    let created = run(&mut shell("didit session create --scope names", &sandbox, folder));
    let created: serde_json::Value = serde_json::from_str(created.results()).unwrap();
    let [id, token] = ["session_id", "session_token"].map(|name| created[name].as_str().unwrap());
    for command in commands() {
        let examples = examples(&command);
        assert!(!examples.is_empty(), "{command} has no example");
        for example in examples {
            // These run until they are stopped, or need another program, so only their options are
            // checked.
            let only_options = ["didit sandbox", "didit webhook"];
            let example = if only_options.iter().any(|name| example.starts_with(name)) {
                let (command, input) = example.split_once(" < ").unwrap_or((&example, "ids.txt"));
                format!("{command} --help < {input}")
            } else if command.starts_with("verification ") {
                let verification = created_verification(&sandbox, folder);
                example.replace("SESSION_ID", &verification)
            } else {
                example.replace("SESSION_ID --", &format!("{id} --"))
            };
            let example = example.replace("=TOKEN", &format!("={token}"));
            let example = example.replace(" TOKEN", &format!(" {token}"));
            let example = example.replace("status SESSION_ID", &format!("status {id}"));
            let example = example.replace("redis://redis:6379", &redis.url());
            let ran = run(&mut shell(&example, &sandbox, folder));
            // The sample session is in review.
            let code = i32::from(example.ends_with("&& echo approved"));
            assert_eq!(ran.code, Some(code), "{example}: {ran:?}");
        }
    }
}

#[test]
fn sandbox_help_lists_every_kind_of_fault() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let refusal = words(&run(&mut didit("sandbox --fault decision:x")).stderr);
    let kinds = refusal.split(" is not one of ").nth(1).unwrap().split("; see ").next().unwrap();
    let help = words(run(&mut didit("sandbox --help")).results());
    assert!(help.contains(&format!("KIND: {kinds}. ")), "{kinds}: {help}");
}

#[test]
fn sandbox_help_lists_every_special_session_id() {
    let sandbox = Sandbox::start().unwrap();
    let mut page = ureq::get(sandbox.url()).call().unwrap();
    let page = page.body_mut().read_to_string().unwrap();
    let parts: Vec<_> =
        page.split("<dt><code>").skip(1).map(|part| part.split('…').next().unwrap()).collect();
    assert!(parts.len() > 5, "{page}");
    let help = run(&mut didit("sandbox --help"));
    let manual = run(&mut didit("man sandbox"));
    for part in parts {
        assert!(help.results().contains(&format!("  {part}...  ")), "{part}: {help:?}");
        assert!(manual.results().contains(&part.replace('-', "\\-")), "{part}: {manual:?}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    run(didit("man --output").arg(folder.path())).results();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    for command in commands() {
        let page = read(&format!("didit-{}.1", command.replace(' ', "-")));
        for heading in ["SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "SEE ALSO"]
        {
            assert!(
                page.contains(&format!(".SH \"{heading}\""))
                    || page.contains(&format!(".SH {heading}\n")),
                "{command}: {page}"
            );
        }
        assert!(page.starts_with(".ie") && !page.contains("EXTRA"), "{command}: {page}");
        assert!(page.contains(".SH \"GLOBAL OPTIONS\"\nSee didit(1).\n"), "{command}: {page}");
        assert_described(&page);
        assert_eq!(run(&mut didit(&format!("man {command}"))).results(), page);
    }
    let page = read("didit.1");
    assert_eq!(run(&mut didit("man")).results(), page);
    assert_described(&page);
    assert!(page.contains("Base URL of both APIs."), "{page}");
}

/// Asserts that each item of a manual page has a description.
fn assert_described(page: &str) {
    let lines: Vec<_> = page.lines().collect();
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| **line == ".TP") {
        let text = lines.get(at + 2).copied().unwrap_or_default();
        assert!(!text.is_empty() && !text.starts_with('.'), "{}: {page}", lines[at + 1]);
    }
}

#[cfg(unix)]
#[test]
fn manual_pages_replace_only_regular_files() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("didit.1");
    let man = || run(didit("man --output").arg(folder.path()));
    std::os::unix::fs::symlink("precious", &page).unwrap();
    assert!(man().error(2).contains("didit.1: it is a symbolic link"));
    assert!(!folder.path().join("precious").exists());
    fs::remove_file(&page).unwrap();
    assert!(Command::new("mkfifo").arg(&page).status().unwrap().success());
    assert!(man().error(2).contains("didit.1: it is a fifo"));
    fs::remove_file(&page).unwrap();
    fs::write(&page, "x".repeat(100_000)).unwrap();
    man().results();
    assert!(fs::metadata(&page).unwrap().len() < 100_000);
    let ran = run(didit("man --output").arg(page.join("folder")));
    assert!(ran.error(2).ends_with("Not a directory (os error 20); choose another --output"));
}

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use didit_sandbox::{Route, Sandbox};

use crate::support::{Ran, didit, limited, run, sample};

fn at(folder: &Path, arguments: &str) -> Command {
    let mut command = didit(arguments);
    command.env("XDG_CONFIG_HOME", folder).env("PATH", "/usr/bin:/bin");
    command
}

fn with_input(command: &mut Command, input: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

/// Returns the file that contains the secret of the only profile.
fn stored_secret(folder: &Path) -> PathBuf {
    let files = fs::read_dir(folder.join("didit")).unwrap().map(|file| file.unwrap().path());
    let secrets: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|it| it == "secret")).collect();
    assert_eq!(secrets.len(), 1, "{secrets:?}");
    secrets[0].clone()
}

#[cfg(target_os = "linux")]
#[test]
fn profile_is_used_and_overridden_by_variables() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let set = format!(
        "config set --quiet --base-url {} --client-id {} --secret-stdin",
        sandbox.url(),
        sandbox.client_id()
    );
    let ran = with_input(&mut at(folder, &set), &format!("{}\n", sandbox.client_secret()));
    assert_eq!((ran.code, &*ran.stderr), (Some(0), ""), "{ran:?}");
    assert_eq!(run(&mut at(folder, "decision a")).results(), sample("a"));

    let secret = stored_secret(folder);
    for path in [&folder.join("didit/config.json"), &secret] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let listed = run(&mut at(folder, "config list"));
    assert!(listed.results().contains(sandbox.client_id()), "{listed:?}");
    assert!(!listed.stdout.contains(sandbox.client_secret()), "{listed:?}");

    // The profile's secret must not be sent to a base URL from the environment.
    let other = Sandbox::start().unwrap();
    let ran = run(at(folder, "decision a").env("DIDIT_BASE_URL", other.url()));
    assert!(ran.error(2).contains("no credentials are configured"), "{ran:?}");
    let ran = run(at(folder, "decision a")
        .env("DIDIT_BASE_URL", other.url())
        .env("DIDIT_API_KEY", other.api_key()));
    assert_eq!(ran.results(), sample("a"));
    assert_eq!(other.requests_to(Route::Token).len(), 0);

    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = run(&mut at(folder, "decision a"));
    assert!(ran.error(2).contains("other users can read it; run `chmod 600"), "{ran:?}");
    let removed = run(&mut at(folder, "config remove"));
    let note = "didit: removed the profile default and its secret file\n";
    assert_eq!((removed.code, &*removed.stderr), (Some(0), note));
    assert!(!secret.exists());
    let nothing = run(&mut at(folder, "config set"));
    assert!(nothing.error(2).contains("give something to set: --base-url"), "{nothing:?}");
    run(&mut at(folder, "decision a")).error(2);
    let unknown = run(&mut at(folder, "decision a --profile y"));
    let advice = "; `didit config set --help` shows how to create it";
    assert!(unknown.error(2).ends_with(advice), "{unknown:?}");
    let listed = run(&mut at(folder, "config list"));
    assert!(listed.stderr.ends_with("; see `didit config set --help`\n"), "{listed:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn secret_command_supplies_the_secret() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let mut set = at(folder, "config set -q --profile keyed --base-url");
    set.args([sandbox.url(), "--secret-command", &format!("echo {}", sandbox.api_key())]);
    run(&mut set).results();
    let halfway = run(&mut at(folder, "config set --profile half --client-id a"));
    assert!(halfway.stderr.contains(", without a secret; set one with"), "{halfway:?}");
    run(&mut at(folder, "config remove --quiet --profile half")).results();
    for arguments in ["decision a --profile keyed", "--profile keyed decision a"] {
        assert_eq!(run(&mut at(folder, arguments)).results(), sample("a"));
    }
    let ran = run(at(folder, "decision a").env("DIDIT_PROFILE", "keyed"));
    assert_eq!(ran.results(), sample("a"));
    let unknown = run(&mut at(folder, "decision a --profile kyed"));
    let words = format!(
        "no profile \"kyed\" in {}, which has: keyed",
        folder.join("didit/config.json").display()
    );
    assert!(unknown.error(2).contains(&words), "{unknown:?}");
    let none = run(&mut at(folder, "decision a"));
    assert!(none.error(2).contains("or choose a profile with --profile (keyed; see "), "{none:?}");
    run(at(folder, "config set -q --profile keyed --secret-command").arg("exit 3")).results();
    let failed = run(&mut at(folder, "decision a --profile keyed"));
    assert!(
        failed.error(2).contains("the secret command of the profile keyed failed"),
        "{failed:?}"
    );
    fs::write(folder.join("didit/config.json"), "{").unwrap();
    assert!(run(&mut at(folder, "decision a")).error(2).contains("config.json"));
    assert_eq!(run(&mut at(folder, "--sandbox decision a")).results(), sample("a"));
}

#[test]
fn credentials_that_cannot_be_sent_are_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let set = "config set --client-id id --secret-stdin";
    let ran = with_input(&mut at(folder.path(), set), "one\ntwo\n");
    let error = ran.error(2);
    assert!(error.contains("the client secret contains a character"), "{error}");
    assert!(!error.contains("one"), "{error}");
    assert!(!folder.path().join("didit").exists());
}

#[test]
fn blank_secret_command_is_refused_and_the_secret_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    with_input(&mut at(folder, "config set -q --secret-stdin"), "key");
    let listed = run(&mut at(folder, "config list"));
    assert!(listed.results().contains("API key file  "), "{listed:?}");
    for blank in ["", " \t"] {
        let ran = run(at(folder, "config set --secret-command").arg(blank));
        assert!(ran.error(2).contains("is not a command"), "{ran:?}");
    }
    assert_eq!(fs::read_to_string(stored_secret(folder)).unwrap(), "key");
}

#[test]
fn concurrent_changes_keep_every_profile() {
    let folder = tempfile::tempdir().unwrap();
    let set =
        |n| at(folder.path(), &format!("config set -q --profile p{n} --client-id id")).spawn();
    let children: Vec<_> = (0..16).map(|n| set(n).unwrap()).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let listed = run(&mut at(folder.path(), "config list"));
    assert_eq!(listed.results().matches("Client ID").count(), 16, "{listed:?}");
}

#[test]
fn files_of_a_profile_that_are_not_regular_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let fifo = |name: &str| {
        let path = folder.join("didit").join(name);
        let _ = fs::remove_file(&path);
        assert!(Command::new("mkfifo").args(["-m", "600"]).arg(path).status().unwrap().success());
    };
    let set = "config set -q --base-url http://127.0.0.1:1 --secret-stdin";
    with_input(&mut at(folder, set), "key").results();
    let secret = stored_secret(folder);
    fifo(secret.file_name().unwrap().to_str().unwrap());
    let ran = run(&mut at(folder, "decision a"));
    assert!(ran.error(2).contains(".secret: it is a fifo"), "{ran:?}");
    fifo("config.json");
    for arguments in ["decision a", "config list", "config set --client-id id"] {
        let ran = run(&mut at(folder, arguments));
        assert!(ran.error(2).contains("config.json: it is a fifo"), "{ran:?}");
    }
}

#[test]
fn errors_name_the_file_of_the_profile() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    run(&mut at(folder, "config set -q --base-url http://127.0.0.1:1"));
    let path = folder.join("didit/config.json");
    let place = format!("the profile is default in {}", path.display());
    let write = |json: &str| fs::write(&path, json).unwrap();
    for (json, words) in [
        (r#"{"default":{"base_url":"x"}}"#, "the profile's base_url: the base URL does not begin"),
        (r#"{"default":{"secret_command":"echo a b"}}"#, "the profile's secret: the API key"),
        (r#"{"default":{"client_id":"é","secret_command":"echo a"}}"#, "the profile's client_id: "),
    ] {
        write(json);
        let ran = run(&mut at(folder, "decision a"));
        let line = ran.error(2);
        assert!(line.contains(words) && line.contains(&place), "{line}");
        assert!(!line.contains("DIDIT_"), "{line}");
    }
    write(r#"{"default":{"client_id":"a"}}"#);
    let ran = run(&mut at(folder, "decision a"));
    let line = ran.error(2);
    assert!(line.contains("the client secret is missing; ") && line.contains(&place), "{line}");
    write(r#"{"default":{"client_id":"a","secret_command":"echo a"}}"#);
    let ran =
        run(at(folder, "decision a --profile default").env("DIDIT_CLIENT_SECRET_FILE", "/no"));
    assert!(
        ran.error(2).starts_with("didit: DIDIT_CLIENT_SECRET_FILE: could not read /no"),
        "{ran:?}"
    );
    let ran = run(&mut at(folder, "verification list"));
    assert!(ran.error(2).contains("choose a profile without a client id (default in "), "{ran:?}");
}

#[test]
fn session_status_does_not_run_the_secret_command() {
    let (sandbox, folder) = (Sandbox::start().unwrap(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    let mut set = at(folder, "config set -q --secret-command");
    run(set.args(["exit 1", "--base-url", sandbox.url()])).results();
    let ran = run(&mut at(folder, "session status a --session-token t"));
    assert_eq!(sandbox.requests_to(Route::SessionStatus).len(), 1, "{ran:?}");
}

#[test]
fn failed_change_leaves_the_settings_and_the_secret() {
    let folder = tempfile::tempdir().unwrap();
    let set =
        |id: &str| at(folder.path(), &format!("config set -q --secret-stdin --client-id {id}"));
    with_input(&mut set("old"), "old-secret\n").results();
    // Room for the secret, but not for the settings, whatever the unit.
    let long = "n".repeat(2000);
    let ran = with_input(&mut limited(&set(&long), "-f 1"), "new-secret\n");
    assert!(ran.error(1).contains("File too large"), "{ran:?}");
    let read = |name| fs::read_to_string(folder.path().join("didit").join(name)).unwrap();
    assert!(read("config.json").contains("\"old\""));
    assert_eq!(fs::read_to_string(stored_secret(folder.path())).unwrap(), "old-secret");
}

#[test]
fn secret_is_only_sent_to_the_service_it_was_stored_for() {
    let with_secret = |secret| Sandbox::builder().credentials("id", secret).start().unwrap();
    let (one, other) = (with_secret("secret-of-one"), with_secret("secret-of-the-other"));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let set = |service: &Sandbox| {
        let set =
            format!("config set -q --base-url {} --client-id id --secret-stdin", service.url());
        with_input(&mut at(folder, &set), service.client_secret()).results();
    };
    set(&one);
    thread::scope(|scope| {
        let changes =
            scope.spawn(|| (0..40).for_each(|_| [&other, &one].into_iter().for_each(set)));
        while !changes.is_finished() {
            run(&mut at(folder, "token")).results();
        }
    });
    stored_secret(folder);
}

#[test]
fn leftover_secret_is_not_used_by_another_profile() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    with_input(&mut at(folder, "config set -q --secret-stdin"), "key").results();
    // As if a kill had come between the removal of the settings and that of the secret.
    fs::write(folder.join("didit/config.json"), "{}").unwrap();
    let ran = run(&mut at(folder, "config set --base-url http://127.0.0.1:1"));
    assert!(ran.stderr.contains("without a secret"), "{ran:?}");
    assert!(run(&mut at(folder, "decision a")).error(2).contains("no credentials"), "{ran:?}");
}

#[test]
fn linked_settings_stay_linked() {
    let folder = tempfile::tempdir().unwrap();
    let didit = folder.path().join("didit");
    fs::create_dir(&didit).unwrap();
    fs::write(folder.path().join("dotfile"), "{}").unwrap();
    std::os::unix::fs::symlink("../dotfile", didit.join("config.json")).unwrap();
    run(&mut at(folder.path(), "config set -q --secret-command true --client-id a")).results();
    assert!(didit.join("config.json").is_symlink());
    let settings = fs::read_to_string(folder.path().join("dotfile")).unwrap();
    assert!(settings.contains("\"a\""), "{settings}");
}

/// As if the volume of the settings were not mounted.
#[test]
fn link_that_leads_nowhere_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    fs::create_dir(&config).unwrap();
    for (link, target) in
        [("config/didit", "../vault"), ("config/didit/config.json", "../../vault/config.json")]
    {
        let link = folder.path().join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, &link).unwrap();
        for arguments in [
            "config set --profile a --base-url http://127.0.0.1:1",
            "config set --secret-command true",
            "config list",
            "config remove --profile a",
            "decision a",
            "decision a --profile a",
        ] {
            let ran = run(&mut at(&config, arguments));
            let shown = format!("the symbolic link {} leads nowhere", link.display());
            assert!(ran.error(2).contains(&shown), "{arguments}: {ran:?}");
            assert!(link.is_symlink() && !link.exists());
            assert_eq!(fs::read_dir(link.parent().unwrap()).unwrap().count(), 1);
        }
        assert_eq!(run(&mut at(&config, "--sandbox decision a")).results(), sample("a"));

        let vault = folder.path().join("vault");
        fs::create_dir(&vault).unwrap();
        fs::write(vault.join("config.json"), r#"{"a":{"client_id":"kept"}}"#).unwrap();
        run(&mut at(&config, "config set -q --profile b --client-id new")).results();
        assert!(link.is_symlink());
        let settings = fs::read_to_string(vault.join("config.json")).unwrap();
        assert!(settings.contains("kept") && settings.contains("new"), "{settings}");
        fs::remove_file(&link).unwrap();
        fs::remove_dir_all(&vault).unwrap();
    }
}

#[test]
fn replaced_secret_is_removed_even_after_a_kill_and_a_shared_one_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let set = |name: &str| at(folder, &format!("config set -q --profile {name} --secret-stdin"));
    with_input(&mut set("one"), "first").results();
    let first = stored_secret(folder);
    // As a copy of its entry would share it.
    let settings = folder.join("didit/config.json");
    let entry = fs::read_to_string(&settings).unwrap();
    let copied = entry.trim().trim_matches(['{', '}']).replace("one\":", "two\":");
    fs::write(&settings, format!("{{{copied}, {}", &entry[1..])).unwrap();
    // As a kill leaves it between the change of the settings and the removal of the old secret.
    let [left, other] =
        ["one-aB3dE6.secret", "one-backup.secret"].map(|it| folder.join("didit").join(it));
    fs::write(&left, "left").unwrap();
    fs::write(&other, "somebody else's").unwrap();
    let escaping = format!("one-aB3dE6.secret\n../didit/one-backup.secret\n{}\n", first.display());
    fs::write(folder.join("didit/.lock"), escaping).unwrap();
    with_input(&mut set("one"), "second").results();
    assert!(!left.exists() && other.exists());
    assert_eq!(fs::read_to_string(&first).unwrap(), "first", "the other profile uses it");
    assert_eq!(fs::read_to_string(folder.join("didit/.lock")).unwrap(), "");
    fs::rename(&first, &left).unwrap();
    let missing = run(&mut at(folder, "token --profile two"));
    let expected = format!("the secret of two in {}: No such file", first.display());
    assert!(missing.error(2).contains(&expected), "{missing:?}");
    fs::rename(&left, &first).unwrap();
    run(&mut at(folder, "config remove -q --profile two")).results();
    assert!(!first.exists());
}

#[test]
fn invalid_secret_file_is_not_repeated_and_can_be_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let folder = directory.path();
    with_input(&mut at(folder, "config set -q --client-id c --secret-stdin"), "first").results();
    let settings = folder.join("didit/config.json");
    let valid = fs::read_to_string(&settings).unwrap();
    let secret = stored_secret(folder);
    fs::remove_file(&secret).unwrap();
    std::os::unix::fs::symlink(&secret, &secret).unwrap();
    let unreachable = run(&mut at(folder, "token"));
    assert!(unreachable.error(2).contains("could not read the secret of default"));
    assert!(run(&mut at(folder, "config list")).results().contains("Secret file"));
    for name in ["canary", "../canary.secret"] {
        let file = format!(r#"{{"one":{{"client_id":"i","secret_file":"{name}"}},{}"#, &valid[1..]);
        fs::write(&settings, file).unwrap();
        let refused = run(&mut at(folder, "token --profile one"));
        let error = refused.error(2);
        assert!(
            error.contains("the secret_file of one in") && !error.contains("canary"),
            "{error}"
        );
        run(&mut at(folder, "config list")).results();
        with_input(&mut at(folder, "config set -q --profile one --secret-stdin"), "new").results();
        run(&mut at(folder, "config remove -q --profile one")).results();
    }
    fs::write(&settings, r#"{"one":"canary"}"#).unwrap();
    let refused = run(&mut at(folder, "token --profile one"));
    assert!(!refused.error(2).contains("canary"), "{refused:?}");
}

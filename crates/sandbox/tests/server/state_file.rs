use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use didit_sandbox::Sandbox;
use serde_json::json;

use crate::raw::{KEY, creation, decision, request, send, token};
use crate::verification::{self, ask, id_of};

/// The path of a temporary file, which is removed before and after the test.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str) -> Self {
        let file = Self(std::env::temp_dir().join(format!("didit-{}-{name}", std::process::id())));
        let _ = fs::remove_file(&file.0);
        file
    }

    fn start(&self) -> std::io::Result<Sandbox> {
        Sandbox::builder().state_file(&self.0).session_lifetime(Duration::from_secs(60)).start()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn create(sandbox: &Sandbox) -> serde_json::Value {
    let body = r#"{"scope":"names email","vendor_data":"order 7"}"#;
    send(sandbox, &creation(KEY, body)).unwrap().json()
}

#[test]
fn sessions_survive_a_restart() {
    let file = TempFile::new("outlive");
    let (created, before) = {
        let sandbox = file.start().unwrap();
        let created = create(&sandbox);
        let path = created["url"].as_str().unwrap().strip_prefix(sandbox.url()).unwrap().to_owned();
        let page = send(&sandbox, &request("GET", &path, "", "")).unwrap().text();
        let token = page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let body = format!("form={token}&share=names&names.first_name=Zo%C3%AB&answer=confirm");
        let form = "Content-Type: application/x-www-form-urlencoded\r\n";
        assert_eq!(send(&sandbox, &request("POST", &path, form, &body)).unwrap().status, 303);
        let id = created["session_id"].as_str().unwrap();
        (created.clone(), send(&sandbox, &decision(id)).unwrap().text())
    };
    assert!(before.contains("Zoë") && before.contains("Confirmed"), "{before}");
    let sandbox = file.start().unwrap();
    let id = created["session_id"].as_str().unwrap();
    assert_eq!(send(&sandbox, &decision(id)).unwrap().text(), before);
    let headers = format!("Data-Session-Token: {}\r\n", created["session_token"].as_str().unwrap());
    let path = format!("/auth/v2/session/{id}/status/");
    let status = send(&sandbox, &request("GET", &path, &headers, "")).unwrap();
    assert_eq!(status.json(), json!({"status": "confirmed"}));
    assert_ne!(create(&sandbox)["session_id"], created["session_id"]);
}

#[test]
fn tokens_survive_a_restart_unless_revoked() {
    let file = TempFile::new("tokens");
    let status = |sandbox: &Sandbox| {
        let bearer = "Authorization: Bearer sandbox-access-token-1";
        let request = decision("abc").replace(KEY, bearer);
        send(sandbox, &request).unwrap().status
    };
    let sandbox = file.start().unwrap();
    assert_eq!(send(&sandbox, &token()).unwrap().status, 200);
    drop(sandbox);
    let sandbox = file.start().unwrap();
    assert_eq!((status(&sandbox), sandbox.tokens_issued()), (200, 0));
    sandbox.revoke_tokens();
    drop(sandbox);
    let sandbox = file.start().unwrap();
    assert_eq!(status(&sandbox), 401);
    assert!(send(&sandbox, &token()).unwrap().text().contains("sandbox-access-token-2"));
}

#[cfg(unix)]
#[test]
fn state_file_is_private_to_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let file = TempFile::new("owner");
    let sandbox = file.start().unwrap();
    create(&sandbox);
    let mode = fs::metadata(&file.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn unusable_file_fails_the_start_with_the_reason() {
    let file = TempFile::new("refused");
    let sandbox = file.start().unwrap();
    let error = file.start().unwrap_err().to_string();
    assert!(error.contains("is used by another sandbox"), "{error}");
    drop(sandbox);
    assert!(file.start().is_ok());
    for (content, why) in [
        (&b"not JSON"[..], "cannot be used: line 1 is not a record of a sandbox; correct the file"),
        (b"{\"session_id\":\"a decision that somebody exported\"}\n", "line 1 is not"),
        (b"SQLite format 3\0\x10\0\x01\x01", "line 1 is not"),
        (b"{\"session_id\":\"an unfinished decisi", "line 1 is not"),
        (b"{\"kind\":\"note\",\"text\":\"unfinis", "line 1 is not"),
    ] {
        fs::write(&file.0, content).unwrap();
        let error = file.start().unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(file.0.to_str().unwrap()), "{error}");
        assert_eq!(fs::read(&file.0).unwrap(), content);
    }
    let nowhere = Sandbox::builder().state_file("/nowhere/state").start().unwrap_err().to_string();
    assert!(nowhere.contains("the state file /nowhere/state cannot be opened"), "{nowhere}");
}

/// As by a child process that is being started when a sandbox ends.
#[test]
fn lock_that_is_released_soon_is_waited_for() {
    let file = TempFile::new("lock");
    drop(file.start().unwrap());
    let locked = fs::File::open(&file.0).unwrap();
    fs4::FileExt::try_lock(&locked).unwrap();
    let releasing = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        drop(locked);
    });
    let started = file.start();
    releasing.join().unwrap();
    assert!(started.is_ok(), "{started:?}");
}

#[test]
fn endless_line_is_refused_without_reading_all_of_it() {
    let file = TempFile::new("image");
    // Far more than the memory of any machine.
    fs::File::create(&file.0).unwrap().set_len(1 << 42).unwrap();
    let error = file.start().unwrap_err().to_string();
    assert!(error.contains("line 1 is not a record"), "{error}");
}

#[test]
fn invalid_line_is_reported_by_number() {
    let file = TempFile::new("broken");
    create(&file.start().unwrap());
    let good = fs::read_to_string(&file.0).unwrap();
    let broken = good.replace("\"user_data\":null", "\"user_data\":\"Zoë\"");
    assert_ne!(broken, good);
    fs::write(&file.0, format!("{good}{broken}")).unwrap();
    let error = file.start().unwrap_err().to_string();
    assert!(error.contains("line 2 is not") && !error.contains("Zoë"), "{error}");
    assert_eq!(fs::read_to_string(&file.0).unwrap(), format!("{good}{broken}"));
}

#[test]
fn line_that_a_kill_left_unfinished_is_cut_off() {
    let file = TempFile::new("torn");
    let id_of = |session: &serde_json::Value| session["session_id"].as_str().unwrap().to_owned();
    let sandbox = file.start().unwrap();
    let kept = id_of(&create(&sandbox));
    let decided = |sandbox: &Sandbox| send(sandbox, &decision(&kept)).unwrap().text();
    let before = decided(&sandbox);
    let first = fs::read(&file.0).unwrap();
    create(&sandbox);
    drop(sandbox);
    let second = fs::read(&file.0).unwrap().split_off(first.len());
    for length in 1..second.len() - 1 {
        fs::write(&file.0, [&first, &second[..length]].concat()).unwrap();
        let started = file.start().map(drop);
        assert!(started.is_ok(), "{started:?} after {length} bytes");
        assert_eq!(fs::read(&file.0).unwrap(), first, "{length}");
    }
    let sandbox = file.start().unwrap();
    assert_ne!(id_of(&create(&sandbox)), kept);
    assert_eq!(decided(&sandbox), before);
    drop(sandbox);
    assert!(file.start().is_ok());

    fs::write(&file.0, &second[..20]).unwrap();
    assert!(file.start().is_ok());
    assert_eq!(fs::read(&file.0).unwrap(), b"");
    // No kill leaves a line like these.
    let [first, second] = [first, second].map(|line| String::from_utf8(line).unwrap());
    for broken in
        [second.replace("}\n", "\n"), second.trim_end().replace("\"number\":2", "\"number\":-2")]
    {
        let broken = first.clone() + &broken;
        fs::write(&file.0, &broken).unwrap();
        let error = file.start().unwrap_err().to_string();
        assert!(error.contains("line 2 is not a record"), "{error}");
        assert_eq!(fs::read_to_string(&file.0).unwrap(), broken);
    }
}

#[test]
fn missing_line_terminator_is_added() {
    let file = TempFile::new("unfinished");
    create(&file.start().unwrap());
    let line = fs::read_to_string(&file.0).unwrap();
    fs::write(&file.0, line.trim_end()).unwrap();
    create(&file.start().unwrap());
    assert!(file.start().is_ok());
    assert_eq!(fs::read_to_string(&file.0).unwrap().lines().count(), 2);
}

#[cfg(unix)]
#[test]
fn device_is_refused_as_state_file() {
    let error = Sandbox::builder().state_file("/dev/zero").start().unwrap_err().to_string();
    assert!(error.contains("is not a regular file"), "{error}");
}

#[test]
fn verification_sessions_survive_a_restart() {
    let file = TempFile::new("verification");
    let sandbox = file.start().unwrap();
    let more = json!({"vendor_data": "u", "metadata": {"a": [1, null]}, "callback": "app://x"});
    let kept = id_of(&verification::create(&sandbox, &more));
    let deleted = id_of(&verification::create(&sandbox, &json!({})));
    sandbox.verification().set_status(&kept, "Declined");
    let path = |id: &str, action: &str| format!("/v3/session/{id}/{action}/");
    let update = r#"{"new_status":"Approved","comment":"seen"}"#;
    ask(&sandbox, "PATCH", &path(&kept, "update-status"), update);
    assert_eq!(ask(&sandbox, "DELETE", &path(&deleted, "delete"), "").status, 200);
    let decision = |sandbox: &Sandbox, id: &str| ask(sandbox, "GET", &path(id, "decision"), "");
    let mut before = decision(&sandbox, &kept).json();
    drop(sandbox);
    let sandbox = file.start().unwrap();
    let mut after = decision(&sandbox, &kept).json();
    // The URLs differ in the port.
    let [old, new] = [&mut before, &mut after].map(|decision| decision["session_url"].take());
    assert_eq!(after, before);
    assert_eq!(old.as_str().unwrap().rsplit('/').next(), new.as_str().unwrap().rsplit('/').next());
    assert_eq!(after["reviews"][0]["comment"], "seen");
    assert_eq!(decision(&sandbox, &deleted).status, 404);
    let next = id_of(&verification::create(&sandbox, &json!({})));
    assert!(next != kept && next != deleted);
}

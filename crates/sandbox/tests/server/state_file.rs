use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use didit_sandbox::Sandbox;
use serde_json::json;

use crate::raw::{decision, request, send};

/// A path of its own for each test, empty before and after.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let place = Self(std::env::temp_dir().join(format!("didit-{}-{name}", std::process::id())));
        let _ = fs::remove_file(&place.0);
        place
    }

    fn start(&self) -> std::io::Result<Sandbox> {
        Sandbox::builder().state_file(&self.0).session_lifetime(Duration::from_secs(60)).start()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn create(sandbox: &Sandbox) -> serde_json::Value {
    let headers = "Content-Type: application/json\r\nX-Api-Key: sandbox-api-key\r\n";
    let body = r#"{"scope":"names email","vendor_data":"order 7"}"#;
    send(sandbox, &request("POST", "/auth/v2/session/", headers, body)).unwrap().json()
}

#[test]
fn sessions_outlive_the_sandbox() {
    let place = Place::new("outlive");
    let (created, before) = {
        let sandbox = place.start().unwrap();
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
    let sandbox = place.start().unwrap();
    let id = created["session_id"].as_str().unwrap();
    assert_eq!(send(&sandbox, &decision(id)).unwrap().text(), before);
    let headers = format!("Data-Session-Token: {}\r\n", created["session_token"].as_str().unwrap());
    let path = format!("/auth/v2/session/{id}/status/");
    let status = send(&sandbox, &request("GET", &path, &headers, "")).unwrap();
    assert_eq!(status.json(), json!({"status": "confirmed"}));
    assert_ne!(create(&sandbox)["session_id"], created["session_id"]);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new("owner");
    let sandbox = place.start().unwrap();
    create(&sandbox);
    let mode = fs::metadata(&place.0).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_cannot_be_used_says_why() {
    let place = Place::new("refused");
    let sandbox = place.start().unwrap();
    let error = place.start().unwrap_err().to_string();
    assert!(error.contains("is used by another sandbox"), "{error}");
    drop(sandbox);
    let kept = fs::read(&place.0).unwrap();
    assert!(place.start().is_ok());
    fs::write(&place.0, "not a database, but long enough to look like something that is").unwrap();
    let error = place.start().unwrap_err().to_string();
    assert!(error.contains("cannot be used: file is not a database"), "{error}");
    // The mark of what the database belongs to.
    let mut foreign = kept;
    foreign[68..72].copy_from_slice(b"DdSc");
    fs::write(&place.0, &foreign).unwrap();
    let error = place.start().unwrap_err().to_string();
    assert!(error.contains("is a database of something else"), "{error}");
    assert_eq!(fs::read(&place.0).unwrap(), foreign);
    let nowhere = Sandbox::builder().state_file("/nowhere/state").start().unwrap_err().to_string();
    assert!(nowhere.contains("the state file /nowhere/state cannot be opened"), "{nowhere}");
}

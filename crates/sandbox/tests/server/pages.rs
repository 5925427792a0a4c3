mod front;
mod guards;
mod hosted_flow;
mod phone;
mod special_ids;

use didit_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::raw::{Answer, KEY, creation, decision, request, send};
use crate::verification;

fn get(sandbox: &Sandbox, path: &str) -> Answer {
    send(sandbox, &request("GET", path, "", "")).unwrap()
}

fn post(sandbox: &Sandbox, path: &str, headers: &str, body: &str) -> Answer {
    let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
    send(sandbox, &request("POST", path, &headers, body)).unwrap()
}

/// Creates a session and returns its id and the path of its page.
fn create(sandbox: &Sandbox, scope: &str, vendor_data: &str) -> (String, String) {
    let body = json!({"scope": scope, "vendor_data": vendor_data}).to_string();
    let created = send(sandbox, &creation(KEY, &body)).unwrap().json();
    let url = created["url"].as_str().unwrap();
    let path = url.strip_prefix(sandbox.url()).unwrap().to_owned();
    (created["session_id"].as_str().unwrap().to_owned(), path)
}

/// Returns the value of a page's hidden form token.
fn form_token(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"form\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

fn status(sandbox: &Sandbox, id: &str) -> Value {
    send(sandbox, &decision(id)).unwrap().json()["status"].clone()
}

fn flow(sandbox: &Sandbox, more: &Value) -> (String, String) {
    let created = verification::create(sandbox, more);
    let path = created["url"].as_str().unwrap().strip_prefix(sandbox.url()).unwrap().to_owned();
    (verification::id_of(&created), path)
}

use std::io::{Read as _, Write as _};

use didit_sandbox::{Fault, Route, Sandbox};

use crate::raw::{Answer, KEY, connect, creation, decision, read_answer, request, send, token};

/// Sends each request to one sandbox, and checks the status and that the body contains the text.
fn refused(cases: &[(String, u16, &str)]) {
    let sandbox = Sandbox::start().unwrap();
    for (request, status, why) in cases {
        let answer = send(&sandbox, request).unwrap();
        assert_eq!(answer.status, *status, "{request}\n{}", answer.text());
        assert!(answer.text().contains(why), "{request}\n{}", answer.text());
        assert!(answer.header("X-Request-Id").is_some());
    }
}

#[test]
fn invalid_paths_and_methods() {
    let get = |path: &str| request("GET", path, "", "");
    refused(&[
        (get("/other"), 404, "no path"),
        (get("/auth/v2/session/abc/"), 404, "no path"),
        (get("/auth/v2/session/abc/decision"), 404, "trailing slash"),
        (request("POST", "/auth/v2/token", "", ""), 404, "trailing slash"),
        (get("/auth/v2/session/abc/decision/?a=b"), 404, "query"),
        (get("/auth/v2/token/"), 405, "GET"),
        (request("PUT", "/auth/v2/session/", "", ""), 405, "PUT"),
        (request("POST", "/auth/v2/session/abc/decision/", "", ""), 405, "POST"),
    ]);
    let sandbox = Sandbox::start().unwrap();
    let answer = send(&sandbox, &get("/auth/v2/token/")).unwrap();
    assert_eq!(answer.header("Allow"), Some("POST"));
}

#[test]
fn head_request_is_refused_without_a_body() {
    let sandbox = Sandbox::start().unwrap();
    let mut stream = connect(&sandbox).unwrap();
    let head = request("HEAD", "/auth/v2/session/abc/decision/", "Connection: close\r\n", "");
    stream.write_all(head.as_bytes()).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 405 ") && all.ends_with("\r\n\r\n"), "{all}");
}

#[test]
fn invalid_session_ids() {
    refused(&[
        (decision("a%20b"), 400, "percent-encoded"),
        (decision("a\"b"), 400, "character"),
        (decision("a/b"), 400, "character"),
        (decision(""), 400, "empty"),
        (decision(".."), 400, "dot segment"),
        (decision(&"x".repeat(257)), 400, "256"),
    ]);
}

#[test]
fn invalid_decision_requests() {
    let good = decision("abc");
    let with = |from: &str, to: &str| good.replace(from, to);
    let key = "X-Api-Key: sandbox-api-key\r\n";
    refused(&[
        (with("Content-Type: application/json\r\n", ""), 200, "abc"),
        (with("application/json", "text/plain").replace("sandbox-api-key", "a"), 401, "detail"),
        (with("application/json", "text/plain"), 400, "Content-Type"),
        (with("\r\n\r\n", "\r\nContent-Length: 2\r\n\r\n{}"), 400, "must not have a body"),
        (with(key, ""), 401, "detail"),
        (with("sandbox-api-key", "wrong"), 401, "detail"),
        (with(key, "Authorization: Bearer wrong\r\n"), 401, "detail"),
        (with(key, "Authorization: Basic YTpi\r\n"), 401, "Bearer"),
        (with(key, &format!("{key}Authorization: Bearer a\r\n")), 400, "not both"),
    ]);
}

#[test]
fn repeated_and_missing_headers() {
    let good = decision("abc");
    let twice =
        |line: &str| good.replace("Host: 127.0.0.1\r\n", &format!("Host: a\r\n{line}{line}"));
    refused(&[
        (twice("Authorization: Bearer a\r\n"), 400, "Authorization"),
        (twice("X-Api-Key: a\r\n"), 400, "X-Api-Key"),
        (twice("Host: a\r\n"), 400, "Host"),
        (twice("Content-Length: 0\r\n"), 400, "Content-Length"),
        (good.replace("Host: 127.0.0.1\r\n", ""), 400, "Host is missing"),
    ]);
}

#[test]
fn invalid_token_requests() {
    let good = token();
    let with = |from: &str, to: &str| good.replace(from, to);
    let basic = good.lines().find(|line| line.starts_with("Authorization")).unwrap();
    let form = |body: &str| {
        let headers =
            good.lines().skip(2).take(2).fold(String::new(), |all, line| all + line + "\r\n");
        request("POST", "/auth/v2/token/", &headers, body)
    };
    refused(&[
        (with(&format!("{basic}\r\n"), ""), 401, "invalid_client"),
        (with(basic, "Authorization: Basic YTpi"), 401, "invalid_client"),
        (with(basic, "Authorization: Basic ?"), 400, "invalid_request"),
        (with(basic, "Authorization: Bearer a"), 400, "invalid_request"),
        (with("x-www-form-urlencoded", "json"), 400, "invalid_request"),
        (
            with("x-www-form-urlencoded", "json").replace(basic, "Authorization: Basic YTpi"),
            401,
            "invalid_client",
        ),
        (form("grant_type=password"), 400, "unsupported_grant_type"),
        (form("scope=a"), 400, "invalid_request"),
        (form(""), 400, "invalid_request"),
        (
            form("grant_type=client_credentials&grant_type=client_credentials"),
            400,
            "invalid_request",
        ),
    ]);
}

#[test]
fn credentials_are_form_decoded() {
    let sandbox = Sandbox::builder().credentials("sandbox-client-id", "a b:%").start().unwrap();
    // Base64 of sandbox-client-id:a+b%3A%25
    let basic = "c2FuZGJveC1jbGllbnQtaWQ6YStiJTNBJTI1";
    let good = token().replace("c2FuZGJveC1jbGllbnQtaWQ6c2FuZGJveC1jbGllbnQtc2VjcmV0", basic);
    assert_eq!(send(&sandbox, &good).unwrap().status, 200);
    assert_eq!(send(&sandbox, &token()).unwrap().status, 401);
}

#[test]
fn grant_is_form_decoded() {
    let sandbox = Sandbox::start().unwrap();
    let request = token().replace("client_credentials", "client%5Fcredentials");
    let request = request.replace("Content-Length: 29", "Content-Length: 31");
    assert_eq!(send(&sandbox, &request).unwrap().status, 200);
}

#[test]
fn invalid_creations() {
    let create = |body: &str| creation(KEY, body);
    let good = create(r#"{"scope":"names"}"#);
    refused(&[
        (create("{}"), 400, "scope is required"),
        (create(r#"{"scope":""}"#), 400, "scope is required"),
        (create(r#"{"scope":" "}"#), 400, "scope is required"),
        (create(r#"{"scope":["names"]}"#), 400, "scope is required"),
        (create("scope=names"), 400, "not a JSON object"),
        (create("[]"), 400, "not a JSON object"),
        (create(r#"{"scope":"names","vendor_data":7}"#), 400, "vendor_data must be"),
        (create(r#"{"scope":"names","vendorData":"a"}"#), 400, "unknown member \\\"vendorData"),
        (good.replace("application/json", "text/plain"), 400, "Content-Type"),
        (good.replace("sandbox-api-key", "wrong"), 401, "detail"),
        (
            good.replace("application/json\r\nX-Api-Key: sandbox", "text/plain\r\nX-Api-Key: a"),
            401,
            "detail",
        ),
    ]);
}

#[test]
fn foreign_host_names() {
    let at = |host: &str| decision("abc").replace("Host: 127.0.0.1", &format!("Host: {host}"));
    refused(&[
        (at("example.com"), 403, "no other host name"),
        (at("127.0.0.1.example.com:80"), 403, "no other host name"),
        (at("example.com").replace("/auth/v2/", "/other/"), 403, "no other host name"),
        (at("127.0.0.1:8080"), 200, "abc"),
        (at("localhost"), 200, "abc"),
        (at("[::1]:9"), 200, "abc"),
    ]);
}

#[test]
fn foreign_host_name_does_not_use_up_faults() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.script(Route::Decision, [Fault::answer(503)]);
    let foreign = decision("abc").replace("Host: 127.0.0.1", "Host: example.com");
    assert_eq!(send(&sandbox, &foreign).unwrap().status, 403);
    assert_eq!(send(&sandbox, &decision("abc")).unwrap().status, 503);
}

#[test]
fn invalid_status_requests() {
    let status = |headers: &str| request("GET", "/auth/v2/session/abc/status/", headers, "");
    refused(&[
        (status(""), 401, "Data-Session-Token"),
        (status("Data-Session-Token: a\r\n"), 404, "Not found."),
    ]);
}

#[test]
fn oversized_or_coded_requests() {
    let post = |headers: &str| request("POST", "/auth/v2/session/", headers, "");
    refused(&[
        (post(&format!("A: {}\r\n", "x".repeat(64 * 1024))), 431, "64 KiB"),
        // With Host, one too many.
        (post(&"A: x\r\n".repeat(128)), 431, "128 headers"),
        (post("Transfer-Encoding: gzip\r\n"), 501, "chunked"),
        (post("Transfer-Encoding: gzip, chunked\r\n"), 501, "chunked"),
        (post(&"Transfer-Encoding: chunked\r\n".repeat(2)), 400, "more than once"),
        (post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"), 400, "not both"),
        (post("Transfer-Encoding: chunked\r\n") + "x\r\n", 400, "not valid chunked encoding"),
        (post("Transfer-Encoding: chunked\r\n") + "100001\r\n", 413, "1 MiB"),
        (post("Content-Length: +1\r\n"), 400, "not a number"),
        (post(&"Content-Length: 1\r\n".repeat(2)), 400, "more than once"),
        (post("Content-Length: 1048577\r\n") + &"x".repeat(1_048_577), 413, "1 MiB"),
        (post("Content-Length: 99999999999999999999\r\n"), 413, "1 MiB"),
        (request("POST", "/v3/session/", "Content-Length: 4194305\r\n", ""), 413, "4 MiB"),
        ("not HTTP at all\r\n\r\n".to_owned(), 400, "not an HTTP/1.1 request"),
    ]);
}

#[test]
fn chunked_body_is_read_to_its_end() {
    let sandbox = Sandbox::start().unwrap();
    let mut stream = connect(&sandbox).unwrap();
    let head = creation(&format!("{KEY}\r\nTransfer-Encoding: chunked"), "");
    let body = "9\r\n{\"scope\":\r\n8;x=y\r\n\"names\"}\r\n0\r\nTrailer: a\r\n\r\n";
    let whole = head + body + &decision("abc");
    for part in whole.as_bytes().chunks(50) {
        stream.write_all(part).unwrap();
    }
    assert_eq!(read_answer(&mut stream).unwrap().status, 201);
    assert_eq!(read_answer(&mut stream).unwrap().status, 200);
    assert_eq!(sandbox.requests()[0].body, br#"{"scope":"names"}"#);
}

#[test]
fn target_may_be_a_whole_url() {
    let sandbox = Sandbox::start().unwrap();
    let at = |host: &str| decision("abc").replace("GET /", &format!("GET http://{host}/"));
    assert_eq!(send(&sandbox, &at("localhost:1")).unwrap().status, 200);
    assert_eq!(send(&sandbox, &at("example.com")).unwrap().status, 403);
    assert_eq!(sandbox.requests()[0].path, "/auth/v2/session/abc/decision/");
}

#[test]
fn expect_header_is_answered_with_100() {
    let sandbox = Sandbox::start().unwrap();
    let mut stream = connect(&sandbox).unwrap();
    let body = r#"{"scope":"names"}"#;
    let whole = creation(&format!("{KEY}\r\nExpect: 100-continue"), body);
    stream.write_all(whole.trim_end_matches(body).as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 100);
    stream.write_all(body.as_bytes()).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 201);
}

#[test]
fn connection_stays_open_after_a_refusal() {
    let sandbox = Sandbox::start().unwrap();
    let mut stream = connect(&sandbox).unwrap();
    let mut next = |request: &str| -> Answer {
        stream.write_all(request.as_bytes()).unwrap();
        read_answer(&mut stream).unwrap()
    };
    assert_eq!(next(&request("GET", "/other", "", "")).status, 404);
    assert_eq!(next(&decision("abc")).status, 200);
    let last = next(&decision("abc").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    assert_eq!(last.header("Connection"), Some("close"));
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    assert_eq!(sandbox.connections(), 1);
}

use didit_sandbox::Sandbox;
use serde_json::json;

use super::{create, flow, form_token, get, post, status};
use crate::raw::{request, send};

#[test]
fn outside_data_is_escaped() {
    const HOSTILE: &str = "\" onfocus=\"x\"><script>alert(1)</script>'&";
    let sandbox = Sandbox::builder().credentials(HOSTILE, "secret").start().unwrap();
    let (id, path) = create(&sandbox, &HOSTILE.replace(' ', "_"), HOSTILE);
    let (_, other) = create(&sandbox, "names", HOSTILE);
    let token = form_token(&get(&sandbox, &path));
    for path in ["/", &path, &other] {
        let text = get(&sandbox, path).text();
        assert!(!text.contains("<script") && !text.contains("\" onfocus"), "{text}");
        assert!(text.contains("&lt;script&gt;"), "{text}");
    }
    let body = format!(
        "form={token}&share=%22_onfocus=%22x%22%3E%3Cscript%3Ealert(1)%3C/script%3E'%26&answer=confirm"
    );
    assert_eq!(post(&sandbox, &path, "", &body).status, 303);
    let text = get(&sandbox, &path).text();
    assert!(text.contains("You shared") && !text.contains("<script"), "{text}");
    sandbox.set_status(&*id, HOSTILE);
    for path in ["/", &path] {
        assert!(!get(&sandbox, path).text().contains("<script"));
    }
}

#[test]
fn forms_from_other_sites_are_refused() {
    let sandbox = Sandbox::start().unwrap();
    let (id, path) = create(&sandbox, "names", "");
    let (_, other) = create(&sandbox, "names", "");
    let token = form_token(&get(&sandbox, &path));
    let refused = |headers: &str, body: &str| {
        let answer = post(&sandbox, &path, headers, body);
        assert_eq!(answer.status, 403, "{headers} {body}");
    };
    let good = format!("form={token}&answer=confirm");
    for headers in [
        "Origin: https://example.com\r\n",
        "Origin: null\r\n",
        "Origin: http://127.0.0.1:1\r\n",
        "Origin: https://127.0.0.1\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Sec-Fetch-Site: none\r\n",
    ] {
        refused(headers, &good);
    }
    let of_another = form_token(&get(&sandbox, &other));
    for token in ["", "form=&", "form=wrong&", &format!("form={of_another}&")] {
        refused("", &format!("{token}answer=confirm"));
    }
    let plain = "Content-Type: text/plain\r\n";
    let answer = send(&sandbox, &request("POST", &path, plain, &good)).unwrap();
    assert_eq!(answer.status, 403);
    assert_eq!(post(&sandbox, "/", "", "form=wrong&scope=names").status, 403);
    assert_eq!(status(&sandbox, &id), "Retrieved");
    let own = "Origin: http://127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n";
    assert_eq!(post(&sandbox, &path, own, &good).status, 303);
}

#[test]
fn foreign_host_names_are_refused() {
    let sandbox = Sandbox::start().unwrap();
    let (id, path) = create(&sandbox, "names", "");
    let at = |host: &str, path: &str| {
        let get = request("GET", path, "", "").replace("Host: 127.0.0.1", &format!("Host: {host}"));
        send(&sandbox, &get).unwrap().status
    };
    for host in ["example.com", "127.0.0.1.example.com:80", "localhost.example.com", "", "a:b"] {
        assert_eq!((at(host, "/"), at(host, &path)), (403, 403), "{host}");
    }
    assert_eq!(status(&sandbox, &id), "Initialized");
    for host in ["127.0.0.1:8080", "localhost", "LOCALHOST:9", "[::1]:9"] {
        assert_eq!(at(host, "/"), 200, "{host}");
    }
}

#[test]
fn pages_have_security_headers() {
    let sandbox = Sandbox::start().unwrap();
    let (id, path) = create(&sandbox, "names", "");
    sandbox.missing("unknown");
    let (_, flow) = flow(&sandbox, &json!({}));
    for (path, status) in [
        ("/", 200),
        ("/live", 200),
        ("/sandbox.css", 200),
        (&*path, 200),
        (&*flow, 200),
        ("/authorize/no", 404),
        ("/session/no", 404),
    ] {
        let page = get(&sandbox, path);
        assert_eq!(page.status, status, "{path}");
        let policy = page.header("Content-Security-Policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
        assert_eq!(page.header("Cache-Control"), Some("no-store"));
        assert_eq!(page.header("X-Content-Type-Options"), Some("nosniff"));
        let text = page.text();
        assert!(!text.contains("style=") && !text.contains("<script"), "{text}");
    }
    let put = send(&sandbox, &request("PUT", "/", "", "")).unwrap();
    assert_eq!((put.status, put.header("Allow")), (405, Some("GET, HEAD, POST")));
    let token = path.rsplit('/').next().unwrap();
    assert!(!format!("{:?}", sandbox.requests()).contains(token));
    sandbox.missing(id);
    assert_eq!(get(&sandbox, &path).status, 404);
}

#[test]
fn head_is_answered_like_get_without_the_body() {
    use std::io::{Read as _, Write as _};
    let sandbox = Sandbox::start().unwrap();
    let (_, path) = create(&sandbox, "names", "a");
    for path in ["/", "/sandbox.css", &path] {
        let mut stream = crate::raw::connect(&sandbox).unwrap();
        stream.write_all(request("HEAD", path, "Connection: close\r\n", "").as_bytes()).unwrap();
        let mut head = String::new();
        stream.read_to_string(&mut head).unwrap();
        let length = format!("Content-Length: {}\r\n", get(&sandbox, path).body.len());
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains(&length), "{head}");
        assert!(head.ends_with("\r\n\r\n"), "{head}");
    }
}

use std::time::Duration;

use didit_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::raw::{Answer, decision, request, send};
use crate::verification;

fn get(sandbox: &Sandbox, path: &str) -> Answer {
    send(sandbox, &request("GET", path, "", "")).unwrap()
}

fn post(sandbox: &Sandbox, path: &str, headers: &str, body: &str) -> Answer {
    let headers = format!("Content-Type: application/x-www-form-urlencoded\r\n{headers}");
    send(sandbox, &request("POST", path, &headers, body)).unwrap()
}

/// A session's id, and the path of its page.
fn create(sandbox: &Sandbox, scope: &str, vendor_data: &str) -> (String, String) {
    let headers = "Content-Type: application/json\r\nX-Api-Key: sandbox-api-key\r\n";
    let body = json!({"scope": scope, "vendor_data": vendor_data}).to_string();
    let created = send(sandbox, &request("POST", "/auth/v2/session/", headers, &body)).unwrap();
    let created = created.json();
    let url = created["url"].as_str().unwrap();
    let path = url.strip_prefix(sandbox.url()).unwrap().to_owned();
    (created["session_id"].as_str().unwrap().to_owned(), path)
}

/// The hidden field that a page's form must send along.
fn form_token(page: &Answer) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"form\" value=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

fn status(sandbox: &Sandbox, id: &str) -> Value {
    send(sandbox, &decision(id)).unwrap().json()["status"].clone()
}

#[test]
fn the_person_shares_exactly_what_is_ticked() {
    let sandbox = Sandbox::start().unwrap();
    let (id, path) = create(&sandbox, "picture names email", "order 7");
    assert_eq!(status(&sandbox, &id), "Initialized");
    let page = get(&sandbox, &path);
    assert_eq!(page.status, 200);
    assert_eq!(status(&sandbox, &id), "Retrieved");
    let text = page.text();
    assert!(text.contains("<html lang=\"en\">") && text.contains("order 7"), "{text}");
    assert!(text.contains("sandbox-client-id"));
    assert_eq!(text.matches("name=\"share\"").count(), 3);
    assert_eq!(text.matches(" checked>").count(), 3);

    let body = format!(
        "form={}&share=names&share=picture&names.first_name=Zo%C3%AB&answer=confirm",
        form_token(&page)
    );
    let answer = post(&sandbox, &path, "", &body);
    assert_eq!((answer.status, answer.header("Location")), (303, Some(&*path)));
    let decision = send(&sandbox, &decision(&id)).unwrap().json();
    assert_eq!(decision["status"], "Confirmed");
    let expected = json!({
        "sub": "user-unique-identifier",
        "names": {
            "first_name": "Zoë", "family_name": "Doe", "full_name": "John Doe", "is_verified": true
        },
        "picture": "https://example.com/picture.png",
    });
    assert_eq!(decision["user_data"], expected);
    let text = get(&sandbox, &path).text();
    let (shared, kept) = text.split_once("You kept to yourself").unwrap();
    assert!(shared.contains("Data shared") && shared.contains("<li>Names</li>"), "{text}");
    assert!(kept.contains("<li>Email</li>") && !kept.contains("Names"), "{text}");
    assert!(!text.contains("<form"), "{text}");

    let again = post(&sandbox, &path, "", &body.replace("confirm", "decline"));
    assert_eq!((again.status, status(&sandbox, &id)), (409, json!("Confirmed")));
}

#[test]
fn the_person_declines_or_lets_it_expire() {
    let sandbox = Sandbox::start().unwrap();
    for (answer, expected, title) in
        [("decline", "Declined", "Nothing shared"), ("expire", "Expired", "Too late")]
    {
        let (id, path) = create(&sandbox, "names", "");
        let token = form_token(&get(&sandbox, &path));
        let body = |answer: &str| format!("form={token}&share=names&answer={answer}");
        assert_eq!(post(&sandbox, &path, "", &body("other")).status, 400);
        assert_eq!(post(&sandbox, &path, "", &body(answer)).status, 303);
        let decision = send(&sandbox, &decision(&id)).unwrap().json();
        assert_eq!((&decision["status"], &decision["user_data"]), (&json!(expected), &json!({})));
        assert!(get(&sandbox, &path).text().contains(title));
    }
}

#[test]
fn a_session_expires_by_itself() {
    let lifetime = Duration::from_millis(1);
    let sandbox = Sandbox::builder().session_lifetime(lifetime).start().unwrap();
    let (id, path) = create(&sandbox, "names", "");
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(status(&sandbox, &id), "Expired");
    assert!(get(&sandbox, &path).text().contains("Too late"));
    let token = path.rsplit('/').next().unwrap();
    let asked = format!("/auth/v2/session/{id}/status/");
    let headers = format!("Data-Session-Token: {token}\r\n");
    let answer = send(&sandbox, &request("GET", &asked, &headers, "")).unwrap();
    assert_eq!(answer.json(), json!({"status": "expired"}));
    assert!(get(&sandbox, "/").text().contains(">expired</span>"));
}

#[test]
fn the_first_page_lists_and_creates_sessions() {
    let sandbox = Sandbox::start().unwrap();
    let empty = get(&sandbox, "/");
    assert!(empty.text().contains("None yet."));
    let token = form_token(&empty);
    let body = format!("form={token}&scope=names&scope=email&vendor_data=caf%C3%A9+%22");
    let answer = post(&sandbox, "/", "", &body);
    assert_eq!((answer.status, answer.header("Location")), (303, Some("/")));
    let (_, path) = create(&sandbox, "phone", "later");
    let text = get(&sandbox, "/").text();
    assert!(text.contains(">names email</td>") && text.contains("café &quot;"), "{text}");
    assert!(text.contains(&format!("href=\"{path}\"")), "{text}");
    assert!(text.find(">later</td>").unwrap() < text.find("café").unwrap(), "{text}");
    assert_eq!(post(&sandbox, "/", "", &format!("form={token}&vendor_data=x")).status, 400);
    for index in 0..110 {
        create(&sandbox, "names", &index.to_string());
    }
    let text = get(&sandbox, "/").text();
    assert_eq!(text.matches("href=\"/authorize/").count(), 100);
    assert!(text.contains("not listed: 12<"), "{text}");
}

#[test]
fn what_comes_from_outside_is_text() {
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
fn forms_of_other_sites_are_refused() {
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
fn another_name_for_this_machine_is_refused() {
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
fn pages_go_out_with_their_guards() {
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
    assert_eq!((put.status, put.header("Allow")), (405, Some("GET, POST")));
    let token = path.rsplit('/').next().unwrap();
    assert!(!format!("{:?}", sandbox.requests()).contains(token));
    sandbox.missing(id);
    assert_eq!(get(&sandbox, &path).status, 404);
}

fn flow(sandbox: &Sandbox, more: &Value) -> (String, String) {
    let created = verification::create(sandbox, more);
    let path = created["url"].as_str().unwrap().strip_prefix(sandbox.url()).unwrap().to_owned();
    (verification::id_of(&created), path)
}

fn verification_status(sandbox: &Sandbox, id: &str) -> Value {
    let path = format!("/v3/session/{id}/decision/");
    verification::ask(sandbox, "GET", &path, "").json()["status"].clone()
}

#[test]
fn a_person_plays_the_hosted_flow() {
    let sandbox = Sandbox::start().unwrap();
    for (answer, expected, title) in [
        ("approve", "Approved", "You are verified"),
        ("decline", "Declined", "Not verified"),
        ("review", "In Review", "Under review"),
        ("abandon", "Abandoned", "Abandoned"),
    ] {
        let callback = json!({"callback": "https://example.com/done?a=b#c"});
        let (id, path) = flow(&sandbox, &callback);
        assert_eq!(verification_status(&sandbox, &id), "Not Started");
        let page = get(&sandbox, &path);
        assert_eq!(page.status, 200);
        assert_eq!(verification_status(&sandbox, &id), "In Progress");
        let token = form_token(&page);
        let body = format!("form={token}&answer={answer}");
        assert_eq!(post(&sandbox, &path, "", "form=wrong&answer=approve").status, 403);
        assert_eq!(post(&sandbox, &path, "", &format!("form={token}&answer=x")).status, 400);
        let other = "Origin: https://example.com\r\n";
        assert_eq!(post(&sandbox, &path, other, &body).status, 403);
        let done = post(&sandbox, &path, "", &body);
        assert_eq!((done.status, done.header("Location")), (303, Some(&*path)));
        assert_eq!(verification_status(&sandbox, &id), expected);
        let text = get(&sandbox, &path).text();
        assert!(text.contains(title), "{text}");
        let status = expected.replace(' ', "+");
        let back = format!("done?a=b&amp;verificationSessionId={id}&amp;status={status}#c\"");
        assert!(text.contains(&back), "{text}");
        assert_eq!(post(&sandbox, &path, "", &body).status, 409);
    }
}

#[test]
fn a_developer_sets_any_status_on_the_page_of_the_flow() {
    let sandbox = Sandbox::start().unwrap();
    let (id, path) = flow(&sandbox, &json!({"vendor_data": "<b>", "callback": "app://done"}));
    let page = get(&sandbox, &path);
    assert!(page.text().contains("&lt;b&gt;"));
    let body = format!("form={}&status=Kyc+Expired", form_token(&page));
    assert_eq!(post(&sandbox, &path, "", &body).status, 303);
    assert_eq!(verification_status(&sandbox, &id), "Kyc Expired");
    let text = get(&sandbox, &path).text();
    assert!(text.contains("<option selected>Kyc Expired</option>"), "{text}");
    assert!(text.contains("app://done?") && !text.contains("href=\"app:"), "{text}");
    let odd = format!("form={}&status=Bogus", form_token(&page));
    assert_eq!(post(&sandbox, &path, "", &odd).status, 400);
    let token = path.rsplit('/').next().unwrap();
    assert!(!format!("{:?}", sandbox.requests()).contains(token));
    assert_eq!(get(&sandbox, "/session/unknown").status, 404);
}

#[test]
fn confirming_without_a_tick_shares_nothing() {
    let sandbox = Sandbox::start().unwrap();
    let (id, path) = create(&sandbox, "names", "");
    let token = form_token(&get(&sandbox, &path));
    post(&sandbox, &path, "", &format!("form={token}&answer=confirm"));
    assert_eq!(status(&sandbox, &id), "Confirmed");
    let text = get(&sandbox, &path).text();
    assert!(
        text.contains("<h1>Nothing was shared</h1>") && !text.contains("Data shared"),
        "{text}"
    );
}

#[test]
fn a_developer_finds_the_decision_and_commands_beside_the_phone() {
    let sandbox = Sandbox::start().unwrap();
    let (id, path) = create(&sandbox, "names", "");
    let text = get(&sandbox, &path).text();
    assert!(text.contains(&format!("<code>didit wait {id}</code>")), "{text}");
    assert!(text.contains(&format!("{}/auth/v2/session/{id}/decision/</code>", sandbox.url())));
    assert!(text.contains("&quot;status&quot;: &quot;Retrieved&quot;"), "{text}");
    let (_, flow) = flow(&sandbox, &json!({"metadata": "<i>"}));
    let text = get(&sandbox, &flow).text();
    assert!(text.contains("&quot;metadata&quot;: &quot;&lt;i&gt;&quot;"), "{text}");
    let home = get(&sandbox, "/").text();
    let base_url = format!("<code>export DIDIT_BASE_URL={}</code>", sandbox.url());
    assert!(home.contains(&base_url) && home.contains("slow-…"), "{home}");
}

#[test]
fn the_live_page_shows_sessions_and_requests_and_loads_itself_anew() {
    let sandbox = Sandbox::start().unwrap();
    let empty = get(&sandbox, "/live");
    assert_eq!((empty.status, empty.header("Refresh")), (200, Some("2")));
    assert!(empty.text().contains("None yet.") && !empty.text().contains("<form"));
    let (id, path) = create(&sandbox, "names", "order 7");
    let token = form_token(&get(&sandbox, "/"));
    let made = format!("form={token}&kind=verification&vendor_data=user+7");
    assert_eq!(post(&sandbox, "/", "", &made).status, 303);
    let text = get(&sandbox, "/live").text();
    for expected in [&*id, "order 7", "user 7", "<code>POST /auth/v2/session/</code>", ">201</td>"]
    {
        assert!(text.contains(expected), "{expected} is not in {text}");
    }
    assert!(!text.contains("GET /live") && !text.contains(&format!("GET {path}")), "{text}");
}

#[test]
fn some_ids_play_a_part_by_their_name() {
    let sandbox = Sandbox::start().unwrap();
    assert_eq!(status(&sandbox, "declined-1"), "Declined");
    assert_eq!(status(&sandbox, "expired-by-2"), "Expired");
    assert_eq!(status(&sandbox, "slow-3"), "Initialized");
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(status(&sandbox, "slow-3"), "Retrieved");
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(status(&sandbox, "slow-3"), "Confirmed");
    assert_eq!(status(&sandbox, "slow-4"), "Initialized");
    assert_eq!(status(&sandbox, "declined"), "Confirmed");
    sandbox.set_status("declined-1", "confirmed");
    assert_eq!(status(&sandbox, "declined-1"), "Confirmed");
}

#[test]
fn a_strict_sandbox_knows_what_was_created_only() {
    let sandbox = Sandbox::builder().strict(true).start().unwrap();
    for id in ["any", "declined-1"] {
        assert_eq!(send(&sandbox, &decision(id)).unwrap().status, 404, "{id}");
    }
    let (id, _) = create(&sandbox, "names pictures", "");
    assert_eq!(status(&sandbox, &id), "Initialized");
    let headers = "Content-Type: application/json\r\nX-Api-Key: sandbox-api-key\r\n";
    let odd = request("POST", "/auth/v2/session/", headers, r#"{"scope":"names mail"}"#);
    let refused = send(&sandbox, &odd).unwrap();
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("\\\"mail\\\" is not documented"), "{}", refused.text());
    assert!(get(&sandbox, "/").text().contains("This sandbox is strict"));
}

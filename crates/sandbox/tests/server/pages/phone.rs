use std::time::Duration;

use didit_sandbox::Sandbox;
use serde_json::json;

use super::{create, flow, form_token, get, post, status};
use crate::raw::{creation, decision, request, send};

#[test]
fn only_ticked_scopes_are_shared() {
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
fn buttons_decline_or_expire_the_session() {
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
fn session_expires_after_its_lifetime() {
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
fn confirming_without_ticks_shares_nothing() {
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
fn developer_sees_decision_and_commands() {
    let sandbox = Sandbox::start().unwrap();
    let (id, path) = create(&sandbox, "names", "");
    let text = get(&sandbox, &path).text();
    assert!(text.contains(&format!("<code>didit wait {id}</code>")), "{text}");
    assert!(text.contains(&format!("{}/auth/v2/session/{id}/decision/</code>", sandbox.url())));
    assert!(text.contains("&quot;status&quot;: &quot;Retrieved&quot;"), "{text}");
    assert!(text.contains("<dt>Expires (UTC)</dt>\n<dd>20"), "{text}");
    let (_, flow) = flow(&sandbox, &json!({"metadata": "<i>"}));
    let text = get(&sandbox, &flow).text();
    assert!(text.contains("&quot;metadata&quot;: &quot;&lt;i&gt;&quot;"), "{text}");
    let home = get(&sandbox, "/").text();
    let base_url = format!("<code>export DIDIT_BASE_URL={}</code>", sandbox.url());
    assert!(home.contains(&base_url) && home.contains("slow-…"), "{home}");
    let key = format!("DIDIT_API_KEY={} didit verification list</code>", sandbox.api_key());
    assert!(home.contains(&key), "{home}");
}

#[test]
fn network_sandbox_shows_a_qr_code() {
    let sandbox = Sandbox::start().unwrap();
    let (_, path) = create(&sandbox, "names", "");
    let text = get(&sandbox, &path).text();
    assert!(text.contains("opens on this machine only") && !text.contains("<svg"), "{text}");

    let listen = Sandbox::builder().listen(std::net::Ipv4Addr::UNSPECIFIED.into());
    let sandbox = listen.start().unwrap();
    let key = format!("x-api-key: {}", sandbox.api_key());
    let create = creation(&key, r#"{"scope":"names"}"#);
    let url = send(&sandbox, &create).unwrap().json()["url"].as_str().unwrap().to_owned();
    let path = format!("/{}", url.splitn(4, '/').last().unwrap());
    let text = get(&sandbox, &path).text();
    assert!(text.contains("role=\"img\" aria-label=\"QR code\""), "{text}");
    assert!(text.contains(&format!("<code>{url}</code>")), "{text}");
}

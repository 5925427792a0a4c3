use didit_sandbox::Sandbox;

use super::{create, form_token, get, post};
use crate::raw::{decision, send};

#[test]
fn front_page_lists_and_creates_sessions() {
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
fn live_page_shows_sessions_and_requests_and_refreshes() {
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
fn form_without_scopes_keeps_vendor_data() {
    let sandbox = Sandbox::start().unwrap();
    let token = form_token(&get(&sandbox, "/"));
    let answer = post(&sandbox, "/", "", &format!("form={token}&vendor_data=order+%227"));
    let text = answer.text();
    assert_eq!(answer.status, 400);
    assert!(text.contains("role=\"alert\">Tick at least one thing.</p>"), "{text}");
    assert!(text.contains("name=\"vendor_data\" value=\"order &quot;7\""), "{text}");
    assert!(!text.contains(" checked>"), "{text}");
}

#[test]
fn favicon_is_an_empty_response() {
    let sandbox = Sandbox::start().unwrap();
    let answer = get(&sandbox, "/favicon.ico");
    assert_eq!((answer.status, answer.text()), (204, String::new()));
    assert!(!get(&sandbox, "/live").text().contains("favicon"));
}

#[test]
fn repeated_requests_share_a_row() {
    let sandbox = Sandbox::builder().keep_requests(0).start().unwrap();
    for id in ["abc", "abc", "abc", "other"] {
        send(&sandbox, &decision(id)).unwrap();
    }
    let text = get(&sandbox, "/live").text();
    assert_eq!(text.matches("GET /auth/v2/session/abc/decision/").count(), 1, "{text}");
    assert!(text.contains("decision/</code> <span class=\"quiet\">3 times</span>"), "{text}");
}

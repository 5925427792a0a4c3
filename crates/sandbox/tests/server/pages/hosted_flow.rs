use std::time::Duration;

use didit_sandbox::Sandbox;
use serde_json::{Value, json};

use super::{flow, form_token, get, post};
use crate::verification;

fn verification_status(sandbox: &Sandbox, id: &str) -> Value {
    let path = format!("/v3/session/{id}/decision/");
    verification::ask(sandbox, "GET", &path, "").json()["status"].clone()
}

#[test]
fn buttons_set_the_status() {
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
fn developer_can_set_any_status() {
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
fn developer_can_resend_a_webhook() {
    let receiver = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let hooks = format!("http://{}", receiver.local_addr().unwrap());
    let start = |with: bool| {
        let builder = Sandbox::builder().webhook_time_scale(0.0);
        let builder = if with { builder.webhook(hooks.clone(), "s") } else { builder };
        builder.webhook_timeout(Duration::from_millis(10)).start().unwrap()
    };
    let without = start(false);
    let (_, path) = flow(&without, &json!({}));
    assert!(!get(&without, &path).text().contains("Send the webhook again"));

    let sandbox = start(true);
    let (_, path) = flow(&sandbox, &json!({}));
    let page = get(&sandbox, &path);
    assert!(page.text().contains("Send the webhook again"), "{}", page.text());
    let send = |fault: &str| {
        let body = format!("form={}&webhook={fault}", form_token(&page));
        post(&sandbox, &path, "", &body).status
    };
    assert_eq!((send("bogus"), send("duplicate")), (400, 303));
    assert!(sandbox.verification().settle(Duration::from_secs(20)));
    let deliveries = sandbox.verification().deliveries();
    let last = deliveries.last().unwrap().event_id.clone();
    // Nothing answers: two deliveries in the first attempt, and one in each of the two retries.
    assert_eq!(deliveries.iter().filter(|delivery| delivery.event_id == last).count(), 4);
}

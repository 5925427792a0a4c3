use std::time::Duration;

use didit_sandbox::Sandbox;

use super::{create, get, status};
use crate::raw::{KEY, creation, decision, send};

#[test]
fn special_ids_have_their_status() {
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
fn missing_failing_and_waiting_ids() {
    let sandbox = Sandbox::start().unwrap();
    let answer = |id: &str| send(&sandbox, &decision(id)).unwrap().status;
    assert_eq!((answer("missing-1"), answer("failing-1")), (404, 503));
    sandbox.advance(Duration::from_secs(3600));
    assert_eq!(status(&sandbox, "waiting-1"), "Initialized");
    // Settings of a test take precedence.
    sandbox.set_status("failing-1", "confirmed");
    sandbox.decision("missing-1", "{}");
    assert_eq!((answer("missing-1"), answer("failing-1")), (200, 200));
    let home = get(&sandbox, "/").text();
    for part in ["declined-…", "expired-…", "slow-…", "missing-…", "failing-…", "waiting-…"]
    {
        assert!(home.contains(part), "{part}");
    }
    let strict = Sandbox::builder().strict(true).start().unwrap();
    assert_eq!(send(&strict, &decision("failing-1")).unwrap().status, 404);
}

#[test]
fn strict_sandbox_knows_only_created_sessions() {
    let sandbox = Sandbox::builder().strict(true).start().unwrap();
    for id in ["any", "declined-1"] {
        assert_eq!(send(&sandbox, &decision(id)).unwrap().status, 404, "{id}");
    }
    let (id, _) = create(&sandbox, "names pictures", "");
    assert_eq!(status(&sandbox, &id), "Initialized");
    let refused = send(&sandbox, &creation(KEY, r#"{"scope":"names mail"}"#)).unwrap();
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("\\\"mail\\\" is not documented"), "{}", refused.text());
    assert!(get(&sandbox, "/").text().contains("This sandbox is strict"));
}

//! Webhooks from a sandbox to the example, with every fault.
#![allow(clippy::unwrap_used)]

use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use didit_async_adapter::Client;
use didit_async_adapter::core::Authorization;
use didit_async_adapter::core::verification::CreateSession;
use didit_sandbox::{Sandbox, WebhookFault};

const SECRET: &str = "whsec_example_not_a_real_secret";
/// Much longer than any delivery takes.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn only_genuine_and_new_events_are_stored() {
    let test = env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap_or(Path::new("."));
    let mut receiver = Command::new(profile.join("examples/webhook_receiver"))
        .envs([("DIDIT_WEBHOOK_SECRET", SECRET), ("LISTEN", "127.0.0.1:0")])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(receiver.stdout.take().unwrap()).lines().map(Result::unwrap);
    let faults = [
        WebhookFault::Lost,
        WebhookFault::Duplicate,
        WebhookFault::WrongSignature,
        WebhookFault::OldTimestamp,
    ];
    let sandbox = Sandbox::builder().webhook_faults(faults).start().unwrap();
    sandbox.verification().webhook(&lines.next().unwrap(), SECRET).unwrap();

    let key = Authorization::api_key(sandbox.api_key()).unwrap();
    let client = Client::builder(key).base_url(sandbox.url().parse().unwrap()).build().unwrap();
    let create = CreateSession::new("9f9b1234-aaaa-bbbb-cccc-1234567890ab").unwrap();
    let session = client.verification().create_session(create).await.unwrap();
    let id = session.session_id().as_str();
    for status in ["In Review", "Approved", "Declined", "Kyc Expired"] {
        sandbox.verification().set_status(id, status);
        // Webhook timestamps have a resolution of one second.
        sandbox.advance(Duration::from_secs(1));
    }
    assert!(sandbox.verification().settle(DELIVERY_TIMEOUT));
    // Redelivers the first one.
    sandbox.advance(Duration::from_secs(60));
    assert!(sandbox.verification().settle(DELIVERY_TIMEOUT));
    let answers: Vec<_> =
        sandbox.verification().deliveries().iter().map(|delivery| delivery.answer).collect();
    assert_eq!(answers, [None, Some(200), Some(200), Some(401), Some(401), Some(200)]);

    receiver.kill().unwrap();
    receiver.wait().unwrap();
    assert_eq!(lines.collect::<Vec<_>>(), [format!("{id}: Approved")]);
}

//! The thread that sends webhooks, one at a time.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::canonical_json::{Style, print};
use super::outbox::Pending;
use super::signature::Signatures;
use super::{WebhookDelivery, WebhookFault, http_post};
use crate::state::Shared;

/// The documented pauses before the second and the third attempt.
const RETRY_PAUSES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(240)];

/// The age of [`WebhookFault::OldTimestamp`]. By the documentation, receivers should refuse more than
/// 5 minutes.
const OLD_TIMESTAMP_AGE: Duration = Duration::from_secs(600);

/// The interval between checks for expired sessions.
const EXPIRY_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The running sender; stops on drop.
pub(crate) struct Sender {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    current: Arc<Mutex<Option<TcpStream>>>,
}

impl Sender {
    pub(crate) fn start(shared: Arc<Shared>) -> io::Result<Self> {
        let current = Arc::<Mutex<Option<TcpStream>>>::default();
        let thread = Builder::new().name("didit-sandbox-webhooks".to_owned()).spawn({
            let (shared, current) = (Arc::clone(&shared), Arc::clone(&current));
            move || run(&shared, &current)
        })?;
        Ok(Self { shared, thread: Some(thread), current })
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.shared.stop.set();
        let changed = Arc::clone(&self.shared.state().verification.outbox.changed);
        changed.notify_all();
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stream) = current {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(shared: &Shared, current: &Mutex<Option<TcpStream>>) {
    let changed = Arc::clone(&shared.state().verification.outbox.changed);
    loop {
        let mut state = shared.state();
        if shared.stop.is_set() {
            return;
        }
        let now = shared.now();
        // If the write fails, the sessions stay as they are and the next check tries again.
        let _ = state.verification.expire(now);
        let outbox = &mut state.verification.outbox;
        let Some(pending) = outbox.take_due(now) else {
            let wait =
                outbox.next_due(now).unwrap_or(EXPIRY_CHECK_INTERVAL).min(EXPIRY_CHECK_INTERVAL);
            drop(changed.wait_timeout(state, wait));
            continue;
        };
        drop(state);
        deliver(shared, current, pending);
        changed.notify_all();
    }
}

/// Makes one attempt, and schedules the next one if it fails with a retryable error.
fn deliver(shared: &Shared, current: &Mutex<Option<TcpStream>>, pending: Pending) {
    let now = shared.now();
    let event = &pending.event;
    let (headers, body) = signed(shared, &pending, now);
    let copies = if event.fault == WebhookFault::Duplicate { 2 } else { 1 };
    let mut answer = None;
    for _ in 0..copies {
        answer = match event.fault {
            WebhookFault::Lost => None,
            _ => attempt(shared, current, &pending, &headers, &body),
        };
        let delivery = WebhookDelivery {
            url: pending.destination.url.clone(),
            event_id: event.id.clone(),
            session_id: event.session.id.clone(),
            session_status: event.session.status.clone(),
            fault: event.fault,
            attempt: pending.attempt,
            sent_at: now,
            body: body.clone(),
            answer,
        };
        shared.log(|| delivery.line());
        shared.state().verification.outbox.note(delivery);
    }
    conclude(shared, pending, answer, now);
}

/// Returns the headers and the body of an attempt.
fn signed(
    shared: &Shared,
    Pending { event, destination, .. }: &Pending,
    now: Duration,
) -> ([(&'static str, String); 5], String) {
    let sent_at = match event.fault {
        WebhookFault::OldTimestamp => now.saturating_sub(OLD_TIMESTAMP_AGE),
        _ => now,
    };
    let secret = match event.fault {
        WebhookFault::WrongSignature => "not the destination's secret",
        _ => &destination.secret,
    };
    let body = event.body(&shared.application_id(&event.session.application), sent_at);
    let sent = print(&body, Style::Sent);
    let Signatures { raw, v2, simple } = Signatures::new(secret, &sent, &body);
    let headers = [
        ("User-Agent", "DiditWebhook/2.0 +https://didit.me".to_owned()),
        ("X-Timestamp", sent_at.as_secs().to_string()),
        ("X-Signature", raw),
        ("X-Signature-V2", v2),
        ("X-Signature-Simple", simple),
    ];
    (headers, sent)
}

/// Takes a webhook out of flight, and queues it again if it failed with a retryable error.
fn conclude(shared: &Shared, mut pending: Pending, answer: Option<u16>, now: Duration) {
    let outbox = &mut shared.state().verification.outbox;
    outbox.in_flight -= 1;
    let failed = answer.is_none_or(|status| status == 404 || status >= 500);
    let pause = usize::try_from(pending.attempt - 1).ok().and_then(|index| RETRY_PAUSES.get(index));
    if let (true, Some(pause)) = (failed, pause) {
        pending.due = now.saturating_add(scaled(*pause, shared.settings.webhook_time_scale));
        pending.attempt += 1;
        // These faults affect only the first attempt.
        if matches!(pending.event.fault, WebhookFault::Duplicate | WebhookFault::Lost) {
            pending.event.fault = WebhookFault::Pass;
        }
        outbox.pending.push_back(pending);
    }
}

fn attempt(
    shared: &Shared,
    current: &Mutex<Option<TcpStream>>,
    pending: &Pending,
    headers: &[(&str, String)],
    body: &str,
) -> Option<u16> {
    let timeout = shared.settings.webhook_timeout;
    let stream = http_post::connect(&pending.destination, timeout).ok()?;
    let set = |stream: Option<TcpStream>| {
        *current.lock().unwrap_or_else(PoisonError::into_inner) = stream;
    };
    set(stream.try_clone().ok());
    // The sandbox may have been stopped before the stream was stored, and then did not shut it down.
    if shared.stop.is_set() {
        return None;
    }
    let answer = http_post::post(&stream, &pending.destination, headers, body, timeout);
    set(None);
    answer.ok()
}

fn scaled(pause: Duration, scale: f64) -> Duration {
    Duration::try_from_secs_f64(pause.as_secs_f64() * scale).unwrap_or(pause)
}

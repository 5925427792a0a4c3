//! The time to verify a webhook of 10 kB, also as a multiple of HMAC-SHA256 over its bytes, which is
//! the lower bound of any verification.
//!
//! `cargo bench -p didit-benches --bench webhook`
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use didit_core::webhook::{Webhook, canonical_json};
use didit_sandbox::fixtures::verification::DECISION;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use serde_json::Value;
use sha2::Sha256;

const SECRET: &str = "whsec_example_not_a_real_secret";
const TIMESTAMP: u64 = 1_774_970_000;
const RUNS: usize = 5_000;

/// Returns the shortest time in microseconds, since any interference makes a run longer.
fn best(mut run: impl FnMut()) -> f64 {
    let times = (0..RUNS).map(|_| {
        let began = Instant::now();
        run();
        began.elapsed()
    });
    times.min().unwrap_or_default().as_secs_f64() * 1e6
}

/// Returns an event with some reports of the published decision, as the service sends it.
fn event() -> String {
    let decision: Value = serde_json::from_str(DECISION).unwrap();
    let reports = ["id_verifications", "liveness_checks", "phone_verifications", "reviews"];
    let decision = reports.map(|name| format!("{name:?}:{}", decision[name])).join(",");
    let body = format!(
        r#"{{"webhook_type":"status.updated","timestamp":{TIMESTAMP},"decision":{{{decision}}}}}"#
    );
    canonical_json(body.as_bytes()).unwrap()
}

fn main() {
    let body = event();
    let webhook = Webhook::new([SECRET]).unwrap();
    let signed = webhook.sign(body.as_bytes()).unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(TIMESTAMP);
    let hmac = best(|| {
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(black_box(body.as_bytes()));
        black_box(mac.finalize());
    });
    println!("| an event of {} bytes | time | ÷ HMAC-SHA256 |", body.len());
    println!("|---|---|---|");
    println!("| HMAC-SHA256 | {hmac:.1} µs | 1.0 |");
    for (name, header) in [("X-Signature", "x-signature"), ("X-Signature-V2", "x-signature-v2")] {
        let headers = HeaderMap::from_iter([(header.parse().unwrap(), signed[header].clone())]);
        let time = best(|| {
            black_box(webhook.verify(&headers, black_box(body.as_bytes()), now).unwrap());
        });
        println!("| `verify` by `{name}` | {time:.1} µs | {:.1} |", time / hmac);
    }
}

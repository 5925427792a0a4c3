//! The time and memory that a client for one more tenant takes: `Client::with_credentials`.
//!
//! `cargo bench -p didit-benches --bench tenants`, on Linux
#![allow(clippy::unwrap_used)]

use std::iter;
use std::time::{Duration, Instant};

use didit_core::{Authorization, ClientCredentials};

const TENANTS: u32 = 500;
const ROUNDS: u32 = 100;
/// Enough clients that whole pages of memory show what each one takes.
const KEPT: u32 = 50_000;

fn main() {
    let none = Authorization::bearer("none").unwrap();
    let asynchronous = didit_async_adapter::Client::new(none.clone()).unwrap();
    let blocking = didit_blocking_adapter::Client::new(none).unwrap();
    println!("| a client for one more tenant | time | memory |");
    println!("|---|---|---|");
    // Kept, so that the next row does not reuse their memory.
    let _kept = row("async", |credentials| asynchronous.with_credentials(credentials));
    row("blocking", |credentials| blocking.with_credentials(credentials));
}

fn row<C>(adapter: &str, client: impl Fn(ClientCredentials) -> C) -> Vec<C> {
    let round = || {
        let credentials: Vec<_> = (0..TENANTS).map(credentials).collect();
        let began = Instant::now();
        let clients: Vec<C> = credentials.into_iter().map(&client).collect();
        (began.elapsed() / TENANTS, clients)
    };
    let best = iter::repeat_with(round).take(ROUNDS as usize).map(|(time, _)| time).min();
    let before = resident();
    let clients: Vec<C> = (0..KEPT).map(|tenant| client(credentials(tenant))).collect();
    let bytes = resident().saturating_sub(before) / u64::try_from(clients.len()).unwrap();
    let micros = best.unwrap_or(Duration::MAX).as_secs_f64() * 1e6;
    println!("| {adapter} | {micros:.1} µs | {bytes} bytes |");
    clients
}

fn credentials(tenant: u32) -> ClientCredentials {
    let (id, secret) = (format!("client-{tenant:08}"), format!("{tenant:040}"));
    ClientCredentials::new(&id, secret).unwrap()
}

/// Returns the resident memory of the process, in bytes.
fn resident() -> u64 {
    didit_benches::memory("self", "VmRSS").unwrap() * 1024
}

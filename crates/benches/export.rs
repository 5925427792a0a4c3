//! The cost of an export: its peak memory for few and for many ids, its throughput compared with the
//! bare adapter, and how fully a quota is used.
//!
//! `cargo build --release -p didit-cli && cargo bench -p didit-benches --bench export [-- IDS]`; Linux
//! only, since it reads `/proc`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_precision_loss)]
#![allow(clippy::cast_possible_truncation)]

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use didit_blocking_adapter::Client;
use didit_blocking_adapter::core::data_transfer::RetrieveDecision;
use didit_blocking_adapter::core::{Authorization, Call, Policy, SessionId};
use didit_sandbox::{Quota, Sandbox};

const FEW: u64 = 10_000;
const THREADS: usize = 16;

/// Returns the path of `didit`, which must have been built.
fn didit() -> std::path::PathBuf {
    // This program is `target/release/deps/export-…`.
    let own = std::env::current_exe().unwrap();
    own.parent().and_then(Path::parent).unwrap().join("didit")
}

fn main() {
    let arguments = didit_benches::arguments();
    if let [role, url, key, ids] = &arguments[..] {
        assert_eq!(role, "raw");
        return raw(&client(url, key, Policy::default()), ids.parse().unwrap());
    }
    let many = arguments.first().map_or(1_000_000, |text| text.parse().expect("a number of ids"));
    let sandbox = Sandbox::builder().keep_requests(0).start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    println!("| what | decisions per second | per core | peak memory |");
    println!("|---|---|---|---|");
    export(&sandbox, folder.path(), FEW).print("`didit export`", FEW);
    let exported = export(&sandbox, folder.path(), many);
    exported.print("`didit export`", many);
    let mut raw = Command::new(std::env::current_exe().unwrap());
    raw.args(["raw", sandbox.url(), sandbox.api_key(), &many.to_string()]);
    let raw = Measured::of(raw.spawn().unwrap());
    raw.print("blocking client alone", many);
    let (wall, cpu) =
        (raw.wall.as_secs_f64() / exported.wall.as_secs_f64(), raw.cpu / exported.cpu);
    println!("| the export ÷ the client alone | {wall:.2} | {cpu:.2} | |");
    quota();
}

fn id(number: u64) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

fn client(url: &str, key: &str, policy: Policy) -> Client {
    let builder = Client::builder(Authorization::api_key(key).unwrap());
    builder.base_url(url.parse().unwrap()).policy(policy).build().unwrap()
}

fn export(sandbox: &Sandbox, folder: &Path, ids: u64) -> Measured {
    let mut input = BufWriter::new(File::create(folder.join("ids")).unwrap());
    (0..ids).for_each(|number| writeln!(input, "{}", id(number)).unwrap());
    drop(input);
    let mut export = Command::new(didit());
    export.args(["export", "--input", "ids", "--output", "out", "--restart"]).current_dir(folder);
    export.env_clear().env("DIDIT_BASE_URL", sandbox.url()).env("DIDIT_API_KEY", sandbox.api_key());
    let measured = Measured::of(export.spawn().unwrap());
    let size = fs::metadata(folder.join("out")).unwrap().len();
    assert!(size > ids * 100, "{size} bytes of output");
    measured
}

/// Retrieves the decisions without files, on several threads.
fn raw(client: &Client, ids: u64) {
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= ids {
                        return;
                    }
                    client.decision(&id(number).parse().unwrap()).unwrap();
                }
            });
        }
    });
}

struct Measured {
    wall: Duration,
    /// CPU time on all cores, in seconds.
    cpu: f64,
    peak_kib: u64,
}

impl Measured {
    /// Samples the child until it exits successfully.
    fn of(mut child: Child) -> Self {
        let started = Instant::now();
        let mut measured = Self { wall: Duration::ZERO, cpu: 0.0, peak_kib: 0 };
        loop {
            let peak = didit_benches::memory(child.id(), "VmHWM");
            measured.peak_kib = peak.unwrap_or(measured.peak_kib);
            if let Ok(stat) = fs::read_to_string(format!("/proc/{}/stat", child.id())) {
                let fields: Vec<_> = stat.rsplit(')').next().unwrap().split(' ').collect();
                let ticks = fields[12].parse::<f64>().unwrap() + fields[13].parse::<f64>().unwrap();
                // `USER_HZ` is 100 on Linux.
                measured.cpu = ticks / 100.0;
            }
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                measured.wall = started.elapsed();
                return measured;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn print(&self, name: &str, ids: u64) {
        let Self { wall, cpu, peak_kib } = self;
        println!(
            "| {name}, {ids} sessions | {:.0} | {:.0} | {:.1} MB |",
            ids as f64 / wall.as_secs_f64(),
            ids as f64 / cpu,
            *peak_kib as f64 * 1024.0 / 1e6,
        );
    }
}

/// Retrieves 1000 decisions under a quota of 100 per 2 seconds, which the client must not exceed.
fn quota() {
    const IDS: u64 = 1000;
    let quota = Quota { limit: 100, window: Duration::from_secs(2) };
    let sandbox = Sandbox::builder().quota(quota).start().unwrap();
    let mut policy = Policy::default();
    policy.rate_limit_window = quota.window;
    let client = client(sandbox.url(), sandbox.api_key(), policy);
    let ids: Vec<SessionId> = (0..IDS).map(|number| id(number).parse().unwrap()).collect();
    let started = Instant::now();
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    client
                        .run(
                            Call::new(RetrieveDecision::new(id.clone())).deadline_from_first_send(),
                        )
                        .unwrap();
                }
            });
        }
    });
    let took = started.elapsed();
    let refused = didit_benches::refused(&sandbox);
    let least = quota.window * u32::try_from(IDS - 1).unwrap() / quota.limit;
    let least = quota.window * u32::try_from(least.as_secs() / quota.window.as_secs()).unwrap();
    println!(
        "\n{IDS} sessions under a limit of {} per {:?}: {:.3} of the least time, {refused} refused",
        quota.limit,
        quota.window,
        took.as_secs_f64() / least.as_secs_f64(),
    );
}

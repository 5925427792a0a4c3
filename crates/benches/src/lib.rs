//! Benchmarks of the SDK: `cargo bench -p didit-benches --bench NAME`. `BENCHMARKS.md` has the figures.

use std::fmt::Display;
use std::{env, fs};

use didit_sandbox::{Route, Sandbox};

/// Returns the arguments of this program without the one that Cargo adds.
pub fn arguments() -> Vec<String> {
    env::args().skip(1).filter(|argument| argument != "--bench").collect()
}

/// Reads a size from `/proc/PROCESS/status`, such as `VmRSS`, in KiB.
pub fn memory(process: impl Display, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Returns the number of requests for decisions that were answered with 429.
pub fn refused(sandbox: &Sandbox) -> usize {
    let requests = sandbox.requests_to(Route::Decision);
    requests.iter().filter(|request| request.status == Some(429)).count()
}

//! The fault matrix: every fault against every way of asking, over real sockets, as a table.
//!
//! `cargo test -p didit-cli --test faults`
//!
//! A cell is right when the outcome and the number of requests are exactly what they must be, for
//! every session that was asked for.
#![allow(clippy::unwrap_used)]

#[path = "../../../async-adapter/tests/conformance/adapter.rs"]
mod asynchronous;
#[path = "../../../blocking-adapter/tests/conformance/adapter.rs"]
mod blocking;
mod scenario;
mod ways;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use self::scenario::Scenario;
use self::ways::WAYS;

/// Most of the time is spent in waiting.
const WORKERS: usize = 12;

fn main() -> ExitCode {
    let scenarios = scenario::all();
    let cells: Vec<(usize, usize)> =
        (0..scenarios.len()).flat_map(|row| (0..WAYS.len()).map(move |way| (row, way))).collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(&cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = (WAYS[cell.1].run)(&scenarios[cell.0]);
                    results.lock().unwrap().insert(cell, result);
                }
            });
        }
    });
    let wrong = print(&scenarios, &results.into_inner().unwrap());
    let right = cells.len() - wrong;
    println!("{right} passed, {wrong} failed");
    if wrong == 0 && right > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints the table, and then what is wrong; how many cells that are.
fn print(
    scenarios: &[Scenario],
    results: &BTreeMap<(usize, usize), Result<String, String>>,
) -> usize {
    let heads: Vec<_> = WAYS.iter().map(|way| way.name).collect();
    println!("| fault | {} |", heads.join(" | "));
    println!("|---|{}", "---|".repeat(WAYS.len()));
    for (row, scenario) in scenarios.iter().enumerate() {
        let cells: Vec<_> =
            (0..WAYS.len()).map(|way| results[&(row, way)].as_deref().unwrap_or("WRONG")).collect();
        println!("| {} | {} |", scenario.name, cells.join(" | "));
    }
    let wrong = results.iter().filter_map(|(cell, result)| Some((cell, result.as_ref().err()?)));
    let mut count = 0;
    for ((row, way), problem) in wrong {
        println!("{}, {}: {problem}", scenarios[*row].name, WAYS[*way].name);
        count += 1;
    }
    count
}

//! The fault matrix: every fault with every way of calling, over real sockets, as two tables.
//!
//! `cargo test -p didit-cli --test faults`
//!
//! A cell passes if the outcome and the number of requests are exactly as expected for every
//! session.
#![allow(clippy::unwrap_used)]

#[path = "../../../async-adapter/tests/conformance/adapter.rs"]
mod asynchronous;
#[path = "../../../blocking-adapter/tests/conformance/adapter.rs"]
mod blocking;
mod scenario;
mod verification;
mod ways;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use self::ways::WAYS;

/// The number of threads, which mostly wait.
const WORKERS: usize = 12;

/// The outcome of a cell if it is as expected, otherwise the mismatch.
type Outcome = Result<String, String>;

/// Faults in rows, ways of calling in columns.
struct Table<'a> {
    rows: Vec<&'static str>,
    ways: Vec<&'static str>,
    run: Box<dyn Fn(usize, usize) -> Outcome + Sync + 'a>,
}

fn main() -> ExitCode {
    let (scenarios, rows) = (scenario::all(), verification::rows());
    let tables = [
        Table {
            rows: scenarios.iter().map(|scenario| scenario.name).collect(),
            ways: WAYS.iter().map(|way| way.name).collect(),
            run: Box::new(|row, way| (WAYS[way].run)(&scenarios[row])),
        },
        Table {
            rows: rows.iter().map(|row| row.name).collect(),
            ways: verification::WAYS.iter().map(|way| way.name).collect(),
            run: Box::new(|row, way| verification::WAYS[way].run(&rows[row])),
        },
    ];
    let (mut right, mut wrong) = (0, 0);
    for table in &tables {
        let outcomes = table.outcomes();
        let failed = table.print(&outcomes);
        wrong += failed;
        right += outcomes.len() - failed;
    }
    println!("{right} passed, {wrong} failed");
    if wrong == 0 && right > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Table<'_> {
    /// Runs all cells, and returns them row by row.
    fn outcomes(&self) -> Vec<Outcome> {
        let columns = self.ways.len();
        let next = AtomicUsize::new(0);
        let outcomes = Mutex::new(vec![Err("not run".to_owned()); self.rows.len() * columns]);
        thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| {
                    loop {
                        let cell = next.fetch_add(1, Ordering::Relaxed);
                        if cell >= self.rows.len() * columns {
                            return;
                        }
                        let outcome = (self.run)(cell / columns, cell % columns);
                        outcomes.lock().unwrap()[cell] = outcome;
                    }
                });
            }
        });
        outcomes.into_inner().unwrap()
    }

    /// Prints the table and the mismatches, and returns the number of mismatches.
    fn print(&self, outcomes: &[Outcome]) -> usize {
        println!("| fault | {} |", self.ways.join(" | "));
        println!("|---|{}", "---|".repeat(self.ways.len()));
        let mut problems = Vec::new();
        for (row, outcomes) in self.rows.iter().zip(outcomes.chunks(self.ways.len())) {
            let cells: Vec<_> =
                outcomes.iter().map(|outcome| outcome.as_deref().unwrap_or("WRONG")).collect();
            println!("| {row} | {} |", cells.join(" | "));
            for (way, outcome) in self.ways.iter().zip(outcomes) {
                if let Err(problem) = outcome {
                    problems.push(format!("{row}, {way}: {problem}"));
                }
            }
        }
        println!("{}", problems.join("\n"));
        problems.len()
    }
}

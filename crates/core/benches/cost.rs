//! What the core costs, held against what a careful hand would write.
//!
//! `cargo bench -p didit-core --bench cost` prints a table: each case's best of 30 interleaved
//! rounds. `cargo bench -p didit-core --bench cost -- CASE N` runs one case N times and prints
//! nothing, to be looked at by a profiler.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod cases;

use std::time::Instant;

use self::cases::Case;

const ROUNDS: usize = 30;
/// How long a case runs in each round, about.
const ROUND_NANOS: f64 = 5e6;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let mut cases = cases::all();
    if let [name, n] = &arguments[..] {
        let case = cases.iter_mut().find(|case| case.name == name).expect("a case of that name");
        time(case, n.parse().expect("a number"));
        return;
    }
    let best = best(&mut cases);
    let at = |name: &str| cases.iter().position(|case| case.name == name).unwrap();
    let nanos = |name: &str| best[at(name)];
    let engine =
        nanos("call") - nanos("build") - nanos("parse an answer") - nanos("what a call is given");
    let per_byte = |name| nanos(name) / f64::from(u32::try_from(cases[at(name)].bytes).unwrap());
    println!("| what | ns | ratio |");
    println!("|---|---|---|");
    let row = |what: &str, nanos: f64, other: f64| {
        println!("| {what} | {nanos:.0} | {:.2} |", nanos / other);
    };
    row(
        "parse of the sample ÷ serde_json into a plain struct",
        nanos("parse"),
        nanos("parse by hand"),
    );
    row("building a request ÷ by hand", nanos("build"), nanos("build by hand"));
    println!("| what the engine adds to a call | {engine:.0} | |");
    let (small, big) = (per_byte("parse 1 kB"), per_byte("parse 1 MB"));
    println!("| parse per byte at 1 MB ÷ at 1 kB | | {:.2} |", big / small);
}

/// The nanoseconds of each case in its best round.
fn best(cases: &mut [Case]) -> Vec<f64> {
    let counts: Vec<u64> = cases
        .iter_mut()
        .map(|case| {
            let once = time(case, 20) / 20.0;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let count = (ROUND_NANOS / once).max(1.0) as u64;
            count
        })
        .collect();
    let mut best = vec![f64::INFINITY; cases.len()];
    for _ in 0..ROUNDS {
        for ((case, count), best) in cases.iter_mut().zip(&counts).zip(&mut best) {
            #[allow(clippy::cast_precision_loss)]
            let nanos = time(case, *count) / *count as f64;
            *best = best.min(nanos);
        }
    }
    best
}

fn time(case: &mut Case, n: u64) -> f64 {
    let start = Instant::now();
    for _ in 0..n {
        (case.run)();
    }
    start.elapsed().as_secs_f64() * 1e9
}

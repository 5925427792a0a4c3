//! How often the core allocates: `cargo bench -p didit-core --bench allocations`.
//!
//! Apart from the timings, since counting takes time.

mod cases;

fn main() {
    println!("| what | allocations |");
    println!("|---|---|");
    let mut counts = Vec::new();
    for mut case in cases::all() {
        (case.run)();
        let counted = allocation_counter::measure(|| (case.run)());
        println!("| {} | {} |", case.name, counted.count_total);
        counts.push((case.name, counted.count_total));
    }
    let count = |name| counts.iter().find(|(case, _)| *case == name).map_or(0, |found| found.1);
    let rest = count("build") + count("parse an answer") + count("what a call is given");
    println!("| what the engine adds to a call | {} |", count("call") - rest);
}

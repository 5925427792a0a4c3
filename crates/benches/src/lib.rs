//! Benchmarks of the SDK: `cargo bench -p didit-benches --bench NAME`. `BENCHMARKS.md` has the figures.

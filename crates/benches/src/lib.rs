//! Every benchmark of the SDK: `cargo bench -p didit-benches --bench NAME`. `BENCHMARKS.md` has the figures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

mod redis;

pub use self::redis::Redis;

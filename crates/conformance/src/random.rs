//! Reproducible pseudo-random numbers.

/// Returns the next number of a linear congruential generator.
pub fn next_random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// The value that a strategy makes of a seed, of which 32 bytes count; `None` if it found none.
///
/// Other bytes make another value altogether, and not a slightly changed one: what generates from
/// the bytes themselves comes to no end where they end, since it draws until it likes a number.
///
/// ```
/// use didit_strategies::{decision, generate};
///
/// assert_eq!(generate(&decision(), b"some bytes"), generate(&decision(), b"some bytes"));
/// assert_ne!(generate(&decision(), b"some bytes"), generate(&decision(), b"some others"));
/// ```
pub fn generate<S: Strategy>(strategy: &S, seed: &[u8]) -> Option<S::Value> {
    let mut whole = [0; 32];
    for (to, from) in whole.iter_mut().zip(seed) {
        *to = *from;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &whole);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    strategy.new_tree(&mut runner).ok().map(|tree| tree.current())
}

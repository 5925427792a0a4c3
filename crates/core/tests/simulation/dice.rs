//! A seeded random number generator.

use std::ops::Range;
use std::time::Duration;

/// A `SplitMix64` generator, so that the seed determines the whole schedule.
pub(crate) struct Dice(pub u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.roll() % n
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// Returns a number from 1 to `max`.
    pub(crate) fn count(&mut self, max: u64) -> usize {
        1 + usize::try_from(self.below(max)).unwrap()
    }

    pub(crate) fn choose<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.count(choices.len() as u64) - 1]
    }

    pub(crate) fn within(&mut self, range: Range<Duration>) -> Duration {
        let width = u64::try_from((range.end - range.start).as_nanos()).unwrap().max(1);
        range.start + Duration::from_nanos(self.below(width))
    }

    pub(crate) fn up_to(&mut self, end: Duration) -> Duration {
        self.within(Duration::ZERO..end)
    }
}

//! The session ids that an export has seen, in memory.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use crate::exit::Exit;

/// The progress of a session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The state file has the exit code of its failure; the failures file may lack the failure.
    ExitRecorded(Exit),
    /// The id is in the output.
    Exported,
    /// The id is in the failures file.
    Failed(Exit),
    /// The id has occurred in the input.
    Seen,
}

/// 120 bits of a keyed hash. Among a billion ids, there is a collision once in 10¹⁸ runs.
type Key = [u8; 15];

/// A map from ids to marks, at 18 bytes per slot.
#[derive(Default)]
pub(crate) struct IdSet {
    marks: HashMap<Key, Mark>,
    keys: [RandomState; 2],
}

impl IdSet {
    /// Reserves room for the expected ids; the set grows if there are more.
    pub(super) fn reserve(&mut self, expected: u64) {
        self.marks.reserve(usize::try_from(expected).unwrap_or(usize::MAX).min(1 << 27));
    }

    /// Returns true if an id is in the output or the failures file.
    pub(super) fn is_settled(&self, session_id: &str) -> bool {
        matches!(self.get(session_id), Some(Mark::Exported | Mark::Failed(_)))
    }

    /// Returns the mark of an id.
    pub(super) fn get(&self, session_id: &str) -> Option<Mark> {
        self.marks.get(&self.key(session_id)).copied()
    }

    /// Returns the number of ids in the failures file.
    pub(super) fn failures(&self) -> u64 {
        self.marks.values().filter(|mark| matches!(mark, Mark::Failed(_))).count() as u64
    }

    /// Marks an id, and returns the mark it had.
    pub(super) fn mark(&mut self, session_id: &str, mark: Mark) -> Option<Mark> {
        self.marks.insert(self.key(session_id), mark)
    }

    /// Forgets the failures, whose ids are then to be requested again.
    pub(super) fn forget_failures(&mut self) {
        self.marks.retain(|_, mark| !matches!(mark, Mark::Failed(_)));
    }

    fn key(&self, session_id: &str) -> Key {
        let [low, high] = self.keys.each_ref().map(|key| key.hash_one(session_id).to_le_bytes());
        let mut key = [0; 15];
        key[..8].copy_from_slice(&low);
        key[8..].copy_from_slice(&high[..7]);
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_returns_the_previous_mark() {
        let mut ids = IdSet::default();
        for n in 0..5000 {
            assert_eq!(ids.mark(&format!("s-{n}"), Mark::Exported), None, "{n}");
        }
        for n in 0..5000 {
            assert_eq!(ids.mark(&format!("s-{n}"), Mark::Seen), Some(Mark::Exported), "{n}");
        }
        assert_eq!(ids.mark("s-1", Mark::Failed(Exit::Other)), Some(Mark::Seen));
        assert_eq!(ids.mark("s-1", Mark::Seen), Some(Mark::Failed(Exit::Other)));
        ids.mark("s-1", Mark::Failed(Exit::Other));
        ids.forget_failures();
        assert_eq!(ids.mark("s-1", Mark::Exported), None);
        assert_eq!(ids.mark("s-2", Mark::Exported), Some(Mark::Seen));
    }
}

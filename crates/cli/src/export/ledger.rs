//! One pass over the input: yields the ids to request, and counts the others.

use std::collections::HashMap;

use didit_blocking_adapter::core::SessionId;

use super::id_set::{IdSet, Mark};
use super::input::Input;
use crate::exit::Exit;
use crate::failure::Failure;

/// Hands out the ids of the input that are to be requested, and counts all of them.
pub(super) struct Ledger {
    pub(super) input: Input,
    ids: IdSet,
    /// The ids that are handed out but not settled, with their positions in the input.
    under_way: HashMap<SessionId, u64>,
    /// The number of ids read from the input.
    pub(super) passed: u64,
    pub(super) repetitions: u64,
    /// The number of ids that earlier runs exported.
    pub(super) exported_before: u64,
    pub(super) failed_before: u64,
    /// The number of ids in other machines' files.
    pub(super) elsewhere: u64,
    /// The first failure in input order, with its position.
    first_failure: Option<(u64, Exit)>,
    /// The error that ended the input early.
    pub(super) broken: Option<Failure>,
    ended: bool,
}

impl Ledger {
    pub(super) fn new(input: Input, ids: IdSet) -> Self {
        Self {
            input,
            ids,
            under_way: HashMap::new(),
            passed: 0,
            repetitions: 0,
            exported_before: 0,
            failed_before: 0,
            elsewhere: 0,
            first_failure: None,
            broken: None,
            ended: false,
        }
    }

    /// Returns the number of ids read so far that are settled.
    pub(super) fn settled(&self) -> u64 {
        self.passed - self.under_way.len() as u64
    }

    /// Returns the ids that are handed out but not settled, in input order.
    pub(super) fn under_way(&self) -> Vec<SessionId> {
        let mut ids: Vec<_> = self.under_way.iter().collect();
        ids.sort_by_key(|(_, position)| **position);
        ids.into_iter().map(|(id, _)| id.clone()).collect()
    }

    /// Returns true if every id of the input is settled.
    pub(super) fn is_complete(&self) -> bool {
        self.ended && self.under_way.is_empty()
    }

    /// Returns the exit code of the first failure in input order.
    pub(super) fn exit(&self) -> Exit {
        self.first_failure.map_or(Exit::Done, |(_, exit)| exit)
    }

    /// Records that a handed-out id is in the output or in the failures.
    pub(super) fn settle(&mut self, session_id: &SessionId, failed: Option<Exit>) {
        if let (Some(position), Some(exit)) = (self.under_way.remove(session_id), failed) {
            self.fail(position, exit);
        }
    }

    /// Records that a handed-out id is in the files of another machine.
    pub(super) fn settle_elsewhere(&mut self, session_id: &SessionId) {
        self.under_way.remove(session_id);
        self.elsewhere += 1;
    }

    fn fail(&mut self, position: u64, exit: Exit) {
        if self.first_failure.is_none_or(|(first, _)| position < first) {
            self.first_failure = Some((position, exit));
        }
    }

    /// Counts the next id of the input, and returns true if it is to be retrieved.
    fn admit(&mut self, session_id: &SessionId) -> bool {
        let known = self.ids.mark(session_id.as_str(), Mark::Seen);
        self.passed += 1;
        match known {
            None | Some(Mark::ExitRecorded(_)) => {
                self.under_way.insert(session_id.clone(), self.passed);
                return true;
            }
            Some(Mark::Seen) => self.repetitions += 1,
            Some(Mark::Exported) => self.exported_before += 1,
            Some(Mark::Failed(exit)) => {
                self.failed_before += 1;
                self.fail(self.passed, exit);
            }
        }
        false
    }
}

/// The ids to request.
impl Iterator for Ledger {
    type Item = SessionId;

    fn next(&mut self) -> Option<SessionId> {
        if self.broken.is_some() {
            return None;
        }
        while let Some(session_id) = self.input.next() {
            match session_id {
                Ok(session_id) if self.admit(&session_id) => return Some(session_id),
                Ok(_) => {}
                Err(failure) => {
                    self.broken = Some(failure);
                    return None;
                }
            }
        }
        self.ended = true;
        None
    }
}

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use super::SessionSummary;

/// The sessions that a list has had so far, by which those that it repeats are passed over.
///
/// A list is newest first, so each session that is created while its pages are read moves the others
/// toward the next page, which then begins with sessions of the last one. Deletions move them the other
/// way: if sessions are deleted meanwhile, others may be missing in all pages.
///
/// ```
/// use didit_core::verification::{ListedSessions, SessionPage};
///
/// fn print_new(page: SessionPage, listed: &mut ListedSessions) {
///     for session in page.into_sessions().iter().filter(|session| listed.is_new(session)) {
///         println!("{:?}", session.session_id);
///     }
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct ListedSessions {
    /// 128 bits of a hash of each id, which take less memory than the id.
    ids: BTreeSet<[u64; 2]>,
}

impl ListedSessions {
    /// Adds a session, and returns true if the list did not have it before. A session without an id
    /// is always new.
    pub fn is_new(&mut self, session: &SessionSummary) -> bool {
        let Some(id) = &session.session_id else { return true };
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        self.ids.insert([0, 1].map(|half: u8| hasher.hash_one((half, id))))
    }
}

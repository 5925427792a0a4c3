use std::collections::BTreeMap;

use super::Moment;

/// The requests that were sent and not yet answered, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct InFlight(BTreeMap<u64, Sent>);

#[derive(Debug)]
struct Sent {
    at: Moment,
    lost_at: Moment,
}

impl InFlight {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn push(&mut self, id: u64, at: Moment, lost_at: Moment) {
        self.0.insert(id, Sent { at, lost_at });
    }

    /// Removes a request and returns when it was sent.
    pub(super) fn remove(&mut self, id: u64) -> Option<Moment> {
        self.0.remove(&id).map(|sent| sent.at)
    }

    /// Returns when the oldest request was sent.
    pub(super) fn oldest(&self) -> Option<Moment> {
        self.0.first_key_value().map(|(_, sent)| sent.at)
    }

    /// Removes the oldest request if its time for a response has run out; returns it with the time
    /// when it was sent.
    pub(super) fn pop_lost(&mut self, now: Moment) -> Option<(u64, Moment)> {
        let first = self.0.first_entry().filter(|sent| sent.get().lost_at <= now)?;
        let (id, sent) = first.remove_entry();
        Some((id, sent.at))
    }
}

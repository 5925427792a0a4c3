use std::time::Duration;

use super::flight::Purpose;
use super::moment::Moment;
use super::policy::Policy;

/// When one call must be over.
#[derive(Default)]
pub(super) struct Clock {
    /// The call's own timeout, if it has one beside the policy's.
    pub(super) timeout: Option<Duration>,
    /// Whether it stands still while the rate limit holds the call up.
    pub(super) queued: bool,
    running: bool,
    deadline: Option<Moment>,
    /// A token is fetched in the same time, also while the clock stands still.
    token_deadline: Option<Moment>,
}

impl Clock {
    /// The end of the time for a request of that purpose.
    pub(super) fn deadline(&mut self, purpose: Purpose, policy: &Policy, now: Moment) -> Moment {
        let end = now.after(self.timeout.unwrap_or(policy.call_timeout));
        match purpose {
            _ if self.running || !self.queued => *self.deadline.get_or_insert(end),
            Purpose::Token => *self.token_deadline.get_or_insert(end),
            Purpose::Own(_) => now.after(Duration::MAX),
        }
    }

    /// The rate limit let the call go.
    pub(super) fn start(&mut self) {
        self.running = true;
    }

    /// The rate limit holds the call up after all.
    pub(super) fn hold(&mut self) {
        if self.queued {
            self.running = false;
            self.deadline = None;
        }
    }

    /// The token is there.
    pub(super) fn token_fetched(&mut self) {
        self.token_deadline = None;
    }
}

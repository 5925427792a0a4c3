//! The limiter's exchange with the store through which processes share a quota.

use std::time::Duration;

use super::permits::{LimiterState, Permits};
use super::usage::Others;
use super::{Moment, RateLimiter};
use crate::endpoint::Bucket;
use crate::engine::shared_store::{QuotaAnswer, QuotaRequest, SharedLimit};

impl RateLimiter {
    /// Shares the limit through a store; no request is in flight for longer than `longest_request`.
    pub(in crate::engine) fn with_permits(mut self, longest_request: Duration) -> Self {
        self.permits = Some(Permits::new(self.window, longest_request));
        self
    }

    /// Returns the request to the store about the shared quota. `None` if there is nothing to
    /// report or to ask, unless a `heartbeat` is due.
    pub(in crate::engine) fn store_request(
        &mut self,
        bucket: Bucket,
        now: Moment,
        heartbeat: bool,
    ) -> Option<QuotaRequest> {
        self.forget(now);
        let state = LimiterState {
            bucket,
            budget: self.budget,
            limit: match self.learned {
                Some(limit) => SharedLimit::Of(limit),
                None if self.limit_is_known => SharedLimit::Unlimited,
                None => SharedLimit::Unknown,
            },
            waiting: self.queue.len(),
            closed_until: self.gate.closed_until(now),
            refused_until: self.gate.end(now),
        };
        self.permits.as_mut()?.request(&state, now, heartbeat)
    }

    /// Returns when the next exchange is due, unless a step makes an earlier one necessary.
    pub(in crate::engine) fn next_exchange_at(&self, now: Moment) -> Option<Moment> {
        self.permits.as_ref()?.next_exchange_at(self.queue.len(), self.gate.closed_until(now))
    }

    /// Handles the store's answer; returns whether waiting calls should be polled.
    pub(in crate::engine) fn store_answered(&mut self, answer: &QuotaAnswer, now: Moment) -> bool {
        let Some(permits) = &mut self.permits else { return false };
        match permits.answered(answer, now) {
            None | Some(SharedLimit::Unknown) => {}
            Some(SharedLimit::Unlimited) => (self.learned, self.limit_is_known) = (None, true),
            Some(SharedLimit::Of(limit)) => {
                (self.learned, self.unnamed_since, self.limit_is_known) = (Some(limit), None, true);
            }
        }
        let knows_the_gate = answer.member && !permits.has_gate_change();
        self.others = Others::default();
        if knows_the_gate {
            let closed_until = answer.closed.then(|| now.after(answer.wait));
            self.gate.set_by_store(closed_until.unwrap_or_default());
        }
        answer.closed || self.can_admit_queued(now)
    }

    /// Handles the return of the store: from now on, its permits decide.
    pub(in crate::engine) fn store_returned(&mut self, now: Moment) {
        if let Some(permits) = &mut self.permits {
            permits.store_returned(now);
        }
    }

    /// Handles the loss of the store: until it answers again, this limiter decides.
    pub(in crate::engine) fn store_lost(&mut self, now: Moment) {
        self.forget(now);
        let held = self.in_window(now) + self.in_flight.len();
        if let Some(permits) = &mut self.permits {
            permits.store_lost(held, now);
        }
    }
}

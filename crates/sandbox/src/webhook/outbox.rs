//! Webhooks that wait to be sent, for the first time or again.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar};
use std::time::Duration;

use serde_json::{Map, Value};

use super::destination::Destination;
use super::{WebhookDelivery, WebhookFault};
use crate::random::uuid;
use crate::verification::session::Session;

/// Number of the latest deliveries that are kept for tests and pages.
const KEPT: usize = 1000;

/// Something that happened to a session.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) session: Session,
    pub(crate) decision: Option<Map<String, Value>>,
    pub(crate) happened_at: Duration,
    pub(crate) fault: WebhookFault,
}

/// An event on its way to one destination.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) event: Event,
    pub(crate) destination: Destination,
    /// 1 for the first one.
    pub(crate) attempt: u32,
    pub(crate) due: Duration,
}

#[derive(Default)]
pub(crate) struct Outbox {
    /// Each with the client id of its application.
    pub(crate) destinations: Vec<(String, Destination)>,
    pub(crate) script: VecDeque<WebhookFault>,
    pub(crate) pending: VecDeque<Pending>,
    /// Number of webhooks being sent right now.
    pub(crate) in_flight: usize,
    pub(crate) delivered: VecDeque<WebhookDelivery>,
    /// Wakes the thread that sends, and those who wait for it.
    pub(crate) changed: Arc<Condvar>,
}

impl Outbox {
    /// Returns whether the webhooks of an application go anywhere.
    pub(crate) fn has_destination(&self, application: &str) -> bool {
        self.destinations.iter().any(|(known, _)| known == application)
    }

    /// Has an event sent to the destinations of the session's application, with this fault or else
    /// the next one of the script.
    pub(crate) fn push(
        &mut self,
        session: &Session,
        decision: Option<Map<String, Value>>,
        fault: Option<WebhookFault>,
        now: Duration,
    ) {
        let mut destinations = self
            .destinations
            .iter()
            .filter(|(application, _)| *application == session.application)
            .map(|(_, destination)| destination.clone())
            .peekable();
        if destinations.peek().is_none() {
            return;
        }
        let event = Event {
            id: uuid(),
            session: session.clone(),
            decision,
            happened_at: now,
            fault: fault.or_else(|| self.script.pop_front()).unwrap_or(WebhookFault::Pass),
        };
        for destination in destinations {
            let event = event.clone();
            self.pending.push_back(Pending { event, destination, attempt: 1, due: now });
        }
        self.changed.notify_all();
    }

    /// Takes out the next webhook whose time has come.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<Pending> {
        let index = self.pending.iter().position(|pending| pending.due <= now)?;
        self.in_flight += 1;
        self.pending.remove(index)
    }

    /// Returns whether nothing is being sent, and nothing is due.
    pub(crate) fn is_settled(&self, now: Duration) -> bool {
        self.in_flight == 0 && self.pending.iter().all(|pending| pending.due > now)
    }

    /// Returns the time until the next webhook is due.
    pub(crate) fn next_due(&self, now: Duration) -> Option<Duration> {
        self.pending.iter().map(|pending| pending.due.saturating_sub(now)).min()
    }

    pub(crate) fn note(&mut self, delivery: WebhookDelivery) {
        self.delivered.push_back(delivery);
        if self.delivered.len() > KEPT {
            self.delivered.pop_front();
        }
    }
}

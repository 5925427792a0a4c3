//! The queue of webhooks to be sent, their bodies, and the record of delivery attempts.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar};
use std::time::Duration;

use serde_json::{Value, json};

use super::destination::Destination;
use super::{WebhookDelivery, WebhookFault};
use crate::random::uuid;
use crate::verification::session::Session;
use crate::verification::status;

/// Number of latest delivery attempts kept for tests and pages.
const KEPT: usize = 1000;

/// A change of a session's status.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) session: Session,
    pub(crate) decision: Option<Value>,
    pub(crate) happened_at: Duration,
    pub(crate) fault: WebhookFault,
}

/// An event to be delivered to one destination.
#[derive(Clone)]
pub(crate) struct Pending {
    pub(crate) event: Event,
    pub(crate) destination: Destination,
    /// The number of the next attempt, starting at 1.
    pub(crate) attempt: u32,
    pub(crate) due: Duration,
}

#[derive(Default)]
pub(crate) struct Outbox {
    /// The destinations, each with the client id of its application.
    pub(crate) destinations: Vec<(String, Destination)>,
    pub(crate) script: VecDeque<WebhookFault>,
    pub(crate) pending: VecDeque<Pending>,
    /// The number of webhooks being sent.
    pub(crate) in_flight: usize,
    pub(crate) delivered: VecDeque<WebhookDelivery>,
    /// Wakes the sender's thread, and the threads that wait for deliveries.
    pub(crate) changed: Arc<Condvar>,
}

impl Event {
    /// Returns the body of a `status.updated` event that is sent at this time
    /// ([webhooks](https://docs.didit.me/integration/webhooks)).
    pub(crate) fn body(&self, application_id: &str, sent_at: Duration) -> Value {
        let session = &self.session;
        let mut body = json!({
            "event_id": self.id,
            "webhook_type": "status.updated",
            "timestamp": sent_at.as_secs(),
            "created_at": self.happened_at.as_secs(),
            "application_id": application_id,
            "environment": "sandbox",
            "session_id": session.id,
            "session_kind": "user",
            "status": session.status,
            "workflow_id": session.given.workflow_id,
            "workflow_version": 1,
            "vendor_data": session.given.vendor_data,
            "metadata": session.given.metadata,
        });
        if let Some(decision) = &self.decision {
            body["decision"] = decision.clone();
        }
        if session.status == status::RESUBMITTED {
            body["resubmit_info"] = session.resubmit_info();
        }
        body
    }
}

impl Outbox {
    pub(crate) fn has_destination(&self, application: &str) -> bool {
        self.destinations.iter().any(|(known, _)| known == application)
    }

    /// Queues an event for the destinations of the session's application, with this fault or else
    /// the next scripted one.
    pub(crate) fn push(
        &mut self,
        session: &Session,
        decision: Option<Value>,
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

    /// Removes the first webhook that is due from the queue and counts it as in flight.
    pub(crate) fn take_due(&mut self, now: Duration) -> Option<Pending> {
        let index = self.pending.iter().position(|pending| pending.due <= now)?;
        self.in_flight += 1;
        self.pending.remove(index)
    }

    /// Returns whether no webhook is being sent or due.
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

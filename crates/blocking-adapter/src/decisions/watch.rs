use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use didit_core::data_transfer::{Decision, RetrieveDecision};
use didit_core::{
    Call, Engine, Event, Moment, Operation, Step, Ticket, TransportError, WaitReason,
};
use http::Response;

/// What the calls of one iterator share with it: what each of them does, and whether to stop.
#[derive(Default)]
pub(super) struct Watch {
    stopped: AtomicBool,
    /// By the place of each call that is under way: what it waits for, if it does.
    calls: Mutex<BTreeMap<u64, Option<(Moment, WaitReason)>>>,
}

impl Watch {
    /// From now on a call that has nothing in flight is given up when it is polled.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// What all calls wait for, by the one that goes on first; `None` if any of them does not wait.
    pub(super) fn waiting(&self) -> Option<(Moment, WaitReason)> {
        let calls = self.calls();
        let waits = calls.values().copied().collect::<Option<Vec<_>>>()?;
        waits.into_iter().min_by_key(|(until, _)| *until)
    }

    fn calls(&self) -> MutexGuard<'_, BTreeMap<u64, Option<(Moment, WaitReason)>>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call under a [`Watch`]; it comes to `None` when it is given up.
pub(super) struct Watched {
    call: Call<RetrieveDecision>,
    place: u64,
    watch: Arc<Watch>,
}

impl Watched {
    pub(super) fn new(call: Call<RetrieveDecision>, place: u64, watch: Arc<Watch>) -> Self {
        watch.calls().insert(place, None);
        Self { call, place, watch }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.watch.calls().remove(&self.place);
    }
}

impl Operation for Watched {
    type Output = Option<Decision>;

    fn poll(&mut self, engine: &mut Engine, now: Moment) -> Step<Option<Decision>> {
        let step = self.call.poll(engine, now);
        let wait = match &step {
            Step::Wait { until, reason } => Some((*until, *reason)),
            _ => None,
        };
        self.watch.calls().insert(self.place, wait);
        match step {
            Step::Done(result) => Step::Done(result.map(Some)),
            _ if self.watch.is_stopped() => {
                self.call.cancel(engine, now);
                Step::Done(Ok(None))
            }
            Step::Wait { until, reason } => Step::Wait { until, reason },
            Step::Send { request, ticket, timeout } => Step::Send { request, ticket, timeout },
        }
    }

    fn read_ahead(&mut self, ticket: &Ticket, response: &Response<&[u8]>) {
        self.call.read_ahead(ticket, response);
    }

    fn handle_response(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        response: Response<&[u8]>,
    ) {
        self.call.handle_response(engine, now, ticket, response);
    }

    fn handle_failure(
        &mut self,
        engine: &mut Engine,
        now: Moment,
        ticket: Ticket,
        failure: TransportError,
    ) {
        self.call.handle_failure(engine, now, ticket, failure);
    }

    fn cancel(&mut self, engine: &mut Engine, now: Moment) {
        self.call.cancel(engine, now);
    }

    fn take_events(&mut self) -> Vec<Event> {
        self.call.take_events()
    }
}

#[cfg(test)]
mod tests {
    use didit_core::{
        Authorization, BaseUrl, CallErrorKind, ClientCredentials, Credentials, EndpointKind,
        Policy, TransportErrorKind,
    };

    use super::*;

    const NOW: Moment = Moment::new(std::time::Duration::ZERO);

    fn engine(credentials: impl Into<Credentials>) -> Engine {
        let mut policy = Policy::default();
        policy.max_attempts = 1;
        let mut engine = Engine::with_policy(BaseUrl::production(), credentials, policy);
        engine.record_events(true);
        engine
    }

    fn watched() -> Watched {
        Watched::new(Call::new(RetrieveDecision::new("s-1".parse().unwrap())), 0, Arc::default())
    }

    fn sent(watched: &mut Watched, engine: &mut Engine) -> Ticket {
        match watched.poll(engine, NOW) {
            Step::Send { ticket, .. } => ticket,
            step => panic!("{step:?}"),
        }
    }

    #[test]
    fn what_a_call_tells_comes_through_once() {
        let (mut engine, mut watched) = (engine(Authorization::none()), watched());
        sent(&mut watched, &mut engine);
        let action = EndpointKind::RetrieveDecision;
        assert_eq!(watched.take_events(), [Event::Sent { action, attempt: 1 }]);
        assert_eq!(watched.take_events(), []);
    }

    #[test]
    fn an_exchange_that_failed_is_over() {
        let (mut engine, mut watched) = (engine(Authorization::none()), watched());
        let ticket = sent(&mut watched, &mut engine);
        watched.handle_failure(
            &mut engine,
            NOW,
            ticket,
            TransportError::new(TransportErrorKind::ConnectionLost),
        );
        let Step::Done(Err(error)) = watched.poll(&mut engine, NOW) else { panic!("it goes on") };
        assert!(
            matches!(error.kind(), CallErrorKind::Transport(TransportErrorKind::ConnectionLost)),
            "{error}"
        );
    }

    #[test]
    fn a_call_that_is_cancelled_lets_another_fetch_the_token() {
        let mut engine = engine(ClientCredentials::new("id", "secret").unwrap());
        let (mut one, mut other) = (watched(), watched());
        sent(&mut one, &mut engine);
        assert!(matches!(
            other.poll(&mut engine, NOW),
            Step::Wait { reason: WaitReason::Token, .. }
        ));
        one.cancel(&mut engine, NOW);
        sent(&mut other, &mut engine);
    }
}

//! Events about the shared store.

use didit_core::{Application, SharedStore, StoreAnswer, StoreError, StoreRequest, StoreStep};

use super::*;

#[derive(Debug)]
struct Store;

impl SharedStore for Store {
    fn open(&mut self, _: &Application<'_>) {}

    fn exchange(&mut self, _: &[StoreRequest]) -> Result<Vec<StoreAnswer>, StoreError> {
        Ok(Vec::new())
    }
}

/// Returns an engine with a call that waits for a permit of the store.
fn sharing() -> Engine {
    let builder = Engine::builder(Authorization::bearer("held").unwrap());
    let mut engine = recorded(builder.shared_store(&mut Store));
    waits(&mut call(), &mut engine, at(0));
    engine
}

fn asks(engine: &mut Engine, now: Moment) {
    assert!(matches!(engine.poll_store(now), StoreStep::Exchange(_)));
}

/// Returns the events about the store that a call records now.
fn reported(engine: &mut Engine, now: Moment) -> Vec<&'static str> {
    let _ = call().poll(engine, now);
    let store = |kind| match kind {
        EventKind::StoreLost { .. } => Some("lost"),
        EventKind::StoreJoined => Some("joined"),
        _ => None,
    };
    kinds(engine).into_iter().filter_map(store).collect()
}

#[test]
fn late_answer_does_not_count_as_a_return_of_the_store() {
    let mut engine = sharing();
    asks(&mut engine, at(0));
    assert_eq!(reported(&mut engine, at(2)), ["lost"]);
    engine.handle_store(at(3), Ok(Vec::new()));
    assert_eq!(reported(&mut engine, at(3)), [""; 0]);
    asks(&mut engine, at(3));
    engine.handle_store(at(4), Ok(Vec::new()));
    assert_eq!(reported(&mut engine, at(4)), ["joined"]);
}

#[test]
fn loss_and_return_between_two_calls_cancel_out() {
    let mut engine = sharing();
    asks(&mut engine, at(0));
    engine.handle_store(at(0), Err(StoreError::new("refused")));
    asks(&mut engine, at(1));
    engine.handle_store(at(1), Ok(Vec::new()));
    assert_eq!(reported(&mut engine, at(1)), [""; 0]);
    engine.handle_store(at(2), Ok(Vec::new()));
    assert_eq!(reported(&mut engine, at(2)), [""; 0]);
}

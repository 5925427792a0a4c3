use std::sync::Weak;
use std::time::Duration;

use super::run::Driver;
use crate::engine::{SharedStore, StoreStep};

/// Exchanges the engine's requests with the store until the driver is dropped, on a dedicated
/// thread. `wait` blocks for the given time, or until [`wake_store`](Driver::wake_store) is called.
pub fn serve_store<D: Driver>(
    driver: &Weak<D>,
    store: &mut dyn SharedStore,
    wait: impl Fn(Duration),
) {
    while let Some(driver) = driver.upgrade() {
        let mut engine = driver.lock();
        let now = driver.now();
        let step = engine.poll_store(now);
        drop(engine);
        match step {
            StoreStep::Exchange(requests) => {
                let answers = store.exchange(&requests);
                let mut engine = driver.lock();
                engine.handle_store(driver.now(), answers);
                let wakes = engine.take_wake();
                drop(engine);
                if wakes {
                    driver.wake_others();
                }
            }
            StoreStep::Wait { until } => {
                drop(driver);
                wait(until.since(now));
            }
        }
    }
}

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Waits are begun again after this time, which every system's clock can tell.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// Wakes threads that wait, also those that only are about to: it counts how often it was rung.
#[derive(Default)]
pub(crate) struct Bell {
    rung: Mutex<u64>,
    woken: Condvar,
}

impl Bell {
    pub(crate) fn count(&self) -> u64 {
        *self.lock()
    }

    pub(crate) fn ring(&self) {
        *self.lock() += 1;
        self.woken.notify_all();
    }

    /// Waits for that long, or until the bell was rung more often than `count`.
    pub(crate) fn wait(&self, count: u64, time: Duration) {
        let unchanged = |rung: &mut u64| *rung == count;
        let waited = self.woken.wait_timeout_while(self.lock(), time.min(LONGEST_WAIT), unchanged);
        drop(waited);
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Limit of a single wait, which every system's clock can represent. The caller waits again.
const MAX_WAIT: Duration = Duration::from_secs(86_400);

/// Wakes waiting threads. It counts notifications, so that none is missed before a wait starts.
#[derive(Default)]
pub(crate) struct Notifier {
    generation: Mutex<u64>,
    changed: Condvar,
}

impl Notifier {
    pub(crate) fn generation(&self) -> u64 {
        *self.lock()
    }

    pub(crate) fn notify(&self) {
        *self.lock() += 1;
        self.changed.notify_all();
    }

    /// Waits for `time`, or until the generation is no longer `seen`.
    pub(crate) fn wait(&self, seen: u64, time: Duration) {
        let unchanged = |generation: &mut u64| *generation == seen;
        let waited = self.changed.wait_timeout_while(self.lock(), time.min(MAX_WAIT), unchanged);
        drop(waited);
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.generation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

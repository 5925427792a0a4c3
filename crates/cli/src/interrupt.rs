//! Ctrl-C and SIGTERM: end the program at once, or let a command clean up first.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;

/// The termination signals, with the exit codes that shells report for them.
const SIGNALS: [(i32, Exit); 2] = [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)];

/// The signal handler: records termination signals, and ends the process unless a command has
/// [deferred](Self::defer) that.
pub(crate) struct Interrupt {
    /// True while a signal ends the process directly from the signal handler.
    at_once: Arc<AtomicBool>,
    received: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Installs the signal handlers. If that fails, the signals' default action ends the process. A
    /// signal that was ignored when the program started (by `nohup` or `trap '' INT`) stays
    /// ignored.
    pub(crate) fn handle() -> Self {
        let interrupt = Self { at_once: Arc::new(true.into()), received: Arc::default() };
        let ignored = ignored_signals();
        for (signal, exit) in SIGNALS {
            if ignored >> (signal - 1) & 1 == 1 {
                continue;
            }
            let number = usize::from(exit as u8);
            let (at_once, received) = (&interrupt.at_once, &interrupt.received);
            // They run in order of registration: the first signal sets `at_once` after the shutdown
            // check, so the second one ends the process.
            let _ = flag::register_conditional_shutdown(signal, exit as i32, Arc::clone(at_once));
            let _ = flag::register(signal, Arc::clone(at_once));
            let _ = flag::register_usize(signal, Arc::clone(received), number);
        }
        interrupt
    }

    /// Leaves the first signal to the caller, who must poll [`received`](Self::received). A second
    /// one ends the process at once.
    pub(crate) fn defer(&self) {
        self.at_once.store(false, Ordering::SeqCst);
    }

    /// Returns the exit code of the signal that was received, if any.
    pub(crate) fn received(&self) -> Option<Exit> {
        let number = self.received.load(Ordering::SeqCst);
        SIGNALS.into_iter().map(|(_, exit)| exit).find(|exit| *exit as usize == number)
    }
}

/// Returns the set of ignored signals, as far as the system tells: bit 0 is signal 1.
fn ignored_signals() -> u64 {
    let status =
        if cfg!(target_os = "linux") { fs::read_to_string("/proc/self/status").ok() } else { None };
    let mut lines = status.as_deref().unwrap_or_default().lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

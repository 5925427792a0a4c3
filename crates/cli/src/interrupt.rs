//! Ctrl-C and SIGTERM: end the program at once, or let a command put its files in order first.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;

/// The signals that ask a program to end, with the exit code that shells give such an end.
const SIGNALS: [(i32, Exit); 2] = [(SIGINT, Exit::Interrupted), (SIGTERM, Exit::Terminated)];

/// Notes the signals of the process, and ends it unless a command has [deferred](Self::defer) that.
pub(crate) struct Interrupt {
    /// True while a signal ends the process from within its handler.
    at_once: Arc<AtomicBool>,
    noted: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Handles the signals from now on. Where the system refuses that, they end the process anyway.
    pub(crate) fn handle() -> Self {
        let interrupt = Self { at_once: Arc::new(true.into()), noted: Arc::default() };
        for (signal, exit) in SIGNALS {
            let number = usize::from(exit as u8);
            let (at_once, noted) = (&interrupt.at_once, &interrupt.noted);
            // Their order is that of the registrations: the second signal ends the process.
            let _ = flag::register_conditional_shutdown(signal, exit as i32, Arc::clone(at_once));
            let _ = flag::register(signal, Arc::clone(at_once));
            let _ = flag::register_usize(signal, Arc::clone(noted), number);
        }
        interrupt
    }

    /// Leaves the reaction to the first signal to the caller, who looks for it with
    /// [`noted`](Self::noted) every moment. A second one ends the process at once.
    pub(crate) fn defer(&self) {
        self.at_once.store(false, Ordering::SeqCst);
    }

    /// Returns how to exit, once a signal has come.
    pub(crate) fn noted(&self) -> Option<Exit> {
        let number = self.noted.load(Ordering::SeqCst);
        SIGNALS.into_iter().map(|(_, exit)| exit).find(|exit| *exit as usize == number)
    }
}

#[cfg(test)]
impl Default for Interrupt {
    fn default() -> Self {
        Self { at_once: Arc::new(true.into()), noted: Arc::default() }
    }
}

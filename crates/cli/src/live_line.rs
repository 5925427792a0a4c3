//! The line shown on a terminal while waiting for a session: status, elapsed and remaining time.

use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use didit_blocking_adapter::core::Moment;
use http::Response;
use serde::Deserialize;

use crate::context::Context;
use crate::duration::clock;
use crate::observed::Observer;
use crate::terminal;

const REDRAW: Duration = Duration::from_millis(200);

/// The longest status that is shown, in characters.
const MAX_STATUS: usize = 40;

/// The last status seen.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Option<String>>);

/// Runs `work`, and shows the line meanwhile if standard error is a terminal.
pub(crate) fn during<T>(context: &Context, timeout: Duration, work: impl FnOnce(&Seen) -> T) -> T {
    let seen = Seen::default();
    if !context.redraws() {
        return work(&seen);
    }
    // A signal has to erase the line before the process ends.
    context.interrupt.defer();
    let started = Instant::now();
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (interrupt, seen) = (&context.interrupt, &seen);
        scope.spawn(move || {
            while is_done.recv_timeout(REDRAW) == Err(RecvTimeoutError::Timeout) {
                if let Some(exit) = interrupt.received() {
                    terminal::erase();
                    process::exit(exit as i32);
                }
                let line = line(seen, started.elapsed(), timeout);
                let room = terminal::stderr_width();
                terminal::redraw(&line.chars().take(room).collect::<String>());
            }
            terminal::erase();
        });
        let result = work(seen);
        drop(done);
        result
    })
}

fn line(seen: &Seen, elapsed: Duration, timeout: Duration) -> String {
    let status = seen.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let status = status.unwrap_or_else(|| "asking for the status".to_owned());
    let left = timeout.saturating_sub(elapsed);
    format!("{}, waiting for {}, {} left", terminal::escape(&status), clock(elapsed), clock(left))
}

/// Records the status in each response.
impl Observer for &Seen {
    fn on_response<B: AsRef<[u8]>>(
        &mut self,
        response: &Response<B>,
        _: Option<&str>,
        _now: Moment,
    ) {
        #[derive(Deserialize)]
        struct Answer {
            status: String,
        }
        if let Ok(Answer { status }) = serde_json::from_slice(response.body().as_ref()) {
            let status = status.chars().take(MAX_STATUS).collect();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_has_status_elapsed_and_remaining_time() {
        let seen = Seen::default();
        let line = |seen| line(seen, Duration::from_secs(61), Duration::from_secs(600));
        assert_eq!(line(&seen), "asking for the status, waiting for 1m01s, 8m59s left");
        *seen.0.lock().unwrap() = Some("Initialized\x1b[2J".to_owned());
        assert_eq!(line(&seen), "Initialized\\u{1b}[2J, waiting for 1m01s, 8m59s left");
    }

    #[test]
    fn long_status_is_cut() {
        let seen = Seen::default();
        let body = format!("{{\"status\":\"{}\"}}", "é".repeat(1 << 20));
        (&seen).on_response(&Response::new(body), None, Moment::default());
        assert_eq!(*seen.0.lock().unwrap(), Some("é".repeat(MAX_STATUS)));
    }
}

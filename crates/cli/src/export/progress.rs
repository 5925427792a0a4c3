//! Shows the progress of an export: one line that is redrawn on a terminal, otherwise a new line
//! every ten seconds.

use std::time::{Duration, Instant};

use didit_blocking_adapter::core::WaitReason;

use crate::context::Context;
use crate::duration::clock;
use crate::terminal;

const REDRAW: Duration = Duration::from_millis(200);
const PLAIN_LINE: Duration = Duration::from_secs(10);
/// The minimum width of a useful bar, in columns.
const MIN_BAR: usize = 10;
const MAX_BAR: usize = 40;

pub(crate) struct Progress {
    redraws: bool,
    quiet: bool,
    started: Instant,
    shown: Instant,
}

#[derive(Clone, Copy)]
pub(super) struct Numbers {
    pub(super) total: u64,
    /// The number of ids that need no more work.
    pub(super) settled: u64,
    /// The number of ids settled since this start.
    pub(super) answered: u64,
    pub(super) failed: u64,
    /// The reason and time of the wait, if all calls are waiting.
    pub(super) waiting: Option<(WaitReason, Duration)>,
    /// The activity of the export while it requests no sessions.
    pub(super) note: Option<&'static str>,
}

impl Progress {
    pub(crate) fn new(context: &Context) -> Self {
        let (redraws, quiet) = (context.redraws(), context.options.quiet);
        let now = Instant::now();
        Self { redraws, quiet, started: now, shown: now }
    }

    /// Shows the current stage, before anything can be counted.
    pub(crate) fn stage(&self, text: &str) {
        if self.redraws {
            terminal::redraw(text);
        }
    }

    pub(super) fn start(&mut self) {
        self.started = Instant::now();
        self.shown = self.started;
    }

    /// Returns true if the progress is due to be shown.
    pub(super) fn is_due(&self) -> bool {
        !self.quiet && self.shown.elapsed() >= if self.redraws { REDRAW } else { PLAIN_LINE }
    }

    pub(super) fn show(&mut self, numbers: &Numbers) {
        self.shown = Instant::now();
        let elapsed = self.started.elapsed();
        if self.redraws {
            terminal::redraw(&line(numbers, elapsed, terminal::stderr_width()));
        } else {
            terminal::say(&plain_line(numbers, elapsed));
        }
    }

    /// Prints the summary at the end, a quiet one only if it has failures.
    pub(super) fn finish(self, summary: Option<&str>, has_failures: bool) {
        terminal::erase();
        if let Some(summary) = summary.filter(|_| !self.quiet || has_failures) {
            terminal::say(summary);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        terminal::erase();
    }
}

/// Returns the most important parts that fit, and a bar if there is room left.
fn line(numbers: &Numbers, elapsed: Duration, width: usize) -> String {
    let parts = parts(numbers, elapsed);
    let mut chosen = vec![false; parts.len()];
    let mut used = 0;
    let mut by_importance: Vec<usize> = (0..parts.len()).collect();
    by_importance.sort_by_key(|&at| parts[at].0);
    for at in by_importance {
        let length = parts[at].1.chars().count() + if used == 0 { 0 } else { 2 };
        if used + length <= width {
            chosen[at] = true;
            used += length;
        }
    }
    let texts: Vec<_> =
        parts.iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(part, _)| &*part.1).collect();
    let mut line = texts.join(", ");
    let room = width.saturating_sub(used + 3).min(MAX_BAR);
    if room >= MIN_BAR {
        let full = share(numbers, room as u64);
        let full = usize::try_from(full).unwrap_or(room);
        line = format!("[{}{}] {line}", "#".repeat(full), "-".repeat(room - full));
    }
    line
}

fn plain_line(numbers: &Numbers, elapsed: Duration) -> String {
    let texts: Vec<_> = parts(numbers, elapsed).into_iter().map(|(_, text)| text).collect();
    texts.join(", ")
}

/// Returns the parts of the line from left to right, each with its importance (0 is the highest).
fn parts(numbers: &Numbers, elapsed: Duration) -> Vec<(u8, String)> {
    let Numbers { total, settled, answered, failed, waiting, note } = *numbers;
    let mut parts =
        vec![(0, format!("{} %", share(numbers, 100))), (4, format!("{settled} of {total}"))];
    // The rest of a known wait counts as working time.
    let pause = waiting.map_or(Duration::ZERO, |(_, pause)| pause);
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = answered as f64 / (elapsed + pause).as_secs_f64().max(0.001);
    if let Some(note) = note {
        parts.push((1, note.to_owned()));
    } else if answered > 0 {
        #[allow(clippy::cast_precision_loss, reason = "a time for people")]
        let left = Duration::try_from_secs_f64((total - settled) as f64 / rate);
        let left = left.map(|left| left.max(pause));
        parts.push((1, format!("{} left", left.map_or("a very long time".to_owned(), clock))));
        parts.push((5, format!("{rate:.1}/s")));
    }
    if failed > 0 {
        parts.push((3, format!("{failed} failed")));
    }
    if let Some((reason, pause)) = waiting.filter(|(_, pause)| pause.as_secs() > 0) {
        parts.push((2, format!("{} {}", name(reason), clock(pause))));
    }
    parts
}

fn name(reason: WaitReason) -> &'static str {
    match reason {
        WaitReason::Pacing => "rate limit",
        WaitReason::FirstResponse => "first response",
        WaitReason::RetryAfter => "asked to wait",
        WaitReason::Backoff => "next attempt in",
        WaitReason::Token => "token",
        _ => "waiting",
    }
}

/// Returns the completed part of `whole`.
fn share(numbers: &Numbers, whole: u64) -> u64 {
    (numbers.settled * whole).checked_div(numbers.total).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Numbers = Numbers {
        total: 10_000,
        settled: 4500,
        answered: 4000,
        failed: 3,
        waiting: None,
        note: None,
    };
    const ELAPSED: Duration = Duration::from_secs(100);

    #[test]
    fn wide_line_shows_all_parts() {
        assert_eq!(
            line(&NUMBERS, ELAPSED, 99),
            "[##################----------------------] \
             45 %, 4500 of 10000, 2m17s left, 40.0/s, 3 failed"
        );
        assert_eq!(
            plain_line(&NUMBERS, ELAPSED),
            "45 %, 4500 of 10000, 2m17s left, 40.0/s, 3 failed"
        );
    }

    #[test]
    fn narrow_line_keeps_the_most_important_parts() {
        let waiting = Some((WaitReason::Pacing, Duration::from_secs(12)));
        let paced = Numbers { waiting, ..NUMBERS };
        assert_eq!(line(&NUMBERS, ELAPSED, 39), "45 %, 2m17s left, 40.0/s, 3 failed");
        assert_eq!(line(&paced, ELAPSED, 39), "45 %, 2m34s left, rate limit 12s");
        let refused = Numbers { waiting: Some((WaitReason::RetryAfter, ELAPSED * 5)), ..NUMBERS };
        let almost = Numbers { settled: 9_999, ..refused };
        assert_eq!(line(&almost, ELAPSED, 39), "99 %, 8m20s left, asked to wait 8m20s");
        assert_eq!(line(&paced, ELAPSED, 4), "45 %");
        for width in 0..200 {
            let line = line(&paced, ELAPSED, width);
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }

    #[test]
    fn zero_results_and_zero_ids_have_no_estimate() {
        let none = Numbers { settled: 0, answered: 0, failed: 0, ..NUMBERS };
        assert_eq!(plain_line(&none, ELAPSED), "0 %, 0 of 10000");
        let empty = Numbers { total: 0, ..none };
        assert_eq!(plain_line(&empty, ELAPSED), "100 %, 0 of 0");
        let finishing = Numbers { note: Some("finishing requests in flight"), ..NUMBERS };
        assert!(plain_line(&finishing, ELAPSED).contains(", finishing requests in flight, "));
    }
}

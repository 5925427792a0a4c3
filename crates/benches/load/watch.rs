//! The memory and file descriptors of this process while its callers run.

use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// The sampling interval.
const INTERVAL: Duration = Duration::from_millis(100);

pub(crate) struct Watch {
    end: Sender<()>,
    samples: JoinHandle<Seen>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Seen {
    /// The numbers of open file descriptors before the client was created, at their maximum, and after
    /// the client was dropped.
    pub(crate) descriptors: [usize; 3],
    /// The mean resident memory in the second and in the last quarter of the run, in kB.
    pub(crate) early_memory: u64,
    pub(crate) late_memory: u64,
}

impl Seen {
    /// Adds the use of another process.
    pub(crate) fn merge(self, other: &Self) -> Self {
        Self {
            descriptors: std::array::from_fn(|i| self.descriptors[i] + other.descriptors[i]),
            early_memory: self.early_memory + other.early_memory,
            late_memory: self.late_memory + other.late_memory,
        }
    }
}

impl Watch {
    pub(crate) fn start(time: Duration) -> Self {
        let (end, ended) = mpsc::channel();
        let before = descriptors();
        let samples = thread::spawn(move || {
            let (start, mut most) = (Instant::now(), 0);
            let (mut early, mut late) = (Vec::new(), Vec::new());
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(INTERVAL) {
                most = most.max(descriptors());
                match start.elapsed().div_duration_f64(time) {
                    0.25..0.5 => early.push(memory()),
                    0.75..1.0 => late.push(memory()),
                    _ => {}
                }
            }
            let [early_memory, late_memory] =
                [early, late].map(|m| m.iter().sum::<u64>() / m.len().max(1) as u64);
            let descriptors = [before, most, settled_descriptors(before)];
            Seen { descriptors, early_memory, late_memory }
        });
        Self { end, samples }
    }

    pub(crate) fn end(self) -> Seen {
        drop(self.end);
        self.samples.join().unwrap()
    }
}

/// Waits for the threads of the client to end, and returns the number of open descriptors.
fn settled_descriptors(before: usize) -> usize {
    let end = Instant::now() + Duration::from_secs(5);
    while descriptors() > before && Instant::now() < end {
        thread::sleep(INTERVAL);
    }
    descriptors()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

fn memory() -> u64 {
    didit_benches::memory("self", "VmRSS").unwrap_or(0)
}

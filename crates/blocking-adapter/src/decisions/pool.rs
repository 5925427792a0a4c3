use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// A few threads that do one kind of work. They are started as they are needed, and end by
/// themselves once the pool is dropped.
pub(super) struct Pool<J, R> {
    work: Arc<Work<J, R>>,
    /// How many threads there may be at the most.
    size: usize,
    threads: usize,
    /// How many jobs were given whose results have not been taken.
    pending: usize,
    jobs: Sender<J>,
    queue: Arc<Mutex<Receiver<J>>>,
    done: Sender<thread::Result<R>>,
    results: Receiver<thread::Result<R>>,
}

type Work<J, R> = dyn Fn(J) -> R + Send + Sync;

impl<J: Send + 'static, R: Send + 'static> Pool<J, R> {
    pub(super) fn new(size: usize, work: impl Fn(J) -> R + Send + Sync + 'static) -> Self {
        let (jobs, queue) = mpsc::channel();
        let (done, results) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        Self { work: Arc::new(work), size, threads: 0, pending: 0, jobs, queue, done, results }
    }

    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    pub(super) fn has_room(&self) -> bool {
        self.pending < self.size
    }

    /// Has a job done; only where there [is room](Self::has_room), so that it need not wait.
    pub(super) fn give(&mut self, job: J) {
        self.pending += 1;
        if self.threads < self.pending && self.start_thread() {
            self.threads += 1;
        }
        let refused =
            if self.threads == 0 { Some(job) } else { self.jobs.send(job).err().map(|e| e.0) };
        if let Some(job) = refused {
            // The system gives no thread at all, so this one has to do.
            finish(&*self.work, job, &self.done);
        }
    }

    /// The next result, in the order in which they come; `None` if none comes within that time.
    ///
    /// A job that panicked panics here.
    pub(super) fn take(&mut self, patience: Option<Duration>) -> Option<R> {
        if self.pending == 0 {
            return None;
        }
        let result = match patience {
            Some(patience) => self.results.recv_timeout(patience),
            None => self.results.recv().map_err(RecvTimeoutError::from),
        };
        let result = result.ok()?;
        self.pending -= 1;
        Some(result.unwrap_or_else(|payload| panic::resume_unwind(payload)))
    }

    fn start_thread(&self) -> bool {
        let (work, queue) = (Arc::clone(&self.work), Arc::clone(&self.queue));
        let done = self.done.clone();
        let body = move || {
            // The lock is held while waiting: the other threads wait for it instead of the job.
            let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            while let Ok(job) = next() {
                finish(&*work, job, &done);
            }
        };
        thread::Builder::new().name("didit-decisions".to_owned()).spawn(body).is_ok()
    }
}

fn finish<J, R>(work: &Work<J, R>, job: J, done: &Sender<thread::Result<R>>) {
    // Once the pool is dropped, nobody wants the result any more.
    let _ = done.send(panic::catch_unwind(AssertUnwindSafe(|| work(job))));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A job that is lost fails its test instead of holding it up for ever.
    const LONG: Option<Duration> = Some(Duration::from_secs(10));

    #[test]
    fn results_come_as_they_are_done() {
        let mut pool = Pool::new(2, |pause: u64| {
            thread::sleep(Duration::from_millis(pause));
            pause
        });
        pool.give(300);
        assert!(pool.has_room());
        pool.give(1);
        assert!(!pool.has_room() && pool.pending() == 2);
        assert_eq!(pool.take(LONG), Some(1));
        assert_eq!(pool.take(Some(Duration::ZERO)), None);
        assert_eq!(pool.take(LONG), Some(300));
        assert_eq!((pool.take(None), pool.pending()), (None, 0));
    }

    #[test]
    fn a_panic_comes_through_and_the_thread_goes_on() {
        let mut pool = Pool::new(1, |job: u32| {
            assert_ne!(job, 0, "nought");
            job
        });
        pool.give(0);
        let panicked = panic::catch_unwind(AssertUnwindSafe(|| pool.take(LONG)));
        assert!(panicked.is_err());
        pool.give(1);
        assert_eq!(pool.take(LONG), Some(1));
    }

    #[test]
    fn a_thread_that_is_free_is_used_again() {
        let mut pool = Pool::new(3, |job: u32| job);
        for job in 0..3 {
            pool.give(job);
            assert_eq!(pool.take(LONG), Some(job));
        }
        assert_eq!(pool.threads, 1);
    }
}

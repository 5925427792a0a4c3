use std::pin::{Pin, pin};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::runtime::{self, Handle};
use tokio::task::unconstrained;
use tokio::time::{Instant, Sleep, sleep_until};

/// Timers that are used again.
///
/// To make one, and to drop it, takes the lock of the runtime's clock, and wakes the thread that
/// waits for it; to move one that is there to a later time takes neither.
#[derive(Default)]
pub(crate) struct Timers(Mutex<Vec<Timer>>);

/// A timer can run on no other runtime than its own.
pub(crate) struct Timer {
    runtime: runtime::Id,
    sleep: Pin<Box<Sleep>>,
}

/// More than these are dropped, for each wakes its runtime once when its time has come.
const KEPT: usize = 64;

impl Timers {
    pub(crate) fn take(&self, deadline: Instant) -> Timer {
        let runtime = Handle::current().id();
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match kept.filter(|timer| timer.runtime == runtime) {
            Some(mut timer) => {
                timer.sleep.as_mut().reset(deadline);
                timer
            }
            None => Timer::new(runtime, deadline),
        }
    }

    pub(crate) fn give_back(&self, mut timer: Timer) {
        // It would hold on to the waker, and thereby to all the memory of its task.
        let sleep = pin!(unconstrained(timer.sleep.as_mut()));
        let _ = sleep.poll(&mut Context::from_waker(Waker::noop()));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(timer);
        }
    }
}

impl Timer {
    fn new(runtime: runtime::Id, deadline: Instant) -> Self {
        Self { runtime, sleep: Box::pin(sleep_until(deadline)) }
    }

    /// What a future comes to, or nothing once the time has come.
    pub(crate) fn poll_before<F: Future>(
        &mut self,
        future: Pin<&mut F>,
        context: &mut Context<'_>,
    ) -> Poll<Option<F::Output>> {
        match future.poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => self.sleep.as_mut().poll(context).map(|()| None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};
    use std::sync::Arc;
    use std::task::Wake;
    use std::time::Duration;

    use tokio::task::yield_now;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    impl Timers {
        fn kept(&self) -> usize {
            self.0.lock().unwrap().len()
        }

        async fn timeout_at<F: Future>(&self, deadline: Instant, future: F) -> Option<F::Output> {
            let (mut timer, mut future) = (self.take(deadline), pin!(future));
            let output = poll_fn(|cx| timer.poll_before(future.as_mut(), cx)).await;
            self.give_back(timer);
            output
        }

        /// Waits for a future that never ends; an hour would be too long for a test.
        async fn strikes(&self, deadline: Instant) -> bool {
            self.timeout_at(deadline, pending::<()>()).await.is_none()
        }

        /// Waits for a future that is not ready at first, so that the timer is set.
        async fn lets_through(&self, deadline: Instant) -> bool {
            self.timeout_at(deadline, yield_now()).await.is_some()
        }
    }

    #[tokio::test]
    async fn a_timer_that_is_used_again_strikes_at_its_new_time() {
        let (timers, now) = (Timers::default(), Instant::now());
        for later in [HOUR, 2 * HOUR, HOUR / 2] {
            // Over at once, and then set to a later time, and to an earlier one.
            assert!(timers.strikes(now).await);
            assert!(timers.lets_through(now + later).await);
            assert!(timers.lets_through(now + HOUR).await);
            assert_eq!(timers.kept(), 1);
        }
        assert!(timers.strikes(now).await);
    }

    #[tokio::test]
    async fn a_time_that_has_passed_lets_through_what_is_ready() {
        let timers = Timers::default();
        let output = timers.timeout_at(Instant::now(), async { 7 }).await;
        assert_eq!(output, Some(7));
    }

    #[test]
    fn each_runtime_has_timers_of_its_own() {
        let timers = Timers::default();
        for _ in 0..2 {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_time().build().unwrap();
            runtime.block_on(async {
                assert!(timers.lets_through(Instant::now() + HOUR).await);
                assert!(timers.strikes(Instant::now()).await);
            });
            assert_eq!(timers.kept(), 1);
        }
    }

    #[tokio::test]
    async fn no_more_are_kept_than_are_of_use() {
        let (timers, later) = (Timers::default(), Instant::now() + HOUR);
        let all = (0..2 * KEPT).map(|_| timers.lets_through(later));
        futures_util::future::join_all(all).await;
        assert_eq!(timers.kept(), KEPT);
    }
    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    #[tokio::test]
    async fn a_kept_timer_holds_no_task() {
        let (timers, task) = (Timers::default(), Arc::new(Task));
        let mut timer = timers.take(Instant::now() + HOUR);
        let waker = Waker::from(Arc::clone(&task));
        let never = pin!(pending::<()>());
        assert!(timer.poll_before(never, &mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        assert_eq!(Arc::strong_count(&task), 2);
        timers.give_back(timer);
        assert_eq!(Arc::strong_count(&task), 1);
    }
}

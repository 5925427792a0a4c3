use std::time::Duration;

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};

/// Connects as `ureq` does, and sets the sockets' timeouts seldom.
///
/// What is left of a request's time is another number at every read and write, and each new number
/// costs a system call. Rounded down it stays the same from one request to the next.
#[derive(Debug, Default)]
pub(crate) struct SteadyConnector {
    inner: DefaultConnector,
}

impl Connector<()> for SteadyConnector {
    type Out = SteadyTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<SteadyTransport>, ureq::Error> {
        Ok(self.inner.connect(details, chained)?.map(|inner| SteadyTransport { inner }))
    }
}

#[derive(Debug)]
pub(crate) struct SteadyTransport {
    inner: Box<dyn Transport>,
}

impl Transport for SteadyTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    // A write cannot be taken up again where it stopped, so it may be given up a grain early.
    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.inner.transmit_output(amount, steady(timeout).0)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let (steady, rest) = steady(timeout);
        match self.inner.await_input(steady) {
            // What was rounded off is waited for as well.
            Err(ureq::Error::Timeout(_)) if !rest.is_zero() => {
                self.inner.await_input(NextTimeout { after: rest.into(), ..timeout })
            }
            awaited => awaited,
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

/// A part of a second: small beside what is rounded, and long beside a request.
const GRAIN: Duration = Duration::from_millis(250);

/// The timeout rounded down to whole grains, and what that took off.
fn steady(timeout: NextTimeout) -> (NextTimeout, Duration) {
    let after = *timeout.after;
    if timeout.after.is_not_happening() || after < 4 * GRAIN {
        return (timeout, Duration::ZERO);
    }
    let rest = Duration::from_nanos(u64::from(after.subsec_nanos() % GRAIN.subsec_nanos()));
    (NextTimeout { after: after.saturating_sub(rest).into(), ..timeout }, rest)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use ureq::unversioned::transport::LazyBuffers;

    use super::*;

    fn rounded(millis: u64) -> (Duration, Duration) {
        let after = Duration::from_millis(millis).into();
        let (timeout, rest) = steady(NextTimeout { after, ..NextTimeout::default() });
        (*timeout.after, rest)
    }

    #[test]
    fn little_is_rounded_off_and_what_it_was_is_known() {
        let millis = Duration::from_millis;
        assert_eq!(rounded(9_999), (millis(9_750), millis(249)));
        assert_eq!(rounded(10_000), (millis(10_000), Duration::ZERO));
        assert_eq!(rounded(999), (millis(999), Duration::ZERO));
        let (timeout, _) = steady(NextTimeout::default());
        assert!(timeout.after.is_not_happening());
    }

    /// Gives these answers to a wait for input, and keeps what each was to take at the most.
    #[derive(Debug)]
    struct Scripted {
        buffers: LazyBuffers,
        answers: Vec<Result<bool, ureq::Error>>,
        asked: Arc<Mutex<Vec<Duration>>>,
        open: bool,
    }

    impl Transport for Scripted {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.buffers
        }

        fn transmit_output(&mut self, _: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
            self.asked.lock().unwrap().push(*timeout.after);
            Ok(())
        }

        fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
            self.asked.lock().unwrap().push(*timeout.after);
            self.answers.remove(0)
        }

        fn is_open(&mut self) -> bool {
            self.open
        }

        fn is_tls(&self) -> bool {
            self.open
        }
    }

    /// What a wait of 1.3 s comes to, and what the transport below was asked to wait.
    fn awaited(answers: Vec<Result<bool, ureq::Error>>) -> (Result<bool, ureq::Error>, Vec<u128>) {
        let asked = Arc::default();
        let buffers = LazyBuffers::new(1, 1);
        let inner = Scripted { buffers, answers, asked: Arc::clone(&asked), open: true };
        let mut transport = SteadyTransport { inner: Box::new(inner) };
        assert!(transport.is_open() && transport.is_tls());
        let after = Duration::from_millis(1300).into();
        let result = transport.await_input(NextTimeout { after, ..NextTimeout::default() });
        let asked = asked.lock().unwrap().iter().map(Duration::as_millis).collect();
        (result, asked)
    }

    #[test]
    fn what_was_rounded_off_is_waited_for_as_well() {
        let timeout = || Err(ureq::Error::Timeout(ureq::Timeout::Global));
        let (result, asked) = awaited(vec![Ok(true)]);
        assert_eq!((result.ok(), asked), (Some(true), vec![1250]));
        let (result, asked) = awaited(vec![timeout(), Ok(true)]);
        assert_eq!((result.ok(), asked), (Some(true), vec![1250, 50]));
        let (result, asked) = awaited(vec![timeout(), timeout()]);
        assert!(matches!(result, Err(ureq::Error::Timeout(_))) && asked == [1250, 50]);
        let (result, asked) = awaited(vec![Err(ureq::Error::ConnectionFailed)]);
        assert!(matches!(result, Err(ureq::Error::ConnectionFailed)) && asked == [1250]);
    }

    #[test]
    fn a_wait_without_a_rest_is_not_begun_again() {
        let asked: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let answers = vec![Err(ureq::Error::Timeout(ureq::Timeout::Global)), Ok(true)];
        let buffers = LazyBuffers::new(1, 1);
        let inner = Scripted { buffers, answers, asked: Arc::clone(&asked), open: false };
        let mut transport = SteadyTransport { inner: Box::new(inner) };
        assert!(!transport.is_open() && !transport.is_tls());
        let second = NextTimeout { after: Duration::from_secs(1).into(), ..NextTimeout::default() };
        transport.await_input(second).unwrap_err();
        let after = Duration::from_millis(1300).into();
        let longer = NextTimeout { after, ..NextTimeout::default() };
        transport.transmit_output(0, longer).unwrap();
        assert_eq!(*asked.lock().unwrap(), [1000, 1250].map(Duration::from_millis));
    }
}

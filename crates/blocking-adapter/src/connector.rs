use std::mem;
use std::sync::Arc;
use std::time::Duration;

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};

/// Connects as `ureq` does, but leaves out what it does over and over for nothing.
#[derive(Debug, Default)]
pub(crate) struct LeanConnector {
    inner: Arc<DefaultConnector>,
}

impl Connector<()> for LeanConnector {
    type Out = LeanTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<LeanTransport>, ureq::Error> {
        let inner = Arc::clone(&self.inner);
        let details = ConnectionDetails {
            // What a tunnel goes through must not be lean as well: each would leave it to the other
            // to ask whether the connection is open.
            run_connector: Arc::new(move |details: &ConnectionDetails<'_>| {
                inner.connect(details, None)?.ok_or(ureq::Error::ConnectionFailed)
            }),
            // `ureq` goes through its list of all connections twice for every request, and the list
            // is for the shutdown of an agent, which nobody asks for here.
            register_shutdown: Arc::new(|_| Ok(())),
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: Arc::clone(&details.current_time),
        };
        let inner = self.inner.connect(&details, chained)?;
        Ok(inner.map(|inner| LeanTransport { inner, just_read: false }))
    }
}

#[derive(Debug)]
pub(crate) struct LeanTransport {
    inner: Box<dyn Transport>,
    just_read: bool,
}

impl LeanTransport {
    /// What is left of a request's time is another number at every read and write, and each new
    /// number costs a system call. Rounded down it stays the same from one request to the next.
    fn await_steadily(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let (steady, rest) = steady(timeout);
        match self.inner.await_input(steady) {
            // What was rounded off is waited for as well.
            Err(ureq::Error::Timeout(_)) if !rest.is_zero() => {
                self.inner.await_input(NextTimeout { after: rest.into(), ..timeout })
            }
            awaited => awaited,
        }
    }
}

impl Transport for LeanTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    // A write cannot be taken up again where it stopped, so it may be given up a grain early.
    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.inner.transmit_output(amount, steady(timeout).0)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let awaited = self.await_steadily(timeout);
        self.just_read = matches!(awaited, Ok(true));
        awaited
    }

    // Asked when the connection goes to the pool, and when it comes from there. It takes three
    // system calls to find out, and only the second answer matters.
    fn is_open(&mut self) -> bool {
        mem::take(&mut self.just_read) || self.inner.is_open()
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
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Mutex;
    use std::sync::mpsc::{self, Receiver};
    use std::thread;

    use ureq::unversioned::resolver::DefaultResolver;
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
        let mut transport = LeanTransport { inner: Box::new(inner), just_read: false };
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
        let mut transport = LeanTransport { inner: Box::new(inner), just_read: false };
        assert!(!transport.is_open() && !transport.is_tls());
        let second = NextTimeout { after: Duration::from_secs(1).into(), ..NextTimeout::default() };
        transport.await_input(second).unwrap_err();
        let after = Duration::from_millis(1300).into();
        let longer = NextTimeout { after, ..NextTimeout::default() };
        transport.transmit_output(0, longer).unwrap();
        assert_eq!(*asked.lock().unwrap(), [1000, 1250].map(Duration::from_millis));
    }

    #[test]
    fn what_was_just_read_from_is_not_asked_whether_it_is_open() {
        let buffers = LazyBuffers::new(1, 1);
        let answers = vec![Ok(true), Ok(false), Err(ureq::Error::ConnectionFailed)];
        let inner = Scripted { buffers, answers, asked: Arc::default(), open: false };
        let mut transport = LeanTransport { inner: Box::new(inner), just_read: false };
        assert!(transport.await_input(NextTimeout::default()).unwrap());
        assert_eq!([transport.is_open(), transport.is_open()], [true, false]);
        assert!(!transport.await_input(NextTimeout::default()).unwrap());
        assert!(!transport.is_open());
        transport.await_input(NextTimeout::default()).unwrap_err();
        assert!(!transport.is_open());
    }
    fn read_head(connection: &TcpStream) {
        let mut lines = BufReader::new(connection).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.is_empty()));
    }

    /// Lets a client through to a service, which it also is, and closes each connection after so many
    /// answers.
    fn proxy(answers: [usize; 2]) -> (String, Receiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (closed, tells) = mpsc::channel();
        thread::spawn(move || {
            for answers in answers {
                let (mut connection, _) = listener.accept().unwrap();
                for answer in 0..=answers {
                    read_head(&connection);
                    let length = if answer == 0 { "" } else { "content-length: 0\r\n" };
                    let head = format!("HTTP/1.1 200 OK\r\n{length}\r\n");
                    connection.write_all(head.as_bytes()).unwrap();
                }
                drop(connection);
                closed.send(()).unwrap();
            }
        });
        (format!("http://{address}"), tells)
    }

    #[test]
    fn a_connection_through_a_proxy_that_was_closed_meanwhile_is_not_used() {
        let (proxy, closed) = proxy([2, 1]);
        let config = ureq::Agent::config_builder().proxy(Some(ureq::Proxy::new(&proxy).unwrap()));
        let resolver = DefaultResolver::default();
        let agent = ureq::Agent::with_parts(config.build(), LeanConnector::default(), resolver);
        let get = || agent.get("http://service.example/").call().map(|response| response.status());
        assert_eq!([get().unwrap(), get().unwrap()], [200, 200]);
        closed.recv().unwrap();
        assert_eq!(get().unwrap(), 200);
    }
}

//! The faulty service, in its own process.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use didit_sandbox::{Fault, Quota, RecordedRequest, Route, Sandbox};
use serde::{Deserialize, Serialize};

/// The rate-limit window of the service.
pub(crate) const WINDOW: Duration = Duration::from_secs(1);

/// The addresses and credentials of a client.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) redis: Option<String>,
}

/// A handle to the process of the service.
pub(crate) struct Service {
    pub(crate) upstream: Upstream,
    child: Child,
    stdin: ChildStdin,
    answers: BufReader<std::process::ChildStdout>,
}

/// The creation requests that the service received.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) creations: usize,
    /// Sessions that more than one request may have created.
    pub(crate) doubled: usize,
    /// Requests that may have created a session, including those whose body was not read.
    pub(crate) acted: usize,
}

impl Service {
    pub(crate) fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let piped = command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().expect("a process");
        let stdin = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let [url, client_id, client_secret] = [(); 3].map(|()| line(&mut answers));
        let upstream = Upstream { url, client_id, client_secret, redis: None };
        Self { upstream, child, stdin, answers }
    }

    pub(crate) fn end(mut self) -> Served {
        drop(self.stdin);
        let [creations, doubled, acted] =
            [(); 3].map(|()| line(&mut self.answers).parse().unwrap());
        self.child.wait().unwrap();
        Served { creations, doubled, acted }
    }
}

fn line(answers: &mut impl BufRead) -> String {
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// Serves until the standard input ends.
pub(crate) fn serve() {
    let quota = Quota { limit: 2000, window: WINDOW };
    let sandbox = Sandbox::builder()
        .quota(quota)
        .token_lifetime(Duration::from_secs(5))
        .keep_requests(20_000)
        .start()
        .unwrap();
    sandbox.random_faults(7, 10, faults());
    println!("{}\n{}\n{}", sandbox.url(), sandbox.client_id(), sandbox.client_secret());
    let (end, ended) = mpsc::channel::<()>();
    thread::spawn(move || {
        let _ = io::stdin().read(&mut [0]);
        drop(end);
    });
    let mut creations = Creations::default();
    while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(Duration::from_millis(200)) {
        creations.note(&sandbox);
    }
    creations.note(&sandbox);
    let acted: usize = creations.sessions.values().map(Vec::len).sum();
    // A request that was reset early has no body to identify it.
    creations.sessions.remove(&Vec::new());
    let doubled = creations.sessions.values().filter(|requests| requests.len() > 1).count();
    println!("{}\n{doubled}\n{acted}", creations.sessions.len());
}

/// Returns all kinds of faults; those that stop many calls are rare.
fn faults() -> Vec<Fault> {
    let common = [
        Fault::Delay(Duration::from_millis(50)),
        Fault::Reset,
        Fault::ResetEarly,
        Fault::Close,
        Fault::Truncate,
        Fault::Garbage,
        Fault::answer(500),
        Fault::answer(503),
    ];
    let rare = [Fault::Hang, Fault::answer(401), Fault::answer(429).header("Retry-After", "1")];
    std::iter::repeat_n(common, 30).flatten().chain(rare).collect()
}

/// The ids of the requests that may have created a session, by request body, which has unique vendor
/// data.
#[derive(Default)]
struct Creations {
    sessions: HashMap<Vec<u8>, Vec<String>>,
}

impl Creations {
    fn note(&mut self, sandbox: &Sandbox) {
        for request in sandbox.requests_to(Route::CreateSession) {
            let RecordedRequest { request_id, body, status, .. } = request;
            let requests = self.sessions.entry(body).or_default();
            let acted = !matches!(status, Some(401 | 429));
            match requests.iter().position(|known| *known == request_id) {
                // Its status was not known before.
                Some(at) if !acted => drop(requests.remove(at)),
                None if acted => requests.push(request_id),
                _ => {}
            }
        }
    }
}

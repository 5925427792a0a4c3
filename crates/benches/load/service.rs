//! The service that fails, as a process of its own.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use didit_sandbox::{Fault, Quota, RecordedRequest, Route, Sandbox};
use serde::{Deserialize, Serialize};

/// The length of its rate-limit window.
pub(crate) const WINDOW: Duration = Duration::from_secs(1);

/// The addresses that a client connects to.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Upstream {
    pub(crate) url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) redis: Option<String>,
}

/// The service, seen from the client's process.
pub(crate) struct Service {
    pub(crate) upstream: Upstream,
    child: Child,
    stdin: ChildStdin,
    answers: BufReader<std::process::ChildStdout>,
}

/// The requests that it has received by the end.
#[derive(Debug)]
pub(crate) struct Served {
    pub(crate) creations: usize,
    /// Sessions that more than one request may have created.
    pub(crate) doubled: usize,
    /// Requests that may have created a session, those included whose body was not read.
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

/// The process: serves until its standard input ends.
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
    // A request that was reset early has no body to be told by.
    creations.sessions.remove(&Vec::new());
    let doubled = creations.sessions.values().filter(|requests| requests.len() > 1).count();
    println!("{}\n{doubled}\n{acted}", creations.sessions.len());
}

/// Of those that hold many up, few.
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

/// By the vendor data, the requests that may have created the session.
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
                // It was refused, as it turns out.
                Some(at) if !acted => drop(requests.remove(at)),
                None if acted => requests.push(request_id),
                _ => {}
            }
        }
    }
}

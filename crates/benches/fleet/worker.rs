//! A process of the fleet: this program, with its task as arguments.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use didit_async_adapter::Client;
use didit_core::{ClientCredentials, EventKind, Policy, SessionId};
use didit_redis_adapter::RedisStore;
use didit_sandbox::Sandbox;
use futures_util::StreamExt as _;

/// The task of a worker.
pub(crate) struct Orders {
    pub(crate) base_url: String,
    pub(crate) redis: Option<String>,
    pub(crate) window: Duration,
    pub(crate) ids: u32,
}

const WORKER: &str = "worker";
const CONCURRENCY: usize = 16;

impl Orders {
    pub(crate) fn from_arguments() -> Option<Self> {
        let mut arguments = std::env::args().skip(1).skip_while(|argument| argument != WORKER);
        arguments.next()?;
        Some(Self {
            base_url: arguments.next()?,
            redis: arguments.next().filter(|url| url != "-"),
            window: Duration::from_millis(arguments.next()?.parse().ok()?),
            ids: arguments.next()?.parse().ok()?,
        })
    }
}

/// Retrieves the decisions, reports their number, and waits for the end of the standard input.
pub(crate) fn work(orders: &Orders) {
    let sandbox = Sandbox::builder().start().unwrap();
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    drop(sandbox);
    let mut policy = Policy::default();
    policy.rate_limit_window = orders.window;
    let client = Client::builder(credentials).base_url(orders.base_url.parse().unwrap());
    let client = client.policy(policy).on_event(|event| match event.kind {
        EventKind::StoreLost { .. } => report("lost"),
        EventKind::StoreJoined => report("joined"),
        _ => {}
    });
    let client = match &orders.redis {
        Some(url) => client.shared_store(RedisStore::connect(url).unwrap()),
        None => client,
    };
    let client = client.build().unwrap();
    let ids = (0..orders.ids).map(|n| format!("s-{n}").parse::<SessionId>().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let succeeded = runtime.block_on(async {
        let decisions = client.decisions(ids).concurrency(CONCURRENCY);
        decisions.filter(|(_, result)| std::future::ready(result.is_ok())).count().await
    });
    report(&format!("done {succeeded}"));
    let _ = std::io::stdin().read(&mut [0]);
}

fn report(event: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{now} {event}").unwrap();
    out.flush().unwrap();
}

pub(crate) struct Worker {
    child: RefCell<Child>,
    output: RefCell<BufReader<ChildStdout>>,
}

/// The output of a worker.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) succeeded: u32,
    /// The times at which it joined the store, in milliseconds since 1970.
    pub(crate) joined: Vec<u128>,
}

impl Worker {
    pub(crate) fn spawn(orders: &Orders) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(WORKER).arg(&orders.base_url).arg(orders.redis.as_deref().unwrap_or("-"));
        command.arg(orders.window.as_millis().to_string()).arg(orders.ids.to_string());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child: RefCell::new(child), output: RefCell::new(output) }
    }

    pub(crate) fn wait_until_done(&self) {
        self.report().expect("a worker completes its work");
    }

    /// Reads the output until the work is done; `None` if the worker ends before that.
    pub(crate) fn report(&self) -> Option<Report> {
        let mut report = Report::default();
        for line in self.output.borrow_mut().by_ref().lines() {
            let line = line.ok()?;
            let (time, event) = line.split_once(' ')?;
            if event == "joined" {
                report.joined.push(time.parse().ok()?);
            }
            if let Some(succeeded) = event.strip_prefix("done ") {
                report.succeeded = succeeded.parse().ok()?;
                return Some(report);
            }
        }
        None
    }

    pub(crate) fn kill(&self) {
        self.child.borrow_mut().kill().unwrap();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        let _ = child.kill();
        let _ = child.wait();
    }
}

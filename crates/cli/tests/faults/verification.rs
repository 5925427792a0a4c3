//! The fault matrix of the verification API.
//!
//! Reads, PDFs and deletions are retried. Creations and status changes are retried only if they
//! were certainly not carried out: nothing was sent, or the rate limit refused them.

use std::net::SocketAddr;
use std::time::Duration;

use didit_blocking_adapter::core::Authorization;
use didit_blocking_adapter::core::verification::{
    CreateSession, DeleteSession, ListSessions, SessionId, UpdateStatus,
};
use didit_conformance::verification::Verification;
use didit_conformance::{CallFailure, settings};
use didit_sandbox::{Fault, Route, Sandbox};
use socket2::{Domain, Socket, Type};

use crate::asynchronous::Async;
use crate::blocking::Blocking;
use crate::ways::cause;

const WORKFLOW: &str = "9f9b1234-aaaa-bbbb-cccc-1234567890ab";

/// A column of the table.
pub(crate) struct Way {
    pub(crate) name: &'static str,
    kind: Kind,
    /// Returns the outcome if it is as expected, otherwise the mismatch.
    pub(crate) run: fn(&Row, Kind) -> Result<String, String>,
}

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Create,
    /// A creation that may be retried, since it has a `vendor_data`.
    Repeat,
    Decision,
    List,
    Update,
    Pdf,
    Delete,
}

impl Kind {
    fn route(self) -> Route {
        match self {
            Self::Create | Self::Repeat => Route::CreateVerification,
            Self::Decision => Route::VerificationDecision,
            Self::List => Route::ListVerifications,
            Self::Update => Route::UpdateVerificationStatus,
            Self::Pdf => Route::VerificationPdf,
            Self::Delete => Route::DeleteVerification,
        }
    }

    fn is_once(self) -> bool {
        matches!(self, Self::Create | Self::Update)
    }
}

const fn way(name: &'static str, kind: Kind, is_async: bool) -> Way {
    Way { name, kind, run: if is_async { cell::<Async> } else { cell::<Blocking> } }
}

pub(crate) const WAYS: [Way; 14] = [
    way("async create", Kind::Create, true),
    way("async create, repeatable", Kind::Repeat, true),
    way("async decision", Kind::Decision, true),
    way("async list", Kind::List, true),
    way("async update", Kind::Update, true),
    way("async PDF", Kind::Pdf, true),
    way("async delete", Kind::Delete, true),
    way("blocking create", Kind::Create, false),
    way("blocking create, repeatable", Kind::Repeat, false),
    way("blocking decision", Kind::Decision, false),
    way("blocking list", Kind::List, false),
    way("blocking update", Kind::Update, false),
    way("blocking PDF", Kind::Pdf, false),
    way("blocking delete", Kind::Delete, false),
];

impl Way {
    pub(crate) fn run(&self, row: &Row) -> Result<String, String> {
        (self.run)(row, self.kind)
    }
}

/// A fault, and its expected outcome.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// `None` if no connection can be made.
    fault: Option<Fault>,
    /// True if every request gets the fault, false for only the first one.
    always: bool,
    /// The outcome and the number of requests if the request may be retried, and if it may not.
    repeated: (&'static str, usize),
    once: (&'static str, usize),
    /// True if a request that is not retried may have been carried out.
    unclear: bool,
    /// The timeout of a call.
    timeout: Duration,
}

const DONE: (&str, usize) = ("done", 1);

impl Row {
    fn new(name: &'static str, fault: Fault) -> Self {
        Self {
            name,
            fault: Some(fault),
            always: false,
            repeated: DONE,
            once: DONE,
            unclear: false,
            timeout: Duration::from_secs(20),
        }
    }

    /// A fault after which a request is retried if it may be; otherwise the outcome is `once`.
    fn passes(name: &'static str, fault: Fault, once: &'static str) -> Self {
        Self { repeated: ("done", 2), once: (once, 1), unclear: true, ..Self::new(name, fault) }
    }

    /// A fault after which any request is retried, because nothing was done.
    fn refused(name: &'static str, fault: Fault) -> Self {
        Self { repeated: ("done", 2), once: ("done", 2), ..Self::new(name, fault) }
    }

    /// A fault after which no request is retried.
    fn ends(name: &'static str, fault: Fault, outcome: &'static str) -> Self {
        let outcome = (outcome, 1);
        Self { always: true, repeated: outcome, once: outcome, ..Self::new(name, fault) }
    }

    /// A fault with which a request that may be retried fails four times.
    fn lasts(name: &'static str, fault: Fault, outcome: &'static str) -> Self {
        Self { repeated: (outcome, 4), unclear: true, ..Self::ends(name, fault, outcome) }
    }

    fn unclear(self) -> Self {
        Self { unclear: true, ..self }
    }

    fn timeout(self, millis: u64) -> Self {
        Self { timeout: Duration::from_millis(millis), ..self }
    }

    /// Returns the outcome and the number of requests for a kind.
    fn expected(&self, kind: Kind) -> (&'static str, usize) {
        let expected = if kind.is_once() { self.once } else { self.repeated };
        // A success that is not a PDF is not retried.
        let is_no_pdf = kind == Kind::Pdf && self.once.0 == "Malformed";
        if is_no_pdf { ("NotPdf", 1) } else { expected }
    }
}

pub(crate) fn rows() -> Vec<Row> {
    let retry = |status| Fault::answer(status).header("Retry-After", "1");
    let pause = Duration::from_millis(20);
    let half = || Fault::answer(200).body(r#"{"session_id": "11111111-2222"#);
    let page = Fault::answer(200).header("Content-Type", "text/html").body("<p>Log in</p>");
    let file = Fault::answer(200).header("Content-Type", "application/octet-stream").body("PK");
    let head = Fault::answer(200).header("X-Long", &"a".repeat(500_000));
    let hour = Fault::answer(429).header("Retry-After", "3600");
    vec![
        Row::new("none", Fault::Pass),
        Row::new("a slow answer", Fault::Delay(pause)),
        Row {
            fault: None,
            repeated: ("Connect", 0),
            once: ("Connect", 0),
            ..Row::new("no connection", Fault::Pass)
        },
        Row::passes("reset", Fault::Reset, "ConnectionLost"),
        Row::passes("reset early", Fault::ResetEarly, "ConnectionLost"),
        Row::passes("closed", Fault::Close, "ConnectionLost"),
        Row::passes("body cut off", Fault::Truncate, "ConnectionLost"),
        Row::passes("no HTTP", Fault::Garbage, "ConnectionLost"),
        Row::passes("JSON cut off", half(), "Malformed"),
        Row::passes("408", Fault::answer(408), "ClientError"),
        Row::refused("429", Fault::answer(429)),
        Row::refused("429, retry after 1 s", retry(429)),
        Row::passes("500", Fault::answer(500), "ServerError"),
        Row::passes("502", Fault::answer(502), "ServerError"),
        Row::passes("503, retry after 1 s", retry(503), "ServerError"),
        Row::passes("504", Fault::answer(504), "ServerError"),
        Row::lasts("always reset", Fault::Reset, "ConnectionLost"),
        Row::lasts("always closed", Fault::Close, "ConnectionLost"),
        Row::lasts("always JSON cut off", half(), "Malformed"),
        Row::lasts("always 503", Fault::answer(503), "ServerError"),
        Row::ends("429, retry after 1 h", hour, "RateLimited").timeout(1500),
        Row::ends("400", Fault::answer(400), "ClientError"),
        Row::ends("401", Fault::answer(401), "Unauthorized"),
        Row::ends("403", Fault::answer(403), "Forbidden"),
        Row::ends("404", Fault::answer(404), "NotFound"),
        Row::ends("501", Fault::answer(501), "ServerError"),
        Row::ends("redirect", Fault::redirect("http://127.0.0.1:9/"), "Redirect"),
        Row::ends("a page", page, "Malformed").unclear(),
        Row::ends("a file", file, "Malformed").unclear(),
        Row::ends("no content", Fault::answer(200).body(""), "Empty").unclear(),
        Row::ends("too large", Fault::Huge(70_000_000), "TooLarge").unclear(),
        Row::ends("head too large", head, "HeadTooLarge").unclear(),
        Row::ends("endless", Fault::Endless, "TooLarge").unclear(),
        Row::ends("no answer", Fault::Hang, "Timeout").unclear().timeout(700),
        Row::ends("byte by byte", Fault::Drip(pause), "Timeout").unclear().timeout(700),
    ]
}

fn cell<A: Verification>(row: &Row, kind: Kind) -> Result<String, String> {
    let (outcome, requests) = row.expected(kind);
    let sandbox = Sandbox::start().unwrap();
    let setup = client::<A>(&sandbox, row, None);
    let existing = (!matches!(kind, Kind::Create | Kind::Repeat)).then(|| {
        let session = setup.create_verification(CreateSession::new(WORKFLOW).unwrap()).unwrap();
        sandbox.verification().set_status(session.session_id().as_str(), "In Review");
        session.session_id().clone()
    });
    match &row.fault {
        Some(fault) if row.always => sandbox.always(kind.route(), fault.clone()),
        Some(fault) => sandbox.script(kind.route(), [fault.clone()]),
        None => {}
    }
    // Bound, so that no other program takes the port, but not listening.
    let closed = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    closed.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let unreachable = closed.local_addr().unwrap().as_socket().filter(|_| row.fault.is_none());
    let result =
        call(&client::<A>(&sandbox, row, unreachable), kind, row.timeout, existing.as_ref());

    let actual = result.as_ref().map_or_else(|failed| cause(&failed.call), |()| "done".to_owned());
    let sent = sandbox.requests_to(kind.route()).len();
    if (&*actual, sent) != (outcome, requests) {
        return Err(format!("{actual}, {sent} requests, in place of {outcome}, {requests}"));
    }
    if let Err(failed) = &result {
        let (attempts, unclear) = (failed.call.attempts(), failed.call.may_have_taken_effect());
        if row.fault.is_none() && attempts != 4 {
            return Err(format!("{attempts} attempts, though nothing was sent"));
        }
        if unclear != (row.unclear && kind.is_once()) {
            return Err(format!("may have taken effect: {unclear}"));
        }
    }
    let sessions = setup.page(ListSessions::new()).map_or(1, |page| page.sessions().len());
    if sessions > 1 { Err(format!("{sessions} sessions")) } else { Ok(actual) }
}

fn client<A: Verification>(sandbox: &Sandbox, row: &Row, elsewhere: Option<SocketAddr>) -> A {
    let mut settings = settings(sandbox);
    settings.credentials = Authorization::api_key(sandbox.api_key()).unwrap().into();
    settings.policy.call_timeout = row.timeout;
    settings.policy.backoff_base = Duration::from_millis(10);
    if let Some(address) = elsewhere {
        settings.base_url = format!("http://{address}").parse().unwrap();
    }
    A::new(settings).unwrap()
}

fn call<A: Verification>(
    client: &A,
    kind: Kind,
    timeout: Duration,
    existing: Option<&SessionId>,
) -> Result<(), CallFailure> {
    let create = || CreateSession::new(WORKFLOW).unwrap().with_vendor_data("user-7");
    let id = || existing.cloned().unwrap();
    match kind {
        Kind::Create => client.create_verification(create()).map(drop),
        Kind::Repeat => client.create_verification(create().allow_retry()).map(drop),
        Kind::Decision => client.verification_decision(&id()).map(drop),
        Kind::List => client.page(ListSessions::new()).map(drop),
        Kind::Update => client.update(UpdateStatus::approve(id())),
        // Otherwise, the timeout would be a minute.
        Kind::Pdf => client.pdf_within(&id(), timeout).map(drop),
        Kind::Delete => client.delete(DeleteSession::new(id())).map(drop),
    }
}

//! The faults, and their expected outcomes.

use std::sync::Arc;
use std::time::Duration;

use didit_conformance::certificates::{Authority, self_signed_server};
use didit_sandbox::{Fault, Route, Sandbox, SandboxBuilder, fixtures};
use rustls::version::{TLS12, TLS13};

/// A service that fails in one way.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    service: Box<dyn Fn() -> SandboxBuilder + Send + Sync>,
    script: Vec<(Route, Fault)>,
    /// A certificate that the client trusts.
    pub(crate) trusted: Option<String>,
    /// The timeout of calls, reduced for those that cannot succeed.
    pub(crate) timeout: Duration,
    pub(crate) expected: Expected,
}

/// The expected outcome of a scenario, for each session.
#[derive(Clone, Copy)]
pub(crate) struct Expected {
    /// The name of the outcome, and the program's exit code for it.
    pub(crate) outcome: (&'static str, i32),
    /// The number of decision requests for each session, and of additional ones for the first.
    pub(crate) each: usize,
    pub(crate) once: usize,
    /// True if a wait continues polling until its timeout.
    pub(crate) passes: bool,
    /// True if one refusal ends a whole export.
    pub(crate) concerns_all: bool,
    pub(crate) bulk: InBulk,
}

/// The effect of a failure on bulk work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum InBulk {
    /// Each session fails.
    Fails,
    /// An export stops without failing any session.
    StopsExport,
    /// All sessions wait as long as the service asks, which is longer than a test.
    Waits,
}

impl Scenario {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            service: Box::new(Sandbox::builder),
            script: Vec::new(),
            trusted: None,
            timeout: Duration::from_secs(20),
            expected: Expected {
                outcome: ("retrieved", 0),
                each: 1,
                once: 0,
                passes: false,
                concerns_all: false,
                bulk: InBulk::Fails,
            },
        }
    }

    fn service(mut self, service: impl Fn() -> SandboxBuilder + Send + Sync + 'static) -> Self {
        self.service = Box::new(service);
        self
    }

    fn always(self, route: Route, fault: Fault) -> Self {
        self.service(move || Sandbox::builder().fault(route, fault.clone()))
    }

    /// Injects a fault into the first request on a route, which costs one more request for a
    /// decision.
    fn first(mut self, route: Route, fault: Fault) -> Self {
        self.expected.once = usize::from(route == Route::Decision);
        self.script.push((route, fault));
        self
    }

    /// Sets the number of additional requests for the first session.
    fn once(mut self, requests: usize) -> Self {
        self.expected.once = requests;
        self
    }

    fn ends(mut self, outcome: &'static str, exit: i32, each: usize) -> Self {
        (self.expected.outcome, self.expected.each) = ((outcome, exit), each);
        self
    }

    fn passes(mut self) -> Self {
        self.expected.passes = true;
        self
    }

    fn concerns_all(mut self) -> Self {
        self.expected.concerns_all = true;
        self
    }

    fn stops_export(mut self) -> Self {
        self.expected.bulk = InBulk::StopsExport;
        self
    }

    fn delays_bulk(mut self) -> Self {
        self.expected.bulk = InBulk::Waits;
        self
    }

    fn timeout(mut self, millis: u64) -> Self {
        self.timeout = Duration::from_millis(millis);
        self
    }

    fn tls(self, config: Arc<rustls::ServerConfig>, trusted: &Authority) -> Self {
        let this = self.service(move || Sandbox::builder().tls(Arc::clone(&config)));
        Self { trusted: Some(trusted.pem()), ..this }
    }

    pub(crate) fn start(&self) -> Sandbox {
        let sandbox = (self.service)().start().unwrap();
        for (route, fault) in &self.script {
            sandbox.script(*route, [fault.clone()]);
        }
        sandbox
    }
}

pub(crate) fn all() -> Vec<Scenario> {
    [transient(), permanent(), of_token(), of_tls()].into_iter().flatten().collect()
}

/// Returns the transient faults, which retries hide from the caller.
fn transient() -> Vec<Scenario> {
    use Route::Decision;
    let pause = Duration::from_millis(50);
    let refused = |status| Fault::answer(status).header("Retry-After", "1");
    let half = &fixtures::DECISION[..fixtures::DECISION.len() / 2];
    let mut slow = Scenario::new("a slow answer").first(Decision, Fault::Delay(pause));
    slow.expected.once = 0;
    vec![
        Scenario::new("none"),
        slow,
        Scenario::new("reset").first(Decision, Fault::Reset),
        Scenario::new("reset early").first(Decision, Fault::ResetEarly),
        Scenario::new("closed").first(Decision, Fault::Close),
        Scenario::new("body cut off").first(Decision, Fault::Truncate),
        Scenario::new("no HTTP").first(Decision, Fault::Garbage),
        Scenario::new("JSON cut off").first(Decision, Fault::answer(200).body(half)),
        Scenario::new("401").first(Decision, Fault::answer(401)),
        Scenario::new("408").first(Decision, Fault::answer(408)),
        Scenario::new("429").first(Decision, Fault::answer(429)),
        Scenario::new("429, retry after 1 s").first(Decision, refused(429)),
        Scenario::new("500").first(Decision, Fault::answer(500)),
        Scenario::new("502").first(Decision, Fault::answer(502)),
        Scenario::new("503, retry after 1 s").first(Decision, refused(503)),
        Scenario::new("504").first(Decision, Fault::answer(504)),
    ]
}

/// Returns the permanent faults: each is reported by its name, after as many attempts as make
/// sense.
fn permanent() -> Vec<Scenario> {
    use Route::Decision;
    let always = |name, fault| Scenario::new(name).always(Decision, fault);
    let page = Fault::answer(502).header("Content-Type", "text/html").body(fixtures::GATEWAY);
    let half = &fixtures::DECISION[..fixtures::DECISION.len() / 2];
    let wrong = r#"{"session_id": "s-0", "status": 7}"#;
    let head = Fault::answer(200).header("X-Long", &"a".repeat(500_000));
    vec![
        always("always reset", Fault::Reset).ends("ConnectionLost", 6, 4).passes(),
        always("always closed", Fault::Close).ends("ConnectionLost", 6, 4).passes(),
        always("always no HTTP", Fault::Garbage).ends("ConnectionLost", 6, 4).passes(),
        always("always cut off", Fault::Truncate).ends("ConnectionLost", 6, 4).passes(),
        always("always JSON cut off", Fault::answer(200).body(half))
            .ends("Malformed", 7, 4)
            .passes(),
        always("always 401", Fault::answer(401)).ends("Unauthorized", 3, 1).once(1),
        always("always 403", Fault::answer(403)).ends("Forbidden", 3, 1),
        always("always 404", Fault::answer(404)).ends("NotFound", 4, 1),
        always("always 422", Fault::answer(422)).ends("ClientError", 1, 1),
        always("always 500", Fault::answer(500)).ends("ServerError", 6, 4).passes(),
        always("always 501", Fault::answer(501)).ends("ServerError", 6, 1),
        always("always 502, a page", page).ends("ServerError", 6, 4).passes(),
        always("429, retry after 1 h", Fault::answer(429).header("Retry-After", "3600"))
            .ends("RateLimited", 5, 1)
            .timeout(1500)
            .passes()
            .delays_bulk(),
        always("redirect", Fault::redirect("http://127.0.0.1:9/")).ends("Redirect", 7, 1),
        always("wrong type", Fault::answer(200).body(wrong)).ends("Malformed", 7, 1),
        always("another's", Fault::answer(200).body(fixtures::DECISION)).ends(
            "SessionMismatch",
            7,
            1,
        ),
        always("too large", Fault::Huge(9_000_000)).ends("TooLarge", 7, 1),
        always("head too large", head).ends("HeadTooLarge", 7, 1),
        always("endless", Fault::Endless).ends("TooLarge", 7, 1),
        always("no answer", Fault::Hang).ends("Timeout", 8, 1).timeout(700).passes(),
        always("byte by byte", Fault::Drip(Duration::from_millis(20)))
            .ends("Timeout", 8, 1)
            .timeout(700)
            .passes(),
    ]
}

fn of_token() -> Vec<Scenario> {
    use Route::Token;
    let always = |name, fault| Scenario::new(name).always(Token, fault);
    let brief = || Sandbox::builder().token_lifetime(Duration::from_secs(1));
    let without_lifetime =
        || Sandbox::builder().token_answer(r#"{"access_token": "{access_token}"}"#);
    vec![
        Scenario::new("token: reset").first(Token, Fault::Reset),
        Scenario::new("token: 503").first(Token, Fault::answer(503)),
        Scenario::new("token: 429").first(Token, Fault::answer(429)),
        Scenario::new("token: brief").service(brief),
        Scenario::new("token: no lifetime").service(without_lifetime),
        always("token: always 401", Fault::answer(401))
            .ends("Unauthorized", 3, 0)
            .concerns_all()
            .stops_export(),
        always("token: always 403", Fault::answer(403))
            .ends("Forbidden", 3, 0)
            .concerns_all()
            .stops_export(),
        always("token: always 500", Fault::answer(500))
            .ends("ServerError", 6, 0)
            .passes()
            .stops_export(),
        always("token: always reset", Fault::Reset)
            .ends("ConnectionLost", 6, 0)
            .passes()
            .stops_export(),
        always("token: no answer", Fault::Hang)
            .ends("Timeout", 8, 0)
            .timeout(700)
            .passes()
            .stops_export(),
        always("token: no token", Fault::answer(200).body("{}"))
            .ends("Malformed", 7, 0)
            .concerns_all()
            .stops_export(),
    ]
}

fn of_tls() -> Vec<Scenario> {
    const HOST: &str = "127.0.0.1";
    let authority = Authority::new();
    let refused = |name, config, trusted: &Authority| {
        Scenario::new(name).tls(config, trusted).ends("Certificate", 6, 0).concerns_all()
    };
    let only = |version| authority.server_of_versions(HOST, &[version]);
    vec![
        Scenario::new("TLS 1.2").tls(only(&TLS12), &authority),
        Scenario::new("TLS 1.3").tls(only(&TLS13), &authority),
        refused("TLS: expired", authority.expired_server(HOST), &authority),
        refused("TLS: self-signed", self_signed_server(HOST), &authority),
        refused("TLS: wrong host", authority.server("example.com"), &authority),
        refused("TLS: unknown authority", Authority::new().server(HOST), &authority),
        Scenario::new("TLS: reset")
            .tls(only(&TLS13), &authority)
            .first(Route::Decision, Fault::Reset),
    ]
}

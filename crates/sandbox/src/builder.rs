//! The settings of a sandbox that has not started.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::application::Application;
use crate::fault::FaultPlan;
use crate::state::Settings;
use crate::{Fault, FaultRule, Quota, RecordedRequest, Route, VerificationLimits, WebhookFault};

/// The settings of a [`Sandbox`](crate::Sandbox); created by
/// [`Sandbox::builder`](crate::Sandbox::builder).
#[must_use = "a builder does nothing until it is started"]
pub struct SandboxBuilder {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) settings: Settings,
    pub(crate) faults: FaultPlan,
    pub(crate) keep_requests: usize,
    pub(crate) session_lifetime: Duration,
    pub(crate) webhook_faults: Vec<WebhookFault>,
    pub(crate) state_file: Option<PathBuf>,
}

impl SandboxBuilder {
    pub(crate) fn new() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            settings: Settings {
                application: Application::default(),
                more_applications: Vec::new(),
                token_lifetime: Duration::from_secs(86_400),
                token_answer: None,
                quota: None,
                verification_limits: VerificationLimits::DOCUMENTED,
                latency: Duration::ZERO,
                observer: None,
                log: None,
                idle_timeout: Duration::from_secs(75),
                request_timeout: Duration::from_secs(30),
                max_connections: 1024,
                strict: false,
                webhook_time_scale: 1.0,
                webhook_timeout: Duration::from_secs(5),
                #[cfg(feature = "tls")]
                tls: None,
            },
            faults: FaultPlan::default(),
            keep_requests: 100_000,
            session_lifetime: Duration::from_secs(600),
            webhook_faults: Vec::new(),
            state_file: None,
        }
    }

    /// Sets the address to listen on; by default 127.0.0.1, which only programs on this machine can
    /// reach.
    ///
    /// On any other address, such as 0.0.0.0, **everyone in the network can connect**. So that only
    /// your phone or container has access, the sandbox then
    ///
    /// - replaces the published client secret and API key with random ones, and issues random access
    ///   tokens;
    /// - shows browsers on other machines only the sessions whose URLs they have, unless they have
    ///   opened [`Sandbox::network_url`](crate::Sandbox::network_url), which contains a token;
    /// - uses this machine's network address in the URLs of sessions, so that they can be opened on a
    ///   phone.
    ///
    /// Connections are not encrypted, unless the sandbox serves TLS.
    pub fn listen(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Sets the port to listen on; by default, and for 0, any free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the client id and secret of the first application; by default `sandbox-client-id` and
    /// `sandbox-client-secret`.
    pub fn credentials(
        mut self,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        self.settings.application.client_id = client_id.into();
        self.settings.application.client_secret = client_secret.into();
        self
    }

    /// Adds an application to the default one. Each application sees its own sessions and the sample
    /// sessions, and has its own quota.
    ///
    /// [`start`](Self::start) fails if two applications have the same client id or key.
    pub fn application(mut self, application: Application) -> Self {
        self.settings.more_applications.push(application);
        self
    }

    /// Sets the lifetime of access tokens; by default one day, as documented. A request with an
    /// expired token is answered with 401. `expires_in` is the lifetime in whole seconds, rounded up.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.settings.token_lifetime = lifetime;
        self
    }

    /// Sets the time that the user has to decide; by default 10 minutes. After that the status is
    /// `expired`.
    pub fn session_lifetime(mut self, lifetime: Duration) -> Self {
        self.session_lifetime = lifetime;
        self
    }

    /// Keeps the sessions and tokens in this file of JSON lines. The next sandbox that is started
    /// with it restores them. A missing file is created, readable only by its owner.
    ///
    /// Every change of a session appends a line with the whole session; the last line counts. An
    /// invalid line makes [`start`](Self::start) fail with an error that contains its number, unless
    /// it is the last one, left unfinished by a kill; that one is cut off.
    pub fn state_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_file = Some(path.into());
        self
    }

    /// Sets the rate limits of the verification API; by default the documented ones.
    pub fn verification_limits(mut self, limits: VerificationLimits) -> Self {
        self.settings.verification_limits = limits;
        self
    }

    /// Adds a webhook destination for the first application's verification sessions: an `http` URL
    /// of this machine, and the secret to sign with. Other applications have their
    /// [own](Application::with_webhook).
    ///
    /// Each change of a session's status is sent as a `status.updated` event with all three
    /// signatures. If it is answered with 404 or 5xx, or not within 5 seconds, it is retried after
    /// 1 minute, and once more 4 minutes later.
    ///
    /// ```
    /// use didit_sandbox::Sandbox;
    ///
    /// let receiver = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let url = format!("http://{}/webhooks", receiver.local_addr()?);
    /// let sandbox = Sandbox::builder()
    ///     .webhook(url, "whsec_example")
    ///     .webhook_time_scale(0.001)
    ///     .start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn webhook(mut self, url: impl Into<String>, secret: impl Into<String>) -> Self {
        self.settings.application.webhooks.push((url.into(), secret.into()));
        self
    }

    /// Multiplies the pauses between the attempts of a webhook by this factor; by default 1. With
    /// 0.001 the second attempt is made after 60 milliseconds.
    pub fn webhook_time_scale(mut self, scale: f64) -> Self {
        self.settings.webhook_time_scale = scale;
        self
    }

    /// Sets the timeout for the response to a webhook; by default 5 seconds, as documented.
    pub fn webhook_timeout(mut self, timeout: Duration) -> Self {
        self.settings.webhook_timeout = timeout;
        self
    }

    /// Delivers the first events with these faults, one each, as
    /// [`Verification::script_webhooks`](crate::Verification::script_webhooks) does.
    pub fn webhook_faults(mut self, faults: impl IntoIterator<Item = WebhookFault>) -> Self {
        self.webhook_faults.extend(faults);
        self
    }

    /// Makes the sandbox strict: a request for a session that was not created in it is answered with
    /// 404, and an undocumented scope is refused.
    ///
    /// By default it is lenient: any session id returns the published sample, and any scope is
    /// accepted.
    pub fn strict(mut self, strict: bool) -> Self {
        self.settings.strict = strict;
        self
    }

    /// Answers every valid token request with this text. Each `{access_token}` in it is replaced
    /// with the token.
    pub fn token_answer(mut self, json_text: impl Into<String>) -> Self {
        self.settings.token_answer = Some(json_text.into());
        self
    }

    /// Limits the retrieval of decisions; by default there is no limit.
    pub fn quota(mut self, quota: Quota) -> Self {
        self.settings.quota = Some(quota);
        self
    }

    /// Delays each response by this time; by default there is no delay.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.settings.latency = latency;
        self
    }

    /// Calls a function with each request after it was answered, or left unanswered because of a
    /// fault. The function runs on the connection's thread, before the connection's next request. A
    /// panic in it is printed, and has no other effect.
    ///
    /// ```
    /// use didit_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::builder()
    ///     .on_request(|request| eprintln!("{} {:?} {:?}", request.method, request.route, request.status))
    ///     .start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn on_request(
        mut self,
        observer: impl Fn(&RecordedRequest) + Send + Sync + 'static,
    ) -> Self {
        self.settings.observer = Some(Arc::new(observer));
        self
    }

    /// Calls a function with a log line for each request after it was answered, and for each attempt
    /// to deliver a webhook. The line has no line terminator.
    ///
    /// It contains the time (UTC), the method and path, the status, the duration and the request's
    /// id. It contains no credentials, headers or bodies. Query values that may be personal are
    /// replaced with `…`. A panic in the function is printed, and has no other effect.
    ///
    /// ```
    /// use didit_sandbox::Sandbox;
    ///
    /// // 10:30:00 GET /auth/v2/session/order-7/decision/ 200 in 0.2 ms (sandbox-1)
    /// let sandbox = Sandbox::builder().log(|line| eprintln!("{line}")).start()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn log(mut self, log: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.settings.log = Some(Arc::new(log));
        self
    }

    /// Sets the time after which an idle connection is closed; by default 75 seconds.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.settings.idle_timeout = timeout;
        self
    }

    /// Sets the timeout for receiving a request after its first byte, and for each write to a peer
    /// that does not read; by default 30 seconds. A request that takes longer is answered with 408.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.settings.request_timeout = timeout;
        self
    }

    /// Limits the number of open connections; by default 1024. At the limit, or when file descriptors
    /// run out, a new connection closes the one that has been idle longest.
    pub fn max_connections(mut self, count: usize) -> Self {
        self.settings.max_connections = count;
        self
    }

    /// Applies a fault to every request on a route, as [`Sandbox::always`](crate::Sandbox::always)
    /// does.
    pub fn fault(mut self, route: Route, fault: Fault) -> Self {
        self.faults.always(route, fault);
        self
    }

    /// Applies a rule from the start, as [`Sandbox::apply`](crate::Sandbox::apply) does.
    pub fn rule(mut self, rule: FaultRule) -> Self {
        self.faults.apply(rule);
        self
    }

    /// Sets the number of latest requests that [`Sandbox::requests`](crate::Sandbox::requests)
    /// returns; by default 100,000.
    pub fn keep_requests(mut self, count: usize) -> Self {
        self.keep_requests = count;
        self
    }

    /// Serves HTTPS with this configuration.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: Arc<rustls::ServerConfig>) -> Self {
        self.settings.tls = Some(config);
        self
    }
}

impl fmt::Debug for SandboxBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxBuilder")
            .field("port", &self.port)
            .field("quota", &self.settings.quota)
            .finish_non_exhaustive()
    }
}

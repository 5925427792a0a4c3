//! The handle of a running sandbox.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::server::Server;
use crate::state::Shared;
use crate::webhook::{Destination, Sender};
use crate::{Application, Fault, FaultRule, RecordedRequest, Route, SandboxBuilder, Verification};

/// A running sandbox. Dropping it closes its connections and ends its threads at once.
pub struct Sandbox {
    shared: Arc<Shared>,
    sender: Mutex<Option<Sender>>,
    // Stops the server on drop.
    _server: Server,
}

impl Sandbox {
    /// Starts a sandbox with the default settings.
    ///
    /// # Errors
    ///
    /// Fails if the system provides no socket or no thread.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Returns a builder with the default settings.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::new()
    }

    pub(crate) fn new(shared: Arc<Shared>, server: Server) -> Self {
        Self { shared, sender: Mutex::default(), _server: server }
    }

    /// Returns the base URL, without a trailing slash: `http://127.0.0.1:PORT`. In a browser it shows
    /// the sessions, with links to pages that simulate the user's phone.
    pub fn url(&self) -> &str {
        &self.shared.reach.url
    }

    /// Returns the URL that opens the front page on another machine; `None` if only programs on this
    /// machine can connect ([`listen`](SandboxBuilder::listen)).
    ///
    /// It contains a token: everyone who has this URL can see and change everything in the sandbox.
    pub fn network_url(&self) -> Option<String> {
        let network = self.shared.reach.network.as_ref()?;
        Some(format!("{}/enter/{}", network.url, network.token))
    }

    fn application(&self) -> &Application {
        &self.shared.settings.application
    }

    /// Returns the client id of the first application.
    pub fn client_id(&self) -> &str {
        &self.application().client_id
    }

    /// Returns the client secret of the first application.
    pub fn client_secret(&self) -> &str {
        &self.application().client_secret
    }

    /// Returns the API key of the first application, for the header `X-Api-Key`; by default
    /// `sandbox-api-key`.
    pub fn api_key(&self) -> &str {
        &self.application().api_key
    }

    /// Returns the requests received so far, oldest first, up to the number of
    /// [`keep_requests`](SandboxBuilder::keep_requests). A request is listed before it is answered.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.state().journal.iter().cloned().collect()
    }

    /// Returns the [`requests`](Self::requests) to this route.
    pub fn requests_to(&self, route: Route) -> Vec<RecordedRequest> {
        let state = self.shared.state();
        let is_to = |request: &&RecordedRequest| request.route == Some(route);
        state.journal.iter().filter(is_to).cloned().collect()
    }

    /// Returns the number of connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.state().connections
    }

    /// Returns the number of access tokens issued so far.
    pub fn tokens_issued(&self) -> u64 {
        self.shared.state().tokens.issued
    }

    /// Revokes all access tokens issued so far: requests with them are answered with 401.
    pub fn revoke_tokens(&self) {
        // If the write fails, the tokens are revoked until the next start only.
        let _ = self.shared.state().tokens.revoke_all();
    }

    /// Moves the sandbox's clock forward by this time: tokens and sessions expire, and quota windows
    /// pass. `Date` and all other times in responses follow this clock. Faults, latency and the
    /// timeouts of connections use real time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use didit_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::start()?;
    /// // ... a client fetches a token, which is valid for a day ...
    /// sandbox.advance(Duration::from_secs(86_400));
    /// // ... and must fetch another one for its next call.
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
        let mut state = self.shared.state();
        // If the write fails, the sessions stay as they are and expire with the next request.
        let _ = state.verification.expire(self.shared.now());
        state.verification.outbox.changed.notify_all();
    }

    /// Returns a handle for the verification sessions and their webhooks.
    pub fn verification(&self) -> Verification<'_> {
        Verification::of(self)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Starts the webhook sender, unless it is already running.
    pub(crate) fn start_sender(&self) -> io::Result<()> {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.is_none() {
            *sender = Some(Sender::start(Arc::clone(&self.shared))?);
        }
        Ok(())
    }

    pub(crate) fn add_webhook(&self, url: &str, secret: &str) -> io::Result<()> {
        let destination = (self.client_id().to_owned(), Destination::new(url, secret)?);
        self.shared.state().verification.outbox.destinations.push(destination);
        self.start_sender()
    }

    /// Adds faults to the route's script. Each applies to one request, in this order.
    pub fn script(&self, route: Route, faults: impl IntoIterator<Item = Fault>) {
        // Collected first, so that the caller's iterator does not run under the lock.
        let faults: Vec<Fault> = faults.into_iter().collect();
        self.shared.state().faults.script(route, faults);
    }

    /// Applies a fault to every request on a route, after its script is used up.
    pub fn always(&self, route: Route, fault: Fault) {
        self.shared.state().faults.always(route, fault);
    }

    /// Applies a rule: [scripts](Self::script) its fault for a number of requests, or applies it
    /// [always](Self::always).
    pub fn apply(&self, rule: FaultRule) {
        self.shared.state().faults.apply(rule);
    }

    /// Removes the scripted and the permanent faults of a route.
    pub fn clear(&self, route: Route) {
        self.shared.state().faults.clear(route);
    }

    /// Applies a random one of these faults to this percentage of the requests, on all routes, unless
    /// a scripted or permanent fault applies. The same seed gives the same sequence of faults, in the
    /// order in which the requests arrive. 0 percent turns this off.
    pub fn random_faults(&self, seed: u64, percent: u8, faults: Vec<Fault>) {
        self.shared.state().faults.random(seed, percent, faults);
    }

    /// Answers requests for this session's decision with exactly this text.
    pub fn decision(&self, session_id: impl Into<String>, body: impl Into<String>) {
        self.shared.state().sessions.decisions.insert(session_id.into(), body.into());
    }

    /// Sets the status of a session. For an id that was not created in the sandbox, only the decision
    /// shows it.
    ///
    /// A decision contains user data only while the status is `confirmed`: the data shared on the
    /// session's page, or else the sample person's data for the requested scopes.
    pub fn set_status(&self, session_id: impl Into<String>, status: impl Into<String>) {
        let (session_id, status) = (session_id.into(), status.into());
        // If the write fails, the status stays as it was, which a test will notice.
        let _ = self.shared.state().sessions.set_status(session_id, status);
    }

    /// Answers requests about this session with 404 and `{"detail": "Not found."}`.
    pub fn missing(&self, session_id: impl Into<String>) {
        self.shared.state().sessions.missing.insert(session_id.into());
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox").field("url", &self.url()).finish_non_exhaustive()
    }
}

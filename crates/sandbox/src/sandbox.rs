//! The handle a test holds on a running sandbox.

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
    // Held for its Drop.
    _server: Server,
}

impl Sandbox {
    /// Starts a sandbox with the default settings.
    ///
    /// # Errors
    ///
    /// Fails if the system gives no socket or no thread.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// Settings for a sandbox that is not quite the default one.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::new()
    }

    pub(crate) fn new(shared: Arc<Shared>, server: Server) -> Self {
        Self { shared, sender: Mutex::default(), _server: server }
    }

    /// The base URL, with no slash at its end: `http://127.0.0.1:PORT`. A browser finds the
    /// sessions there, and their pages, which play the person's phone.
    pub fn url(&self) -> &str {
        &self.shared.reach.url
    }

    /// Returns the URL that opens the front page on another machine, with a token in it; `None` if
    /// the sandbox listens for programs of this machine only
    /// ([`listen`](SandboxBuilder::listen)).
    ///
    /// Everyone who has this URL can see and change everything in the sandbox.
    pub fn network_url(&self) -> Option<String> {
        let network = self.shared.reach.network.as_ref()?;
        Some(format!("{}/enter/{}", network.url, network.token))
    }

    fn application(&self) -> &Application {
        &self.shared.settings.application
    }

    /// The client id that gets a token.
    pub fn client_id(&self) -> &str {
        &self.application().client_id
    }

    /// The client secret that gets a token.
    pub fn client_secret(&self) -> &str {
        &self.application().client_secret
    }

    /// The key that `X-Api-Key` may carry instead of a token: `sandbox-api-key`.
    pub fn api_key(&self) -> &str {
        &self.application().api_key
    }

    /// The requests received so far, oldest first; of many, the latest
    /// ([`keep_requests`](SandboxBuilder::keep_requests)). A request is listed before it is
    /// answered.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.state().journal.iter().cloned().collect()
    }

    /// The [`requests`](Self::requests) whose path belongs to this route.
    pub fn requests_to(&self, route: Route) -> Vec<RecordedRequest> {
        self.shared
            .state()
            .journal
            .iter()
            .filter(|request| request.route == Some(route))
            .cloned()
            .collect()
    }

    /// Returns the number of connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.shared.state().connections
    }

    /// Returns the number of access tokens issued so far.
    pub fn tokens_issued(&self) -> u64 {
        self.shared.state().tokens.issued
    }

    /// Makes every token issued so far worthless: from now on it is answered with 401.
    pub fn revoke_tokens(&self) {
        // What a file cannot take is forgotten at the next start only.
        let _ = self.shared.state().tokens.revoke_all();
    }

    /// Moves the sandbox's clock ahead, as if this time had passed: tokens and sessions expire and
    /// quota windows go by. `Date` and all other times that the sandbox tells move with it. Faults,
    /// latency and time limits of connections stay in real time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use didit_sandbox::Sandbox;
    ///
    /// let sandbox = Sandbox::start()?;
    /// // ... a client fetches a token, which is valid for a day ...
    /// sandbox.advance(Duration::from_secs(86_400));
    /// // ... and must have fetched another one before its next call is answered.
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn advance(&self, by: Duration) {
        self.shared.clock.advance(by);
        let mut state = self.shared.state();
        // What a file cannot take stays as it was, and is tried again with the next request.
        let _ = state.verification.expire(self.shared.now());
        state.verification.outbox.changed.notify_all();
    }

    /// The verification sessions of the sandbox, and their webhooks.
    pub fn verification(&self) -> Verification<'_> {
        Verification::of(self)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Starts to send webhooks, if that was not done before.
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

    /// Has the next requests on a route meet these faults, one each, after those scripted before.
    pub fn script(&self, route: Route, faults: impl IntoIterator<Item = Fault>) {
        // Collected first: the iterator is foreign code and must not run under the lock.
        let faults: Vec<Fault> = faults.into_iter().collect();
        self.shared.state().faults.script(route, faults);
    }

    /// Has every request on a route meet this fault, once what was scripted is used up.
    pub fn always(&self, route: Route, fault: Fault) {
        self.shared.state().faults.always(route, fault);
    }

    /// Follows a rule: scripts its fault as often as it says, or for ever.
    pub fn apply(&self, rule: FaultRule) {
        self.shared.state().faults.apply(rule);
    }

    /// Forgets what was scripted and what always holds on a route.
    pub fn clear(&self, route: Route) {
        self.shared.state().faults.clear(route);
    }

    /// Has this percentage of the requests, on any route, meet one of these faults, where nothing
    /// else is set. The same seed gives the same sequence, in the order the requests arrive.
    /// With 0 percent it ends.
    pub fn random_faults(&self, seed: u64, percent: u8, faults: Vec<Fault>) {
        self.shared.state().faults.random(seed, percent, faults);
    }

    /// Answers the retrieval of this session's decision with exactly this text.
    pub fn decision(&self, session_id: impl Into<String>, body: impl Into<String>) {
        self.shared.state().sessions.decisions.insert(session_id.into(), body.into());
    }

    /// Gives a session a status: one that was created, or any other, which is then known by its
    /// decision only.
    ///
    /// A decision has data while the status is `confirmed`, and none otherwise: what was shared on
    /// the session's page, or all that the sample person has of what was asked for.
    pub fn set_status(&self, session_id: impl Into<String>, status: impl Into<String>) {
        let (session_id, status) = (session_id.into(), status.into());
        // What a file cannot take stays as it was, which a test will see.
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

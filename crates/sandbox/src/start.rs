//! Starts a sandbox from its settings.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::application::check_distinct;
use crate::clock::Clock;
use crate::listen::Reach;
use crate::quota::Windows;
use crate::random::unguessable;
use crate::record::Journal;
use crate::server::Server;
use crate::sessions::Sessions;
use crate::state::{Settings, Shared, State, Stop};
use crate::state_file::{StateFile, Store};
use crate::tokens::Tokens;
use crate::verification::sessions::Sessions as Verifications;
use crate::webhook::Destination;
use crate::{Sandbox, SandboxBuilder};

impl SandboxBuilder {
    /// Starts the sandbox.
    ///
    /// # Errors
    ///
    /// Fails if the port is in use, the address is not one of this machine's, the system provides no
    /// socket, thread or random bits, the state file cannot be used, a webhook's URL is not an `http`
    /// URL of this machine, two applications have the same client id or key, or one of the timeouts
    /// or the maximum number of connections is 0.
    pub fn start(mut self) -> io::Result<Sandbox> {
        check_limits(&self.settings)?;
        let (listener, reach) = Reach::bind(self.address, self.port, self.settings.scheme())?;
        if reach.network.is_some() {
            self.settings.application.replace_published()?;
        }
        check_distinct(self.settings.applications())?;
        let destinations = destinations(&self.settings)?;
        let has_webhooks = !destinations.is_empty();
        let (store, records) = match &self.state_file {
            Some(path) => {
                let (file, records) = StateFile::open(path)?;
                (Store::new(file), records)
            }
            None => (Store::default(), Vec::new()),
        };
        let pages = reach.pages().to_owned();
        let mut state = State {
            faults: self.faults,
            windows: Windows::default(),
            journal: Journal::new(self.keep_requests),
            tokens: Tokens::new(store.clone(), reach.network.is_some()),
            sessions: Sessions::new(self.session_lifetime, store.clone()),
            verification: Verifications::new(pages, store),
            connections: 0,
            requests: 0,
        };
        state.restore(records);
        state.verification.outbox.destinations = destinations;
        state.verification.outbox.script.extend(self.webhook_faults);
        let shared = Arc::new(Shared {
            settings: self.settings,
            reach,
            form_token: unguessable()?,
            clock: Clock::default(),
            started: Instant::now(),
            stop: Stop::default(),
            state: Mutex::new(state),
        });
        let server = Server::start(Arc::clone(&shared), listener)?;
        let sandbox = Sandbox::new(shared, server);
        if has_webhooks {
            sandbox.start_sender()?;
        }
        Ok(sandbox)
    }
}

/// Refuses limits of 0, under which nothing could be answered or sent.
fn check_limits(settings: &Settings) -> io::Result<()> {
    let limits = [
        ("idle_timeout", settings.idle_timeout.is_zero()),
        ("request_timeout", settings.request_timeout.is_zero()),
        ("webhook_timeout", settings.webhook_timeout.is_zero()),
        ("max_connections", settings.max_connections == 0),
    ];
    match limits.into_iter().find(|(_, is_zero)| *is_zero) {
        Some((name, _)) => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{name} must not be 0")))
        }
        None => Ok(()),
    }
}

/// Returns the webhook destinations, each with the client id of its application.
fn destinations(settings: &Settings) -> io::Result<Vec<(String, Destination)>> {
    let webhooks = settings.applications().flat_map(|application| {
        application.webhooks.iter().map(move |webhook| (&application.client_id, webhook))
    });
    let named = webhooks
        .map(|(client_id, (url, secret))| Ok((client_id.clone(), Destination::new(url, secret)?)));
    named.collect()
}

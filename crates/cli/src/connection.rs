//! The client that the configuration asks for, and the sandbox behind it if there is one.

use std::path::PathBuf;
use std::time::Duration;

use didit_blocking_adapter::core::{BaseUrl, ClientCredentials, Credentials, Operation};
use didit_blocking_adapter::{Client, ClientBuilder, ConfigError, Error};
use didit_sandbox::Sandbox;

use crate::context::Context;
use crate::failure::Failure;
use crate::logging::Logged;
use crate::{bounded, credentials, duration};

/// The budget of one session's call, where the configuration gives none.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Ten times as large as the bundles of operating systems.
const MAX_CA_FILE: usize = 8 << 20;

const USER_AGENT: &str = concat!("didit-cli/", env!("CARGO_PKG_VERSION"));

pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) credentials: Credentials,
    pub(crate) base_url: BaseUrl,
    pub(crate) timeout: Duration,
    /// Serves until the connection is dropped.
    _sandbox: Option<Sandbox>,
}

impl Connection {
    /// Checks the whole configuration; nothing is sent yet.
    pub(crate) fn new(context: &Context, default_timeout: Duration) -> Result<Self, Failure> {
        Self::with_credentials(context, default_timeout, || {
            let client_id = context.options.client_id.as_deref();
            credentials::resolve(client_id, &context.environment)
        })
    }

    /// The same for what needs no credentials, so that none are looked for.
    pub(crate) fn without_credentials(
        context: &Context,
        default_timeout: Duration,
    ) -> Result<Self, Failure> {
        Self::with_credentials(context, default_timeout, || Ok(Credentials::None))
    }

    fn with_credentials(
        context: &Context,
        default_timeout: Duration,
        configured: impl FnOnce() -> Result<Credentials, Failure>,
    ) -> Result<Self, Failure> {
        let timeout = timeout(context)?.unwrap_or(default_timeout);
        let (sandbox, base_url, credentials) = if context.options.sandbox {
            let sandbox = start_sandbox()?;
            let base_url = sandbox.url().parse().map_err(Failure::other)?;
            let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret());
            (Some(sandbox), base_url, client.map_err(Failure::other)?.into())
        } else {
            (None, base_url(context)?, configured()?)
        };
        let mut builder = Client::builder(credentials.clone())
            .base_url(base_url.clone())
            .timeout(timeout)
            .user_agent(USER_AGENT);
        let mut ca_file = None;
        if sandbox.is_none() {
            (builder, ca_file) = trust(builder, context)?;
        }
        let client = build(builder, ca_file.as_deref())?;
        Ok(Self { client, credentials, base_url, timeout, _sandbox: sandbox })
    }

    /// Carries out an operation, and logs its requests.
    pub(crate) fn run<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        self.client.run(Logged::new(operation))
    }
}

fn start_sandbox() -> Result<Sandbox, Failure> {
    let sandbox = Sandbox::builder().keep_requests(0).start();
    sandbox.map_err(|error| Failure::other(format!("could not start the sandbox: {error}")))
}

fn timeout(context: &Context) -> Result<Option<Duration>, Failure> {
    if context.options.timeout.is_some() {
        return Ok(context.options.timeout);
    }
    let text = context.environment.text("DIDIT_TIMEOUT")?;
    let timeout = text.map(|text| duration::parse_positive(&text)).transpose();
    timeout.map_err(|problem| Failure::usage(format!("DIDIT_TIMEOUT: {problem}")))
}

fn base_url(context: &Context) -> Result<BaseUrl, Failure> {
    let (name, text) = match &context.options.base_url {
        Some(text) => ("--base-url", Some(text.clone())),
        None => ("DIDIT_BASE_URL", context.environment.text("DIDIT_BASE_URL")?),
    };
    let Some(text) = text else { return Ok(BaseUrl::production()) };
    text.parse().map_err(|error| Failure::usage(format!("{name}: {error}")))
}

/// Trusts the certificates of `--ca-file`; returns what to call the file in an error.
fn trust(
    builder: ClientBuilder,
    context: &Context,
) -> Result<(ClientBuilder, Option<String>), Failure> {
    let (name, path) = match &context.options.ca_file {
        Some(path) => ("--ca-file", Some(path.clone())),
        None => ("DIDIT_CA_FILE", context.environment.os("DIDIT_CA_FILE").map(PathBuf::from)),
    };
    let Some(path) = path else { return Ok((builder, None)) };
    let pem = bounded::read(&path, MAX_CA_FILE).map_err(|error| {
        Failure::usage(format!("{name}: could not read {}: {error}", path.display()))
    })?;
    Ok((builder.root_certificate(pem), Some(format!("{name}: {}", path.display()))))
}

fn build(builder: ClientBuilder, ca_file: Option<&str>) -> Result<Client, Failure> {
    builder.build().map_err(|error| match (&error, ca_file) {
        (ConfigError::Certificate, Some(file)) => {
            Failure::usage(format!("{file} holds no PEM certificate"))
        }
        _ => error.into(),
    })
}

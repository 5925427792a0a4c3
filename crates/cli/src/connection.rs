//! Builds the client from the configuration, and starts the built-in sandbox for `--sandbox`.

use std::fs::File;
use std::time::Duration;

use didit_blocking_adapter::core::client::{Environment, InvalidEnvironment};
use didit_blocking_adapter::core::{
    Application, BaseUrl, Call, ClientCredentials, Credentials, Endpoint, Operation, Policy, Secret,
};
use didit_blocking_adapter::{Client, ConfigError, Error};
use didit_redis_adapter::RedisStore;
use didit_sandbox::Sandbox;

use crate::context::Context;
use crate::failure::Failure;
use crate::logging::Exchanges;
use crate::observed::Observed;
use crate::profile::{Profile, Profiles};

pub(crate) const USER_AGENT: &str = concat!("didit-cli/", env!("CARGO_PKG_VERSION"));

/// The API that a command calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    DataTransfer,
    /// Accepts only an API key.
    Verification,
}

pub(crate) struct Connection {
    pub(crate) client: Client,
    pub(crate) api: Api,
    pub(crate) credentials: Credentials,
    /// The base URLs of the data-transfer API and the verification API.
    base_urls: (BaseUrl, BaseUrl),
    pub(crate) timeout: Duration,
    /// Runs until the connection is dropped.
    _sandbox: Option<Sandbox>,
}

/// A command's requirements for its connection.
pub(crate) struct Requirements {
    pub(crate) api: Api,
    /// The time limit of a call, unless the configuration sets another.
    pub(crate) timeout: Duration,
    pub(crate) credentials: bool,
    pub(crate) policy: Policy,
    /// Shares rate limits and the token with other processes.
    pub(crate) shared: Option<RedisStore>,
}

impl Requirements {
    /// Returns the requirements of a command that needs credentials.
    pub(crate) fn new(api: Api) -> Self {
        let policy = Policy::default();
        Self { api, timeout: policy.call_timeout, credentials: true, policy, shared: None }
    }

    /// Checks the whole configuration and builds the client. Nothing is sent yet.
    pub(crate) fn connect(self, context: &Context) -> Result<Connection, Failure> {
        let timeout = timeout(context, self.timeout)?;
        let profile = profile(context, self.credentials)?;
        let environment = settings(context, profile.as_ref());
        let invalid = |error| invalid(&error, context, profile.as_ref());
        let mut policy = self.policy;
        policy.call_timeout = timeout;
        let sandbox = context.options.sandbox.then(start_sandbox).transpose()?;
        let (transfer, verification, credentials) = match &sandbox {
            Some(sandbox) => {
                let url: BaseUrl = sandbox.url().parse().map_err(Failure::other)?;
                (url.clone(), url, sandbox_credentials(self.api, sandbox)?)
            }
            None => {
                let (transfer, verification) = base_urls(&environment).map_err(invalid)?;
                let credentials = if self.credentials {
                    credentials(self.api, &environment, context, profile.as_ref())?
                } else {
                    Credentials::None
                };
                (transfer, verification, credentials)
            }
        };
        if self.api == Api::Verification && self.credentials && sandbox.is_none() {
            refuse_for_verification(&credentials, &environment, profile.as_ref())?;
        }
        let mut builder = Client::builder(credentials.clone())
            .base_url(transfer.clone())
            .verification_base_url(verification.clone())
            .policy(policy)
            .user_agent(USER_AGENT);
        if sandbox.is_none()
            && let Some(pem) = environment.root_certificate().map_err(Failure::usage)?
        {
            builder = builder.root_certificate(pem);
        }
        if let Some(store) = self.shared {
            builder = builder.shared_store(store);
        }
        let client = builder.build().map_err(|error| unusable(&error, context))?;
        let (api, base_urls) = (self.api, (transfer, verification));
        Ok(Connection { client, api, credentials, base_urls, timeout, _sandbox: sandbox })
    }
}

impl Connection {
    /// Returns the base URL of `api`.
    pub(crate) fn base_url(&self) -> &BaseUrl {
        match self.api {
            Api::DataTransfer => &self.base_urls.0,
            Api::Verification => &self.base_urls.1,
        }
    }

    /// Returns the application whose state is in a shared store.
    pub(crate) fn application(&self) -> Application<'_> {
        Application::of(&self.credentials, &self.base_urls.0, &self.base_urls.1)
    }

    /// Connects to the data-transfer API.
    pub(crate) fn new(context: &Context) -> Result<Self, Failure> {
        Requirements::new(Api::DataTransfer).connect(context)
    }

    /// Connects to the data-transfer API without reading any credentials.
    pub(crate) fn without_credentials(context: &Context) -> Result<Self, Failure> {
        Requirements { credentials: false, ..Requirements::new(Api::DataTransfer) }.connect(context)
    }

    /// Connects to the verification API.
    pub(crate) fn verification(context: &Context) -> Result<Self, Failure> {
        Requirements::new(Api::Verification).connect(context)
    }

    /// Calls an endpoint; `about` names the session in a failure.
    pub(crate) fn call<E: Endpoint>(
        &self,
        about: Option<&str>,
        endpoint: E,
    ) -> Result<E::Output, Failure> {
        self.run(Call::new(endpoint)).map_err(|error| Failure::of_call(about, &error))
    }

    /// Runs an operation and logs its requests.
    pub(crate) fn run<O: Operation>(&self, operation: O) -> Result<O::Output, Error> {
        self.client.run(Observed { operation, observer: Exchanges::default() })
    }
}

/// Returns the profile that is used, if any.
fn profile(context: &Context, with_secret: bool) -> Result<Option<Profile>, Failure> {
    if context.options.sandbox { Ok(None) } else { Profile::chosen(context, with_secret) }
}

/// Returns the settings. Flags override the environment, which overrides the profile.
fn settings<'a>(context: &'a Context, profile: Option<&Profile>) -> Environment<'a> {
    let options = &context.options;
    // A flag for the base URL sets those of both APIs.
    let is_overridden =
        |name: &str| name == "DIDIT_VERIFICATION_BASE_URL" && options.base_url.is_some();
    let variable = move |name: &str| context.environment.os(name).filter(|_| !is_overridden(name));
    let mut environment = Environment::new(variable, |path| File::open(path));
    if let Some(url) = &options.base_url {
        environment = environment.with_flag("DIDIT_BASE_URL", "--base-url", url);
    }
    if let Some(id) = &options.client_id {
        environment = environment.with_flag("DIDIT_CLIENT_ID", "--client-id", id);
    }
    if let Some(path) = &options.ca_file {
        environment = environment.with_flag("DIDIT_CA_FILE", "--ca-file", path);
    }
    let is_set = |name: &str| context.environment.os(name).is_some();
    for (name, setting, value) in profile.into_iter().flat_map(Profile::variables) {
        let is_overridden = match name {
            "DIDIT_CLIENT_SECRET" => is_set(name) || is_set("DIDIT_CLIENT_SECRET_FILE"),
            name => is_set(name),
        };
        // The first value of a setting applies, and those of the flags were added first.
        if !is_overridden {
            environment = environment.with_flag(name, setting, value);
        }
    }
    environment
}

/// Returns the configured root certificates in PEM format; profiles cannot set any.
pub(crate) fn root_certificate(context: &Context) -> Result<Option<Vec<u8>>, Failure> {
    settings(context, None).root_certificate().map_err(Failure::usage)
}

/// Returns the configured time limit; profiles cannot set any.
pub(crate) fn timeout(context: &Context, default: Duration) -> Result<Duration, Failure> {
    if let Some(timeout) = context.options.timeout {
        return Ok(timeout);
    }
    let timeout = settings(context, None).timeout().map_err(Failure::usage)?;
    Ok(timeout.unwrap_or(default))
}

/// Returns the names of the flags, variables and settings that supply the credentials.
pub(crate) fn credential_sources(context: &Context) -> Result<Vec<&'static str>, Failure> {
    Ok(settings(context, profile(context, true)?.as_ref()).credential_sources())
}

/// Builds the failure for an invalid setting; names the profile's file if the setting is from there
/// or missing there.
fn invalid(error: &InvalidEnvironment, context: &Context, profile: Option<&Profile>) -> Failure {
    let failure = Failure::usage(error);
    let is_of_profile = |name: &&str| {
        let is_missing = name.starts_with("DIDIT_") && context.environment.os(name).is_none();
        is_missing || Profile::SETTINGS.contains(name)
    };
    match profile.filter(|_| error.names().iter().any(is_of_profile)) {
        Some(profile) => failure.with_advice(&format!("the profile is {}", profile.place())),
        None => failure,
    }
}

fn credentials(
    api: Api,
    environment: &Environment<'_>,
    context: &Context,
    profile: Option<&Profile>,
) -> Result<Credentials, Failure> {
    environment.credentials().map_err(|error| {
        if environment.credential_sources().is_empty() {
            let advice = match api {
                Api::DataTransfer => error.to_string(),
                Api::Verification => "no API key is configured; set DIDIT_API_KEY".to_owned(),
            };
            let hint = Profiles::hint(context);
            Failure::usage(format!("{advice}; or {hint}; to try it without any, add --sandbox"))
        } else {
            invalid(&error, context, profile)
        }
    })
}

/// Refuses credentials that are not an API key.
fn refuse_for_verification(
    credentials: &Credentials,
    environment: &Environment<'_>,
    profile: Option<&Profile>,
) -> Result<(), Failure> {
    if matches!(credentials, Credentials::Client(_)) {
        let advice = match profile {
            Some(profile) if profile.has_client_id() => {
                format!("choose a profile without a client id ({})", profile.place())
            }
            _ => "set DIDIT_API_KEY and unset DIDIT_CLIENT_ID and DIDIT_CLIENT_SECRET".to_owned(),
        };
        return Err(Failure::usage(format!(
            "the verification API takes an API key, not a client id and secret; {advice}"
        )));
    }
    if environment.credential_sources().contains(&"DIDIT_ACCESS_TOKEN") {
        return Err(Failure::usage(
            "the verification API takes an API key, not an access token; set DIDIT_API_KEY and \
             unset DIDIT_ACCESS_TOKEN",
        ));
    }
    Ok(())
}

/// Returns the base URLs of both APIs.
fn base_urls(environment: &Environment<'_>) -> Result<(BaseUrl, BaseUrl), InvalidEnvironment> {
    let transfer = environment.base_url()?.unwrap_or_else(BaseUrl::production);
    let verification = environment.verification_base_url()?;
    let verification = verification.unwrap_or_else(|| transfer.verification_counterpart());
    Ok((transfer, verification))
}

fn start_sandbox() -> Result<Sandbox, Failure> {
    let sandbox = Sandbox::builder().keep_requests(0).start();
    sandbox.map_err(|error| {
        Failure::of_shortage("could not start the sandbox", &error).unwrap_or_else(|| {
            Failure::other(format!("could not start the sandbox: {error}; try again"))
        })
    })
}

fn sandbox_credentials(api: Api, sandbox: &Sandbox) -> Result<Credentials, Failure> {
    use didit_blocking_adapter::core::Authorization;
    match api {
        Api::Verification => {
            let key = Authorization::api_key(Secret::from(sandbox.api_key()));
            Ok(key.map_err(Failure::other)?.into())
        }
        Api::DataTransfer => {
            let client = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret());
            Ok(client.map_err(Failure::other)?.into())
        }
    }
}

/// Builds the failure for a configuration that no client can be built from.
pub(crate) fn unusable(error: &ConfigError, context: &Context) -> Failure {
    let file = match &context.options.ca_file {
        Some(path) => Some(("--ca-file", path.display().to_string())),
        None => {
            let path = context.environment.os("DIDIT_CA_FILE");
            path.map(|path| ("DIDIT_CA_FILE", path.to_string_lossy().into_owned()))
        }
    };
    match (error, file) {
        (ConfigError::Certificate, Some((name, path))) => Failure::usage(format!(
            "{name}: {path} holds no PEM certificate, or one that cannot be used; each begins \
                 on a line of its own with -----BEGIN CERTIFICATE-----"
        )),
        _ => Failure::of_config(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_url_selects_the_matching_verification_host() {
        let urls = |set: Option<&'static str>| {
            let variable = move |name: &str| (name == "DIDIT_BASE_URL").then_some(set?.into());
            base_urls(&Environment::new(variable, |path| File::open(path))).ok()
        };
        assert_eq!(urls(None), Some((BaseUrl::production(), BaseUrl::verification())));
        let staging = (BaseUrl::staging(), BaseUrl::verification_staging());
        assert_eq!(urls(Some("https://apx.staging.didit.me")), Some(staging));
        let gateway: BaseUrl = "https://gateway.example".parse().unwrap();
        assert_eq!(urls(Some("https://gateway.example")), Some((gateway.clone(), gateway)));
    }
}

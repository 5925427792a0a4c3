//! A line of the failures file.

use didit_blocking_adapter::Error;
use didit_blocking_adapter::core::SessionId;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::failure::Failure;

#[derive(Serialize, Deserialize)]
pub(super) struct FailureLine {
    pub(super) session_id: String,
    error: String,
    /// Of the answer that stood in the way, if it was one.
    status: Option<u16>,
}

impl FailureLine {
    pub(super) fn new(session_id: &SessionId, error: &Error) -> Self {
        Self {
            session_id: session_id.to_string(),
            error: Failure::of_call(None, error).line().to_owned(),
            status: error.call().response().map(|response| response.status().as_u16()),
        }
    }

    pub(super) fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }

    pub(super) fn to_line(&self) -> Result<String, Failure> {
        let line = serde_json::to_string(self).map_err(Failure::other)?;
        Ok(line + "\n")
    }

    /// The exit code of the failure.
    pub(super) fn exit(&self) -> Exit {
        let says = |words| self.error.contains(words);
        let token = says("could not fetch an access token");
        match self.status {
            Some(400..500) if token && says("invalid_client") => Exit::CredentialsRefused,
            Some(404) if token => Exit::Other,
            Some(401 | 403) => Exit::CredentialsRefused,
            Some(404) => Exit::NoSuchSession,
            Some(429) => Exit::RateLimited,
            Some(400..500) => Exit::Other,
            Some(500..600) => Exit::Unreachable,
            Some(_) => Exit::NotADecision,
            None if says("the time ran out waiting for the rate limit") => Exit::RateLimited,
            None if says("the time ran out waiting for") => Exit::OutOfTime,
            None if says("no whole answer came in time, and the time ran out") => Exit::OutOfTime,
            None => Exit::Unreachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use didit_blocking_adapter::Client;
    use didit_blocking_adapter::core::{Authorization, Policy};
    use didit_sandbox::{Fault, Route, Sandbox};

    use super::*;

    #[test]
    fn the_line_tells_the_exit_code() {
        let status = [400, 401, 403, 404, 408, 410, 418, 500, 503].map(Fault::answer);
        let mut faults = status.to_vec();
        faults.extend([
            Fault::redirect("http://127.0.0.1:1/"),
            Fault::answer(200).body("<html>"),
            Fault::answer(429).header("Retry-After", "3600"),
            Fault::Reset,
            Fault::Hang,
            Fault::Delay(Duration::from_millis(400)),
        ]);
        for fault in faults {
            let sandbox = Sandbox::builder().fault(Route::Decision, fault.clone()).start().unwrap();
            let mut policy = Policy::default();
            policy.max_attempts = 1;
            policy.attempt_timeout = Duration::from_millis(300);
            policy.call_timeout =
                Duration::from_millis(if fault == Fault::Hang { 100 } else { 1000 });
            let client = Client::builder(Authorization::api_key(sandbox.api_key()).unwrap())
                .base_url(sandbox.url().parse().unwrap())
                .policy(policy)
                .build()
                .unwrap();
            let session_id = "s-1".parse().unwrap();
            let error = client.decision(&session_id).unwrap_err();
            let line = FailureLine::new(&session_id, &error).to_compact().unwrap();
            let line = FailureLine::parse(&line).unwrap();
            assert_eq!(line.exit(), Exit::of(error.call()), "{fault:?}: {}", line.error);
        }
    }
}

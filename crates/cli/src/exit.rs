//! The exit codes, and their mapping from call errors.

use std::process::ExitCode;

use didit_blocking_adapter::core::{
    CallError, CallErrorKind, EndpointKind, GaveUp, ResponseError, ResponseErrorKind,
    TransportErrorKind, WaitReason,
};
use http::StatusCode;

/// The exit code of the program; scripts depend on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Other = 1,
    /// Bad flags, ids or configuration; nothing was sent.
    Usage = 2,
    CredentialsRefused = 3,
    NoSuchSession = 4,
    RateLimited = 5,
    /// The network, TLS, or a 5xx that outlasted the retries.
    Unreachable = 6,
    /// The service's response is not what was requested.
    NotADecision = 7,
    OutOfTime = 8,
    /// SIGINT, sent by Ctrl-C: 128 plus the signal number, as in shells.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl Exit {
    pub(crate) fn of(error: &CallError) -> Self {
        match error.kind() {
            CallErrorKind::Build(_) => Self::Usage,
            CallErrorKind::Response(response)
                if response.status() == StatusCode::REQUEST_TIMEOUT
                    && error.gave_up() == GaveUp::DeadlineExceeded =>
            {
                Self::OutOfTime
            }
            CallErrorKind::Response(response) => Self::of_response(response),
            CallErrorKind::Transport(TransportErrorKind::Timeout)
                if error.gave_up() == GaveUp::DeadlineExceeded =>
            {
                Self::OutOfTime
            }
            CallErrorKind::Transport(TransportErrorKind::HeadTooLarge) => Self::NotADecision,
            CallErrorKind::Transport(_) => Self::Unreachable,
            CallErrorKind::Waiting(WaitReason::Pacing) => Self::RateLimited,
            CallErrorKind::Waiting(_)
            | CallErrorKind::Undecided(_)
            | CallErrorKind::UndecidedVerification(_) => Self::OutOfTime,
            _ => Self::Other,
        }
    }

    /// Returns the exit code with this number, if a failed session can have it.
    pub(crate) fn of_failure(code: u8) -> Option<Self> {
        let failures = [
            Self::Other,
            Self::CredentialsRefused,
            Self::NoSuchSession,
            Self::RateLimited,
            Self::Unreachable,
            Self::NotADecision,
            Self::OutOfTime,
        ];
        failures.into_iter().find(|exit| *exit as u8 == code)
    }

    fn of_response(response: &ResponseError) -> Self {
        match response.kind() {
            ResponseErrorKind::Unauthorized | ResponseErrorKind::Forbidden => {
                Self::CredentialsRefused
            }
            ResponseErrorKind::NotFound
                if matches!(
                    response.endpoint(),
                    EndpointKind::ReadStatus
                        | EndpointKind::RetrieveDecision
                        | EndpointKind::RetrieveVerificationDecision
                        | EndpointKind::UpdateVerificationStatus
                        | EndpointKind::GenerateVerificationPdf
                        | EndpointKind::DeleteVerificationSession
                ) =>
            {
                Self::NoSuchSession
            }
            ResponseErrorKind::RateLimited => Self::RateLimited,
            ResponseErrorKind::ServerError => Self::Unreachable,
            ResponseErrorKind::Malformed(_)
            | ResponseErrorKind::Empty
            | ResponseErrorKind::SessionMismatch
            | ResponseErrorKind::NotPdf
            | ResponseErrorKind::TooLarge
            | ResponseErrorKind::Redirect
            | ResponseErrorKind::UnexpectedStatus => Self::NotADecision,
            _ => Self::Other,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use didit_blocking_adapter::core::data_transfer::RetrieveDecision;
    use didit_blocking_adapter::core::{
        Authorization, Call, ClientCredentials, Credentials, Engine, Moment, Operation as _,
        Policy, Step, TransportError,
    };
    use http::Response;

    use super::*;

    const NOW: Moment = Moment::new(Duration::ZERO);

    fn client_credentials() -> Credentials {
        ClientCredentials::new("id", "secret").unwrap().into()
    }

    fn access_token() -> Credentials {
        Authorization::bearer("token").unwrap().into()
    }

    fn engine(credentials: Credentials, max_attempts: u32) -> Engine {
        let mut policy = Policy::default();
        policy.max_attempts = max_attempts;
        policy.max_requests_per_window = Some(1);
        Engine::builder(credentials).policy(policy).build().unwrap()
    }

    fn call() -> Call<RetrieveDecision> {
        Call::new(RetrieveDecision::new("s-1".parse().unwrap()))
    }

    /// Returns the exit code of a call whose first request gets this response.
    fn exit_of_response(credentials: Credentials, status: u16, body: &[u8]) -> Exit {
        let (mut engine, mut call) = (engine(credentials, 1), call());
        let Step::Send { ticket, .. } = call.poll(&mut engine, NOW) else { panic!("not sent") };
        let response = Response::builder().status(status).header("retry-after", "3600");
        call.handle_response(&mut engine, NOW, ticket, &response.body(body).unwrap());
        let Step::Done(Err(error)) = call.poll(&mut engine, NOW) else { panic!("not failed") };
        Exit::of(&error)
    }

    /// Returns the exit code of a call whose first request fails with `kind` after `after`.
    fn exit_of_failure(kind: TransportErrorKind, max_attempts: u32, after: Duration) -> Exit {
        let (mut engine, mut call) = (engine(access_token(), max_attempts), call());
        let Step::Send { ticket, .. } = call.poll(&mut engine, NOW) else { panic!("not sent") };
        let later = NOW.after(after);
        call.handle_failure(&mut engine, later, ticket, TransportError::new(kind));
        let Step::Done(Err(error)) = call.poll(&mut engine, later) else { panic!("not failed") };
        Exit::of(&error)
    }

    #[test]
    fn responses_map_to_exit_codes() {
        let another = br#"{"session_id":"s-2","status":"Confirmed"}"#;
        let large = vec![b'0'; (8 << 20) + 1];
        let invalid_client = br#"{"error":"invalid_client"}"#;
        let table: [(u16, &[u8], Exit, Exit); 20] = [
            // status, body, exit code for a decision, exit code for a token
            (200, b"<html>", Exit::NotADecision, Exit::NotADecision),
            (200, b"{\"session_id\":", Exit::NotADecision, Exit::NotADecision),
            (200, another, Exit::NotADecision, Exit::NotADecision),
            (200, &large, Exit::NotADecision, Exit::NotADecision),
            (302, b"", Exit::NotADecision, Exit::NotADecision),
            (199, b"", Exit::NotADecision, Exit::NotADecision),
            (400, b"", Exit::Other, Exit::Other),
            (400, invalid_client, Exit::Other, Exit::CredentialsRefused),
            (429, invalid_client, Exit::RateLimited, Exit::CredentialsRefused),
            (302, invalid_client, Exit::NotADecision, Exit::CredentialsRefused),
            (503, invalid_client, Exit::Unreachable, Exit::CredentialsRefused),
            (401, b"", Exit::CredentialsRefused, Exit::CredentialsRefused),
            (403, b"", Exit::CredentialsRefused, Exit::CredentialsRefused),
            (404, b"", Exit::NoSuchSession, Exit::Other),
            (408, b"", Exit::Other, Exit::Other),
            (410, b"", Exit::Other, Exit::Other),
            (429, b"", Exit::RateLimited, Exit::RateLimited),
            (500, b"", Exit::Unreachable, Exit::Unreachable),
            (503, b"", Exit::Unreachable, Exit::Unreachable),
            (599, b"", Exit::Unreachable, Exit::Unreachable),
        ];
        for (status, body, of_decision, of_token) in table {
            assert_eq!(exit_of_response(access_token(), status, body), of_decision, "{status}");
            assert_eq!(
                exit_of_response(client_credentials(), status, body),
                of_token,
                "{status} for the token"
            );
        }
    }

    #[test]
    fn request_timeout_without_time_for_another_attempt_is_out_of_time() {
        let (mut engine, mut call) = (engine(access_token(), 4), call());
        let Step::Send { ticket, .. } = call.poll(&mut engine, NOW) else { panic!("not sent") };
        let (late, response) =
            (NOW.after(Duration::from_secs(30)), Response::builder().status(408));
        call.handle_response(&mut engine, late, ticket, &response.body("").unwrap());
        let Step::Done(Err(error)) = call.poll(&mut engine, late) else { panic!("not failed") };
        assert_eq!(Exit::of(&error), Exit::OutOfTime);
    }

    #[test]
    fn transport_errors_map_to_exit_codes() {
        let soon = Duration::from_secs(1);
        let late = Duration::from_secs(30);
        assert_eq!(exit_of_failure(TransportErrorKind::Connect, 1, soon), Exit::Unreachable);
        assert_eq!(exit_of_failure(TransportErrorKind::Connect, 4, late), Exit::Unreachable);
        assert_eq!(exit_of_failure(TransportErrorKind::Certificate, 4, soon), Exit::Unreachable);
        assert_eq!(exit_of_failure(TransportErrorKind::HeadTooLarge, 4, soon), Exit::NotADecision);
        assert_eq!(exit_of_failure(TransportErrorKind::ConnectionLost, 1, soon), Exit::Unreachable);
        assert_eq!(exit_of_failure(TransportErrorKind::Timeout, 1, soon), Exit::Unreachable);
        assert_eq!(exit_of_failure(TransportErrorKind::Timeout, 4, late), Exit::OutOfTime);
    }

    #[test]
    fn expired_waits_map_to_exit_codes() {
        // Exit code of the second of two calls if the rate limit is one request per window, and the
        // window is longer than a call's timeout.
        let second = |first_has_response: bool| {
            let mut shared = engine(access_token(), 1);
            let (mut first, mut second) = (call(), call());
            let Step::Send { ticket, .. } = first.poll(&mut shared, NOW) else {
                panic!("not sent")
            };
            if first_has_response {
                let response = Response::builder().status(404).body(b"").unwrap();
                first.handle_response(&mut shared, NOW, ticket, &response);
            }
            let mut now = NOW;
            loop {
                match second.poll(&mut shared, now) {
                    Step::Wait { until, .. } => now = until,
                    Step::Done(result) => break Exit::of(&result.unwrap_err()),
                    Step::Send { .. } => panic!("sent"),
                }
            }
        };
        assert_eq!(second(true), Exit::RateLimited);
        assert_eq!(second(false), Exit::OutOfTime);

        let mut shared = engine(client_credentials(), 1);
        let mut expired =
            Call::new(RetrieveDecision::new("s-2".parse().unwrap())).with_timeout(Duration::ZERO);
        let Step::Done(Err(error)) = expired.poll(&mut shared, NOW) else { panic!("not over") };
        assert_eq!(Exit::of(&error), Exit::OutOfTime);
    }

    /// Returns each row's name and exit codes (the last column) in a section of `errors.md`.
    fn documented(section: &str) -> Vec<(String, Vec<u8>)> {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../core/docs/errors.md");
        let page = std::fs::read_to_string(page).unwrap();
        let (_, section) = page.split_once(&format!("\n# {section}\n")).unwrap();
        let section = section.split("\n# ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"));
        let code = |cell: &str| -> Vec<u8> {
            cell.split(|c: char| !c.is_ascii_digit()).filter_map(|code| code.parse().ok()).collect()
        };
        let rows = rows.map(|row| {
            (row.split('`').next().unwrap().to_owned(), code(row.rsplit(" | ").next().unwrap()))
        });
        rows.collect()
    }

    fn code(kind: CallErrorKind, gave_up: GaveUp) -> u8 {
        Exit::of(&CallError::new(kind).with_gave_up(gave_up)) as u8
    }

    #[test]
    fn errors_page_lists_response_exit_codes() {
        let response = |endpoint, status| {
            let response = Response::builder().status(status).body(b"").unwrap();
            ResponseError::from_response(endpoint, &response)
        };
        for (name, codes) in documented("Responses") {
            let status = match &*name {
                "Unauthorized" => 401,
                "Forbidden" => 403,
                "NotFound" => 404,
                "RateLimited" => 429,
                "ClientError" => 400,
                "ServerError" => 503,
                "Redirect" => 302,
                "UnexpectedStatus" => 600,
                // Unusable 2xx responses; see `responses_map_to_exit_codes`.
                _ => {
                    assert_eq!(codes, [Exit::NotADecision as u8], "{name}");
                    continue;
                }
            };
            let mut seen = [EndpointKind::RetrieveDecision, EndpointKind::FetchToken]
                .map(|endpoint| CallErrorKind::Response(response(endpoint, status)))
                .map(|kind| code(kind, GaveUp::NotRetryable))
                .to_vec();
            seen.dedup();
            assert_eq!(seen, codes, "{name}");
        }
    }

    #[test]
    fn errors_page_lists_transport_and_deadline_exit_codes() {
        use TransportErrorKind::{
            Certificate, Connect, ConnectionLost, Handshake, HeadTooLarge, Proxy, Timeout,
        };
        use WaitReason::{Backoff, FirstResponse, Pacing, Polling, Response, RetryAfter, Token};
        let kinds = [Connect, Certificate, Handshake, Proxy, Timeout, ConnectionLost, HeadTooLarge];
        for (kind, (name, codes)) in kinds.into_iter().zip(documented("Transport")) {
            assert_eq!(name, format!("{kind:?}"));
            let mut seen = [GaveUp::AttemptsExhausted, GaveUp::DeadlineExceeded]
                .map(|gave_up| code(CallErrorKind::Transport(kind), gave_up))
                .to_vec();
            seen.dedup();
            assert_eq!(seen, codes, "{name}");
        }
        let waits = [Pacing, FirstResponse, RetryAfter, Backoff, Polling, Token, Response];
        let kinds = waits.into_iter().map(CallErrorKind::Waiting).chain([
            CallErrorKind::Undecided("Retrieved".into()),
            CallErrorKind::UndecidedVerification("In Progress".into()),
            CallErrorKind::Finished,
        ]);
        for (kind, (name, codes)) in kinds.zip(documented("Deadlines")) {
            assert!(format!("{kind:?}").starts_with(name.trim_end_matches(')')), "{name}");
            assert_eq!(codes, [code(kind, GaveUp::DeadlineExceeded)], "{name}");
        }
    }
}

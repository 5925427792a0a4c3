use http::StatusCode;

use super::*;

const CREATED: &str = "the session may have been created; trying again creates another";
const LISTED: &str =
    "the session may have been created; look for it in the list before trying again";
const NETWORK: &str = "check the network, the base URL and the proxy, if there is one";
const LATER: &str = "try again later";
const TIME: &str = "try again, or raise the timeout";

fn response(endpoint: EndpointKind, status: u16, kind: ResponseErrorKind) -> CallErrorKind {
    CallErrorKind::Response(ResponseError::new(
        endpoint,
        StatusCode::from_u16(status).unwrap(),
        kind,
    ))
}

#[test]
fn retryability_and_advice_follow_from_the_failure() {
    use EndpointKind::{CreateSession, CreateVerificationSession, RetrieveDecision};
    use ResponseErrorKind::{Empty, NotFound, RateLimited, Redirect, ServerError};
    use TransportErrorKind::{Certificate, Connect, ConnectionLost, Timeout};
    let failed = CallErrorKind::Transport;
    let cases = [
        (RetrieveDecision, CallErrorKind::Build(BuildError::UserAgent), false, "fix the input"),
        (
            EndpointKind::ListVerificationSessions,
            CallErrorKind::Build(BuildError::BrokenLink),
            false,
            "narrow the list by its dates, and report this to the service",
        ),
        (RetrieveDecision, CallErrorKind::Finished, false, "start a new call"),
        (RetrieveDecision, failed(Connect), true, NETWORK),
        (CreateSession, failed(Connect), true, NETWORK),
        (
            RetrieveDecision,
            failed(Certificate),
            false,
            "check the base URL and the trusted certificates",
        ),
        (
            CreateSession,
            failed(TransportErrorKind::Handshake),
            false,
            "check the base URL; client certificates are not supported",
        ),
        (
            CreateSession,
            failed(TransportErrorKind::Proxy),
            false,
            "check the proxy, and the user name and password for it",
        ),
        (RetrieveDecision, failed(Timeout), true, TIME),
        (CreateSession, failed(Timeout), false, CREATED),
        (RetrieveDecision, failed(ConnectionLost), true, LATER),
        (
            RetrieveDecision,
            failed(TransportErrorKind::HeadTooLarge),
            false,
            "check the base URL; if it is right, report this to the service",
        ),
        (CreateSession, failed(TransportErrorKind::HeadTooLarge), false, CREATED),
        (CreateSession, failed(ConnectionLost), false, CREATED),
        (RetrieveDecision, CallErrorKind::Waiting(WaitReason::Pacing), true, TIME),
        (CreateSession, CallErrorKind::Waiting(WaitReason::Token), true, TIME),
        (RetrieveDecision, CallErrorKind::Undecided(Status::Retrieved), true, "wait longer"),
        (RetrieveDecision, response(RetrieveDecision, 503, ServerError), true, LATER),
        (CreateSession, response(CreateSession, 503, ServerError), false, CREATED),
        (CreateSession, response(CreateSession, 501, ServerError), false, LATER),
        (CreateSession, response(CreateSession, 524, ServerError), false, CREATED),
        (CreateSession, response(CreateSession, 200, Empty), false, CREATED),
        (CreateSession, response(CreateSession, 303, Redirect), false, CREATED),
        (CreateVerificationSession, response(CreateVerificationSession, 201, Empty), false, LISTED),
        (
            CreateSession,
            response(CreateSession, 429, RateLimited),
            true,
            "send fewer requests, or raise the timeout",
        ),
        (CreateSession, response(CreateSession, 404, NotFound), false, "check the base URL"),
    ];
    for (endpoint, kind, retryable, advice) in cases {
        let replay = match endpoint {
            CreateSession | CreateVerificationSession => Replay::OnlyIfUnsent,
            _ => Replay::Safe,
        };
        let error = CallError::new(kind).with_endpoint(endpoint).with_replay(replay);
        assert_eq!((error.is_retryable(), error.advice()), (retryable, advice), "{error:?}");
    }
}

#[test]
fn timeouts_are_those_of_an_attempt_or_of_the_call() {
    let failed = |kind| CallError::new(CallErrorKind::Transport(kind));
    assert!(failed(TransportErrorKind::Timeout).is_timeout());
    let lost = failed(TransportErrorKind::ConnectionLost);
    assert!(!lost.is_timeout() && lost.with_gave_up(GaveUp::DeadlineExceeded).is_timeout());
}

#[test]
fn messages_name_the_operation_the_cause_and_the_attempts() {
    let message = |kind, gave_up, attempts| {
        CallError::new(kind).with_gave_up(gave_up).with_attempts(attempts).to_string()
    };
    let lost = || CallErrorKind::Transport(TransportErrorKind::ConnectionLost);
    let what = "could not retrieve the decision: ";
    let why = "the connection was lost before a complete response arrived";
    assert_eq!(message(lost(), GaveUp::NotRetryable, 3), format!("{what}{why}"));
    assert_eq!(message(lost(), GaveUp::AttemptsExhausted, 1), format!("{what}{why}"));
    assert_eq!(
        message(lost(), GaveUp::AttemptsExhausted, 4),
        format!("{what}{why}, after 4 requests")
    );
    assert_eq!(
        message(lost(), GaveUp::DeadlineExceeded, 4),
        format!("{what}{why}, and the time ran out")
    );
    let slow = CallErrorKind::Transport(TransportErrorKind::Timeout);
    assert_eq!(
        message(slow, GaveUp::DeadlineExceeded, 1),
        format!("{what}no complete response arrived in time")
    );
    let undecided = CallErrorKind::Undecided(Status::from("a\nb"));
    assert_eq!(
        message(undecided, GaveUp::DeadlineExceeded, 4),
        format!("{what}the session was still a\\nb when the time ran out")
    );
    for (reason, words) in [
        (WaitReason::Pacing, "the rate limit"),
        (WaitReason::FirstResponse, "the first response, to learn the rate limit"),
        (WaitReason::RetryAfter, "the Retry-After time set by the service"),
        (WaitReason::Backoff, "the next attempt"),
        (WaitReason::Polling, "a final status"),
        (WaitReason::Token, "the token that another call is fetching"),
        (WaitReason::Response, "the response"),
    ] {
        let waited = format!("{what}timed out waiting for {words}");
        assert_eq!(message(CallErrorKind::Waiting(reason), GaveUp::DeadlineExceeded, 1), waited);
    }
    assert_eq!(
        message(CallErrorKind::Finished, GaveUp::NotRetryable, 1),
        format!("{what}the call has already ended")
    );
}

#[test]
fn retry_after_and_source_are_exposed() {
    let mut error = ResponseError::new(
        EndpointKind::RetrieveDecision,
        StatusCode::TOO_MANY_REQUESTS,
        ResponseErrorKind::RateLimited,
    );
    let seconds = Some(Duration::from_secs(7));
    error.0.retry_after = seconds;
    let kind = CallErrorKind::Response(error);
    let error = CallError::new(kind).with_gave_up(GaveUp::DeadlineExceeded);
    assert_eq!(error.retry_after(), seconds);
    let http = http::Request::builder().uri("http://a b").body(()).unwrap_err();
    let kind = CallErrorKind::Build(BuildError::from(http));
    let error = CallError::new(kind).with_attempts(0);
    let source = std::error::Error::source(&error).expect("a source");
    assert_eq!((source.to_string(), error.retry_after()), ("invalid uri character".into(), None));
}

#[test]
fn request_id_is_that_of_the_response() {
    let with_id = |id: &str| {
        let response = http::Response::builder().status(404).header("x-request-id", id);
        let response = response.body("").unwrap();
        let error = ResponseError::from_response(EndpointKind::RetrieveDecision, &response);
        CallError::new(CallErrorKind::Response(error)).request_id().map(str::to_owned)
    };
    assert_eq!(with_id("r-1").as_deref(), Some("r-1"));
    assert_eq!(with_id(""), None);
    assert_eq!(CallError::new(CallErrorKind::Finished).request_id(), None);
}

#[test]
fn known_wait_is_stated() {
    use EndpointKind::RetrieveDecision;
    use ResponseErrorKind::RateLimited;
    let kind = response(RetrieveDecision, 429, RateLimited);
    let error = CallError::new(kind).with_gave_up(GaveUp::DeadlineExceeded);
    let ends = |error: &CallError, end: &str| {
        let text = error.to_string();
        assert!(text.ends_with(&format!("Too Many Requests, and the time ran out{end}")), "{text}");
    };
    ends(&error, "");
    // As the rate limiter sets it if only `X-RateLimit-Reset` says for how long.
    let limited = error.with_closed_for(Duration::from_millis(28_100), false);
    ends(&limited, ": the next request can be sent in 29 s");
    ends(&limited.without_wait(), "");
    for (seconds, words) in [
        (7200, "7200 s"),
        (7201, "3 h"),
        (172_801, "3 days"),
        (31_536_000, "365 days"),
        (31_536_001, "more than a year"),
        (u64::MAX, "more than a year"),
    ] {
        let status = StatusCode::TOO_MANY_REQUESTS;
        let mut asked = ResponseError::new(RetrieveDecision, status, RateLimited);
        asked.0.retry_after = Some(Duration::from_secs(seconds));
        let error = CallError::new(CallErrorKind::Response(asked));
        let error = error.with_gave_up(GaveUp::DeadlineExceeded);
        ends(&error, &format!(": the service asks to wait for {words}"));
    }
}

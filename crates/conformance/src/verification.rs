//! The verification API.

use std::time::Duration;

use didit_core::verification::{
    CreateSession, Decision, DeleteSession, Deletion, ListSessions, Pdf, Raw, RawResponse, Session,
    SessionId, SessionPage, SessionSummary, Status, UpdateStatus,
};
use didit_core::{Authorization, BuildError, CallErrorKind, EndpointKind, ResponseErrorKind};
use didit_sandbox::{Fault, Quota, Route, Sandbox, VerificationLimits};
use http::Method;

use crate::{Adapter, CallFailure, Settings, sandbox, settings, with};

/// A client under test, for the verification API.
#[allow(clippy::missing_errors_doc)]
pub trait Verification: Adapter {
    /// Creates a session.
    fn create_verification(&self, session: CreateSession) -> Result<Session, CallFailure>;

    /// Retrieves a decision.
    fn verification_decision(&self, session_id: &SessionId) -> Result<Decision, CallFailure>;

    /// Waits for a settled status.
    fn verification_wait(
        &self,
        session_id: &SessionId,
        interval: Duration,
        timeout: Duration,
    ) -> Result<Decision, CallFailure>;

    /// Lists a page of sessions.
    fn page(&self, list: ListSessions) -> Result<SessionPage, CallFailure>;

    /// Lists this page and all pages after it, up to the first error.
    fn all_sessions(&self, list: ListSessions) -> Vec<Result<SessionSummary, CallFailure>>;

    /// Updates a status.
    fn update(&self, update: UpdateStatus) -> Result<(), CallFailure>;

    /// Generates a report.
    fn pdf(&self, session_id: &SessionId) -> Result<Pdf, CallFailure>;

    /// Generates a report within `timeout`.
    fn pdf_within(&self, session_id: &SessionId, timeout: Duration) -> Result<Pdf, CallFailure>;

    /// Deletes a session.
    fn delete(&self, session: DeleteSession) -> Result<Deletion, CallFailure>;

    /// Sends any request.
    fn raw(&self, request: Raw) -> Result<RawResponse, CallFailure>;
}

const WORKFLOW: &str = "9f9b1234-aaaa-bbbb-cccc-1234567890ab";

fn new_session() -> CreateSession {
    CreateSession::new(WORKFLOW).unwrap()
}

/// Creates a client with an API key, which the sandbox accepts for both APIs.
fn client<A: Adapter>(sandbox: &Sandbox) -> A {
    with(sandbox, Authorization::api_key(sandbox.api_key()).unwrap())
}

fn created<A: Verification>(sandbox: &Sandbox, client: &A, status: &str) -> SessionId {
    let session = client.create_verification(new_session()).unwrap();
    sandbox.verification().set_status(session.session_id().as_str(), status);
    session.session_id().clone()
}

/// A session is created, reviewed and deleted, with the key in each request.
pub fn verification_lifecycle<A: Verification>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let create = new_session().with_vendor_data("user-7").with_language("en");
    let session = client.create_verification(create).unwrap();
    let id = session.session_id();
    assert!(session.url().expose().starts_with("http"));
    let decision = client.verification_decision(id).unwrap();
    assert_eq!(decision.status(), &Status::NotStarted);

    sandbox.verification().set_status(id.as_str(), "In Review");
    let page = client.page(ListSessions::new().with_status(&[Status::InReview])).unwrap();
    assert_eq!((page.sessions().len(), page.next_page().is_none()), (1, true));
    client.update(UpdateStatus::approve(id.clone()).with_comment("seen")).unwrap();
    assert_eq!(client.verification_decision(id).unwrap().status(), &Status::Approved);
    assert!(client.pdf(id).unwrap().as_bytes().starts_with(b"%PDF-"));
    let deletion = client.delete(DeleteSession::new(id.clone())).unwrap();
    assert!(deletion.session_id.is_none_or(|deleted| deleted == *id));
    let gone = client.verification_decision(id).unwrap_err();
    assert_eq!(gone.kind(), &ResponseErrorKind::NotFound);

    for request in sandbox.requests() {
        assert_eq!(request.header("x-api-key"), Some(sandbox.api_key()));
        assert_eq!(request.header("authorization"), None);
    }
}

/// Only verification requests go to the host of the verification API.
pub fn separate_verification_host<A: Verification>() {
    let [first, second] = [(), ()].map(|()| {
        let client = didit_sandbox::Application::new("client", "secret").with_api_key("key");
        Sandbox::builder().application(client).start().unwrap()
    });
    let settings = Settings {
        credentials: Authorization::api_key("key").unwrap().into(),
        verification_base_url: Some(second.url().parse().unwrap()),
        ..settings(&first)
    };
    let client = A::new(settings).unwrap();
    client.create_verification(new_session()).unwrap();
    client.decision(&crate::id("s-1")).unwrap();
    assert_eq!((first.requests().len(), second.requests().len()), (1, 1));
    assert_eq!(second.requests_to(Route::CreateVerification).len(), 1);
}

/// The list continues from page to page.
pub fn session_list_spans_pages<A: Verification>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let mut ids: Vec<_> = (0..5).map(|_| created(&sandbox, &client, "Approved")).collect();
    ids.reverse();
    let listed = client.all_sessions(ListSessions::new().with_limit(2));
    let listed = listed.into_iter().map(|session| session.unwrap().session_id.unwrap());
    assert!(listed.eq(ids.iter().map(SessionId::to_string)));
    assert_eq!(sandbox.requests_to(Route::ListVerifications).len(), 3);
}

/// A session that is created between two pages makes the second repeat one of the first.
pub fn session_list_has_no_session_twice<A: Verification>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let page = |next: &str, ids: [&str; 2]| {
        let rows = ids.map(|id| format!(r#"{{"session_id": "{id}"}}"#)).join(", ");
        Fault::answer(200).body(format!(r#"{{"next": {next}, "results": [{rows}]}}"#))
    };
    let pages = [
        page(r#""/v3/sessions/?offset=2""#, ["a", "b"]),
        page(r#""/v3/sessions/?offset=4""#, ["b", "c"]),
        page("null", ["a", "d"]),
    ];
    sandbox.script(Route::ListVerifications, pages);
    let listed = client.all_sessions(ListSessions::new());
    let listed: Vec<_> = listed.into_iter().map(|item| item.unwrap().session_id.unwrap()).collect();
    assert_eq!(listed, ["a", "b", "c", "d"]);
}

/// The next page is requested from the same host only, and a repeated page is an error.
pub fn next_page_on_another_host_is_not_followed<A: Verification>() {
    let (sandbox, other) = (sandbox(), sandbox());
    let client = client::<A>(&sandbox);
    let next = format!("{}/v3/sessions/?offset=1", other.url());
    let page = format!(r#"{{"count": 9, "next": "{next}", "previous": null, "results": [{{}}]}}"#);
    sandbox.always(Route::ListVerifications, Fault::answer(200).body(page));
    let listed = client.all_sessions(ListSessions::new());
    let [Ok(_), Ok(_), Err(failure)] = &listed[..] else { panic!("{listed:?}") };
    assert!(matches!(failure.call.kind(), CallErrorKind::Build(BuildError::BrokenLink)));
    assert_eq!(sandbox.requests_to(Route::ListVerifications).len(), 2);
    assert_eq!(other.connections(), 0);
}

/// A list whose pages have no offsets ends with an error when a page repeats.
pub fn session_list_ends_if_a_page_repeats<A: Verification>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let page = |cursor| {
        let page = r#"{"next": "/v3/sessions/?cursor=CURSOR", "results": [{}]}"#;
        Fault::answer(200).body(page.replace("CURSOR", cursor))
    };
    sandbox.script(Route::ListVerifications, ["a", "b", "a", "b"].map(page));
    let listed = client.all_sessions(ListSessions::new());
    let [Ok(_), Ok(_), Ok(_), Err(failure)] = &listed[..] else { panic!("{listed:?}") };
    assert!(matches!(failure.call.kind(), CallErrorKind::Build(BuildError::BrokenLink)));
    assert_eq!(sandbox.requests_to(Route::ListVerifications).len(), 3);
}

/// An error in the middle of a list ends the list.
pub fn session_list_ends_with_an_error<A: Verification>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    for _ in 0..3 {
        created(&sandbox, &client, "Approved");
    }
    let next = format!("{}/v3/sessions/?offset=1", sandbox.url());
    let page = format!(r#"{{"next": "{next}", "results": [{{}}]}}"#);
    sandbox.script(Route::ListVerifications, [Fault::answer(200).body(page), Fault::answer(404)]);
    let listed = client.all_sessions(ListSessions::new());
    let [Ok(_), Err(failure)] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!(failure.call.endpoint(), EndpointKind::ListVerificationSessions);
}

/// Pages wait for room in the rate limit for longer than a call may take.
pub fn pages_wait_for_the_rate_limiter<A: Verification>() {
    let sandbox = sandbox();
    let mut settings = settings(&sandbox);
    settings.credentials = Authorization::api_key(sandbox.api_key()).unwrap().into();
    settings.policy.rate_limit_window = Duration::from_secs(2);
    settings.policy.call_timeout = Duration::from_millis(1500);
    settings.policy.verification_limits.reads = Some(1);
    let client = A::new(settings).unwrap();
    for _ in 0..2 {
        created(&sandbox, &client, "Approved");
    }
    let listed = client.all_sessions(ListSessions::new().with_limit(1));
    assert_eq!(listed.iter().filter(|session| session.is_ok()).count(), 2, "{listed:?}");
}

/// A wait returns the decision of any settled status; at its deadline, the error has the last
/// status.
pub fn wait_for_a_settled_status<A: Verification>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let (interval, timeout) = (Duration::from_millis(10), Duration::from_millis(200));
    for status in ["Approved", "Declined", "In Review", "Expired", "Abandoned", "Kyc Expired"] {
        let id = created(&sandbox, &client, status);
        let decision = client.verification_wait(&id, interval, timeout).unwrap();
        assert_eq!(decision.status().as_str(), status);
    }
    for status in ["In Progress", "Resubmitted"] {
        let id = created(&sandbox, &client, status);
        let error = client.verification_wait(&id, interval, timeout).unwrap_err().call;
        let CallErrorKind::UndecidedVerification(last) = error.kind() else { panic!("{error}") };
        assert_eq!((last.as_str(), error.is_timeout(), error.is_retryable()), (status, true, true));
    }
}

/// A creation that the service may have carried out is retried only if the caller allows it.
pub fn ambiguous_creation_is_retried_if_allowed<A: Verification>() {
    for (allowed, requests) in [(false, 1), (true, 2)] {
        let sandbox = sandbox();
        sandbox.script(Route::CreateVerification, [Fault::Close]);
        let create = new_session().with_vendor_data("user-7");
        let create = if allowed { create.allow_retry() } else { create };
        let result = client::<A>(&sandbox).create_verification(create);
        assert_eq!(result.is_ok(), allowed);
        assert_eq!(sandbox.requests_to(Route::CreateVerification).len(), requests);
    }
}

/// An update that the service may have carried out is not retried, since it would reject the
/// second request.
pub fn ambiguous_update_is_not_retried<A: Verification>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let id = created(&sandbox, &client, "In Review");
    for fault in [Fault::Reset, Fault::answer(502)] {
        sandbox.script(Route::UpdateVerificationStatus, [fault]);
        let error = client.update(UpdateStatus::decline(id.clone())).unwrap_err().call;
        assert!(error.may_have_taken_effect(), "{error}");
    }
    assert_eq!(sandbox.requests_to(Route::UpdateVerificationStatus).len(), 2);
    client.update(UpdateStatus::decline(id.clone())).unwrap();
    let twice = client.update(UpdateStatus::decline(id)).unwrap_err();
    assert_eq!(twice.call.status().unwrap(), 400);
    assert!(twice.shown.contains("same as the current status"), "{}", twice.shown);
}

/// A report must be a PDF and within the size limit.
pub fn pdf_type_and_size_are_checked<A: Verification>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let id = created(&sandbox, &client, "Approved");
    let pdf = |size| {
        let fault = Fault::answer(200).header("content-type", "application/pdf");
        fault.body([b"%PDF-".to_vec(), vec![b'x'; size - 5]].concat())
    };
    let html = Fault::answer(200).header("content-type", "text/html").body("<p>Log in</p>");
    let limit = EndpointKind::GenerateVerificationPdf.max_body_bytes();
    let faults = [html, pdf(limit), pdf(limit + 1)];
    sandbox.script(Route::VerificationPdf, faults);
    assert_eq!(client.pdf(&id).unwrap_err().kind(), &ResponseErrorKind::NotPdf);
    assert_eq!(client.pdf(&id).unwrap().as_bytes().len(), limit);
    assert_eq!(client.pdf(&id).unwrap_err().kind(), &ResponseErrorKind::TooLarge);
}

/// A raw request has the key and the retries of typed requests.
pub fn raw_request<A: Verification>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    sandbox.script(Route::ListVerifications, [Fault::answer(503).header("retry-after", "0")]);
    let raw = Raw::new(Method::GET, "/v3/sessions/").with_query("limit", "1");
    let response = client.raw(raw).unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.json().unwrap().get("results").is_some());
    let requests = sandbox.requests_to(Route::ListVerifications);
    assert!(requests.len() == 2 && requests[1].path.ends_with("?limit=1"), "{requests:?}");
    let refused = client.raw(Raw::new(Method::GET, "/v3/../x/")).unwrap_err().call;
    assert!(matches!(refused.kind(), CallErrorKind::Build(_)));
}

/// The `Retry-After` of a 429 is honored.
pub fn retry_after_of_a_verification_is_honored<A: Verification>() {
    let sandbox = sandbox();
    let client = client::<A>(&sandbox);
    let id = created(&sandbox, &client, "Approved");
    let busy = Fault::answer(429).header("retry-after", "1");
    sandbox.script(Route::VerificationDecision, [busy]);
    client.verification_decision(&id).unwrap();
    let requests = sandbox.requests_to(Route::VerificationDecision);
    let pause = requests[1].received.saturating_sub(requests[0].received);
    assert!(requests.len() == 2 && pause >= Duration::from_millis(900), "{pause:?}");
}

/// A 429 without `Retry-After` is reported if no retry fits into the time of the call, and has no
/// effect.
pub fn daily_session_limit<A: Verification>() {
    let day = Duration::from_secs(86_400);
    let limits = VerificationLimits {
        sandbox_sessions: Some(Quota { limit: 1, window: day }),
        ..VerificationLimits::NONE
    };
    let sandbox = Sandbox::builder().verification_limits(limits).start().unwrap();
    let mut settings = settings(&sandbox);
    settings.credentials = Authorization::api_key(sandbox.api_key()).unwrap().into();
    // A retry shortly before the deadline could time out instead.
    (settings.policy.backoff_base, settings.policy.backoff_cap) = (day, day);
    let client = A::new(settings).unwrap();
    client.create_verification(new_session()).unwrap();
    let refused = client.create_verification(new_session()).unwrap_err();
    assert_eq!(refused.kind(), &ResponseErrorKind::RateLimited);
    assert!(!refused.call.may_have_taken_effect() && refused.call.is_retryable());
    assert_eq!(refused.call.retry_after(), None);
    assert!(refused.shown.contains("1 sessions per 24h"), "{}", refused.shown);
    sandbox.advance(day);
    client.create_verification(new_session()).unwrap();
}

/// The service rejects client credentials, and the error contains no secret.
pub fn client_credentials_are_rejected<A: Verification>() {
    let sandbox = sandbox();
    let client = crate::client::<A>(&sandbox);
    let error = client.create_verification(new_session()).unwrap_err();
    assert_eq!(error.kind(), &ResponseErrorKind::Forbidden);
    assert!(!error.shown.contains(sandbox.client_secret()), "{}", error.shown);
}

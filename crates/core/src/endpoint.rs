//! The stateless pairs: how each request is built and how its answer is read.

mod client_token;
mod create_session;
mod retrieve_decision;
mod session_status;
mod triage;

use http::{HeaderMap, Method, Request, Response};

pub use self::client_token::{AccessToken, ClientToken};
pub use self::create_session::{CreateSession, CreatedSession};
pub use self::retrieve_decision::RetrieveDecision;
pub use self::session_status::{SessionStatus, StatusReport};
use crate::base_url::BaseUrl;
use crate::credentials::Authorization;
use crate::error::{Action, BuildError, ResponseError};
use crate::session_id::SessionId;

/// The longest body of an answer that is read, in bytes (8 MiB).
///
/// A client need not read more than one byte beyond it: a longer body is refused whatever it holds.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// One request of the API and its answer, without I/O.
///
/// For those who have an HTTP client and their own ideas about tokens and retries: send what
/// [`request`](Endpoint::request) gives, hand the answer to [`parse`](Endpoint::parse). An answer
/// of any status may be given; redirects must not be followed.
pub trait Endpoint: sealed::Sealed {
    /// What a successful answer holds.
    type Output;
    /// What errors and events call it.
    const ACTION: Action;
    /// Whether a request that may have reached the service can be sent once more.
    const REPLAY: Replay;
    /// Whether the request carries the caller's [`Authorization`].
    const AUTHORIZED: bool;

    /// Builds the request.
    ///
    /// # Errors
    /// Says what cannot be sent; nothing was.
    fn request(
        &self,
        base: &BaseUrl,
        authorization: &Authorization,
    ) -> Result<Request<Vec<u8>>, BuildError>;

    /// Reads the answer.
    ///
    /// # Errors
    /// The answer is a failure, or no documented answer to this request.
    fn parse(&self, response: Response<&[u8]>) -> Result<Self::Output, ResponseError> {
        self.read(&response)
    }

    /// Reads an answer that is needed further on.
    ///
    /// # Errors
    /// As [`parse`](Endpoint::parse).
    fn read(&self, response: &Response<&[u8]>) -> Result<Self::Output, ResponseError>;
}

/// Whether a request can be sent once more after it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// At any time: the request changes nothing, or the same thing twice.
    Safe,
    /// Only when the service certainly did not act on it: it never left, or was refused.
    OnlyIfUnsent,
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::ClientToken {}
    impl Sealed for super::CreateSession {}
    impl Sealed for super::RetrieveDecision {}
    impl Sealed for super::SessionStatus {}
}

/// The path of a session's resource; `concat` would take longer.
fn session_path(session_id: &SessionId, resource: &str) -> String {
    const SESSIONS: &str = "/auth/v2/session/";
    let id = session_id.as_str();
    let mut path = String::with_capacity(SESSIONS.len() + id.len() + resource.len());
    path.push_str(SESSIONS);
    path.push_str(id);
    path.push_str(resource);
    path
}

fn request(
    base: &BaseUrl,
    method: Method,
    path: String,
    body: Vec<u8>,
    headers: HeaderMap,
) -> Result<Request<Vec<u8>>, BuildError> {
    let uri = base.join(path)?;
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    Ok(request)
}

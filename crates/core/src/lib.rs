#![doc = include_str!("../README.md")]

mod base_url;
mod credentials;
mod decision;
mod endpoint;
mod engine;
mod error;
pub mod guide;
mod json;
mod personal;
mod rate_limit;
mod scope;
mod secret;
mod session_id;

pub use base_url::{BaseUrl, InvalidBaseUrl};
pub use credentials::{Authorization, ClientCredentials, Credentials, InvalidCredentials};
pub use decision::{Decision, Email, Names, Phone, Status, UnknownStatus, UserData};
pub use endpoint::{
    AccessToken, ClientToken, CreateSession, CreatedSession, Endpoint, MAX_BODY_BYTES, Replay,
    RetrieveDecision, SessionStatus, StatusReport,
};
pub use engine::{
    Call, CallError, Cause, Engine, Event, Failure, FailureKind, Moment, Operation, Policy, Reason,
    Step, Stopped, Ticket, WaitForDecision,
};
pub use error::{Action, BuildError, ResponseError, ResponseErrorKind};
pub use json::{Json, JsonError};
pub use rate_limit::RateLimit;
pub use scope::{InvalidScope, Scope, Scopes};
pub use secret::Secret;
pub use session_id::{InvalidSessionId, SessionId};

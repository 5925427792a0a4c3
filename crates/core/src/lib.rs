//! [which]: guide::which_crate
//! [layers]: guide::layers
//! [errors]: guide::errors
//! [deploying]: guide::deploying
//! [architecture]: guide::architecture
#![doc = include_str!("../README.md")]

mod base_url;
pub mod client;
mod credentials;
pub mod data_transfer;
mod endpoint;
mod engine;
mod error;
pub mod guide;
mod json;
pub mod oauth;
mod proxy;
mod rate_limit;
mod secret;
mod session_id;
mod unknown_status;
pub mod verification;
#[cfg(feature = "webhook")]
pub mod webhook;

pub use base_url::{BaseUrl, InvalidBaseUrl};
pub use client::{ClientBuilder, ClientError, ConfigError};
pub use credentials::{Authorization, ClientCredentials, Credentials, InvalidCredentials};
pub use endpoint::{Bucket, Endpoint, EndpointKind, Host, MAX_HEAD_BYTES, Replay};
pub use engine::{
    Application, Call, CallError, CallErrorKind, DecisionEndpoint, Engine, EngineBuilder, Event,
    EventKind, GateReport, GaveUp, Join, Moment, Operation, Policy, QuotaAnswer, QuotaRequest,
    SharedLimit, SharedStore, SharedToken, Step, StoreAnswer, StoreError, StoreRequest, StoreStep,
    Ticket, TokenAnswer, TokenRequest, TransportError, TransportErrorKind, WaitForDecision,
    WaitReason,
};
pub use error::{BuildError, ResponseError, ResponseErrorKind};
pub use json::{JsonError, RawJson};
pub use proxy::{HttpProxy, InvalidProxy, ProxySettings};
pub use rate_limit::RateLimit;
pub use secret::Secret;
pub use session_id::{InvalidSessionId, SessionId};
// Public signatures use types of these crates.
pub use {http, time};

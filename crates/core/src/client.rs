//! The parts that all clients with I/O share, for authors of adapters to HTTP libraries.
//!
//! An adapter implements [`Connect`] for its client type and [`Driver`] for the state that its calls
//! share. In return it gets a [`ClientBuilder`], and carries out operations with a [`Run`].

mod builder;
mod config_error;
mod connect;
pub mod duration;
mod environment;
mod error;
mod run;
#[cfg(feature = "rustls")]
pub mod tls;
mod transport;

pub use self::builder::ClientBuilder;
pub use self::config_error::ConfigError;
pub use self::connect::{Connect, HttpSettings, read_limited};
pub use self::environment::{Environment, InvalidEnvironment, path_may_be_secret};
pub use self::error::{ClientError, NOT_HTTP, TransportDetail, describe_refusal};
pub use self::run::{
    ArrivalDate, Driver, Exchange, FailedExchange, Run, followed_redirect, receive_head,
    serve_store,
};
pub use self::transport::{HttpClients, Route, Transport};
pub use crate::endpoint::triage::public_parts;

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
mod read_limited;
mod refusal;
mod run;
mod serve_store;
#[cfg(feature = "rustls")]
pub mod tls;
mod transport;

pub use self::builder::ClientBuilder;
pub use self::config_error::ConfigError;
pub use self::connect::{Connect, HttpSettings};
pub use self::environment::{Environment, InvalidEnvironment};
pub use self::error::{ClientError, TransportDetail};
pub use self::read_limited::read_limited;
pub use self::refusal::describe_refusal;
pub use self::run::{Driver, Exchange, FailedExchange, Run, receive_head};
pub use self::serve_store::serve_store;
pub use self::transport::{HttpClients, NOT_HTTP, Route, Transport};

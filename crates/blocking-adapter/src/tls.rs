//! The TLS library that was chosen, behind one face: rustls where both are there.

#[cfg(not(any(feature = "rustls", feature = "native-tls")))]
#[path = "tls/none.rs"]
mod backend;
#[cfg(all(feature = "native-tls", not(feature = "rustls")))]
#[path = "tls/native.rs"]
mod backend;
#[cfg(feature = "rustls")]
#[path = "tls/rustls.rs"]
mod backend;

pub(crate) use self::backend::{Root, parse_pem, trusting};

/// An agent in the making.
type Agent = ureq::config::ConfigBuilder<ureq::typestate::AgentScope>;

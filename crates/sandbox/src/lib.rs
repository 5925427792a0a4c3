#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod answer;
mod application;
mod builder;
mod clock;
mod connections;
mod fault;
mod fault_rule;
pub mod fixtures;
mod host;
mod http;
mod listen;
mod page;
mod person;
mod quota;
mod random;
mod record;
mod request_log;
mod respond;
mod route;
mod sandbox;
mod serve;
mod server;
mod session;
mod sessions;
mod special_id;
mod start;
mod state;
mod state_file;
mod token;
mod tokens;
mod transport;
mod verification;
mod webhook;

pub use application::Application;
pub use builder::SandboxBuilder;
pub use fault::Fault;
pub use fault_rule::{FaultRule, FaultRuleError};
pub use quota::Quota;
pub use record::RecordedRequest;
pub use route::{Route, UnknownRoute};
pub use sandbox::Sandbox;
pub use verification::{Verification, VerificationLimits};
pub use webhook::{UnknownWebhookFault, WebhookDelivery, WebhookFault};

//! Webhooks: what is sent where, how it is signed, and when it is sent again.

mod canonical_json;
mod delivery;
mod destination;
mod http_post;
mod outbox;
mod payload;
mod sender;
mod signature;

pub use delivery::{UnknownWebhookFault, WebhookDelivery, WebhookFault};
pub(crate) use destination::Destination;
pub(crate) use outbox::Outbox;
pub(crate) use sender::Sender;

//! Webhooks: bodies, signatures, delivery and retries.

mod canonical_json;
mod delivery;
mod destination;
mod http_post;
mod outbox;
mod sender;
mod signature;

pub use delivery::{UnknownWebhookFault, WebhookDelivery, WebhookFault};
pub(crate) use destination::Destination;
pub(crate) use outbox::Outbox;
pub(crate) use sender::Sender;

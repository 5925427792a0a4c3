//! The verification API, `https://verification.didit.me`: identity and business verification
//! sessions. The service's own pages are <https://docs.didit.me>.

mod status;

pub use self::status::{Status, UnknownStatus};

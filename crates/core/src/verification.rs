//! The verification API, `https://verification.didit.me`: identity (KYC) and business (KYB)
//! verification sessions. The service's own pages are <https://docs.didit.me>.

mod decision;
mod status;

pub use self::decision::*;
pub use self::status::{Status, UnknownStatus};

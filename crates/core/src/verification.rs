//! The verification API, `https://verification.didit.me`: identity (KYC) and business (KYB)
//! verification sessions. Source: <https://docs.didit.me>.

mod create_session;
mod decision;
mod delete_session;
mod generate_pdf;
mod limits;
mod list_sessions;
mod listed_sessions;
mod members;
mod query;
mod raw;
mod retrieve_decision;
mod session;
mod session_details;
mod session_id;
mod session_page;
mod status;
mod update_status;

pub use self::create_session::CreateSession;
pub use self::decision::*;
pub use self::delete_session::{DeleteSession, Deletion};
pub use self::generate_pdf::{GeneratePdf, Pdf};
pub use self::limits::Limits;
pub use self::list_sessions::{InvalidDate, ListSessions};
pub use self::listed_sessions::ListedSessions;
pub use self::raw::{Raw, RawResponse};
pub use self::retrieve_decision::RetrieveDecision;
pub use self::session::Session;
pub use self::session_details::{ContactDetails, ExpectedDetails};
pub use self::session_id::{InvalidUuid, SessionId};
pub use self::session_page::{FeatureStatus, SessionPage, SessionSummary};
pub use self::status::Status;
pub use self::update_status::UpdateStatus;
pub use crate::unknown_status::UnknownStatus;

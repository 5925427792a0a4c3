//! The data-transfer API: a person approves a session on their phone, and the application retrieves
//! the data they shared.
//!
//! | endpoint | request |
//! |---|---|
//! | [`CreateSession`] | `POST /auth/v2/session/` |
//! | [`ReadStatus`] | `GET /auth/v2/session/{session_id}/status/` |
//! | [`RetrieveDecision`] | `GET /auth/v2/session/{session_id}/decision/` |

mod create_session;
mod decision;
mod read_status;
mod retrieve_decision;
mod scope;
mod status;

pub use self::create_session::{CreateSession, Session};
pub use self::decision::{Decision, Email, Names, Phone, UserData};
pub use self::read_status::{ReadStatus, SessionStatus};
pub use self::retrieve_decision::RetrieveDecision;
pub use self::scope::{InvalidScope, Scope, Scopes};
pub use self::status::Status;
pub use crate::session_id::SessionId;
pub use crate::unknown_status::UnknownStatus;

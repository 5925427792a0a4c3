//! What the service may send, and what must hold for it: for property tests and for fuzzing.

#![allow(clippy::expect_used, clippy::panic, reason = "a law that is broken is a panic")]

mod answers;
mod cases;
mod generate;
pub mod laws;

pub use self::answers::{
    UNDOCUMENTED, created_session, decision, scope, status_report, text, token, user_data, value,
};
pub use self::cases::cases;
pub use self::generate::generate;

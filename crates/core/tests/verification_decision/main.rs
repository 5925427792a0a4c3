//! Decisions of the verification API: the published ones, and each known notation of the members in
//! the documentation and the service.
#![allow(clippy::unwrap_used, clippy::panic)]

mod published;
mod refusals;
mod reports;

use didit_core::JsonError;
use didit_core::verification::Decision;

const FULL: &str = include_str!("../fixtures/verification/v3_decision_user_full.json");
const NOT_STARTED: &str =
    include_str!("../fixtures/verification/v3_decision_not_started_nulls.json");
const SHARED_USER: &str = include_str!("../fixtures/verification/v3_import_shared_user.json");
const SHARED_BUSINESS: &str =
    include_str!("../fixtures/verification/v3_import_shared_business.json");
const V1: &str = include_str!("../fixtures/verification/v1_decision_declined.json");

fn read(text: &str) -> Result<Decision, JsonError> {
    Decision::from_json(text.as_bytes())
}

/// Returns a decision with the given members in addition to its status.
fn with(members: &str) -> Decision {
    read(&format!(r#"{{"status":"Approved",{members}}}"#)).unwrap()
}

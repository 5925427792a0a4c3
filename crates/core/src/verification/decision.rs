//! A session's decision: typed where the documentation gives a type, and the original JSON in
//! addition.

mod aml_screening;
mod database_validation;
mod date;
mod document_ai;
mod document_verification;
mod email_verification;
mod face_match;
mod id_verification;
mod ip_analysis;
mod key_people_check;
mod liveness_check;
mod nfc_verification;
mod number;
mod parts;
mod person;
mod phone_verification;
mod poa_verification;
mod questionnaire;
mod registry_check;
mod reports;
mod shape;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::aml_screening::{AmlHit, AmlScreening};
pub use self::database_validation::{DatabaseValidation, Validation};
pub use self::date::{Date, Timestamp};
pub use self::document_ai::{DocumentAi, UploadedDocument};
pub use self::document_verification::DocumentVerification;
pub use self::email_verification::{Breach, EmailVerification};
pub use self::face_match::FaceMatch;
pub use self::id_verification::{
    Comparison, DocumentLiveness, FraudScore, IdLookup, IdVerification, ImageQuality,
    WalletVerification,
};
pub use self::ip_analysis::{Distance, IpAnalysis, Location, Place};
pub use self::key_people_check::{KeyPeopleCheck, RegistryPeople, SubmittedPeople};
pub use self::liveness_check::LivenessCheck;
pub use self::nfc_verification::{CertificateSummary, ChipAuthenticity, ChipData, NfcVerification};
pub use self::number::Number;
pub use self::parts::{Feature, LifecycleEvent, Match, Review, Warning};
pub use self::person::Person;
pub use self::phone_verification::{Carrier, PhoneVerification};
pub use self::poa_verification::PoaVerification;
pub use self::questionnaire::{Answer, Choice, Question, QuestionnaireResponse, Section};
pub use self::registry_check::{Company, RegistryCheck};
pub use self::reports::Reports;
pub(super) use self::shape::{check_objects, objects};
use super::Status;
use crate::json::{self, JsonError, RawJson};
use crate::secret::redacted;

/// The decision of a verification session (KYC or KYB): its status and the reports of its steps.
///
/// Everything the service sent is kept ([`json`](Decision::json)); the methods and
/// [`reports`](Decision::reports) give typed access on top. Only the status is required. Members
/// that are absent or `null` are `None` or an empty list. With `serde_json`, a decision serializes as
/// the text that the service sent. In another format, or inside a type with `#[serde(flatten)]`,
/// `#[serde(tag = …)]` or `#[serde(untagged)]`, it cannot be deserialized, even if it was written:
/// store a `String` with the text of [`json`](Decision::json), and read it with
/// [`from_json`](Decision::from_json).
///
/// Two decisions are equal if their texts are: one that was stored as `jsonb` or as a
/// `serde_json::Value` differs from the original.
///
/// Source: [retrieve session](https://docs.didit.me/sessions-api/retrieve-session).
///
/// ```
/// use didit_core::verification::{Decision, Status};
///
/// let decision = Decision::from_json(br#"{
///     "session_id": "11111111-2222-3333-4444-555555555555", "status": "Approved",
///     "liveness_checks": [{"status": "Approved", "score": 89.92}], "face_matches": null
/// }"#)?;
/// assert_eq!(*decision.status(), Status::Approved);
/// let liveness = &decision.reports().liveness_checks[0];
/// assert_eq!(liveness.score.as_ref().map(|score| score.as_str()), Some("89.92"));
/// # Ok::<(), didit_core::JsonError>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Decision {
    members: Members,
    reports: Reports,
    json: RawJson,
}

#[derive(Clone, PartialEq, Deserialize)]
struct Members {
    session_id: Option<String>,
    session_kind: Option<String>,
    session_number: Option<Number>,
    session_url: Option<String>,
    status: Status,
    environment: Option<String>,
    workflow_id: Option<String>,
    #[serde(default, deserialize_with = "shape::list")]
    features: Vec<Feature>,
    vendor_data: Option<String>,
    metadata: Option<RawJson>,
    expected_details: Option<RawJson>,
    contact_details: Option<RawJson>,
    callback: Option<String>,
    nfc_skip_reason: Option<String>,
    resubmit_info: Option<RawJson>,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
}

impl Decision {
    /// Reads the body of a decision's response, or the `decision` of a webhook.
    ///
    /// # Errors
    /// The text is not JSON, a documented member has another type than documented, or this is a
    /// decision of the API's first or second version. The error names the line, the column and the
    /// path of the member.
    pub fn from_json(body: &[u8]) -> Result<Self, JsonError> {
        let text = json::text(body)?;
        check_objects(text)?;
        let (members, reports) = (json::read_object(text), json::read_object(text));
        let json = RawJson::new_unchecked(text.trim_ascii());
        if let Some(error) = older_version(&json) {
            return Err(error);
        }
        Ok(Self { members: members?, reports: reports?, json })
    }

    /// Returns the identifier of the session.
    pub fn session_id(&self) -> Option<&str> {
        self.members.session_id.as_deref()
    }

    /// Returns `user` (KYC) or `business` (KYB); `None` if events were requested.
    pub fn session_kind(&self) -> Option<&str> {
        self.members.session_kind.as_deref()
    }

    /// Returns the session number.
    pub fn session_number(&self) -> Option<&Number> {
        self.members.session_number.as_ref()
    }

    /// Returns the URL at which the user completes the steps. Anyone who knows it can act in the
    /// session.
    pub fn session_url(&self) -> Option<&str> {
        self.members.session_url.as_deref()
    }

    /// Returns the status of the session.
    pub fn status(&self) -> &Status {
        &self.members.status
    }

    /// Returns `live` or `sandbox`.
    pub fn environment(&self) -> Option<&str> {
        self.members.environment.as_deref()
    }

    /// Returns the identifier of the session's workflow.
    pub fn workflow_id(&self) -> Option<&str> {
        self.members.workflow_id.as_deref()
    }

    /// Returns the steps of the workflow.
    pub fn features(&self) -> &[Feature] {
        &self.members.features
    }

    /// Returns the `vendor_data` given when the session was created.
    pub fn vendor_data(&self) -> Option<&str> {
        self.members.vendor_data.as_deref()
    }

    /// Returns the JSON value given as `metadata` when the session was created.
    pub fn metadata(&self) -> Option<&RawJson> {
        self.members.metadata.as_ref()
    }

    /// Returns the `expected_details` given when the session was created.
    pub fn expected_details(&self) -> Option<&RawJson> {
        self.members.expected_details.as_ref()
    }

    /// Returns the `contact_details` given when the session was created.
    pub fn contact_details(&self) -> Option<&RawJson> {
        self.members.contact_details.as_ref()
    }

    /// Returns the URL to which the user is redirected afterwards.
    pub fn callback(&self) -> Option<&str> {
        self.members.callback.as_deref()
    }

    /// Returns the code of the reason why the document's chip was not read.
    pub fn nfc_skip_reason(&self) -> Option<&str> {
        self.members.nfc_skip_reason.as_deref()
    }

    /// Returns the steps that the user has to repeat; present only with the status `Resubmitted`.
    pub fn resubmit_info(&self) -> Option<&RawJson> {
        self.members.resubmit_info.as_ref()
    }

    /// Returns the time of the session's creation.
    pub fn created_at(&self) -> Option<&Timestamp> {
        self.members.created_at.as_ref()
    }

    /// Returns the time of the session's expiry.
    pub fn expires_at(&self) -> Option<&Timestamp> {
        self.members.expires_at.as_ref()
    }

    /// Returns the reports of the steps.
    pub fn reports(&self) -> &Reports {
        &self.reports
    }

    /// Returns the whole decision as the service sent it, including unknown members and all digits.
    pub fn json(&self) -> &RawJson {
        &self.json
    }
}

/// Returns an error if the decision has the format of an older API version, whose reports have
/// other names.
fn older_version(json: &RawJson) -> Option<JsonError> {
    const V1: [&str; 3] = ["kyc", "face", "location"];
    const V2: [&str; 9] = [
        "id_verification",
        "nfc",
        "liveness",
        "face_match",
        "phone",
        "email",
        "poa",
        "ip_analysis",
        "aml",
    ];
    const V3: [&str; 2] = ["id_verifications", "registry_checks"];

    let (mut is_v3, mut v1, mut v2) = (false, None, None);
    json.each_member(|name, value| {
        let name = &*name;
        let report = |names: &[&'static str]| {
            names.iter().copied().find(|known| *known == name && value.starts_with('{'))
        };
        is_v3 |= V3.contains(&name);
        v1 = v1.or_else(|| report(&V1));
        v2 = v2.or_else(|| report(&V2));
    });
    // Both versions have `aml`, so the names of the first version are checked first.
    let (version, name) = v1.map(|name| (1, name)).or(v2.map(|name| (2, name)))?;
    if is_v3 {
        return None;
    }
    Some(JsonError::at(
        name,
        &format!("this is a v{version} decision; call /v3/, or set the webhook's version to v3"),
    ))
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Decision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json: RawJson = Deserialize::deserialize(deserializer)?;
        Self::from_json(json.as_str().as_bytes()).map_err(serde::de::Error::custom)
    }
}

/// Redacts the data of the person, the business and the caller.
impl fmt::Debug for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decision")
            .field("session_id", &self.session_id())
            .field("session_kind", &self.session_kind())
            .field("session_number", &self.session_number())
            .field("status", &self.status())
            .field("workflow_id", &self.workflow_id())
            .field("vendor_data", &redacted(self.vendor_data()))
            .field("created_at", &self.created_at())
            .finish_non_exhaustive()
    }
}

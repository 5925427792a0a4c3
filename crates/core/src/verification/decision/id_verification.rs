//! Identity documents, registry lookups, and wallets.

use super::date::{Date, Timestamp};
use super::number::Number;
use super::parts::{Match, Warning};
use super::shape::{debug_only, list, objects};
use crate::json::{RawJson, optional_object};
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about the person's identity, which was read from a document, looked up in a registry,
/// or shared by a wallet.
///
/// For a lookup or a wallet, the members about a document are `None`. URLs of images and videos
/// expire within an hour.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct IdVerification {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// `document`, `id_lookup` or `wallet`.
    pub verification_method: Option<String>,
    /// `documentary`, `data_match` or `cryptographic`.
    pub assurance: Option<String>,
    /// The kind of document in words, such as `Identity Card`.
    pub document_type: Option<String>,
    /// The code of the kind of document.
    pub document_subtype: Option<String>,
    /// The document number.
    pub document_number: Option<String>,
    /// The personal number.
    pub personal_number: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The full name.
    pub full_name: Option<String>,
    /// The date of birth.
    pub date_of_birth: Option<Date>,
    /// The age in years.
    pub age: Option<Number>,
    /// `M`, `F` or `U`.
    pub gender: Option<String>,
    /// The nationality, as an ISO 3166-1 alpha-3 code.
    pub nationality: Option<String>,
    /// The state that issued the document, as an ISO 3166-1 alpha-3 code.
    pub issuing_state: Option<String>,
    /// The name of the state.
    pub issuing_state_name: Option<String>,
    /// The date of expiry.
    pub expiration_date: Option<Date>,
    /// The date of issue.
    pub date_of_issue: Option<Date>,
    /// The address as written in the document.
    pub address: Option<String>,
    /// The address as one line.
    pub formatted_address: Option<String>,
    /// The components of the address.
    pub parsed_address: Option<RawJson>,
    /// The place of birth.
    pub place_of_birth: Option<String>,
    /// The marital status.
    pub marital_status: Option<String>,
    /// The URL of the portrait.
    pub portrait_image: Option<String>,
    /// The URL of the image of the front.
    pub front_image: Option<String>,
    /// The URL of the video of the front.
    pub front_video: Option<String>,
    /// The URL of the image of the back.
    pub back_image: Option<String>,
    /// The URL of the video of the back.
    pub back_video: Option<String>,
    /// The URL of the image of the front with its surroundings.
    pub full_front_image: Option<String>,
    /// The URL of the image of the back with its surroundings.
    pub full_back_image: Option<String>,
    /// The URL of the image of the front, taken with the front camera.
    pub front_image_camera_front: Option<String>,
    /// The URL of the image of the back, taken with the front camera.
    pub back_image_camera_front: Option<String>,
    /// The similarity of the portrait and the face in `front_image_camera_front`, from 0 to 100.
    pub front_image_camera_front_face_match_score: Option<Number>,
    /// The similarity of the portrait and the face in `back_image_camera_front`, from 0 to 100.
    pub back_image_camera_front_face_match_score: Option<Number>,
    /// The quality of the image of the front.
    #[serde(deserialize_with = "optional_object")]
    pub front_image_quality_score: Option<ImageQuality>,
    /// The quality of the image of the back.
    #[serde(deserialize_with = "optional_object")]
    pub back_image_quality_score: Option<ImageQuality>,
    /// The genuineness of the document.
    #[serde(deserialize_with = "optional_object")]
    pub document_liveness: Option<DocumentLiveness>,
    /// The machine-readable zone, whose dates have six digits.
    pub mrz: Option<RawJson>,
    /// Further data of the document; the members depend on the kind of document.
    pub extra_fields: Option<RawJson>,
    /// The URLs of further files.
    #[serde(deserialize_with = "list")]
    pub extra_files: Vec<String>,
    /// The response of the registry.
    #[serde(deserialize_with = "optional_object")]
    pub id_lookup: Option<IdLookup>,
    /// The code of the wallet.
    pub wallet_provider: Option<String>,
    /// The credential that the wallet shared.
    #[serde(deserialize_with = "optional_object")]
    pub wallet_verification: Option<WalletVerification>,
    /// The method that failed before this one.
    pub fallback_from: Option<RawJson>,
    /// Sessions and list entries with the same document.
    #[serde(deserialize_with = "objects")]
    pub matches: Vec<Match>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(IdVerification: node_id, status, verification_method, warnings);

/// The quality of an image; scores are from 0 to 100.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ImageQuality {
    /// The sharpness.
    pub focus_score: Option<Number>,
    /// The brightness.
    pub brightness_score: Option<Number>,
    /// `ok`, `too_dark` or `too_bright`.
    pub brightness_issue: Option<String>,
    /// True if all corners of the document are visible.
    pub is_document_fully_visible: Option<bool>,
    /// The resolution.
    pub resolution_score: Option<Number>,
    /// The overall score.
    pub overall_score: Option<Number>,
}

debug_only!(ImageQuality: overall_score);

/// The genuineness of a document, by kind of fraud.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DocumentLiveness {
    /// The check for a replaced portrait.
    #[serde(deserialize_with = "optional_object")]
    pub portrait_replace: Option<FraudScore>,
    /// The check for a printed copy.
    #[serde(deserialize_with = "optional_object")]
    pub printed_copy: Option<FraudScore>,
    /// The check for a document shown on a screen.
    #[serde(deserialize_with = "optional_object")]
    pub screen_replay: Option<FraudScore>,
}

debug_only!(DocumentLiveness);

/// The likelihood that a document is genuine, from 0 to 100.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FraudScore {
    /// The overall score.
    pub score: Option<Number>,
    /// The score of the front.
    pub front: Option<Number>,
    /// The score of the back.
    pub back: Option<Number>,
    /// The score below which the document is declined.
    pub decline_threshold: Option<Number>,
    /// The score below which the document is reviewed.
    pub review_threshold: Option<Number>,
    /// `approve`, `review` or `decline`.
    pub bucket: Option<String>,
}

debug_only!(FraudScore: score, bucket);

/// The response of a registry.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct IdLookup {
    /// The name of the registry.
    pub source: Option<String>,
    /// The time of the response.
    pub checked_at: Option<Timestamp>,
    /// The number of the attempt, starting at 1.
    pub attempts: Option<Number>,
    /// The maximum number of attempts.
    pub max_attempts: Option<Number>,
    /// `match`, `partial_match`, `no_match` or `provider_error`.
    pub outcome: Option<String>,
    /// The compared values.
    #[serde(deserialize_with = "objects")]
    pub comparison: Vec<Comparison>,
    /// The URL of the registry's portrait.
    pub registry_portrait: Option<String>,
    /// The similarity of the face and that portrait, from 0 to 100.
    pub face_match_score: Option<Number>,
}

debug_only!(IdLookup: source, outcome);

/// A value from the person compared with the value in the registry.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Comparison {
    /// The code of the value, such as `full_name`.
    pub field: Option<String>,
    /// The name of the value.
    pub label: Option<String>,
    /// The value that the person gave.
    pub provided: Option<String>,
    /// The value in the registry.
    pub record: Option<String>,
    /// `match`, `partial`, `no_match` or `error`.
    pub result: Option<String>,
}

debug_only!(Comparison: field, result);

/// The credential that a wallet shared.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct WalletVerification {
    /// The code of the wallet.
    pub provider: Option<String>,
    /// The name of the wallet.
    pub provider_name: Option<String>,
    /// The authority that issued the credential.
    pub issuing_authority: Option<String>,
    /// The country of the authority, as an ISO 3166-1 alpha-3 code.
    pub issuing_country: Option<String>,
    /// The kind of credential.
    pub credential_type: Option<String>,
    /// `low`, `substantial` or `high`.
    pub level_of_assurance: Option<String>,
    /// The time of authentication.
    pub verified_at: Option<Timestamp>,
    /// True if the signature of the credential is valid.
    pub signature_valid: Option<bool>,
    /// The attributes, with the names that the wallet uses.
    pub attributes: Option<RawJson>,
    /// The URL of the portrait.
    pub portrait: Option<String>,
    /// The similarity of the face and that portrait, from 0 to 100.
    pub face_match_score: Option<Number>,
}

debug_only!(WalletVerification: provider, signature_valid);

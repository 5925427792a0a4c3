//! All reports of a decision, by kind.

use super::aml_screening::AmlScreening;
use super::database_validation::DatabaseValidation;
use super::document_ai::DocumentAi;
use super::document_verification::DocumentVerification;
use super::email_verification::EmailVerification;
use super::face_match::FaceMatch;
use super::id_verification::IdVerification;
use super::ip_analysis::IpAnalysis;
use super::key_people_check::KeyPeopleCheck;
use super::liveness_check::LivenessCheck;
use super::nfc_verification::NfcVerification;
use super::parts::Review;
use super::phone_verification::PhoneVerification;
use super::poa_verification::PoaVerification;
use super::questionnaire::QuestionnaireResponse;
use super::registry_check::RegistryCheck;
use super::shape::{objects, objects_by_node};
use serde::{Deserialize, Serialize};

/// The reports of a decision. A list is empty until its step has run, and if the workflow has no
/// such step.
///
/// A step may run more than once. A workflow may withhold any member of a report other than its
/// status and its warnings; such a member is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Reports {
    /// Identity documents, registry lookups and wallets.
    #[serde(deserialize_with = "objects")]
    pub id_verifications: Vec<IdVerification>,
    /// The chips of documents.
    #[serde(deserialize_with = "objects")]
    pub nfc_verifications: Vec<NfcVerification>,
    /// Liveness checks.
    #[serde(deserialize_with = "objects")]
    pub liveness_checks: Vec<LivenessCheck>,
    /// Face comparisons.
    #[serde(deserialize_with = "objects")]
    pub face_matches: Vec<FaceMatch>,
    /// Proofs of address.
    #[serde(deserialize_with = "objects")]
    pub poa_verifications: Vec<PoaVerification>,
    /// Documents that were read by an AI model.
    #[serde(deserialize_with = "objects")]
    pub document_ai_documents: Vec<DocumentAi>,
    /// Phone numbers.
    #[serde(deserialize_with = "objects")]
    pub phone_verifications: Vec<PhoneVerification>,
    /// Email addresses.
    #[serde(deserialize_with = "objects")]
    pub email_verifications: Vec<EmailVerification>,
    /// Anti-money-laundering screenings.
    #[serde(deserialize_with = "objects")]
    pub aml_screenings: Vec<AmlScreening>,
    /// Devices and IP addresses.
    #[serde(deserialize_with = "objects")]
    pub ip_analyses: Vec<IpAnalysis>,
    /// Comparisons with databases.
    #[serde(deserialize_with = "objects")]
    pub database_validations: Vec<DatabaseValidation>,
    /// Answers to questionnaires. Some pages of the documentation describe an object by node
    /// instead of a list; both are accepted.
    #[serde(deserialize_with = "objects_by_node")]
    pub questionnaire_responses: Vec<QuestionnaireResponse>,
    /// Registry checks of the business.
    #[serde(deserialize_with = "objects")]
    pub registry_checks: Vec<RegistryCheck>,
    /// The documents of the business.
    #[serde(deserialize_with = "objects")]
    pub document_verifications: Vec<DocumentVerification>,
    /// The officers and owners of the business.
    #[serde(deserialize_with = "objects")]
    pub key_people_checks: Vec<KeyPeopleCheck>,
    /// Statuses that were set by people and by the API.
    #[serde(deserialize_with = "objects")]
    pub reviews: Vec<Review>,
}

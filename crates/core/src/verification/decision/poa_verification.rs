//! Proofs of address.

use super::date::Date;
use super::number::Number;
use super::parts::Warning;
use super::shape::{debug_only, list, objects};
use crate::json::RawJson;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about a proof of address.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PoaVerification {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The kind of document, such as `UTILITY_BILL`.
    pub document_type: Option<String>,
    /// The kind of document in more detail.
    pub document_subtype: Option<String>,
    /// The language of the document.
    pub document_language: Option<String>,
    /// The URL of the document.
    pub document_file: Option<String>,
    /// The metadata of the file.
    pub document_metadata: Option<RawJson>,
    /// The country, as an ISO 3166-1 alpha-2 code.
    pub issuing_state: Option<String>,
    /// The issuer.
    pub issuer: Option<String>,
    /// The issue date.
    pub issue_date: Option<Date>,
    /// The expiry date.
    pub expiration_date: Option<Date>,
    /// The address as written in the document.
    pub poa_address: Option<String>,
    /// The address as one line.
    pub poa_formatted_address: Option<String>,
    /// The components of the address.
    pub poa_parsed_address: Option<RawJson>,
    /// The name in the document.
    pub name_on_document: Option<String>,
    /// The similarity of that name to the expected name, from 0 to 100.
    pub name_match_score_expected_details: Option<Number>,
    /// The similarity of that name to the name in the identity document, from 0 to 100.
    pub name_match_score_id_verification: Option<Number>,
    /// The expected address.
    pub expected_details_address: Option<String>,
    /// The expected address as one line.
    pub expected_details_formatted_address: Option<String>,
    /// The components of the expected address.
    pub expected_details_parsed_address: Option<RawJson>,
    /// Further data of the document, such as bank accounts.
    pub extra_fields: Option<RawJson>,
    /// The URLs of further files.
    #[serde(deserialize_with = "list")]
    pub extra_files: Vec<String>,
    /// The barcodes in the document.
    #[serde(deserialize_with = "list")]
    pub detected_codes: Vec<RawJson>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(PoaVerification: node_id, status, document_type, warnings);

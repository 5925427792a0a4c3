//! Documents that were read by an AI model.

use super::date::Timestamp;
use super::number::Number;
use super::parts::Warning;
use super::shape::{debug_only, list, objects};
use crate::json::RawJson;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about documents that were read by an AI model.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DocumentAi {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The documents.
    #[serde(deserialize_with = "objects")]
    pub items: Vec<UploadedDocument>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(DocumentAi: node_id, status, warnings);

/// An uploaded document.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct UploadedDocument {
    /// The identifier of the document.
    pub uuid: Option<String>,
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the document.
    pub status: Option<Status>,
    /// The code of the kind of document.
    pub document_key: Option<String>,
    /// The kind of business document.
    pub document_type: Option<String>,
    /// The kind of document in more detail.
    pub document_subtype: Option<String>,
    /// The group of the kind of document.
    pub document_group: Option<String>,
    /// The name of the file.
    pub original_filename: Option<String>,
    /// The size of the file in bytes.
    pub file_size: Option<Number>,
    /// The URL of the file.
    pub file_url: Option<String>,
    /// The upload time.
    pub created_at: Option<Timestamp>,
    /// The extracted data, by the code of the field.
    pub extracted_data: Option<RawJson>,
    /// The fields that were to be extracted.
    #[serde(deserialize_with = "list")]
    pub fields: Vec<RawJson>,
    /// The data that was read from a business document.
    pub ocr_data: Option<RawJson>,
    /// The comparison with other data.
    pub cross_check_result: Option<RawJson>,
    /// The metadata of the file.
    pub document_metadata: Option<RawJson>,
    /// The barcodes in the document.
    #[serde(deserialize_with = "list")]
    pub detected_codes: Vec<RawJson>,
    /// The reason for the request.
    pub description: Option<String>,
    /// True if the document was requested but not yet uploaded.
    pub is_requested: Option<bool>,
    /// True if the document was uploaded in the console.
    pub is_console_upload: Option<bool>,
    /// True if the document was confirmed in the console.
    pub is_confirmed: Option<bool>,
}

debug_only!(UploadedDocument: uuid, status, document_key, document_type);

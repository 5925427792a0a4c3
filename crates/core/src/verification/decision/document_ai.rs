//! Documents that were read by a model.

use std::fmt;

use super::date::Timestamp;
use super::number::Number;
use super::shape::{list, objects};
use super::warning::Warning;
use crate::json::RawJson;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about documents that were read by a model.
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

impl fmt::Debug for DocumentAi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentAi")
            .field("node_id", &self.node_id)
            .field("status", &self.status)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// A document that was uploaded.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct UploadedDocument {
    /// Its identifier.
    pub uuid: Option<String>,
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// Its status.
    pub status: Option<Status>,
    /// The code of the kind of document.
    pub document_key: Option<String>,
    /// The kind of document of a business.
    pub document_type: Option<String>,
    /// The kind in more detail.
    pub document_subtype: Option<String>,
    /// The group that the kind is of.
    pub document_group: Option<String>,
    /// The name of the file.
    pub original_filename: Option<String>,
    /// The group of that kind.
    pub file_size: Option<Number>,
    /// The URL of the file.
    pub file_url: Option<String>,
    /// The upload time.
    pub created_at: Option<Timestamp>,
    /// The data that was read, by the code of the field.
    pub extracted_data: Option<RawJson>,
    /// The fields that were to be read.
    #[serde(deserialize_with = "list")]
    pub fields: Vec<RawJson>,
    /// The data that was read from a document of a business.
    pub ocr_data: Option<RawJson>,
    /// The comparison with other data.
    pub cross_check_result: Option<RawJson>,
    /// The metadata of the file.
    pub document_metadata: Option<RawJson>,
    /// The barcodes in the document.
    #[serde(deserialize_with = "list")]
    pub detected_codes: Vec<RawJson>,
    /// The reason it is requested.
    pub description: Option<String>,
    /// True if it is requested and not yet uploaded.
    pub is_requested: Option<bool>,
    /// True if it was uploaded in the console.
    pub is_console_upload: Option<bool>,
    /// True if it was confirmed there.
    pub is_confirmed: Option<bool>,
}

impl fmt::Debug for UploadedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadedDocument")
            .field("uuid", &self.uuid)
            .field("status", &self.status)
            .field("document_key", &self.document_key)
            .field("document_type", &self.document_type)
            .finish_non_exhaustive()
    }
}

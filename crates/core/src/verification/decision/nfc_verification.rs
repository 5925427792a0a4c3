//! The chips of identity documents.

use super::date::{Date, Timestamp};
use super::parts::Warning;
use super::shape::{debug_only, objects, text_or_number};
use crate::json::optional_object;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about the chip of a document.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NfcVerification {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// True if the chip was not read.
    pub is_nfc_skipped: Option<bool>,
    /// The code of the reason why the chip was not read.
    pub skip_reason: Option<String>,
    /// The URL of the portrait.
    pub portrait_image: Option<String>,
    /// The URL of the signature.
    pub signature_image: Option<String>,
    /// The data on the chip.
    #[serde(deserialize_with = "optional_object")]
    pub chip_data: Option<ChipData>,
    /// The authenticity of the chip.
    #[serde(deserialize_with = "optional_object")]
    pub authenticity: Option<ChipAuthenticity>,
    /// The certificate that signed the chip.
    #[serde(deserialize_with = "optional_object")]
    pub certificate_summary: Option<CertificateSummary>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(NfcVerification: node_id, status, is_nfc_skipped, warnings);

/// The data on the chip of a document.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChipData {
    /// The kind of document.
    pub document_type: Option<String>,
    /// The state that issued the document, as an ISO 3166-1 alpha-3 code.
    pub issuing_country: Option<String>,
    /// The document number.
    pub document_number: Option<String>,
    /// The date of expiry.
    pub expiration_date: Option<Date>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The date of birth.
    pub birth_date: Option<Date>,
    /// `M`, `F` or `U`.
    pub gender: Option<String>,
    /// The nationality, as an ISO 3166-1 alpha-3 code.
    pub nationality: Option<String>,
    /// The address.
    pub address: Option<String>,
    /// The place of birth.
    pub place_of_birth: Option<String>,
}

debug_only!(ChipData);

/// The authenticity of a chip.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChipAuthenticity {
    /// True if the signature of the chip is valid.
    pub sod_integrity: Option<bool>,
    /// True if the data on the chip matches the signature.
    pub dg_integrity: Option<bool>,
}

/// The certificate that signed a chip.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CertificateSummary {
    /// The issuer.
    pub issuer: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The serial number, in decimal digits.
    #[serde(deserialize_with = "text_or_number")]
    pub serial_number: Option<String>,
    /// The start of the validity period, without a time zone.
    pub not_valid_before: Option<Timestamp>,
    /// The end of the validity period, without a time zone.
    pub not_valid_after: Option<Timestamp>,
}

debug_only!(CertificateSummary: issuer, serial_number);

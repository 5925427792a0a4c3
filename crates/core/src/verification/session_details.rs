use std::fmt;

use serde::Serialize;

/// The expected data of the user, for [`CreateSession`](super::CreateSession). Documents with
/// different data cause warnings.
///
/// Source: [create session](https://docs.didit.me/sessions-api/create-session).
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct ExpectedDetails {
    /// The first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// The date of birth, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date_of_birth: Option<String>,
    /// `M` or `F`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// The nationality, as an ISO 3166-1 alpha-3 code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nationality: Option<String>,
    /// The country of both documents, as an ISO 3166-1 alpha-3 code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The country of the identity document, as an ISO 3166-1 alpha-3 code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_country: Option<String>,
    /// The country of the proof of address, as an ISO 3166-1 alpha-3 code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poa_country: Option<String>,
    /// The address; needs `country` or `poa_country`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The document number, personal number or tax number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identification_number: Option<String>,
    /// The IP address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// The kinds of document: `P`, `ID`, `DL`, `RP`, `HIC`, `TC` or `SSC`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected_document_types: Vec<String>,
    /// The name of the business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub company_name: Option<String>,
    /// The country of the register, as an ISO 3166-1 alpha-2 or ISO 3166-2 code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry_country: Option<String>,
    /// The registration number of the business.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_number: Option<String>,
}

/// Redacts all members.
impl fmt::Debug for ExpectedDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExpectedDetails([redacted])")
    }
}

/// The user's contact details, for [`CreateSession`](super::CreateSession).
#[derive(Clone, Default, PartialEq, Serialize)]
pub struct ContactDetails {
    /// The email address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// True if the service should send emails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_notification_emails: Option<bool>,
    /// The language of the emails, as an ISO 639-1 code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_lang: Option<String>,
    /// The phone number in E.164 format, such as `+14155552671`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// Redacts all members.
impl fmt::Debug for ContactDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContactDetails([redacted])")
    }
}

//! Registry checks of businesses.

use super::date::{Date, Timestamp};
use super::parts::Warning;
use super::person::Person;
use super::shape::{debug_only, objects};
use crate::json::{RawJson, optional_object};
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about a business and its entry in a registry.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RegistryCheck {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// True if the registry has responded.
    pub data_resolved: Option<bool>,
    /// The business.
    #[serde(deserialize_with = "optional_object")]
    pub company: Option<Company>,
    /// The ownership structure according to the registry.
    pub ownership_structure: Option<RawJson>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(RegistryCheck: node_id, status, data_resolved, warnings);

/// A business.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Company {
    /// The identifier of the business.
    pub uuid: Option<String>,
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The status of the business in the registry.
    pub registry_status: Option<String>,
    /// The name of the business.
    pub company_name: Option<String>,
    /// Other names of the business.
    pub alternative_names: Option<String>,
    /// The registration number.
    pub registration_number: Option<String>,
    /// The country, as an ISO 3166-1 alpha-2 code.
    pub country_code: Option<String>,
    /// The subdivision of the country, as an ISO 3166-2 code.
    pub region: Option<String>,
    /// The legal form.
    pub company_type: Option<String>,
    /// The date of incorporation.
    pub incorporation_date: Option<Date>,
    /// The registered address.
    pub registered_address: Option<String>,
    /// The place of registration.
    pub location_of_registration: Option<String>,
    /// The tax number.
    pub tax_number: Option<String>,
    /// The legal entity identifier (LEI).
    pub legal_entity_identifier: Option<String>,
    /// The nature of the business.
    pub nature_of_business: Option<String>,
    /// The registered capital, in words.
    pub registered_capital: Option<String>,
    /// The registered capital, as a decimal number.
    pub registered_capital_amount: Option<String>,
    /// The currency of the registered capital, as an ISO 4217 code.
    pub registered_capital_currency: Option<String>,
    /// The website.
    pub website: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
    /// The EU VAT number.
    pub vat_number: Option<String>,
    /// `valid`, `invalid`, `could_not_validate` or `not_applicable`.
    pub vat_validation_status: Option<String>,
    /// The name under which the VAT number is registered.
    pub vat_validated_name: Option<String>,
    /// The address under which the VAT number is registered.
    pub vat_validated_address: Option<String>,
    /// The time of the VAT check.
    pub vat_checked_at: Option<Timestamp>,
    /// `LOW`, `MEDIUM` or `HIGH`.
    pub risk_level: Option<String>,
    /// The verification status.
    pub verification_status: Option<String>,
    /// The status of the registry query.
    pub fetch_status: Option<String>,
    /// True if the data is from the registry.
    pub is_from_registry: Option<bool>,
    /// The officers.
    #[serde(deserialize_with = "objects")]
    pub officers: Vec<Person>,
    /// The beneficial owners.
    #[serde(deserialize_with = "objects")]
    pub beneficial_owners: Vec<Person>,
    /// The addresses.
    pub addresses: Option<RawJson>,
    /// The industries.
    pub industries: Option<RawJson>,
    /// The filing dates of the accounts.
    pub accounts: Option<RawJson>,
    /// A summary of the finances.
    pub financial_summary: Option<RawJson>,
    /// The response of the registry.
    pub registry_data: Option<RawJson>,
    /// The data that the user entered or confirmed.
    pub user_provided_data: Option<RawJson>,
    /// The time at which the user confirmed the data.
    pub confirmed_by_user_at: Option<Timestamp>,
    /// The time of the last change in the console.
    pub last_console_edit_at: Option<Timestamp>,
    /// True if the data can be changed.
    pub is_editable: Option<bool>,
}

debug_only!(Company: uuid, status, registry_status, country_code);

//! Businesses in their register.

use std::fmt;

use super::date::{Date, Timestamp};
use super::person::Person;
use super::shape::objects;
use super::warning::Warning;
use crate::json::{RawJson, optional_object};
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about a business in its register.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RegistryCheck {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// True if the register has answered.
    pub data_resolved: Option<bool>,
    /// The business.
    #[serde(deserialize_with = "optional_object")]
    pub company: Option<Company>,
    /// The ownership, as the register has it.
    pub ownership_structure: Option<RawJson>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

impl fmt::Debug for RegistryCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistryCheck")
            .field("node_id", &self.node_id)
            .field("status", &self.status)
            .field("data_resolved", &self.data_resolved)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// A business.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Company {
    /// Its identifier.
    pub uuid: Option<String>,
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The status in the register.
    pub registry_status: Option<String>,
    /// Its name.
    pub company_name: Option<String>,
    /// Its other names.
    pub alternative_names: Option<String>,
    /// Its number in the register.
    pub registration_number: Option<String>,
    /// Its country, as an ISO 3166-1 alpha-2 code.
    pub country_code: Option<String>,
    /// The part of the country, as an ISO 3166-2 code.
    pub region: Option<String>,
    /// Its legal form.
    pub company_type: Option<String>,
    /// Its founding date.
    pub incorporation_date: Option<Date>,
    /// Its address.
    pub registered_address: Option<String>,
    /// Its place of registration.
    pub location_of_registration: Option<String>,
    /// Its tax number.
    pub tax_number: Option<String>,
    /// Its legal entity identifier.
    pub legal_entity_identifier: Option<String>,
    /// Its line of business.
    pub nature_of_business: Option<String>,
    /// Its capital, in words.
    pub registered_capital: Option<String>,
    /// Its capital, a decimal number.
    pub registered_capital_amount: Option<String>,
    /// The currency of its capital, as an ISO 4217 code.
    pub registered_capital_currency: Option<String>,
    /// Its website.
    pub website: Option<String>,
    /// Its email address.
    pub email: Option<String>,
    /// Its phone number.
    pub phone: Option<String>,
    /// Its EU VAT number.
    pub vat_number: Option<String>,
    /// `valid`, `invalid`, `could_not_validate` or `not_applicable`.
    pub vat_validation_status: Option<String>,
    /// The name that the VAT number is registered for.
    pub vat_validated_name: Option<String>,
    /// The address that the VAT number is registered for.
    pub vat_validated_address: Option<String>,
    /// The time of the VAT check.
    pub vat_checked_at: Option<Timestamp>,
    /// `LOW`, `MEDIUM` or `HIGH`.
    pub risk_level: Option<String>,
    /// Its verification status.
    pub verification_status: Option<String>,
    /// The status of the register query.
    pub fetch_status: Option<String>,
    /// True if it is in the register.
    pub is_from_registry: Option<bool>,
    /// Its officers.
    #[serde(deserialize_with = "objects")]
    pub officers: Vec<Person>,
    /// Its beneficial owners.
    #[serde(deserialize_with = "objects")]
    pub beneficial_owners: Vec<Person>,
    /// Its addresses.
    pub addresses: Option<RawJson>,
    /// Its industries.
    pub industries: Option<RawJson>,
    /// The dates of its accounts.
    pub accounts: Option<RawJson>,
    /// Its finances.
    pub financial_summary: Option<RawJson>,
    /// The response of the register.
    pub registry_data: Option<RawJson>,
    /// The data that the user entered or confirmed.
    pub user_provided_data: Option<RawJson>,
    /// The time the user confirmed it.
    pub confirmed_by_user_at: Option<Timestamp>,
    /// The last change in the console.
    pub last_console_edit_at: Option<Timestamp>,
    /// True if it can be changed.
    pub is_editable: Option<bool>,
}

impl fmt::Debug for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Company")
            .field("uuid", &self.uuid)
            .field("status", &self.status)
            .field("registry_status", &self.registry_status)
            .field("country_code", &self.country_code)
            .finish_non_exhaustive()
    }
}

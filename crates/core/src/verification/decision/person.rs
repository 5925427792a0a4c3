//! The officers and owners of businesses.

use super::date::{Date, Timestamp};
use super::number::Number;
use super::shape::{debug_only, list};
use crate::json::RawJson;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// An officer or owner of a business, who may be a person or another business.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Person {
    /// The identifier.
    pub uuid: Option<String>,
    /// `person` or `company`.
    pub entity_type: Option<String>,
    /// The full name.
    pub name: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The name of the owning business.
    pub company_name: Option<String>,
    /// The registration number of the owning business.
    pub registration_number: Option<String>,
    /// The position in words.
    pub designation: Option<String>,
    /// The code of an officer's position.
    pub role: Option<String>,
    /// The positions: strings, or objects with the shares of ownership and votes.
    #[serde(deserialize_with = "list")]
    pub roles: Vec<RawJson>,
    /// The position as entered.
    pub position: Option<String>,
    /// The nationality, or the country of a business.
    pub nationality: Option<String>,
    /// The country of birth.
    pub country_of_birth: Option<String>,
    /// The date of birth, if it is fully known.
    pub date_of_birth: Option<Date>,
    /// The year of birth.
    pub date_of_birth_year: Option<Number>,
    /// The month of birth.
    pub date_of_birth_month: Option<Number>,
    /// The date of appointment.
    pub appointment_date: Option<Date>,
    /// The date on which the appointment ended.
    pub termination_date: Option<Date>,
    /// The address.
    pub address: Option<String>,
    /// The email address.
    pub email: Option<String>,
    /// The phone number.
    pub phone_number: Option<String>,
    /// True if the person holds the position now.
    pub is_active: Option<bool>,
    /// True if the user skipped verifying the person.
    pub is_skipped: Option<bool>,
    /// True if the person has to be verified.
    pub requires_verification: Option<bool>,
    /// The minimum share of ownership, in words.
    pub ownership_min_shares: Option<String>,
    /// The maximum share of ownership, in words.
    pub ownership_max_shares: Option<String>,
    /// The minimum share of votes, in words.
    pub voting_min_shares: Option<String>,
    /// The maximum share of votes, in words.
    pub voting_max_shares: Option<String>,
    /// The share of ownership in percent.
    pub effective_ownership_percent: Option<Number>,
    /// The status of the anti-money-laundering screening.
    pub aml_status: Option<Status>,
    /// The status of the person's verification.
    pub kyc_status: Option<Status>,
    /// The identifier of the person's KYC session.
    pub kyc_session_id: Option<String>,
    /// The status of the person's KYC session.
    pub kyc_session_status: Option<Status>,
    /// The URL of the person's KYC session.
    pub kyc_session_url: Option<String>,
    /// The time at which the person's KYC session was approved.
    pub kyc_verified_at: Option<Timestamp>,
    /// The identifier of an owning business's KYB session.
    pub kyb_sub_session_id: Option<String>,
    /// The status of an owning business's KYB session.
    pub kyb_sub_session_status: Option<Status>,
    /// The URL of an owning business's KYB session.
    pub kyb_sub_session_url: Option<String>,
    /// Further fields that the workflow asks for.
    pub custom_fields: Option<RawJson>,
    /// The owners of an owning business.
    #[serde(deserialize_with = "list")]
    pub child_beneficial_owners: Vec<RawJson>,
}

debug_only!(Person: uuid, entity_type, kyc_status);

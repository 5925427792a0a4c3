//! The officers and owners of businesses.

use std::fmt;

use super::date::{Date, Timestamp};
use super::number::Number;
use super::shape::list;
use crate::json::RawJson;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// An officer or owner of a business, which may be a business as well.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Person {
    /// The identifier.
    pub uuid: Option<String>,
    /// `person` or `company`.
    pub entity_type: Option<String>,
    /// The whole name.
    pub name: Option<String>,
    /// The first name or names.
    pub first_name: Option<String>,
    /// The last name or names.
    pub last_name: Option<String>,
    /// The name of the owning business.
    pub company_name: Option<String>,
    /// The number of the owning business in its register.
    pub registration_number: Option<String>,
    /// The position in words.
    pub designation: Option<String>,
    /// The position of an officer, as a code.
    pub role: Option<String>,
    /// The positions; texts, or objects with shares of ownership and votes.
    #[serde(deserialize_with = "list")]
    pub roles: Vec<RawJson>,
    /// The position as entered.
    pub position: Option<String>,
    /// The nationality, or the country of a business.
    pub nationality: Option<String>,
    /// The country of birth.
    pub country_of_birth: Option<String>,
    /// The date of birth, if all of it is known.
    pub date_of_birth: Option<Date>,
    /// The year of birth.
    pub date_of_birth_year: Option<Number>,
    /// The month of birth.
    pub date_of_birth_month: Option<Number>,
    /// The date of appointment.
    pub appointment_date: Option<Date>,
    /// The date it ended.
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
    /// The least share of ownership, in words.
    pub ownership_min_shares: Option<String>,
    /// The greatest share of ownership, in words.
    pub ownership_max_shares: Option<String>,
    /// The least share of votes, in words.
    pub voting_min_shares: Option<String>,
    /// The greatest share of votes, in words.
    pub voting_max_shares: Option<String>,
    /// The share of ownership in percent.
    pub effective_ownership_percent: Option<Number>,
    /// The status of the screening.
    pub aml_status: Option<Status>,
    /// The status of the person's own session.
    pub kyc_status: Option<Status>,
    /// The person's own session.
    pub kyc_session_id: Option<String>,
    /// Its status.
    pub kyc_session_status: Option<Status>,
    /// Its URL.
    pub kyc_session_url: Option<String>,
    /// Its approval time.
    pub kyc_verified_at: Option<Timestamp>,
    /// The session of an owning business.
    pub kyb_sub_session_id: Option<String>,
    /// Its status.
    pub kyb_sub_session_status: Option<Status>,
    /// Its URL.
    pub kyb_sub_session_url: Option<String>,
    /// The further fields that the workflow asks for.
    pub custom_fields: Option<RawJson>,
    /// The owners of an owning business.
    #[serde(deserialize_with = "list")]
    pub child_beneficial_owners: Vec<RawJson>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person")
            .field("uuid", &self.uuid)
            .field("entity_type", &self.entity_type)
            .field("kyc_status", &self.kyc_status)
            .finish_non_exhaustive()
    }
}

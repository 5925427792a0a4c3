//! The officers and owners of a business.

use super::parts::Warning;
use super::person::Person;
use super::shape::{debug_only, objects};
use crate::json::{RawJson, optional_object};
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report about the officers and owners of a business.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct KeyPeopleCheck {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The officers and owners in the registry.
    #[serde(deserialize_with = "optional_object")]
    pub registry: Option<RegistryPeople>,
    /// The officers and owners that the user entered.
    #[serde(deserialize_with = "optional_object")]
    pub submitted: Option<SubmittedPeople>,
    /// The number of verified owners.
    pub ubo_kyc_summary: Option<RawJson>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(KeyPeopleCheck: node_id, status, warnings);

/// The officers and owners in a registry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RegistryPeople {
    /// The officers.
    #[serde(deserialize_with = "objects")]
    pub officers: Vec<Person>,
    /// The beneficial owners.
    #[serde(deserialize_with = "objects")]
    pub beneficial_owners: Vec<Person>,
}

/// The officers and owners that the user entered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct SubmittedPeople {
    /// The persons and businesses.
    #[serde(deserialize_with = "objects")]
    pub parties: Vec<Person>,
}

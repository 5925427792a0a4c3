//! Screenings against lists of sanctions, politically exposed persons and adverse media.

use super::date::{Date, Timestamp};
use super::number::Number;
use super::parts::Warning;
use super::shape::{debug_only, list, objects};
use crate::json::RawJson;
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report of an anti-money-laundering screening.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AmlScreening {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The number of hits.
    pub total_hits: Option<Number>,
    /// `person` or `company`.
    pub entity_type: Option<String>,
    /// The highest risk of a hit, from 0 to 100.
    pub score: Option<Number>,
    /// The hits.
    #[serde(deserialize_with = "objects")]
    pub hits: Vec<AmlHit>,
    /// The data that was screened.
    pub screened_data: Option<RawJson>,
    /// True if the screening is repeated regularly.
    pub is_ongoing_monitoring_enabled: Option<bool>,
    /// The next date on which the monitoring is billed.
    pub next_ongoing_monitoring_bill_date: Option<Date>,
    /// The time of the last repeated screening.
    pub last_ongoing_screening_at: Option<Timestamp>,
    /// The time at which the lists used by that screening were updated.
    pub last_ongoing_screening_datasets_updated_at: Option<Timestamp>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(AmlScreening: node_id, status, total_hits, score, warnings);

/// An entry of a list that may be about the person or company.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AmlHit {
    /// The identifier of the entry.
    pub id: Option<String>,
    /// The URL of the source.
    pub url: Option<String>,
    /// True if the match is confirmed.
    #[serde(rename = "match")]
    pub r#match: Option<bool>,
    /// The name in the entry.
    pub caption: Option<String>,
    /// The similarity to the screened data, from 0 to 100.
    pub match_score: Option<Number>,
    /// The risk, from 0 to 100.
    pub risk_score: Option<Number>,
    /// A score from 0 to 1, which the service has deprecated.
    pub score: Option<Number>,
    /// `Unreviewed`, `Confirmed Match`, `False Positive` or `Inconclusive`.
    pub review_status: Option<String>,
    /// The lists that contain the entry.
    #[serde(deserialize_with = "list")]
    pub datasets: Vec<String>,
    /// The time when the entry was first seen, without a time zone.
    pub first_seen: Option<Timestamp>,
    /// The time when the entry was last seen, without a time zone.
    pub last_seen: Option<Timestamp>,
    /// The properties of the entry; each member is a list of strings or `null`.
    pub properties: Option<RawJson>,
    /// The components of the scores.
    pub score_breakdown: Option<RawJson>,
    /// The risk by category.
    pub risk_view: Option<RawJson>,
    /// Entries about politically exposed persons.
    #[serde(deserialize_with = "list")]
    pub pep_matches: Vec<RawJson>,
    /// Sanctions against the person or company.
    #[serde(deserialize_with = "list")]
    pub sanction_matches: Vec<RawJson>,
    /// Warnings about the person or company.
    #[serde(deserialize_with = "list")]
    pub warning_matches: Vec<RawJson>,
    /// Adverse media about the person or company.
    #[serde(deserialize_with = "list")]
    pub adverse_media_matches: Vec<RawJson>,
    /// Details of the adverse media.
    pub adverse_media_details: Option<RawJson>,
    /// The linked persons and companies.
    #[serde(deserialize_with = "list")]
    pub linked_entities: Vec<RawJson>,
}

debug_only!(AmlHit: match_score, risk_score, review_status);

//! Answers to questionnaires.

use super::date::Timestamp;
use super::number::Number;
use super::parts::Warning;
use super::shape::{debug_only, list, objects};
use crate::json::{RawJson, optional_object};
use crate::verification::Status;
use serde::{Deserialize, Serialize};

/// A report with the answers to a questionnaire.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct QuestionnaireResponse {
    /// The step of the workflow.
    pub node_id: Option<String>,
    /// The status of the report.
    pub status: Option<Status>,
    /// The identifier of the questionnaire.
    pub questionnaire_id: Option<String>,
    /// The identifier that all versions of the questionnaire share.
    pub questionnaire_group_id: Option<String>,
    /// The version of the questionnaire.
    pub version: Option<Number>,
    /// The time of the version's publication.
    pub published_at: Option<Timestamp>,
    /// The title.
    pub title: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The languages of the questionnaire.
    #[serde(deserialize_with = "list")]
    pub languages: Vec<String>,
    /// The default language.
    pub default_language: Option<String>,
    /// The sections.
    #[serde(deserialize_with = "objects")]
    pub sections: Vec<Section>,
    /// The warnings.
    #[serde(deserialize_with = "objects")]
    pub warnings: Vec<Warning>,
}

debug_only!(QuestionnaireResponse: node_id, status, questionnaire_id, warnings);

/// A section of a questionnaire.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Section {
    /// The title.
    pub title: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// The questions.
    #[serde(deserialize_with = "objects")]
    pub items: Vec<Question>,
}

debug_only!(Section);

/// A question and its answer.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Question {
    /// The identifier of the question.
    pub uuid: Option<String>,
    /// The stable code of the question.
    pub value: Option<String>,
    /// The kind of question, such as `DROPDOWN`.
    pub element_type: Option<String>,
    /// True if an answer is required.
    pub is_required: Option<bool>,
    /// The text of the question.
    pub title: Option<String>,
    /// A description of the question.
    pub description: Option<String>,
    /// The placeholder of the input field.
    pub placeholder: Option<String>,
    /// The answers to choose from.
    #[serde(deserialize_with = "objects")]
    pub choices: Vec<Choice>,
    /// The maximum number of files.
    pub max_files: Option<Number>,
    /// The answer.
    #[serde(deserialize_with = "optional_object")]
    pub answer: Option<Answer>,
}

debug_only!(Question: uuid, element_type);

/// A predefined answer.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Choice {
    /// The code of the answer.
    pub value: Option<String>,
    /// The text of the answer.
    pub label: Option<String>,
    /// True if additional text is required.
    pub requires_text_input: Option<bool>,
}

debug_only!(Choice: value);

/// The answer to a question.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Answer {
    /// The selected or entered value.
    pub value: Option<RawJson>,
    /// The additional text.
    pub text: Option<String>,
    /// The URLs of the attached files.
    #[serde(deserialize_with = "list")]
    pub files: Vec<String>,
}

debug_only!(Answer);

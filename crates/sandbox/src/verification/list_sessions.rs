//! `GET /v3/sessions/` ([documentation](https://docs.didit.me/sessions-api/list-sessions))

use serde_json::{Value, json};

use super::route::is_uuid;
use super::session::Session;
use super::{Call, decision, status, wrong};
use crate::answer::Answer;
use crate::clock;
use crate::state::State;

/// Default number of sessions on a page.
const DEFAULT_LIMIT: usize = 50;

/// Documented filters on data that the sandbox's sessions do not have.
const UNSUPPORTED: [&str; 10] = [
    "document_type",
    "document_name",
    "region",
    "screened_full_name",
    "warning",
    "status_initialized_as_in_review",
    "is_kyc_to_be_reviewed",
    "euuid",
    "organization_name",
    "api_service",
];

#[derive(Default)]
struct Query {
    limit: usize,
    offset: usize,
    /// Set if sessions of people are requested; the sandbox has no others.
    people: bool,
    filters: Vec<(String, String)>,
}

pub(super) fn answer(call: &Call<'_>, state: &State) -> Result<Answer, Answer> {
    let Call { shared, request, application, .. } = call;
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let query = Query::read(&pairs)?;
    let found: Vec<&Session> = state
        .verification
        .created()
        .filter(|session| session.application == application.client_id && query.matches(session))
        .collect();
    // Built from the Host header, so that the next page has the origin that the client used.
    let host = request.header("Host").unwrap_or_default();
    let here = format!("{}://{host}{path}", shared.settings.scheme());
    let page = |offset: usize| page_url(&here, &pairs, query.limit, offset);
    let end = query.offset.saturating_add(query.limit);
    let next = (end < found.len()).then(|| page(end));
    let previous = (query.offset > 0).then(|| page(query.offset.saturating_sub(query.limit)));
    let rows: Vec<Value> = found
        .iter()
        .skip(query.offset)
        .take(query.limit)
        .map(|session| row(session, shared.reach.pages()))
        .collect();
    let body = json!({
        "count": found.len(), "next": next, "previous": previous, "results": rows,
    });
    Ok(Answer::new(200, body.to_string()))
}

impl Query {
    fn read(pairs: &[(String, String)]) -> Result<Self, Answer> {
        let mut query = Self { limit: DEFAULT_LIMIT, people: true, ..Self::default() };
        for (name, value) in pairs {
            match name.as_str() {
                // A value that is not a number is ignored.
                "limit" => query.limit = positive(value).unwrap_or(DEFAULT_LIMIT),
                "offset" => query.offset = value.parse().unwrap_or(0),
                "session_kind" => match value.as_str() {
                    "user" | "all" => query.people = true,
                    "business" => query.people = false,
                    _ => {
                        let why = "Must be \"user\", \"business\", or \"all\".";
                        return Err(wrong("session_kind", json!(why)));
                    }
                },
                "date_from" | "date_to" if !clock::is_date(value) => {
                    return Err(wrong(name, json!(["Enter a valid date."])));
                }
                "didit_internal_id" if !is_uuid(&value.to_ascii_lowercase()) => {
                    return Err(wrong(name, json!(["Enter a valid UUID."])));
                }
                _ if UNSUPPORTED.contains(&name.as_str()) => {
                    let why = "The sandbox does not filter by this.";
                    return Err(wrong(name, json!([why])));
                }
                _ => query.filters.push((name.clone(), value.clone())),
            }
        }
        Ok(query)
    }

    fn matches(&self, session: &Session) -> bool {
        self.people && self.filters.iter().all(|(name, value)| matches(session, name, value))
    }
}

fn matches(session: &Session, name: &str, value: &str) -> bool {
    let vendor_data = session.given.vendor_data.as_deref();
    let day = clock::rfc3339(session.created_at);
    let day = day.get(..10).unwrap_or_default();
    match name {
        "status" => value.split(',').any(|status| status.trim() == session.status),
        "vendor_data" => vendor_data == Some(value),
        "workflow_id" => session.given.workflow_id.eq_ignore_ascii_case(value),
        "didit_internal_id" => internal_id(session).eq_ignore_ascii_case(value),
        "search" => {
            let number = session.number.to_string();
            let texts = [session.id.as_str(), number.as_str(), vendor_data.unwrap_or_default()];
            texts.iter().any(|text| text.contains(value))
        }
        "date_from" => day >= value,
        "date_to" => day <= value,
        "session_type" => value.split(',').any(|kind| kind == "API"),
        "country" => {
            status::has_reports(&session.status) && value.split(',').any(|code| code == "ESP")
        }
        // The service ignores unknown parameters.
        _ => true,
    }
}

fn positive(text: &str) -> Option<usize> {
    text.parse().ok().filter(|&number| number > 0)
}

fn page_url(here: &str, pairs: &[(String, String)], limit: usize, offset: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    if offset > 0 {
        query.append_pair("offset", &offset.to_string());
    }
    let kept = pairs.iter().filter(|(name, _)| !matches!(name.as_str(), "limit" | "offset"));
    query.extend_pairs(kept);
    format!("{here}?{}", query.finish())
}

fn internal_id(session: &Session) -> String {
    session.id.replacen("-9000-", "-a000-", 1)
}

/// Returns a session as an element of `results`.
fn row(session: &Session, base: &str) -> Value {
    let decision = decision::of_session(session, base);
    // Null before the flow has started.
    let document = &decision["id_verifications"][0];
    let has_reports = status::has_reports(&session.status);
    let step = match &*session.status {
        status::APPROVED | status::KYC_EXPIRED => status::APPROVED,
        other if has_reports => other,
        _ => "Not Finished",
    };
    let features: Vec<Value> = decision["features"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|feature| json!({ "feature": feature, "status": step }))
        .collect();
    let contact = |name: &str| session.given.contact_details.as_ref()?.get(name)?.as_str();
    let verified = |key: &str, value: Option<&str>| {
        value.map(|value| json!({ key: value, "is_verified": has_reports }))
    };
    json!({
        "session_id": session.id,
        "session_kind": "user",
        "session_number": session.number,
        "session_url": session.url(base),
        "portrait_image": document["portrait_image"],
        "document_type": document["document_type"],
        "full_name": document["full_name"],
        "country": document["issuing_state"],
        "status": session.status,
        "vendor_data": session.given.vendor_data,
        "didit_internal_id": internal_id(session),
        "created_at": clock::rfc3339(session.created_at),
        "features": features,
        "phone_number": verified("number", contact("phone")),
        "email_address": verified("email", contact("email")),
        "additional_details": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_parameters_are_refused_with_documented_messages() {
        for (name, value, why) in [
            (
                "session_kind",
                "x",
                r#"{"session_kind":"Must be \"user\", \"business\", or \"all\"."}"#,
            ),
            ("date_from", "2026-02-31", r#"{"date_from":["Enter a valid date."]}"#),
            ("didit_internal_id", "x", r#"{"didit_internal_id":["Enter a valid UUID."]}"#),
            ("warning", "x", r#"{"warning":["The sandbox does not filter by this."]}"#),
        ] {
            let refused = Query::read(&[(name.to_owned(), value.to_owned())]).err().expect(name);
            assert_eq!(String::from_utf8_lossy(&refused.body), why);
        }
    }
}

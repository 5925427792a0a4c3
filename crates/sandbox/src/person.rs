//! The sample person: their data for each scope, as published or as edited on the session's page.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::fixtures;
use crate::record::Form;

static SAMPLE: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let decision: Value = serde_json::from_str(fixtures::DECISION_ALL_SCOPES).unwrap_or_default();
    decision.get("user_data").and_then(Value::as_object).cloned().unwrap_or_default()
});

/// An input of the form: its name, its label, and the sample person's value.
#[derive(Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) value: Value,
}

/// Returns the members of the user data that a `scope` string requests, without duplicates.
///
/// The documentation uses both `picture` and `pictures` for the same member.
pub(crate) fn members(scope: &str) -> Vec<&str> {
    let mut members = Vec::new();
    for word in scope.split_whitespace() {
        let member = if word == "pictures" { "picture" } else { word };
        if !members.contains(&member) {
            members.push(member);
        }
    }
    members
}

/// Returns the scopes that the service documents.
pub(crate) fn documented() -> impl Iterator<Item = &'static str> {
    SAMPLE.keys().map(String::as_str).filter(|name| *name != "sub")
}

/// Returns whether the service documents a scope of this name.
pub(crate) fn is_documented(member: &str) -> bool {
    documented().any(|name| name == member)
}

/// Returns the sample person's data for these members, unedited.
pub(crate) fn shared(members: &[&str]) -> Map<String, Value> {
    let known = SAMPLE.iter().filter(|(name, _)| *name == "sub" || members.contains(&&***name));
    known.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Returns the data of the members that are ticked in the form, as edited there.
pub(crate) fn shared_by_form(members: &[&str], form: &Form) -> Map<String, Value> {
    let ticked = members.iter().filter(|member| form.all("share").any(|name| name == **member));
    let chosen = ticked.map(|member| ((*member).to_owned(), filled_in(member, form)));
    shared(&[]).into_iter().chain(chosen).collect()
}

pub(crate) fn fields(member: &str) -> Vec<Field> {
    match value(member) {
        Value::Object(inner) => inner
            .into_iter()
            .map(|(name, value)| Field {
                label: label(&name),
                name: format!("{member}.{name}"),
                value,
            })
            .collect(),
        value => vec![Field { name: member.to_owned(), label: label(member), value }],
    }
}

/// Returns a short form of the sample person's value for a member.
pub(crate) fn summary(member: &str) -> String {
    let text = |value: &Value| match value {
        Value::Bool(true) => "Yes".to_owned(),
        Value::Bool(false) => "No".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value(member) {
        Value::Object(inner) => {
            inner.get("full_name").or_else(|| inner.values().next()).map(text).unwrap_or_default()
        }
        value => text(&value),
    }
}

/// Returns the display name of a scope; of an undocumented one, the scope itself.
pub(crate) fn scope_label(scope: &str) -> String {
    match scope {
        "is_verified" => "Identity verified".to_owned(),
        "user_id" => "User ID".to_owned(),
        _ if is_documented(scope) => label(scope),
        _ => scope.to_owned(),
    }
}

/// Returns the display name of a member.
pub(crate) fn label(name: &str) -> String {
    match name {
        "document_detail" => "Identity document".to_owned(),
        "is_over_18" => "Over 18".to_owned(),
        "is_over_21" => "Over 21".to_owned(),
        "is_verified" => "Verified".to_owned(),
        "is_primary" => "Primary".to_owned(),
        "iban" => "IBAN".to_owned(),
        "tiktok_account" => "TikTok account".to_owned(),
        _ => {
            let mut words = name.replace('_', " ");
            if let Some(first) = words.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            words
        }
    }
}

fn value(member: &str) -> Value {
    // An undocumented scope gets a sample value too.
    SAMPLE.get(member).cloned().unwrap_or_else(|| format!("sample {member}").into())
}

fn filled_in(member: &str, form: &Form) -> Value {
    let read = |name: &str, sample: Value| match (form.get(name), sample) {
        (Some(""), _) => Value::Null,
        (Some(text), Value::Bool(_)) => Value::Bool(text == "true"),
        (Some(text), _) => Value::String(text.to_owned()),
        (None, sample) => sample,
    };
    match value(member) {
        Value::Object(inner) => {
            let read = |(name, value): (String, Value)| {
                let value = read(&format!("{member}.{name}"), value);
                (name, value)
            };
            inner.into_iter().map(read).collect()
        }
        value => read(member, value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn duplicate_scopes_are_removed() {
        assert_eq!(members(" names pictures\tpicture names "), ["names", "picture"]);
    }

    #[test]
    fn ticked_members_are_shared_as_edited() {
        let form = Form::read(
            b"share=names&share=shoe_size&share=iban&share=is_over_18&is_over_18=false\
              &names.first_name=Zo%C3%AB+%22&names.family_name=&email.email=x&shoe_size=43",
        );
        let shared = shared_by_form(&["names", "email", "shoe_size", "is_over_18"], &form);
        assert_eq!(
            Value::Object(shared),
            json!({
                "sub": "user-unique-identifier",
                "names": {
                    "first_name": "Zoë \"", "family_name": null, "full_name": "John Doe",
                    "is_verified": true
                },
                "shoe_size": "43",
                "is_over_18": false,
            })
        );
    }

    #[test]
    fn unedited_members_keep_the_sample_values() {
        let form = Form::read(b"share=picture&share=gender");
        let all = shared(&["picture", "gender", "unknown"]);
        assert_eq!(shared_by_form(&["picture", "gender"], &form), all);
        assert_eq!(all.len(), 3);
        assert_eq!(summary("names"), "John Doe");
        assert_eq!(
            (summary("is_verified"), summary("shoe_size")),
            ("Yes".into(), "sample shoe_size".into())
        );
    }

    #[test]
    fn every_field_has_a_label() {
        let names: Vec<_> =
            fields("names").into_iter().map(|field| (field.name, field.label)).collect();
        assert_eq!(names[0], ("names.first_name".to_owned(), "First name".to_owned()));
        assert_eq!(
            fields("x")[0],
            Field { name: "x".into(), label: "X".into(), value: "sample x".into() }
        );
        assert_eq!(label("é"), "é");
        assert_eq!(
            (scope_label("is_over_18"), scope_label("over_18")),
            ("Over 18".into(), "over_18".into())
        );
    }
}

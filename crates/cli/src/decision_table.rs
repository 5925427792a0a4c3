//! The table of a decision: documented members with labels, all others under their JSON names.

use std::fmt::Display;

use didit_blocking_adapter::core::RawJson;
use didit_blocking_adapter::core::data_transfer::{Decision, UserData};

use crate::table::Table;
use crate::{scopes, words};

const DECISION: &[&str] =
    &["session_id", "session_number", "status", "vendor_data", "scope", "created_at", "user_data"];
const USER_DATA: &[&str] = &[
    "sub",
    "user_id",
    "email",
    "phone",
    "picture",
    "names",
    "is_verified",
    "is_over_18",
    "is_over_21",
];
const EMAIL: &[&str] = &["email", "is_verified", "is_primary"];
const PHONE: &[&str] = &["phone_number", "is_verified", "is_primary"];
const NAMES: &[&str] = &["first_name", "family_name", "full_name", "is_verified"];

pub(crate) fn of(decision: &Decision) -> Table {
    let mut table = Table::default();
    table.row("Session", Some(decision.session_id()));
    table.row("Number", decision.session_number());
    table.status(decision.status().as_str());
    table.row("Vendor data", decision.vendor_data());
    table.row("Scope", decision.scope());
    // As sent by the service, with its UTC offset and precision.
    table.row(
        "Created",
        decision.json().get("created_at").filter(|at| !at.is_null()).map(|at| words::of_value(&at)),
    );
    other_rows(&mut table, decision.json(), DECISION, &str::to_owned);
    match decision.user_data() {
        Some(user) => user_rows(&mut table, decision, user),
        None => table.row("User data", Some("nothing shared")),
    }
    table
}

fn user_rows(table: &mut Table, decision: &Decision, user: &UserData) {
    table.row("User", user.sub.as_deref());
    table.row("User ID", user.user_id.as_deref());
    if let Some(names) = &user.names {
        table.row(
            "Name",
            with_notes(names.full_name.as_deref(), [verified(names.is_verified), None]),
        );
        table.row("First name", names.first_name.as_deref());
        table.row("Family name", names.family_name.as_deref());
    }
    if let Some(email) = &user.email {
        let notes = [verified(email.is_verified), primary(email.is_primary)];
        table.row("Email", with_notes(email.email.as_deref(), notes));
    }
    if let Some(phone) = &user.phone {
        let notes = [verified(phone.is_verified), primary(phone.is_primary)];
        table.row("Phone", with_notes(phone.phone_number.as_deref(), notes));
    }
    table.link("Picture", user.picture.as_deref());
    table.row("Identity verified", user.is_verified.map(yes_or_no));
    table.row("Over 18", user.is_over_18.map(yes_or_no));
    table.row("Over 21", user.is_over_21.map(yes_or_no));
    let Some(json) = decision.user_data_json() else { return };
    for (name, known) in [("names", NAMES), ("email", EMAIL), ("phone", PHONE)] {
        if let Some(object) = json.get(name) {
            table.section(&format!("More {name}"), |table| {
                other_rows(table, &object, known, &str::to_owned);
            });
        }
    }
    for (name, value) in json.members() {
        if !USER_DATA.contains(&&*name) && !value.is_null() {
            // The members of a documented scope are not documented: labels derive from their names.
            match scopes::description(&name) {
                Some(label) => scope_rows(table, label, &value),
                None => value_rows(table, &words::shortened(&name), &value, &str::to_owned),
            }
        }
    }
}

/// Adds a documented scope: one line if it has a single member besides its flags, or a section.
fn scope_rows(table: &mut Table, label: &str, value: &RawJson) {
    let flag = |name: &str| value.get(name).and_then(|flag| flag.deserialize::<bool>().ok());
    let notes = [verified(flag("is_verified")), primary(flag("is_primary"))];
    let members = value.members();
    let mut others = members.iter().filter(|(name, value)| {
        !["is_verified", "is_primary"].contains(&&**name) && !value.is_null()
    });
    match (others.next(), others.next()) {
        (Some((_, only)), None) if only.members().is_empty() => {
            table.row(label, with_notes(Some(&words::of_value(only)), notes));
        }
        (Some(_), _) => {
            let heading = with_notes(Some(label), notes).map(|heading| heading.to_string());
            table.section(&heading.unwrap_or_default(), |table| {
                let names = ["is_verified", "is_primary"];
                other_rows(table, value, &names, &words::of_member);
            });
        }
        (None, _) => value_rows(table, label, value, &words::of_member),
    }
}

/// Adds the members that are not in `known`, labeled by `label`.
fn other_rows(table: &mut Table, object: &RawJson, known: &[&str], label: &Label) {
    for (name, value) in object.members() {
        if !known.contains(&&*name) && !value.is_null() {
            value_rows(table, &label(&words::shortened(&name)), &value, label);
        }
    }
}

type Label = dyn Fn(&str) -> String;

/// Adds one line, or a section for an object.
fn value_rows(table: &mut Table, name: &str, value: &RawJson, label: &Label) {
    let members = value.members();
    if members.is_empty() {
        return table.row(name, Some(words::of_value(value)));
    }
    table.section(name, |table| {
        for (member, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            table.row(&label(&words::shortened(member)), Some(words::of_value(value)));
        }
    });
}

fn with_notes(value: Option<&str>, notes: [Option<&str>; 2]) -> Option<impl Display> {
    let notes: Vec<_> = notes.into_iter().flatten().collect();
    match (value, notes.is_empty()) {
        (None, true) => None,
        (value, true) => value.map(str::to_owned),
        (Some(value), false) => Some(format!("{value} ({})", notes.join(", "))),
        (None, false) => Some(format!("({})", notes.join(", "))),
    }
}

fn verified(flag: Option<bool>) -> Option<&'static str> {
    flag.map(|verified| if verified { "verified" } else { "not verified" })
}

fn primary(flag: Option<bool>) -> Option<&'static str> {
    flag.filter(|primary| *primary).map(|_| "primary")
}

fn yes_or_no(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::Style;

    fn table(json: &str) -> String {
        of(&Decision::from_json(json.as_bytes()).unwrap()).shown(Style::default())
    }

    #[test]
    fn documented_sample_is_shown_with_labels() {
        let expected = "\
Session      unique-session-identifier
Number       12345
Status       Confirmed
Vendor data  optional-vendor-data
Scope        pictures names email
Created      2024-08-01T10:30:00.000Z
User         user-unique-identifier
Name         John Doe (verified)
First name   John
Family name  Doe
Email        alejandro.rosas@example.com (verified, primary)
Phone        +34123456789 (verified, primary)
Picture      https://example.com/picture.png
";
        assert_eq!(table(didit_sandbox::fixtures::DECISION), expected);
    }

    #[test]
    fn unknown_members_keep_their_json_names() {
        let shown = table(
            r#"{"session_id":"s","status":"In Review","vendor_data":null,"score":1e2,
                "user_data":{"sub":"u","is_over_18":false,"email":{"is_verified":false,"age":3},
                "loyalty":{"is_gold":true,"lines":["a", "b"]},"extra":{},"none":null}}"#,
        );
        let expected = "\
Session    s
Status     In Review
score      1e2
User       u
Email      (not verified)
Over 18    no
More email
  age      3
loyalty
  is_gold  yes
  lines    [\"a\",\"b\"]
extra      {}
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn documented_scopes_have_readable_labels() {
        let shown = table(didit_sandbox::fixtures::DECISION_ALL_SCOPES);
        for line in shown.lines() {
            let label = line.trim_start().split("  ").next().unwrap().trim_end_matches(')');
            assert!(label.starts_with(char::is_uppercase) && !label.contains(['_', '.']), "{line}");
        }
        assert!(shown.contains("\nDate of birth      1990-05-17 (verified)\n"), "{shown}");
        assert!(shown.contains("\nAddress (verified)\n  Street "), "{shown}");
    }

    #[test]
    fn control_characters_are_escaped() {
        let shown = table(
            r#"{"session_id":"s","status":"\u001b[2J\u0007","vendor_data":"\u202e\r\nStatus  X",
                "\u001b[A":"\u009b1A","user_data":{"x":{"\n":["\u001b", "raw \u202e"]}}}"#,
        );
        assert_eq!(shown.lines().count(), 6, "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{7}', '\r', '\u{9b}', '\u{202e}']), "{shown}");
    }

    #[test]
    fn table_size_is_proportional_to_the_response() {
        let members: Vec<_> = (0..20_000).map(|n| format!("\"{n}\":1")).collect();
        let long = "ü".repeat(100_000);
        let members = members.join(",");
        let json =
            format!(r#"{{"session_id":"s","status":"x","{long}":{{{members},"{long}":1}}}}"#);
        assert!(table(&json).len() < 10 * json.len());
    }

    #[test]
    fn empty_user_data_is_shown_as_nothing_shared() {
        let shown = table(r#"{"session_id":"s","status":"initialized","user_data":{}}"#);
        assert_eq!(shown, "Session    s\nStatus     Initialized\nUser data  nothing shared\n");
    }
}

//! Decisions as CSV records with flat columns, quoted as in
//! [RFC 4180](https://www.rfc-editor.org/rfc/rfc4180).

use didit_blocking_adapter::core::data_transfer::Decision;
use didit_blocking_adapter::core::{RawJson, SessionId};

use crate::terminal::is_format;

/// The names of the columns, in order.
pub(super) const HEADER: &str = "session_id,session_number,status,vendor_data,scope,created_at,\
    sub,email,email_is_verified,phone_number,phone_is_verified,picture,\
    first_name,family_name,full_name,user_data\n";

const SESSION_NUMBER: usize = 1;

/// The first characters of cells that spreadsheets treat as formulas.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠'];

/// Formats a decision as a record; members that the service did not send are empty. `guard` puts an
/// apostrophe before cells that a spreadsheet would treat as formulas.
pub(super) fn record(decision: &Decision, guard: bool) -> String {
    let members = decision.json().members();
    let member = |name: &str| {
        let found = members.iter().rev().find(|(member, _)| member == name);
        found.map(|(_, value)| value).filter(|value| !value.is_null())
    };
    let text = |name| member(name).and_then(|value| value.deserialize::<String>().ok());
    let user = decision.user_data();
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let text_of = |text: Option<&Option<String>>| text.cloned().flatten();
    let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
    let email = user.and_then(|user| user.email.as_ref());
    let phone = user.and_then(|user| user.phone.as_ref());
    let names = user.and_then(|user| user.names.as_ref());
    let fields = [
        Some(decision.session_id().to_string()),
        // Numbers and times keep the text that was sent, to the last digit.
        member("session_number").map(|number| number.as_str().to_owned()),
        text("status"),
        owned(decision.vendor_data()),
        owned(decision.scope()),
        text("created_at"),
        text_of(user.map(|user| &user.sub)),
        text_of(email.map(|email| &email.email)),
        flag(email.and_then(|email| email.is_verified)),
        text_of(phone.map(|phone| &phone.phone_number)),
        flag(phone.and_then(|phone| phone.is_verified)),
        text_of(user.map(|user| &user.picture)),
        text_of(names.map(|names| &names.first_name)),
        text_of(names.map(|names| &names.family_name)),
        text_of(names.map(|names| &names.full_name)),
        member("user_data").map(RawJson::to_compact),
    ];
    let cells: Vec<String> = fields
        .into_iter()
        .enumerate()
        .map(|(column, field)| {
            let mut field = field.unwrap_or_default();
            // A negative number is not a formula.
            if guard && column != SESSION_NUMBER && is_formula(&field) {
                field.insert(0, '\'');
            }
            quoted(&field)
        })
        .collect();
    cells.join(",") + "\n"
}

/// Removes the guard's apostrophe from a cell, if it has one.
pub(super) fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|cell| is_formula(cell)).unwrap_or(cell)
}

/// Returns true if a spreadsheet may treat a cell as a formula. Leading apostrophes are ignored, so
/// that [`unguarded`] can reverse the guard, and so are invisible characters, which some spreadsheets
/// drop.
fn is_formula(cell: &str) -> bool {
    let unseen = |c: char| {
        let blank = c.is_whitespace() || c.is_control();
        // U+2800 is the blank of Braille.
        matches!(c, '\'' | '\u{2800}') || is_format(c) || (blank && !FORMULA.contains(&c))
    };
    cell.trim_start_matches(unseen).starts_with(FORMULA)
}

/// Quotes a field if needed. Zero bytes are replaced: in the output they mark data lost in a power
/// loss.
fn quoted(field: &str) -> String {
    let field = field.replace('\0', "\u{fffd}");
    let plain = !field.contains([',', '"', '\r', '\n']) && field.trim() == field;
    if plain { field } else { format!("\"{}\"", field.replace('"', "\"\"")) }
}

/// Returns the first field of a record, which contains no quotes; `None` if the record is
/// incomplete.
pub(super) fn session_id(record: &str) -> Option<&str> {
    let (mut rest, first) = field(record)?;
    let mut fields = 1;
    while let Some(next) = rest {
        rest = field(next)?.0;
        fields += 1;
    }
    (fields == HEADER.split(',').count() && !first.is_empty()).then_some(first)
}

/// Returns the text after the first field, if any, and the field as written between its quotes;
/// `None` if the quotes are misplaced.
fn field(text: &str) -> Option<(Option<&str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (field, rest) = text.split_once(',').map_or((text, None), |(f, rest)| (f, Some(rest)));
        return (!field.contains(['"', '\r', '\n'])).then_some((rest, field));
    };
    let mut end = quoted.find('"')?;
    while quoted[end + 1..].starts_with('"') {
        end += 2 + quoted[end + 2..].find('"')?;
    }
    let (field, rest) = (&quoted[..end], &quoted[end + 1..]);
    if rest.is_empty() { Some((None, field)) } else { Some((Some(rest.strip_prefix(',')?), field)) }
}

/// Returns true if a record may begin with `text`: its first field is a session id.
pub(super) fn is_beginning(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let id = match text.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => text.split(',').next(),
    };
    id.is_some_and(|id| id.is_empty() || SessionId::new(unguarded(id)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_written_to_their_columns() {
        let decision = Decision::from_json(
            br#"{"session_id": "a,b", "session_number": 123456789012345678901234567890,
                "status": "confirmed", "vendor_data": "say \"hi\"\nthere", "scope": null,
                "created_at": "2024-08-01T10:30:00.000Z", "user_data": {"sub": "u",
                "email": {"email": "e@x", "is_verified": true}, "phone": {"is_verified": false},
                "names": {"first_name": "A", "full_name": " A B"}, "n": 1.50}}"#,
        );
        let record = record(&decision.unwrap(), true);
        assert_eq!(
            record,
            "\"a,b\",123456789012345678901234567890,confirmed,\"say \"\"hi\"\"\nthere\",,\
             2024-08-01T10:30:00.000Z,u,e@x,true,,false,,A,,\" A B\",\
             \"{\"\"sub\"\":\"\"u\"\",\"\"email\"\":{\"\"email\"\":\"\"e@x\"\",\
             \"\"is_verified\"\":true},\"\"phone\"\":{\"\"is_verified\"\":false},\
             \"\"names\"\":{\"\"first_name\"\":\"\"A\"\",\"\"full_name\"\":\"\" A B\"\"},\
             \"\"n\"\":1.50}\"\n"
        );
        assert_eq!(session_id(record.trim_end()), Some("a,b"));
        assert_eq!(HEADER.split(',').count(), 16);
    }

    #[test]
    fn guard_puts_an_apostrophe_before_formulas() {
        let record_of = |text: &str, guard| {
            let text = serde_json::to_string(text).unwrap();
            let body = format!(
                r#"{{"session_id":"-a","session_number":-1,"status":"x","vendor_data":{text}}}"#
            );
            let record = record(&Decision::from_json(body.as_bytes()).unwrap(), guard);
            record.strip_suffix(&format!("{}\n", ",".repeat(12))).unwrap().to_owned()
        };
        for formula in ["=1", "+34", "-2+3", "@SUM", "＝1", "＋1", "－1", "＠1", " =1", "'=1"] {
            assert_eq!(record_of(formula, true), format!("'-a,-1,x,'{formula}"));
        }
        for (formula, cell) in [("\t=1", "'\t=1"), ("\r1", "\"'\r1\""), ("\n=1", "\"'\n=1\"")] {
            assert_eq!(record_of(formula, true), format!("'-a,-1,x,{cell}"));
        }
        let unseen = "\u{feff}\u{200b}\u{202e}\u{2066}\u{a0}\u{2028}\u{7f}\u{61c}\u{180e}";
        let others = "\u{fff9}\u{34f}\u{115f}\u{3164}\u{2800}\u{fe0f}\u{e0041}";
        for unseen in unseen.chars().chain(others.chars()) {
            let cell = record_of(&format!("{unseen}=1"), true).replace('"', "");
            assert_eq!(cell, format!("'-a,-1,x,'{unseen}=1"));
        }
        assert_eq!(record_of("=1", false), "-a,-1,x,=1");
        for plain in ["a=1", "'a", "1-1", "", "é"] {
            assert_eq!(record_of(plain, true), format!("'-a,-1,x,{plain}"));
        }
    }

    #[test]
    fn unguarded_reverses_the_guard() {
        for id in ["a", "-a", "'-a", "''-a", "'a", "@", "=", "'"] {
            let guarded = if is_formula(id) { format!("'{id}") } else { id.to_owned() };
            assert_eq!(unguarded(&guarded), id);
        }
    }

    #[test]
    fn missing_members_are_empty() {
        for (user_data, last) in [("null", ""), ("{}", "{}")] {
            let text = format!(r#"{{"session_id":"s","status":"x","user_data":{user_data}}}"#);
            let decision = Decision::from_json(text.as_bytes()).unwrap();
            assert_eq!(record(&decision, true), format!("s,,x{},{last}\n", ",".repeat(12)));
        }
    }

    #[test]
    fn only_complete_records_have_a_session_id() {
        let rest = ",".repeat(14);
        assert_eq!(session_id(&format!("s,x{rest}")), Some("s"));
        assert_eq!(session_id(&format!("s,\"a,\"\"\n\"{rest}")), Some("s"));
        assert_eq!(session_id(&format!("\"a,b\",x{rest}")), Some("a,b"));
        for torn in ["", "s", "s,,x", "s,\"a\n", ",", "\"s"] {
            assert_eq!(session_id(torn), None, "{torn}");
        }
        for broken in ["s,\"a", "s,\"a\"b", "s,a\"", "s,a\nb", ",x", "s,x,"] {
            assert_eq!(session_id(&format!("{broken}{rest}")), None, "{broken}");
        }
    }
}

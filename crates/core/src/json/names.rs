//! The strings of a JSON text, and member names that are not valid Unicode.

use std::borrow::Cow;
use std::iter;

/// The replacement for a lone surrogate. It is as long as the original escape, so that the columns
/// in errors stay correct.
const REPLACEMENT: &str = "\\ufffd";

/// Replaces each lone surrogate (`"\ud800"`) in the member names of a JSON text with U+FFFD.
///
/// `serde_json` rejects them in names. Values are left unchanged: those of unknown members are
/// skipped without decoding, and those of documented members must be valid Unicode.
pub(super) fn replace_lone_surrogates(text: &str) -> Cow<'_, str> {
    // Most texts have no surrogates. They are not copied, since a copy would keep their secrets.
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return Cow::Borrowed(text);
    }
    let mut patched = text.to_owned();
    for (start, name, _) in strings(text).filter(|(_, _, is_name)| *is_name) {
        for at in lone_surrogates(name).into_iter().map(|at| start + at) {
            patched.replace_range(at..at + REPLACEMENT.len(), REPLACEMENT);
        }
    }
    Cow::Owned(patched)
}

/// Returns the strings of a JSON text as they were sent, without their quotes: the position, the
/// text, and whether it is the name of a member.
pub(crate) fn strings(json: &str) -> impl Iterator<Item = (usize, &str, bool)> {
    let mut from = 0;
    iter::from_fn(move || {
        let start = from + json[from..].find('"')? + 1;
        let mut escaped = false;
        let closes = |c: char| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        };
        let text = &json[start..start + json[start..].find(closes)?];
        from = start + text.len() + 1;
        Some((start, text, json[from..].trim_start().starts_with(':')))
    })
}

/// Returns the positions of the lone surrogates in a string.
fn lone_surrogates(text: &str) -> Vec<usize> {
    let mut lone = Vec::new();
    let mut at = 0;
    while let Some(before) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at += before;
        at += match (escape(text, at), escape(text, at + 6)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(0xd800..0xe000), _) => {
                lone.push(at);
                6
            }
            _ => 2,
        };
    }
    lone
}

/// Returns the UTF-16 code unit that an escape at `at` encodes, if there is one.
fn escape(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_in_names_are_replaced() {
        let cases = [
            (r#"{"\ud800": 1}"#, r#"{"\ufffd": 1}"#),
            (r#"{"a\uDC00\ud83d\ude00" : 1}"#, r#"{"a\ufffd\ud83d\ude00" : 1}"#),
            (r#"{"\ud800\ud800":{"\udfff":[]}}"#, r#"{"\ufffd\ufffd":{"\ufffd":[]}}"#),
            (r#"{"\\ud800":"\ud800"}"#, r#"{"\\ud800":"\ud800"}"#),
            (r#"{"\"\ud800":1}"#, r#"{"\"\ufffd":1}"#),
            (r#"{"a":"\ud800"#, r#"{"a":"\ud800"#),
            (r#"{"\ud80"#, r#"{"\ud80"#),
            (r#"{"\ud80é":1}"#, r#"{"\ud80é":1}"#),
            ("{}", "{}"),
        ];
        for (text, expected) in cases {
            assert_eq!(replace_lone_surrogates(text), expected, "{text}");
        }
    }
}

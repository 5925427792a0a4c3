//! Member names that are not valid Unicode.

use std::borrow::Cow;

/// The replacement for a lone surrogate. It is as long as the original escape, so that the columns
/// in errors stay correct.
const REPLACEMENT: &str = "\\ufffd";

/// Replaces each lone surrogate (`"\ud800"`) in the member names of a JSON text with U+FFFD.
///
/// `serde_json` rejects them in names. Values are left unchanged: those of unknown members are
/// skipped without decoding, and those of documented members must be valid Unicode.
pub(super) fn replace_lone_surrogates(text: &str) -> Cow<'_, str> {
    // Avoids the copy for most texts, which have no surrogates.
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return Cow::Borrowed(text);
    }
    let mut patched = text.to_owned();
    let mut from = 0;
    while let Some(open) = find(text, from, '"') {
        let Some((close, lone)) = string(text, open + 1) else { break };
        from = close + 1;
        let is_name = text[from..].trim_start().starts_with(':');
        for at in lone.into_iter().filter(|_| is_name) {
            patched.replace_range(at..at + REPLACEMENT.len(), REPLACEMENT);
        }
    }
    Cow::Owned(patched)
}

fn find(text: &str, from: usize, c: char) -> Option<usize> {
    text.get(from..)?.find(c).map(|at| from + at)
}

/// Returns the position of the closing quote of the string that begins at `at`, and the positions
/// of its lone surrogates.
fn string(text: &str, mut at: usize) -> Option<(usize, Vec<usize>)> {
    let mut lone = Vec::new();
    let bytes = text.as_bytes();
    loop {
        match bytes.get(at)? {
            b'"' => return Some((at, lone)),
            b'\\' => match (surrogate(text, at), surrogate(text, at + 6)) {
                (Some(Half::High), Some(Half::Low)) => at += 12,
                (Some(_), _) => {
                    lone.push(at);
                    at += 6;
                }
                (None, _) => at += 2,
            },
            _ => at += 1,
        }
    }
}

enum Half {
    High,
    Low,
}

/// Returns the half of a surrogate pair that the escape at `at` encodes, if any.
fn surrogate(text: &str, at: usize) -> Option<Half> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..0xdc00 => Some(Half::High),
        0xdc00..0xe000 => Some(Half::Low),
        _ => None,
    }
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

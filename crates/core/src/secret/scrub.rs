//! Removes a secret from a text of the service.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

/// The replacement of a secret; short, so that it rarely makes a text longer.
const REDACTED: &str = "***";
/// The shortest prefix of a secret that is removed from the end of a text. Shorter ones reveal
/// little, and occur in many words by chance.
const MIN_PREFIX: usize = 4;

/// Returns `text` without `secret`: each occurrence, plain or with any of its characters percent-,
/// JSON- or HTML-encoded (once or twice) or its white space collapsed, and its beginning at the end
/// of a text that was cut off.
pub(crate) fn scrub(text: &str, secret: &str) -> String {
    let secret = Zeroizing::new(collapse(secret));
    if secret.is_empty() {
        return text.to_owned();
    }
    let kept = text.trim_end_matches('…').len();
    let mut scrubbed = String::new();
    let mut at = 0;
    while let Some(c) = text.get(at..kept).and_then(|rest| rest.chars().next()) {
        match find(&text[..kept], at, &secret) {
            Some(end) => {
                scrubbed.push_str(REDACTED);
                at = end;
            }
            None => {
                scrubbed.push(c);
                at += c.len_utf8();
            }
        }
    }
    scrubbed.push_str(&text[kept..]);
    let max_chars = text.chars().count();
    scrubbed.chars().take(max_chars).collect()
}

/// Returns the characters of `text`, with each run of white space and control characters as one
/// space.
fn collapse(text: &str) -> Vec<char> {
    let mut chars: Vec<char> = Vec::with_capacity(text.len());
    for c in text.trim().chars() {
        let blank = c.is_whitespace() || c.is_control();
        if !blank {
            chars.push(c);
        } else if chars.last() != Some(&' ') {
            chars.push(' ');
        }
    }
    chars
}

/// Returns the end of the occurrence of `secret` that starts at `start`, if there is one.
fn find(text: &str, start: usize, secret: &[char]) -> Option<usize> {
    let mut ends = BTreeSet::from([start]);
    for (matched, &c) in secret.iter().enumerate() {
        // The text may end in the middle of the secret, or of a character's encoding.
        let cut_off = |end: &usize| {
            let rest = &text[*end..];
            rest.is_empty() || (rest.len() < MAX_ENCODED && rest.starts_with(['%', '&', '\\']))
        };
        let after = |ends: &BTreeSet<usize>| -> BTreeSet<usize> {
            ends.iter()
                .flat_map(|end| encoded(&text[*end..], c).map(move |len| end + len))
                .collect()
        };
        let mut next = after(&ends);
        // One space of the secret matches a run of spaces.
        while c == ' ' && !after(&next).is_subset(&next) {
            next.extend(after(&next));
        }
        if next.is_empty() {
            return (matched >= MIN_PREFIX && ends.iter().any(cut_off)).then_some(text.len());
        }
        ends = next;
    }
    ends.pop_last()
}

/// The longest of the usual encodings of a character below U+10000, in bytes (`&amp;#x0027;`).
const MAX_ENCODED: usize = 12;

/// Returns the lengths of all encodings of `c`, and of encodings of these, with which `text` begins.
fn encoded(text: &str, c: char) -> impl Iterator<Item = usize> {
    // Every encoding begins with one of these, or is a plain blank.
    let possible = text.starts_with(c) || text.starts_with(['%', '\\', '&']) || c == ' ';
    let forms = if possible { forms(c) } else { Vec::new() };
    let lengths: BTreeSet<usize> = forms.iter().flat_map(|form| encoded_form(text, form)).collect();
    lengths.into_iter()
}

/// Returns the lengths of all beginnings of `text` that are `form`, any of its characters encoded.
fn encoded_form(text: &str, form: &str) -> BTreeSet<usize> {
    // A plain character is compared exactly, an escape sequence without regard to case.
    let exact = form.chars().count() == 1;
    form.chars().fold(BTreeSet::from([0]), |ends, c| {
        let forms = if ends.is_empty() { Vec::new() } else { forms(c) };
        let begins = |start: usize, form: &String| {
            let found = text.as_bytes().get(start..start + form.len())?;
            let same = if exact && form.chars().count() == 1 {
                found == form.as_bytes()
            } else {
                found.eq_ignore_ascii_case(form.as_bytes())
            };
            same.then_some(start + form.len())
        };
        ends.iter().flat_map(|&at| forms.iter().filter_map(move |form| begins(at, form))).collect()
    })
}

/// Returns `c` and its encodings.
fn forms(c: char) -> Vec<String> {
    let mut utf8 = [0; 4];
    let bytes: Vec<_> =
        c.encode_utf8(&mut utf8).bytes().map(|byte| format!("%{byte:02x}")).collect();
    let mut utf16 = [0; 2];
    let units: Vec<_> =
        c.encode_utf16(&mut utf16).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    let code = u32::from(c);
    let mut forms = vec![c.to_string(), bytes.concat(), units.concat()];
    forms.extend([format!("&#{code};"), format!("&#x{code:x};"), format!("&#x{code:04x};")]);
    forms.extend(match c {
        '"' => vec!["\\\"".to_owned(), "&quot;".to_owned()],
        '\\' => vec!["\\\\".to_owned()],
        '/' => vec!["\\/".to_owned()],
        '&' => vec!["&amp;".to_owned()],
        '<' => vec!["&lt;".to_owned()],
        '>' => vec!["&gt;".to_owned()],
        '\'' => vec!["&apos;".to_owned()],
        ' ' => ["+", "&nbsp;", "\n", "\r", "\t", "\\n", "\\r", "\\t"].map(str::to_owned).to_vec(),
        _ => vec![],
    });
    forms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_secrets_are_removed() {
        let cases = [
            ("no: s3cret-word, s3cret-word!", "no: ***, ***!"),
            ("cut off at s3cret-wor…", "cut off at ***…"),
            ("cut off at s3cr…", "cut off at ***…"),
            ("cut off at s3cr……", "cut off at ***……"),
            ("……", "……"),
            ("cut off at s3c…", "cut off at s3c…"),
            ("s3cr in the middle", "s3cr in the middle"),
            ("é s3cret-word", "é ***"),
            ("nothing", "nothing"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(scrub(text, "s3cret-word"), expected);
        }
        assert_eq!(scrub("text", ""), "text");
        assert_eq!(scrub("aaaa", "a"), "****");
    }

    #[test]
    fn encoded_secrets_are_removed() {
        let secret = "a\"b\\c&<d>/  e'f";
        for text in [
            r#"a\"b\\c&<d>\/  e'f"#,
            "a%22b%5cc%26%3Cd%3e%2F++e%27f",
            "a&quot;b\\c&amp;&lt;d&gt;/ e&#39;f",
            "a&#34;b\\c&amp;&lt;d&gt;&#x2F; e&apos;f",
            r"a\u0022b\u005Cc\u0026\u003cd\u003e\u002f \u0020e\u0027f",
        ] {
            assert_eq!(scrub(&format!("<{text}>"), &secret.replace("  ", " ")), "<***>", "{text}");
        }
        assert_eq!(scrub("no a%22b%5cc%2…", secret), "no ***…");
    }

    #[test]
    fn secrets_encoded_twice_are_removed() {
        let secret = "a\"b\\c&<d>/e'f";
        for text in [
            "a%2522b%255Cc%2526%253C%64%253e%252Fe%2527f",
            r#"a\\\"b\\\\c&<d>/e'f"#,
            "a%5C%22b%5C%5Cc%26%3Cd%3E%2Fe%27f",
            r"a\&quot;b\\c&amp;&lt;d&gt;/e&#39;f",
            r"a&amp;quot;b\c&amp;amp;&amp;lt;d&amp;gt;/e&amp;#39;f",
            r"a\\u0022b\\\\c&<d>/e'f",
        ] {
            assert_eq!(scrub(&format!("<{text}>"), secret), "<***>", "{text}");
        }
    }

    proptest! {
        /// Any text is accepted, also cut off, in any encoding.
        #[test]
        fn no_text_panics(text in "([a-c%&\\\\;…é]|%61|&#97;|\\\\u0061){0,20}", secret in "[a-c é…]{0,6}") {
            scrub(&text, &secret);
        }

        /// Any secret is removed, wherever it occurs.
        #[test]
        fn no_secret_survives(
            secret in "[ -~]{4,20}",
            before in "[a-z]{0,9}[.]",
            after in "[.][a-z]{0,9}",
        ) {
            prop_assume!(!secret.trim().is_empty() && !"***".contains(secret.trim()));
            let percent: Vec<_> = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let percent = percent.concat();
            let json = serde_json::to_string(&secret).unwrap();
            for form in [&secret, &percent, json.trim_matches('"')] {
                let scrubbed = scrub(&format!("{before}{form}{after}"), &secret);
                prop_assert!(!scrubbed.contains(secret.trim()), "{scrubbed}");
                prop_assert!(!scrubbed.contains(&percent), "{scrubbed}");
            }
        }
    }
}

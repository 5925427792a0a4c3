//! Removes a secret from a text of the service.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// The replacement of a secret; short, so that it rarely makes a text longer.
const REDACTED: &str = "***";
/// The shortest prefix of a secret that is removed from the end of a text. Shorter ones reveal
/// little, and occur in many words by chance.
const MIN_PREFIX: usize = 4;
/// The shortest secret, in bytes, that is also removed in hexadecimal and base64.
const MIN_WHOLE: usize = 8;

/// Returns `text` without `secret`: each occurrence, plain, in hexadecimal or in base64, or with any
/// of its characters percent-, JSON-, JavaScript- or HTML-encoded (once or twice) or its white space
/// collapsed, and its beginning at the end of a text that was cut off.
///
/// The time is at most proportional to the product of both lengths.
pub(crate) fn scrub(text: &str, secret: &str) -> String {
    // Each byte of the secret is at least one byte of the text.
    let bytes = &secret.as_bytes()[..secret.len().min(text.len())];
    let scrubbed = scrub_characters(text, secret);
    if secret.len() < MIN_WHOLE {
        return scrubbed;
    }
    let hex = Zeroizing::new(hex("", bytes));
    let upper = Zeroizing::new(hex.to_ascii_uppercase());
    let base64 =
        [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|base64| Zeroizing::new(base64.encode(bytes)));
    let encoded = [hex, upper].into_iter().chain(base64);
    encoded.fold(scrubbed, |text, secret| scrub_characters(&text, &secret))
}

/// Returns `text` without `secret`, plain or with any of its characters encoded.
fn scrub_characters(text: &str, secret: &str) -> String {
    let kept = &text[..text.trim_end_matches('…').len()];
    // Each character of the secret is at least one byte of the text, so more cannot occur in it.
    let secret = Zeroizing::new(collapse(secret, kept.len() + 1));
    let Some(ends) = Matcher::new(kept).ends(&secret) else { return text.to_owned() };
    let mut scrubbed = String::new();
    let mut at = 0;
    while let Some(c) = kept.get(at..).and_then(|rest| rest.chars().next()) {
        match ends.get(at).copied().flatten() {
            Some(End { at: end, .. }) => {
                scrubbed.push_str(REDACTED);
                at = end;
            }
            None => {
                scrubbed.push(c);
                at += c.len_utf8();
            }
        }
    }
    scrubbed.push_str(&text[kept.len()..]);
    let max_chars = text.chars().count();
    scrubbed.chars().take(max_chars).collect()
}

/// Returns at most `max` characters of `text`, with each run of white space and control characters
/// as one space.
fn collapse(text: &str, max: usize) -> Vec<char> {
    let mut chars: Vec<char> = Vec::with_capacity(text.len().min(max));
    for c in text.trim().chars() {
        if chars.len() == max {
            break;
        }
        let blank = c.is_whitespace() || c.is_control();
        if !blank {
            chars.push(c);
        } else if chars.last() != Some(&' ') {
            chars.push(' ');
        }
    }
    chars
}

/// Finds a secret in a text.
struct Matcher<'a> {
    text: &'a str,
    forms: HashMap<char, Rc<[String]>>,
    /// The ends of each character's encodings, by the position at which they start.
    encodings: HashMap<char, Rc<[Vec<usize>]>>,
}

/// The end of an occurrence. Ends of the whole secret are ordered after ends of a part of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    is_whole: bool,
    at: usize,
}

/// For each position in a text, the end of the occurrence that starts there, if one does.
type Ends = Vec<Option<End>>;

impl<'a> Matcher<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, forms: HashMap::new(), encodings: HashMap::new() }
    }

    /// Returns where the occurrences of `secret` end, by the position at which they start, or `None`
    /// if there are none.
    fn ends(&mut self, secret: &[char]) -> Option<Ends> {
        let longest = self.longest_prefix(secret);
        let is_whole = longest == secret.len();
        if longest == 0 || (!is_whole && longest < MIN_PREFIX) {
            return None;
        }
        let length = self.text.len();
        // The ends of the rest of the secret, from its last character to its first.
        let whole = |at| is_whole.then_some(End { is_whole, at });
        let mut rest: Ends = (0..=length).map(whole).collect();
        self.end_if_cut_off(longest, &mut rest);
        for (matched, &c) in secret[..longest].iter().enumerate().rev() {
            let encodings = self.encodings(c);
            let mut ends: Ends = vec![None; length + 1];
            for start in (0..length).rev() {
                // One space of the secret matches a run of spaces.
                let in_run = |end: usize| ends[end].filter(|_| c == ' ');
                let after = |&end: &usize| rest[end].max(in_run(end));
                ends[start] = encodings[start].iter().filter_map(after).max();
            }
            self.end_if_cut_off(matched, &mut ends);
            rest = ends;
        }
        Some(rest)
    }

    /// Returns the length of the longest beginning of `secret` that occurs anywhere.
    fn longest_prefix(&mut self, secret: &[char]) -> usize {
        let mut starts = vec![true; self.text.len()];
        for (matched, &c) in secret.iter().enumerate() {
            let encodings = self.encodings(c);
            let mut ends = vec![false; self.text.len() + 1];
            for (start, encodings) in encodings.iter().enumerate() {
                if starts[start] || (c == ' ' && ends[start]) {
                    for &end in encodings {
                        ends[end] = true;
                    }
                }
            }
            if !ends.contains(&true) {
                return matched;
            }
            starts = ends;
        }
        secret.len()
    }

    /// Adds the end of the text to `ends`, as the end of an occurrence that was cut off after
    /// `matched` characters of the secret, possibly in the middle of a character's encoding.
    fn end_if_cut_off(&self, matched: usize, ends: &mut Ends) {
        if matched < MIN_PREFIX {
            return;
        }
        let length = self.text.len();
        let in_escape = |start: usize| {
            self.text.as_bytes().get(start).is_none_or(|first| b"%&\\".contains(first))
        };
        let last = (length + 1).saturating_sub(MAX_ENCODED);
        for (start, end) in ends.iter_mut().enumerate().skip(last) {
            if in_escape(start) {
                *end = (*end).max(Some(End { is_whole: false, at: length }));
            }
        }
    }

    /// Returns the ends of all encodings of `c`, and of encodings of these, by their starts.
    fn encodings(&mut self, c: char) -> Rc<[Vec<usize>]> {
        if let Some(known) = self.encodings.get(&c) {
            return Rc::clone(known);
        }
        let ends: Rc<[Vec<usize>]> = (0..self.text.len()).map(|at| self.encoded(at, c)).collect();
        self.encodings.insert(c, Rc::clone(&ends));
        ends
    }

    fn encoded(&mut self, start: usize, c: char) -> Vec<usize> {
        let Some(rest) = self.text.get(start..) else { return Vec::new() };
        // Every encoding begins with one of these, or is a plain blank.
        let possible = rest.starts_with(c) || rest.starts_with(['%', '\\', '&']) || c == ' ';
        if !possible {
            return Vec::new();
        }
        let forms = self.forms(c);
        let ends: BTreeSet<_> =
            forms.iter().flat_map(|form| self.encoded_form(start, form)).collect();
        ends.into_iter().collect()
    }

    /// Returns the ends of all occurrences of `form` at `start`, with any of its characters
    /// encoded.
    fn encoded_form(&mut self, start: usize, form: &str) -> BTreeSet<usize> {
        // A plain character is compared exactly, an escape sequence without regard to case.
        let exact = form.chars().count() == 1;
        let mut ends = BTreeSet::from([start]);
        for c in form.chars() {
            if ends.is_empty() {
                break;
            }
            let forms = self.forms(c);
            let text = self.text.as_bytes();
            let after = |&at: &usize| {
                forms.iter().filter_map(move |form| {
                    let found = text.get(at..at + form.len())?;
                    let same = if exact && form.chars().count() == 1 {
                        found == form.as_bytes()
                    } else {
                        found.eq_ignore_ascii_case(form.as_bytes())
                    };
                    same.then_some(at + form.len())
                })
            };
            ends = ends.iter().flat_map(after).collect();
        }
        ends
    }

    fn forms(&mut self, c: char) -> Rc<[String]> {
        Rc::clone(self.forms.entry(c).or_insert_with(|| forms(c).into_iter().collect()))
    }
}

/// The longest of the usual encodings of a character below U+10000, in bytes (`&amp;#x0027;`).
const MAX_ENCODED: usize = 12;

/// Returns bytes in hexadecimal, each after `prefix`.
fn hex(prefix: &str, bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{prefix}{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Returns `c` and its encodings.
fn forms(c: char) -> BTreeSet<String> {
    let mut utf8 = [0; 4];
    let utf8 = c.encode_utf8(&mut utf8).as_bytes();
    let mut utf16 = [0; 2];
    let units: Vec<_> =
        c.encode_utf16(&mut utf16).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    let code = u32::from(c);
    let mut forms =
        BTreeSet::from([c.to_string(), hex("%", utf8), hex("\\x", utf8), units.concat()]);
    forms.extend((1..=5).map(|width| format!("&#{code:0width$};")));
    forms.extend((1..=4).map(|width| format!("&#x{code:0width$x};")));
    let others: &[&str] = match c {
        '"' => &["\\\"", "&quot;"],
        '\\' => &["\\\\"],
        '/' => &["\\/"],
        '&' => &["&amp;"],
        '<' => &["&lt;"],
        '>' => &["&gt;"],
        '\'' => &["\\'", "&apos;"],
        ' ' => &["+", "&nbsp;", "\\xa0", "\n", "\r", "\t", "\\n", "\\r", "\\t"],
        _ => &[],
    };
    forms.extend(others.iter().map(|form| (*form).to_owned()));
    if c == ' ' {
        forms.extend(self::forms('\u{a0}'));
    }
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
            r"a&#034;b&#0092;c&#00038;&#x3c;d&#x03E;/&#160;e&#039;f",
            r"a\x22b\x5Cc\x26\x3Cd\x3e\x2f\x20e\x27f",
            "a\"b\\c&<d>/\u{a0}e\\'f",
            r"a%22b%5cc%26%3Cd%3e%2F%C2%a0\u00a0\xa0&#xA0;e%27f",
        ] {
            assert_eq!(scrub(&format!("<{text}>"), &secret.replace("  ", " ")), "<***>", "{text}");
        }
        assert_eq!(scrub("no a%22b%5cc%2…", secret), "no ***…");
        assert_eq!(scrub("Jane Doe, Jane%C2%A0Doe", "Jane\u{a0}Doe"), "***, ***");
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

    #[test]
    fn secrets_in_hexadecimal_and_base64_are_removed() {
        // printf 'p@s>w?rd' | base64; printf 'p@s>w?rd' | xxd -p
        for (text, rest) in [
            ("cEBzPnc/cmQ=", "***="),
            ("cEBzPnc_cmQ=", "***="),
            ("cEBzPnc/cmQ", "***"),
            (r"cEBzPnc\/cmQ%3D", "***%3D"),
            ("7040733e773f7264", "***"),
            ("7040733E773F7264", "***"),
            ("cEBzP…", "***…"),
            ("7040733e77…", "***…"),
        ] {
            assert_eq!(scrub(&format!("as {text}"), "p@s>w?rd"), format!("as {rest}"));
        }
        assert_eq!(scrub("cGFzc3dvcg== 70617373776f72", "passwor"), "cGFzc3dvcg== 70617373776f72");
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "it measures the time")]
    fn time_is_bounded() {
        let ascii: String = (' '..='~').collect();
        for (text, secret) in [
            ("\\".repeat(301), "\\".repeat(300)),
            ("\\".repeat(1200), "\\".repeat(2000)),
            ("%".repeat(1200), "%".repeat(2000)),
            ("%25".repeat(600), "%2525".repeat(600)),
            ("&amp;amp;".repeat(200), "&".repeat(2000)),
            ("&nbsp;".repeat(300), " x".repeat(2000)),
            ("%".repeat(300), ascii.repeat(10)),
        ] {
            let start = std::time::Instant::now();
            scrub(&text, &secret);
            // Without optimization, and with room for a busy machine.
            assert!(start.elapsed().as_secs() < 5, "{:?} for {secret:.9}", start.elapsed());
        }
    }

    proptest! {
        /// Any text is accepted, in any encoding, even if it is cut off.
        #[test]
        fn no_text_panics(text in "([a-c%&\\\\;…é]|%61|&#0?97;|\\\\x61|\\\\u0061){0,20}", secret in "[a-c é…]{0,6}") {
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
            let each = |form: fn(u8) -> String| secret.bytes().map(form).collect::<String>();
            let json = serde_json::to_string(&secret).unwrap();
            let mut forms = vec![
                secret.clone(),
                json[1..json.len() - 1].to_owned(),
                each(|byte| format!("%{byte:02X}")),
                each(|byte| format!("\\x{byte:02x}")),
                each(|byte| format!("&#{byte:04};")),
            ];
            if secret.len() >= MIN_WHOLE {
                forms.extend([STANDARD_NO_PAD.encode(&secret), URL_SAFE_NO_PAD.encode(&secret)]);
                forms.extend([each(|byte| format!("{byte:02x}")), each(|byte| format!("{byte:02X}"))]);
            }
            for form in forms {
                let scrubbed = scrub(&format!("{before}{form}{after}"), &secret);
                prop_assert!(!scrubbed.contains(secret.trim()), "{scrubbed}");
                prop_assert!(!scrubbed.contains(&form), "{scrubbed}");
            }
        }
    }
}

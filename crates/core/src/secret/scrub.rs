//! Removes a secret from a text of the service.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

/// The replacement of a secret; short, so that it rarely makes a text longer.
const REDACTED: &str = "***";
/// The shortest prefix of a secret that is removed from the end of a text. Shorter ones reveal
/// little, and occur in many words by chance.
const MIN_PREFIX: usize = 4;
/// The shortest secret, in bytes, that is also removed in hexadecimal, in base64 and in another case.
/// Shorter ones may be ordinary words.
const MIN_WHOLE: usize = 8;
/// Characters may be encoded, and the characters of these encodings too.
const MAX_TIMES: usize = 2;

/// Returns `text` without `secret`: each occurrence, plain, in hexadecimal or within base64, or with
/// any of its characters percent-, JSON-, JavaScript- or HTML-encoded (once or twice) or its white
/// space collapsed, and its beginning at the end of a text that was cut off. ASCII letters of a secret
/// of at least 8 bytes are compared without regard to case.
///
/// The time is at most proportional to the product of both lengths.
pub(crate) fn scrub(text: &str, secret: &str) -> String {
    // Each byte of the secret is at least one byte of the text.
    let bytes = &secret.as_bytes()[..secret.len().min(text.len())];
    let scrubbed = scrub_characters(text, secret);
    if secret.len() < MIN_WHOLE {
        return scrubbed;
    }
    let whole = [hex("", bytes), STANDARD_NO_PAD.encode(bytes)].map(Zeroizing::new);
    let encoded = whole.into_iter().chain([0, 1, 2].map(|before| inner_base64(bytes, before)));
    encoded.fold(scrubbed, |text, secret| scrub_characters(&text, &secret))
}

/// Returns what is the same in the base64 of all texts that contain `bytes`, if the number of bytes
/// before them is `before` or differs from it by a multiple of 3.
fn inner_base64(bytes: &[u8], before: usize) -> Zeroizing<String> {
    let text = Zeroizing::new([&[0; 2][..before], bytes].concat());
    let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&text));
    let inner = (before * 8).div_ceil(6)..text.len() * 8 / 6;
    Zeroizing::new(encoded.get(inner).unwrap_or_default().to_owned())
}

/// Returns `text` without `secret`, plain or with any of its characters encoded.
fn scrub_characters(text: &str, secret: &str) -> String {
    let kept = &text[..text.trim_end_matches('…').len()];
    // Each character of the secret is at least one byte of the text, so more cannot occur in it.
    let chars = Zeroizing::new(collapse(secret, kept.len() + 1));
    let Some(ends) = Matcher::new(kept, secret.len() < MIN_WHOLE).ends(&chars) else {
        return text.to_owned();
    };
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
    /// Whether the letters of the secret are compared with regard to case.
    exact: bool,
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
    fn new(text: &'a str, exact: bool) -> Self {
        Self { text, exact, forms: HashMap::new(), encodings: HashMap::new() }
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
        let length = self.text.len();
        let encoded = |at| self.encoded(&[at], c, MAX_TIMES);
        let ends: Rc<[Vec<usize>]> = (0..length).map(encoded).collect();
        self.encodings.insert(c, Rc::clone(&ends));
        ends
    }

    /// Returns the ends of all occurrences of `c` at one of `starts`, encoded at most `times` times.
    fn encoded(&mut self, starts: &[usize], c: char, times: usize) -> Vec<usize> {
        let exact = self.exact && times == MAX_TIMES;
        let mut ends = Vec::new();
        for &start in starts {
            let Some(first) = self.text.get(start..).and_then(|rest| rest.chars().next()) else {
                continue;
            };
            if first == c || (!exact && first.eq_ignore_ascii_case(&c)) {
                ends.push(start + first.len_utf8());
            }
            // Every encoding begins with one of these, but for those of blanks and of base64.
            if times > 0 && ("%&\\".contains(first) || " +/".contains(c)) {
                let may_begin = |form: &&String| times > 1 || form.starts_with(first);
                for form in self.forms(c).iter().filter(may_begin) {
                    ends.extend(self.encoded_form(start, form, times - 1));
                }
            }
        }
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    /// Returns the ends of all occurrences of `form` at `start`, with its characters encoded at most
    /// `times` times.
    fn encoded_form(&mut self, start: usize, form: &str, times: usize) -> Vec<usize> {
        let mut ends = vec![start];
        for c in form.chars() {
            let before = ends;
            ends = self.encoded(&before, c, times);
            match c {
                // A number in HTML may begin with zeros.
                '#' | 'x' => {
                    let mut zeros = self.encoded(&ends, '0', times);
                    while !zeros.is_empty() {
                        ends.extend_from_slice(&zeros);
                        zeros = self.encoded(&zeros, '0', times);
                    }
                }
                // Nor need it end in this.
                ';' => ends.extend(before),
                _ => {}
            }
            if ends.is_empty() {
                break;
            }
        }
        ends
    }

    fn forms(&mut self, c: char) -> Rc<[String]> {
        let other_case = match c {
            _ if self.exact => c,
            'a'..='z' => c.to_ascii_uppercase(),
            _ => c.to_ascii_lowercase(),
        };
        let all = || {
            let forms: BTreeSet<_> = [c, other_case].into_iter().flat_map(forms).collect();
            forms.into_iter().collect()
        };
        Rc::clone(self.forms.entry(c).or_insert_with(all))
    }
}

/// The longest of the usual encodings of a character below U+10000, in bytes (`&amp;#x0027;`).
const MAX_ENCODED: usize = 12;

/// Returns bytes in hexadecimal, each after `prefix`.
fn hex(prefix: &str, bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{prefix}{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Returns the encodings of `c`. The digits of those in hexadecimal are in lower case.
fn forms(c: char) -> Vec<String> {
    let mut utf8 = [0; 4];
    let utf8 = c.encode_utf8(&mut utf8).as_bytes();
    let mut utf16 = [0; 2];
    let units: Vec<_> =
        c.encode_utf16(&mut utf16).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    let code = u32::from(c);
    let mut forms = vec![hex("%", utf8), hex("\\x", utf8), units.concat()];
    forms.extend([format!("&#{code};"), format!("&#x{code:x};")]);
    // The second form of `+` and of `/` is that of URL-safe base64.
    let others: &[&str] = match c {
        '"' => &["\\\"", "&quot;"],
        '\\' => &["\\\\"],
        '+' => &["&plus;", "-"],
        '/' => &["\\/", "_", "&sol;"],
        '&' => &["&amp;"],
        '<' => &["&lt;"],
        '>' => &["&gt;"],
        '\'' => &["\\'", "&apos;"],
        ' ' => &["\u{a0}", "+", "&nbsp;", "\\xa0", "\n", "\r", "\t", "\\n", "\\r", "\\t"],
        _ => &[],
    };
    forms.extend(others.iter().map(|form| (*form).to_owned()));
    if c == ' ' {
        forms.extend(self::forms('\u{a0}'));
    }
    forms
}

#[cfg(test)]
mod tests;

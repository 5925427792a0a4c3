//! Writes to standard error, and escapes untrusted text for a terminal.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};

/// The characters with the properties `Cf` and `Default_Ignorable_Code_Point` in Unicode 16.
const FORMAT: [RangeInclusive<char>; 25] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{600}'..='\u{605}',
    '\u{61c}'..='\u{61c}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fffb}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{13430}'..='\u{1343f}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

/// Those that are part of words and emoji: joiners, variation selectors and visible signs.
const IN_WORDS: [RangeInclusive<char>; 12] = [
    '\u{600}'..='\u{605}',
    '\u{6dd}'..='\u{6dd}',
    '\u{70f}'..='\u{70f}',
    '\u{890}'..='\u{891}',
    '\u{8e2}'..='\u{8e2}',
    '\u{180b}'..='\u{180d}',
    '\u{180f}'..='\u{180f}',
    '\u{200c}'..='\u{200d}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{110bd}'..='\u{110bd}',
    '\u{110cd}'..='\u{110cd}',
    '\u{e0100}'..='\u{e01ef}',
];

/// Set while the last line on standard error is one that is redrawn.
static IS_DRAWN: AtomicBool = AtomicBool::new(false);

/// Standard error for whole lines, which replace a drawn one.
pub(crate) struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        erase();
        io::stderr().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Prints a line for people to standard error.
pub(crate) fn say(text: &str) {
    write(&format!("didit: {}\n", escape(text)));
}

/// Redraws the last line on standard error.
pub(crate) fn redraw(line: &str) {
    IS_DRAWN.store(true, Ordering::Relaxed);
    let _ = write!(io::stderr(), "\r{line}\x1b[K");
}

/// Erases a drawn line, to make room for others.
pub(crate) fn erase() {
    if IS_DRAWN.swap(false, Ordering::Relaxed) {
        let _ = io::stderr().write_all(b"\r\x1b[K");
    }
}

/// Writes to standard error. If that fails, there is nowhere to report it.
pub(crate) fn write(text: &str) {
    let _ = Lines.write_all(text.as_bytes());
}

/// Returns the number of columns for a line on the terminal that is standard error. The last column
/// stays empty: some terminals wrap the line after writing to it.
pub(crate) fn stderr_width() -> usize {
    let size = terminal_size::terminal_size_of(io::stderr());
    size.map_or(80, |(width, _)| usize::from(width.0)).saturating_sub(1)
}

/// Escapes every character that moves the cursor, ends the line or arranges text, and invisible ones.
pub(crate) fn escape(text: &str) -> String {
    escaped(text, |c| c.escape_default().to_string())
}

/// Escapes the same characters of a JSON text, in JSON syntax.
pub(crate) fn escape_json(text: &str) -> String {
    escaped(text, |c| match c.encode_utf16(&mut [0; 2]) {
        [high, low] => format!("\\u{high:04x}\\u{low:04x}"),
        _ => format!("\\u{:04x}", u32::from(c)),
    })
}

fn escaped(text: &str, escape: impl Fn(char) -> String) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            escaped.push_str(&escape(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn is_harmful(c: char) -> bool {
    let is_line_separator = matches!(c, '\u{2028}' | '\u{2029}');
    c.is_control() || is_line_separator || (is_format(c) && !is_in(&IN_WORDS, c))
}

/// Returns true for Unicode's format characters and those that are ignorable by default, like
/// bidirectional marks and tags. Most are invisible.
pub(crate) fn is_format(c: char) -> bool {
    is_in(&FORMAT, c)
}

fn is_in(ranges: &[RangeInclusive<char>], c: char) -> bool {
    ranges.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_bidi_characters_are_escaped() {
        assert_eq!(escape("a\x1b[2Jb\r\n\tc\x7f\u{9b}1m"), r"a\u{1b}[2Jb\r\n\tc\u{7f}\u{9b}1m");
        assert_eq!(escape("\u{202e}txt\u{2066}\u{2028}"), r"\u{202e}txt\u{2066}\u{2028}");
        assert_eq!(
            escape_json("{\"a\u{9b}\":\"\u{7f}\u{202e}\"}"),
            r#"{"a\u009b":"\u007f\u202e"}"#
        );
        let marks = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}";
        let isolates = "\u{2066}\u{2067}\u{2068}\u{2069}\u{2028}\u{2029}";
        let controls = (0..=0x9f).filter_map(char::from_u32).filter(|c| c.is_control());
        let invisible =
            "\u{ad}\u{34f}\u{115f}\u{180e}\u{200b}\u{2060}\u{2065}\u{206a}\u{3164}\u{feff}";
        let others = "\u{fff9}\u{e0001}\u{e0041}\u{e007f}\u{1d173}";
        let invisible = invisible.chars().chain(others.chars());
        for c in marks.chars().chain(isolates.chars()).chain(controls).chain(invisible) {
            let text = c.to_string();
            assert!(!escape(&text).contains(c) && !escape_json(&text).contains(c), "{c:?}");
            assert_eq!(
                serde_json::from_str::<String>(&escape_json(&format!("\"{c}\""))).unwrap(),
                text
            );
        }
    }

    #[test]
    fn ordinary_text_is_unchanged() {
        let text = r"Zoë O'Brien \ 田中 عمر 👩‍👧";
        assert_eq!((escape(text), escape_json(text)), (text.to_owned(), text.to_owned()));
        let near = "\u{61b}\u{200c}\u{200d}\u{2010}\u{2027}\u{202f}\u{fe0f}\u{e0100}\u{180b}\u{a0}";
        assert_eq!(escape(near), near);
    }
}

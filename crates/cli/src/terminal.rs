//! Writes to standard error, and escapes untrusted text for a terminal.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Escapes every character that moves the cursor, ends the line or changes the direction of text.
pub(crate) fn escape(text: &str) -> String {
    escaped(text, |c| c.escape_default().to_string())
}

/// Escapes the same characters of a JSON text, in JSON syntax.
pub(crate) fn escape_json(text: &str) -> String {
    // All these characters fit in four hex digits.
    escaped(text, |c| format!("\\u{:04x}", u32::from(c)))
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
    // Line separators, then bidirectional marks, embeddings, overrides and isolates.
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
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
        for c in marks.chars().chain(isolates.chars()).chain(controls) {
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
        let near = "\u{61b}\u{200d}\u{2010}\u{2027}\u{202f}\u{2065}\u{206a}\u{a0}";
        assert_eq!(escape(near), near);
    }
}

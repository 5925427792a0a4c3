//! Text from outside, made harmless to a terminal.

use std::fmt::Write as _;

/// Returns the same text on one line, with every character escaped that moves the cursor, ends the
/// line or turns the order of the text around it.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// Returns the same JSON text with such characters in the escapes of JSON.
pub(crate) fn escape_json(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            // Writing to a string cannot fail, and all of them take four digits.
            let _ = write!(escaped, "\\u{:04x}", u32::from(c));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn is_harmful(c: char) -> bool {
    // The separators, then the marks, embeddings, overrides and isolates of bidirectional text.
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moves_the_cursor_or_turns_the_text_is_escaped() {
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
    fn what_people_write_is_left_alone() {
        let text = r"Zoë O'Brien \ 田中 عمر 👩‍👧";
        assert_eq!((escape(text), escape_json(text)), (text.to_owned(), text.to_owned()));
        let near = "\u{61b}\u{200d}\u{2010}\u{2027}\u{202f}\u{2065}\u{206a}\u{a0}";
        assert_eq!(escape(near), near);
    }
}

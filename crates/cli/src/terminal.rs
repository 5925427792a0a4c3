//! Text from outside, made harmless to a terminal.

/// The same text on one line, with every character escaped that moves the cursor, ends the line or
/// turns the order of what stands around it.
pub(crate) fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_harmful(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
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
    use super::escape;

    #[test]
    fn what_moves_the_cursor_or_turns_the_text_is_escaped() {
        assert_eq!(escape("a\x1b[2Jb\r\n\tc\x7f\u{9b}1m"), r"a\u{1b}[2Jb\r\n\tc\u{7f}\u{9b}1m");
        assert_eq!(escape("\u{202e}txt\u{2066}\u{2028}"), r"\u{202e}txt\u{2066}\u{2028}");
    }

    #[test]
    fn what_people_write_is_left_alone() {
        let text = r"Zoë O'Brien \ 田中 عمر 👩‍👧";
        assert_eq!(escape(text), text);
    }
}

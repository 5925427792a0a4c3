//! Where the strings of a JSON text stand.

/// Where a string stands in a text, if it is there.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    start: usize,
    /// Zero for none, since a quote stands before every string.
    end: usize,
}

impl Span {
    /// Where `value`, a string that was read from `json`, stands in it; or in `json` and
    /// `unescaped` together, to which it is added if it was written with escapes.
    pub(super) fn new(json: &str, unescaped: &mut String, value: &str) -> Self {
        let start = offset_in(json, value).unwrap_or_else(|| {
            unescaped.push_str(value);
            json.len() + unescaped.len() - value.len()
        });
        Self { start, end: start + value.len() }
    }

    /// The string, given the text that it stands in.
    // Inlined, it would be there for each of the strings.
    #[inline(never)]
    pub(super) fn of(self, text: &str) -> Option<&str> {
        if self.end == 0 {
            return None;
        }
        text.get(self.start..self.end)
    }
}

/// How many bytes of `json` stand before `part`, if `part` is borrowed from it.
pub(super) fn offset_in(json: &str, part: &str) -> Option<usize> {
    let offset = (part.as_ptr() as usize).checked_sub(json.as_ptr() as usize)?;
    (offset + part.len() <= json.len()).then_some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_survive_a_copy_of_the_text() {
        let (json, mut unescaped) = (r#""plain""#.to_owned(), String::new());
        let span = Span::new(&json, &mut unescaped, &json[1..6]);
        assert_eq!((span.of(&json.clone()), &*unescaped), (Some("plain"), ""));
        assert_eq!(Span::default().of(&json), None);
    }

    #[test]
    fn what_begins_inside_and_ends_outside_is_from_elsewhere() {
        let whole = "0123456789";
        assert_eq!(offset_in(&whole[..6], &whole[2..6]), Some(2));
        assert_eq!(offset_in(&whole[..6], &whole[2..7]), None);
        assert_eq!(offset_in(&whole[3..], &whole[2..4]), None);
    }

    #[test]
    fn texts_from_elsewhere_come_after_the_text() {
        let (json, mut unescaped) = (r#"["\u0061","\u0062c",""]"#, String::new());
        let spans = ["a", "bc", ""].map(|value| Span::new(json, &mut unescaped, value));
        let text = format!("{json}{unescaped}");
        assert_eq!(unescaped, "abc");
        assert_eq!(spans.map(|span| span.of(&text)), ["a", "bc", ""].map(Some));
    }
}

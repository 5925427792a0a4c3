/// A string of a JSON text: where it stands in the text, or a copy if it was written with escapes.
#[derive(Clone)]
pub(super) enum Text {
    Span { start: u32, end: u32 },
    Unescaped(Box<str>),
}

impl Text {
    /// `value` is a string that was read from `json`.
    pub(super) fn new(json: &str, value: &str) -> Self {
        let span = offset_in(json, value).and_then(|start| {
            Some((u32::try_from(start).ok()?, u32::try_from(start + value.len()).ok()?))
        });
        match span {
            Some((start, end)) => Self::Span { start, end },
            None => Self::Unescaped(value.into()),
        }
    }

    /// The string, given the text (or a copy of the text) that it was made with.
    pub(super) fn get<'a>(&'a self, json: &'a str) -> &'a str {
        match self {
            Self::Span { start, end } => {
                json.get(*start as usize..*end as usize).unwrap_or_default()
            }
            Self::Unescaped(text) => text,
        }
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
        let json = r#""plain""#.to_owned();
        let text = Text::new(&json, &json[1..6]);
        assert!(matches!(text, Text::Span { start: 1, end: 6 }));
        assert_eq!(text.get(&json.clone()), "plain");
    }

    #[test]
    fn what_begins_inside_and_ends_outside_is_from_elsewhere() {
        let whole = "0123456789";
        assert_eq!(offset_in(&whole[..6], &whole[2..6]), Some(2));
        assert_eq!(offset_in(&whole[..6], &whole[2..7]), None);
        assert_eq!(offset_in(&whole[3..], &whole[2..4]), None);
    }

    #[test]
    fn texts_from_elsewhere_are_kept() {
        let text = Text::new(r#""\u0061""#, "a");
        assert!(matches!(text, Text::Unescaped(_)));
        assert_eq!(text.get(r#""\u0061""#), "a");
    }
}

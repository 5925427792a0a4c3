//! Suggestions for mistyped words.

/// Returns the known name most similar to the given one, if any is similar enough.
pub(crate) fn near<'a>(given: &str, known: &[&'a str]) -> Option<&'a str> {
    const MIN_SIMILARITY: f64 = 0.8;
    let plain = |name: &str| name.to_ascii_lowercase().replace('-', "_");
    let given = plain(given);
    let stem = given.trim_end_matches('s');
    let score = |name: &str| {
        let name = plain(name);
        // In addition to typos: the singular for the plural, and a part for the whole.
        let related = name.trim_end_matches('s') == stem
            || (stem.len() >= 4 && name.split('_').any(|word| word == stem))
            || name.trim_start_matches("is_") == stem;
        if related { 1.0 } else { strsim::jaro_winkler(&given, &name) }
    };
    let scored = known.iter().map(|name| (score(name), *name));
    let best = scored.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 >= MIN_SIMILARITY).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_and_other_forms_find_the_name() {
        let known =
            ["names", "email", "phone", "picture", "is_over_18", "document_detail", "gender"];
        for (given, meant) in [
            ("mail", Some("email")),
            ("emial", Some("email")),
            ("Email", Some("email")),
            ("name", Some("names")),
            ("over_18", Some("is_over_18")),
            ("document", Some("document_detail")),
            ("is-over-18", Some("is_over_18")),
            ("loyalty_points", None),
            ("x", None),
        ] {
            assert_eq!(near(given, &known), meant, "{given}");
        }
    }
}

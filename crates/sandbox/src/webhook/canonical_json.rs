//! JSON in the form of Python's `json.dumps(value, sort_keys=True, separators=(",", ":"))`, which
//! Didit sends and signs ([webhooks](https://docs.didit.me/integration/webhooks)).
//!
//! Written independently of the SDK's own, so that a test with the sandbox finds what either of them
//! does wrong.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// The output format.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Style {
    /// The body as sent: U+007F and characters that are not ASCII are escaped.
    Sent,
    /// The text signed by `X-Signature-V2`: as few characters as possible are escaped, and floats
    /// without a fraction are written as integers.
    Signed,
}

pub(crate) fn print(value: &Value, style: Style) -> String {
    let mut text = String::new();
    write(&mut text, value, style);
    text
}

fn write(to: &mut String, value: &Value, style: Style) {
    match value {
        Value::Null => to.push_str("null"),
        Value::Bool(value) => to.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => to.push_str(&number_text(number, style)),
        Value::String(text) => write_string(to, text, style),
        Value::Array(items) => {
            to.push('[');
            for (index, item) in items.iter().enumerate() {
                to.push_str(if index > 0 { "," } else { "" });
                write(to, item, style);
            }
            to.push(']');
        }
        Value::Object(members) => {
            // Rust compares strings by UTF-8 bytes, which is the same order as by code point.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            to.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                to.push_str(if index > 0 { "," } else { "" });
                write_string(to, name, style);
                to.push(':');
                write(to, value, style);
            }
            to.push('}');
        }
    }
}

fn write_string(to: &mut String, text: &str, style: Style) {
    to.push('"');
    for c in text.chars() {
        match c {
            '"' => to.push_str("\\\""),
            '\\' => to.push_str("\\\\"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            '\t' => to.push_str("\\t"),
            '\u{8}' => to.push_str("\\b"),
            '\u{c}' => to.push_str("\\f"),
            c if c < ' ' || (style == Style::Sent && c > '~') => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(to, "\\u{unit:04x}");
                }
            }
            c => to.push(c),
        }
    }
    to.push('"');
}

fn number_text(number: &Number, style: Style) -> String {
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(float) if style == Style::Signed && float.fract() == 0.0 => {
            // Adding 0.0 turns -0.0 into 0.0, which avoids "-0".
            format!("{:.0}", float + 0.0)
        }
        Some(float) => python_repr(float),
        None => number.to_string(),
    }
}

/// Formats a float like Python's `repr`: the shortest digits that parse to the same number, with an
/// exponent below 1e-4 and from 1e16 on. Of two texts that are equally short and close, it has the one
/// with the even last digit, as after rounding.
fn python_repr(float: f64) -> String {
    let shortest = format!("{float:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let exponent: isize = exponent.parse().unwrap_or_default();
    let to_even = |rounded: String, shortest: String| {
        if rounded.parse() == Ok(float) { rounded } else { shortest }
    };
    if (-4..16).contains(&exponent) {
        let decimals = decimals.saturating_add_signed(-exponent).max(1);
        return to_even(format!("{float:.decimals$}"), format!("{float:?}"));
    }
    let scientific = to_even(format!("{float:.decimals$e}"), shortest);
    let digits = scientific.split('e').next().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signed(text: &str) -> String {
        print(&serde_json::from_str(text).expect(text), Style::Signed)
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let float = any::<f64>().prop_filter_map("JSON has no such number", |float| {
            Number::from_f64(float).map(Value::Number)
        });
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            float,
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::hash_map(any::<String>(), inner, 0..5)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn sent_json_is_ascii_and_round_trips(value in any_json()) {
            let sent = print(&value, Style::Sent);
            prop_assert!(sent.is_ascii());
            let read: Value = serde_json::from_str(&sent).expect("JSON");
            prop_assert_eq!(print(&read, Style::Signed), print(&value, Style::Signed));
            prop_assert_eq!(read, value);
        }
    }

    #[test]
    fn numbers_are_formatted_like_python() {
        for (text, expected) in [
            ("2.0", "2"),
            ("-0.0", "0"),
            ("1e16", "10000000000000000"),
            ("1e-7", "1e-07"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("36.8421052631579", "36.8421052631579"),
            ("37.4237349802915", "37.4237349802915"),
            ("1.5e-300", "1.5e-300"),
            ("-122.0843428", "-122.0843428"),
            ("668327109817711.25", "668327109817711.2"),
            ("1064604969513669.250", "1064604969513669.2"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(signed(text), expected, "{text}");
        }
        let sent = |text: &str| print(&serde_json::from_str(text).expect(text), Style::Sent);
        assert_eq!((sent("1.0").as_str(), sent("1e22").as_str()), ("1.0", "1e+22"));
    }

    #[test]
    fn signed_strings_have_minimal_escapes() {
        let text = "{\"ñ\":\"\\u2028/\\u0007\\u007f\\\\\\\"\",\"z\":[{},null,true,[]]}";
        assert_eq!(
            signed(text),
            "{\"z\":[{},null,true,[]],\"ñ\":\"\u{2028}/\\u0007\u{7f}\\\\\\\"\"}"
        );
        let value = Value::from("é😀");
        assert_eq!(print(&value, Style::Sent), "\"\\u00e9\\ud83d\\ude00\"");
        assert_eq!(print(&Value::from("~\u{7f}"), Style::Sent), "\"~\\u007f\"");
    }

    #[test]
    fn keys_are_sorted_by_code_point() {
        assert_eq!(
            signed(r#"{"😀":1,"\uffff":2,"b":3,"B":4}"#),
            "{\"B\":4,\"b\":3,\"\u{ffff}\":2,\"😀\":1}"
        );
    }
}

use std::fmt;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::RawJson;

/// A number with the digits that the service sent. One field may be `80`, `95.26` or
/// `36.8421052631579`, and no digit is lost. A string that contains a JSON number is accepted as
/// well.
///
/// Two numbers are equal if their texts are equal.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Number(RawJson);

impl Number {
    /// Returns the text of the number.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the nearest double.
    pub fn as_f64(&self) -> f64 {
        self.as_str().parse().unwrap_or(f64::NAN)
    }

    /// Returns the integer; `None` if the number has a decimal point or an exponent, or is too
    /// large.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_str().parse().ok()
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json: RawJson = Deserialize::deserialize(deserializer)?;
        let quoted = json.as_str().strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let json = quoted.and_then(|digits| digits.parse().ok()).unwrap_or(json);
        if is_number(&json) {
            return Ok(Self(json));
        }
        Err(D::Error::invalid_type(Unexpected::Other("value"), &"a number"))
    }
}

pub(super) fn is_number(json: &RawJson) -> bool {
    json.as_str().starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for (text, double, integer) in [
            ("80", 80.0, Some(80)),
            ("-1.50", -1.5, None),
            ("1e-07", 1e-7, None),
            ("118120836164494130086420187336801405660", 1.181_208_361_644_941_4e38, None),
        ] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!((number.as_str(), number.as_i64()), (text, integer));
            assert!((number.as_f64() - double).abs() <= double.abs() * 1e-15);
            assert_eq!(serde_json::to_string(&number).unwrap(), text);
            assert_eq!(format!("{number} {number:?}"), format!("{text} Number({text})"));
        }
    }

    #[test]
    fn strings_with_a_number_are_accepted() {
        for digits in ["80", "-1.50", "1e-07"] {
            let number: Number = serde_json::from_str(&format!("\"{digits}\"")).unwrap();
            assert_eq!(number.as_str(), digits);
        }
    }

    #[test]
    fn other_values_are_rejected() {
        for text in
            [r#""8O""#, r#""""#, r#""+1""#, r#""01""#, r#""{}""#, "true", "[]", "{}", "null"]
        {
            let error = serde_json::from_str::<Number>(text).unwrap_err().to_string();
            assert!(error.contains("expected a number"), "{error}");
        }
    }
}

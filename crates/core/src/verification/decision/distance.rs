use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::number::{Number, is_number};
use super::shape::debug_only;
use crate::json::{Object, RawJson};

/// A distance. The service sends either a number of kilometers or an object that also has the
/// direction.
#[derive(Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Distance {
    /// The length in kilometers.
    pub distance: Option<Number>,
    /// The direction, such as `NE`.
    pub direction: Option<String>,
}

impl<'de> Deserialize<'de> for Distance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            distance: Option<Number>,
            direction: Option<String>,
        }

        let json: RawJson = Deserialize::deserialize(deserializer)?;
        if is_number(&json) {
            let distance = json.deserialize().map_err(D::Error::custom)?;
            return Ok(Self { distance: Some(distance), direction: None });
        }
        let Object(Members { distance, direction }) = json.deserialize().map_err(|_| {
            D::Error::custom("invalid value, expected a number or a distance and direction")
        })?;
        Ok(Self { distance, direction })
    }
}

debug_only!(Distance);

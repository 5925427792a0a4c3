use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// A step of a workflow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Feature {
    /// The code of the kind of step, such as `ID_VERIFICATION`.
    pub feature: String,
    /// The identifier of the step, if events were requested.
    pub node_id: Option<String>,
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameOrObject;

        impl<'de> Visitor<'de> for NameOrObject {
            type Value = Feature;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a feature")
            }

            fn visit_str<E>(self, feature: &str) -> Result<Feature, E> {
                Ok(Feature { feature: feature.to_owned(), node_id: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Feature, A::Error> {
                #[derive(Deserialize)]
                struct Members {
                    feature: String,
                    node_id: Option<String>,
                }

                let Members { feature, node_id } =
                    Members::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Feature { feature, node_id })
            }
        }

        deserializer.deserialize_any(NameOrObject)
    }
}

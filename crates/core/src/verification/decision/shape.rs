//! Deserializers for the JSON shapes of a report's members.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::number::is_number;
use crate::json::{Object, RawJson};

/// Deserializes a list; `null` is an empty list, and elements that are `null` are dropped.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let values: Vec<Option<T>> = Option::deserialize(deserializer)?.unwrap_or_default();
    Ok(values.into_iter().flatten().collect())
}

/// Deserializes a list of objects as [`list`] does.
pub(in crate::verification) fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let objects = list::<D, Object<T>>(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

/// Deserializes a list of objects, or an object whose members are the objects.
pub(super) fn objects_by_node<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct ByNode<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for ByNode<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list or an object")
        }

        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut values = Vec::new();
            while let Some(value) = seq.next_element::<Option<Object<T>>>()? {
                values.extend(value.map(|Object(value)| value));
            }
            Ok(values)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<T>, A::Error> {
            let mut values = Vec::new();
            while let Some((_, value)) = map.next_entry::<String, Option<Object<T>>>()? {
                values.extend(value.map(|Object(value)| value));
            }
            Ok(values)
        }
    }

    deserializer.deserialize_any(ByNode(PhantomData))
}

/// Deserializes a string, or a number as its digits.
pub(super) fn text_or_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let Some(json) = Option::<RawJson>::deserialize(deserializer)? else { return Ok(None) };
    if is_number(&json) {
        return Ok(Some(json.as_str().to_owned()));
    }
    let text = json
        .deserialize()
        .map_err(|_| D::Error::invalid_type(Unexpected::Other("value"), &"a string or a number"))?;
    Ok(Some(text))
}

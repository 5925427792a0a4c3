//! Deserializers for the JSON shapes of a report's members, and the `Debug` output of reports.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::number::is_number;
use crate::json::{JsonError, Object, RawJson};

/// Implements `Debug` with the given members only: the others may be personal data.
macro_rules! debug_only {
    ($name:ident $(: $($member:ident),+)?) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $($(.field(stringify!($member), &self.$member))+)?
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(super) use debug_only;

/// The largest number of elements in a list. An element takes much more memory than its shortest
/// text.
const MAX_ELEMENTS: usize = 10_000;

/// The largest number of objects in a text whose lists are typed. A typed object takes much more
/// memory than its shortest text.
const MAX_OBJECTS: usize = 100_000;

/// Checks that a text does not have more objects than any real response has.
pub(in crate::verification) fn check_objects(text: &str) -> Result<(), JsonError> {
    if text.bytes().filter(|byte| *byte == b'{').count() > MAX_OBJECTS {
        return Err(JsonError::at("", "expected at most 100,000 objects"));
    }
    Ok(())
}

/// Adds an element of a list, unless it is `null`.
fn push<T, E: serde::de::Error>(values: &mut Vec<T>, value: Option<T>) -> Result<(), E> {
    let Some(value) = value else { return Ok(()) };
    if values.len() == MAX_ELEMENTS {
        return Err(E::invalid_length(values.len() + 1, &"at most 10,000 elements"));
    }
    values.push(value);
    Ok(())
}

/// Deserializes a list; `null` is an empty list, and elements that are `null` are dropped.
pub(super) fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct List<T>(Vec<T>);

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_seq(Elements(PhantomData)).map(Self)
        }
    }

    Ok(Option::<List<T>>::deserialize(deserializer)?.map(|List(values)| values).unwrap_or_default())
}

struct Elements<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            push(&mut values, value)?;
        }
        Ok(values)
    }
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
                push(&mut values, value.map(|Object(value)| value))?;
            }
            Ok(values)
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<T>, A::Error> {
            let mut values = Vec::new();
            while let Some((_, value)) = map.next_entry::<String, Option<Object<T>>>()? {
                push(&mut values, value.map(|Object(value)| value))?;
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

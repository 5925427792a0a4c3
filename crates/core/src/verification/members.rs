use std::collections::BTreeMap;

use serde::Serialize;

use crate::endpoint::echo;
use crate::error::BuildError;
use crate::json::RawJson;

/// The members of a request's body. `Debug` redacts their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    values: BTreeMap<String, RawJson>,
    /// The first error of a value, which [`Self::to_body`] returns.
    error: Option<BuildError>,
}

impl Members {
    /// Sets a member.
    ///
    /// # Errors
    /// The value cannot be serialized as JSON.
    pub(super) fn set(&mut self, name: &str, value: &impl Serialize) -> Result<(), BuildError> {
        let text = serde_json::to_string(value)?;
        self.values.insert(name.to_owned(), RawJson::new_unchecked(&text));
        Ok(())
    }

    /// Sets a member. If the value cannot be serialized, the body cannot be built.
    pub(super) fn set_or_defer(&mut self, name: &str, value: &impl Serialize) {
        let error = self.set(name, value).err();
        self.error = self.error.take().or(error);
    }

    pub(super) fn get(&self, name: &str) -> Option<&RawJson> {
        self.values.get(name)
    }

    /// Returns the body, which is empty without members.
    pub(super) fn to_body(&self) -> Result<Vec<u8>, BuildError> {
        match &self.error {
            Some(error) => Err(error.clone()),
            None if self.values.is_empty() => Ok(Vec::new()),
            None => Ok(serde_json::to_vec(&self.values)?),
        }
    }

    /// Returns the caller's texts in all members except those that are named.
    pub(super) fn texts_except(&self, settings: &[&str]) -> impl Iterator<Item = String> {
        let private = self.values.iter().filter(|(name, _)| !settings.contains(&name.as_str()));
        private.flat_map(|(_, value)| echo::texts(value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_of_a_value_is_returned_with_the_body() {
        // JSON has no names that are not strings.
        let invalid = BTreeMap::from([((1, 1), 1)]);
        let mut members = Members::default();
        assert!(matches!(members.set("a", &invalid), Err(BuildError::Json(_))));
        assert_eq!(members.to_body().unwrap(), b"");
        members.set_or_defer("a", &invalid);
        members.set_or_defer("b", &1);
        assert!(matches!(members.to_body(), Err(BuildError::Json(_))));
    }
}

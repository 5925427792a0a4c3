use std::fmt;
use std::hash::{Hash, Hasher};

/// The text of a status that this version does not know, as the service wrote it. Comparisons ignore
/// ASCII case.
///
/// ```
/// use didit_core::verification::Status;
///
/// let Status::Other(unknown) = Status::from("On Hold") else { panic!() };
/// assert_eq!(unknown.as_str(), "On Hold");
/// ```
#[derive(Clone, Debug)]
pub struct UnknownStatus(Box<str>);

impl UnknownStatus {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for UnknownStatus {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq for UnknownStatus {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for UnknownStatus {}

impl Hash for UnknownStatus {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_ascii_lowercase().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

    use super::*;

    #[test]
    fn comparisons_ignore_case() {
        let state = BuildHasherDefault::<DefaultHasher>::default();
        let [lower, upper, other] = ["on hold", "On HOLD", "held"].map(UnknownStatus::new);
        assert_eq!(lower, upper);
        assert_eq!(state.hash_one(&lower), state.hash_one(&upper));
        assert_ne!(lower, other);
        assert_ne!(state.hash_one(&lower), state.hash_one(&other));
    }

    #[test]
    fn text_is_kept() {
        let status = UnknownStatus::new("On HOLD");
        assert_eq!((status.as_str(), status.as_ref()), ("On HOLD", "On HOLD"));
        assert_eq!(status.to_string(), "On HOLD");
    }
}

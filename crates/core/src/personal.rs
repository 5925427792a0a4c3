use std::fmt;

/// Stands in `Debug` where a person's data would be: says that there is some, never which.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// `Some([redacted])` or `None`.
pub(crate) fn redacted<T>(value: Option<T>) -> Option<Redacted> {
    value.map(|_| Redacted)
}

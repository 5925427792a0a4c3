use std::fmt;

/// Placeholder for personal data in `Debug` output: shows that there is a value, but not the value.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Returns `Some([redacted])` or `None`.
pub(crate) fn redacted<T>(value: Option<T>) -> Option<Redacted> {
    value.map(|_| Redacted)
}

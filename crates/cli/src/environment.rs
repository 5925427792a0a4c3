//! The environment variables that the program reads.

use std::ffi::OsString;

use crate::failure::Failure;

/// A lookup of a variable's value by name.
type Lookup = dyn Fn(&str) -> Option<OsString>;

pub(crate) struct Environment(Box<Lookup>);

impl Environment {
    pub(crate) fn of_process() -> Self {
        Self(Box::new(|name| std::env::var_os(name)))
    }

    /// Returns the value of a variable; an empty one counts as unset.
    pub(crate) fn os(&self, name: &str) -> Option<OsString> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// Returns the value of a variable that must be UTF-8.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        let text = self.os(name).map(OsString::into_string).transpose();
        text.map_err(|_| Failure::usage(format!("{name} is not UTF-8; set it to text")))
    }

    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        let variables: std::collections::HashMap<String, OsString> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
        Self(Box::new(move |name| variables.get(name).cloned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_variable_counts_as_unset() {
        let environment = Environment::of(&[("A", ""), ("B", "b")]);
        assert_eq!(environment.os("A"), None);
        assert_eq!(environment.text("B").unwrap().as_deref(), Some("b"));
        assert_eq!(environment.text("C").unwrap(), None);
    }

    #[cfg(unix)]
    #[test]
    fn non_utf8_error_names_the_variable() {
        use std::os::unix::ffi::OsStringExt as _;
        let environment = Environment(Box::new(|_| Some(OsString::from_vec(vec![0xff]))));
        let failure = environment.text("DIDIT_TIMEOUT").unwrap_err();
        assert!(failure.line().contains("DIDIT_TIMEOUT"), "{}", failure.line());
    }
}

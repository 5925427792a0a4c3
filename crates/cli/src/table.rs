//! Labelled values, one a line, for people.

use std::borrow::Cow;
use std::fmt;

use crate::terminal;

/// The widest that a label can make its column.
const MAX_LABEL: usize = 24;

/// The longest a name of the service's is shown.
const MAX_NAME: usize = 60;

/// Returns as much of a name as is shown of it.
pub(crate) fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
    }
}

#[derive(Default)]
pub(crate) struct Table(Vec<(String, String)>);

impl Table {
    /// Adds a line if there is a value; both are escaped.
    pub(crate) fn row(&mut self, label: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.0.push((terminal::escape(label), terminal::escape(&value.to_string())));
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = self.0.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        let width = widest.min(MAX_LABEL);
        for (label, value) in &self.0 {
            writeln!(f, "{label:width$}  {value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_one_column() {
        let mut table = Table::default();
        table.row("Status", Some("Confirmed"));
        table.row("Vendor data", None::<&str>);
        table.row("Name", Some("A\x1b[1A\nB"));
        assert_eq!(table.to_string(), "Status  Confirmed\nName    A\\u{1b}[1A\\nB\n");
    }

    #[test]
    fn an_endless_label_takes_only_its_own_line() {
        let mut table = Table::default();
        table.row(&"x".repeat(30), Some(1));
        table.row("y", Some(2));
        assert_eq!(table.to_string(), format!("{}  1\ny{}2\n", "x".repeat(30), " ".repeat(25)));
    }
}

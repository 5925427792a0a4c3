//! A table of labeled values: one column of values, sections, and lines wrapped to the terminal.

use std::fmt::{self, Write as _};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::style::{Look, Style};
use crate::terminal;

/// The maximum width of the label column.
const MAX_LABEL: usize = 24;
/// The minimum width that values are wrapped to.
const MIN_VALUE: usize = 8;

#[derive(Default)]
pub(crate) struct Table {
    lines: Vec<Line>,
    /// The section depth of the next line.
    depth: usize,
}

struct Line {
    depth: usize,
    label: String,
    /// `None` for the heading of a section.
    value: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Status,
    Link,
}

impl Table {
    /// Adds a line if there is a value; both are escaped.
    pub(crate) fn row(&mut self, label: &str, value: Option<impl fmt::Display>) {
        self.push(label, value, Kind::Text);
    }

    /// Adds a status, colored by its meaning.
    pub(crate) fn status(&mut self, status: &str) {
        self.push("Status", Some(status), Kind::Status);
    }

    /// Adds a URL, as a link if the terminal supports links.
    pub(crate) fn link(&mut self, label: &str, address: Option<impl fmt::Display>) {
        self.push(label, address, Kind::Link);
    }

    /// Adds a heading and the lines that `fill` adds below it, or nothing if it adds none.
    pub(crate) fn section(&mut self, heading: &str, fill: impl FnOnce(&mut Self)) {
        let at = self.lines.len();
        self.push_line(heading, None, Kind::Text);
        self.depth += 1;
        fill(self);
        self.depth -= 1;
        if self.lines.len() == at + 1 {
            self.lines.pop();
        }
    }

    fn push(&mut self, label: &str, value: Option<impl fmt::Display>, kind: Kind) {
        if let Some(value) = value {
            self.push_line(label, Some(terminal::escape(&value.to_string())), kind);
        }
    }

    fn push_line(&mut self, label: &str, value: Option<String>, kind: Kind) {
        self.lines.push(Line { depth: self.depth, label: terminal::escape(label), value, kind });
    }

    /// Renders the table in the given style.
    pub(crate) fn shown(&self, style: Style) -> String {
        let labels = self.lines.iter().filter(|line| line.value.is_some());
        let widest = labels.map(|line| line.indent() + line.label.width()).max().unwrap_or(0);
        let room = style.width.map_or(MAX_LABEL, |width| width * 2 / 5);
        let column = widest.min(MAX_LABEL).min(room) + 2;
        let mut shown = String::new();
        for line in &self.lines {
            line.show(&mut shown, column, style);
        }
        shown
    }
}

impl Line {
    fn indent(&self) -> usize {
        2 * self.depth
    }

    fn show(&self, shown: &mut String, column: usize, style: Style) {
        // Writing to a string cannot fail.
        let _ = write!(
            shown,
            "{:indent$}{}",
            "",
            style.paint(Look::Bold, &self.label),
            indent = self.indent()
        );
        let Some(value) = &self.value else { return shown.push('\n') };
        let used = self.indent() + self.label.width();
        let width =
            style.width.map_or(usize::MAX, |width| width.saturating_sub(column).max(MIN_VALUE));
        // A label that is too wide gets its own line, if lines are wrapped.
        if used + 2 > column && style.width.is_some() {
            shown.push('\n');
            let _ = write!(shown, "{:column$}", "");
        } else {
            let _ = write!(shown, "{:gap$}", "", gap = column.saturating_sub(used).max(2));
        }
        let look = (self.kind == Kind::Status).then(|| Look::of_status(value));
        for (at, piece) in wrapped(value, width).into_iter().enumerate() {
            if at > 0 {
                let _ = write!(shown, "{:column$}", "");
            }
            match (self.kind, look) {
                (Kind::Link, _) => shown.push_str(&style.link(piece, value)),
                (_, Some(look)) => shown.push_str(&style.paint(look, piece)),
                (_, None) => shown.push_str(piece),
            }
            shown.push('\n');
        }
    }
}

/// Wraps a text into lines of at most `width` columns, at spaces or within longer words.
fn wrapped(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    loop {
        let mut used = 0;
        let overflow = rest.char_indices().find(|(_, c)| {
            used += c.width().unwrap_or(0);
            used > width
        });
        let Some((end, _)) = overflow else { break };
        // At least one character, however narrow the terminal is.
        let end = end.max(rest.chars().next().map_or(0, char::len_utf8));
        let blank = if rest[end..].starts_with(' ') {
            Some(end)
        } else {
            rest[..end].rfind(' ').filter(|at| *at > 0)
        };
        let (line, left) = rest.split_at(blank.unwrap_or(end));
        lines.push(line.trim_end_matches(' '));
        rest = if blank.is_some() { left.trim_start_matches(' ') } else { left };
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPE: Style = Style { colors: false, links: false, width: None };

    #[test]
    fn values_are_aligned_and_escaped() {
        let mut table = Table::default();
        table.row("Status", Some("Confirmed"));
        table.row("Vendor data", None::<&str>);
        table.row("Name", Some("A\x1b[1A\nB"));
        assert_eq!(table.shown(PIPE), "Status  Confirmed\nName    A\\u{1b}[1A\\nB\n");
    }

    #[test]
    fn sections_are_indented_and_empty_ones_omitted() {
        let mut table = Table::default();
        table.row("Status", Some("Confirmed"));
        table.section("Address", |table| table.row("Postal code", Some("28001")));
        table.section("Nothing", |_| ());
        assert_eq!(table.shown(PIPE), "Status         Confirmed\nAddress\n  Postal code  28001\n");
    }

    #[test]
    fn long_label_does_not_widen_the_column() {
        let mut table = Table::default();
        table.row(&"x".repeat(30), Some(1));
        table.row("y", Some(2));
        assert_eq!(table.shown(PIPE), format!("{}  1\ny{}2\n", "x".repeat(30), " ".repeat(25)));
        let narrow = table.shown(Style { width: Some(40), ..PIPE });
        assert_eq!(
            narrow,
            format!("{}\n{}1\ny{}2\n", "x".repeat(30), " ".repeat(18), " ".repeat(17))
        );
    }

    #[test]
    fn long_values_wrap_with_a_hanging_indent() {
        let mut table = Table::default();
        table.row("Scope", Some("names email phone picture"));
        table.row("URL", Some("https://example.com/a-long-path"));
        let shown = table.shown(Style { width: Some(25), ..PIPE });
        assert_eq!(
            shown,
            "Scope  names email phone\n       picture\n\
             URL    https://example.co\n       m/a-long-path\n"
        );
    }

    #[test]
    fn long_link_is_printed_once() {
        let address = format!("https://example.com/{}", "a".repeat(1_000_000));
        let mut table = Table::default();
        table.link("URL", Some(&address));
        let style = Style { colors: true, links: true, width: Some(24) };
        let shown = table.shown(style);
        assert!(shown.len() < 3 * address.len(), "{}", shown.len());
        let printed: String = shown.split_whitespace().skip(1).collect();
        assert_eq!(printed, address);
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut table = Table::default();
        table.row("Name", Some("Zoë 田中田中田中 👩‍👧 x".repeat(9)));
        table
            .section("Section", |table| table.row("A label of some length", Some("y".repeat(200))));
        for width in [24, 40, 80, 120] {
            for line in table.shown(Style { width: Some(width), ..PIPE }).lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn escape_sequences_do_not_change_the_alignment() {
        let mut table = Table::default();
        table.status("Confirmed");
        table.link("URL", Some("https://x/"));
        let shown = table.shown(Style { colors: true, links: true, width: Some(80) });
        assert_eq!(
            shown,
            "\x1b[1mStatus\x1b[0m  \x1b[32mConfirmed\x1b[0m\n\
             \x1b[1mURL\x1b[0m     \x1b]8;;https://x/\x1b\\https://x/\x1b]8;;\x1b\\\n"
        );
    }
}

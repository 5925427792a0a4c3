//! The values of `--scope`: repeatable, separated by spaces or commas.

use std::fmt::Write as _;

use clap::builder::PossibleValue;
use didit_blocking_adapter::core::data_transfer::Scopes;

use crate::context::Context;
use crate::failure::Failure;
use crate::values::{self, Offering};

/// The documented scopes, each with a description.
const DOCUMENTED: [(&str, &str); 17] = [
    ("names", "First, family and full name"),
    ("email", "Email address"),
    ("phone", "Phone number"),
    ("picture", "Temporary URL of the picture"),
    ("is_verified", "Whether the user is verified"),
    ("is_over_18", "Whether the user is over 18"),
    ("is_over_21", "Whether the user is over 21"),
    ("birthdate", "Date of birth"),
    ("gender", "Gender"),
    ("address", "Address"),
    ("document_detail", "Identity document"),
    ("bank_account", "Bank account"),
    ("preferences", "Preferences"),
    ("instagram_account", "Instagram account"),
    ("x_account", "X account"),
    ("tiktok_account", "TikTok account"),
    ("user_id", "Identifier of the user"),
];

/// Parses the values of `--scope`, and prints a note about each undocumented scope.
///
/// # Errors
/// A scope is malformed, or so similar to a documented one that it is probably a typo.
pub(crate) fn parse(
    values: &[String],
    undocumented: bool,
    context: &Context,
) -> Result<Scopes, Failure> {
    let text = values.join(" ").replace(',', " ");
    let refused = |why: &dyn std::fmt::Display| Failure::usage(format!("--scope: {why}"));
    let scopes: Scopes = text.parse().map_err(|error| refused(&error))?;
    let known: Vec<&str> = DOCUMENTED.iter().map(|(name, _)| *name).collect();
    for scope in &scopes {
        if undocumented || scope.is_documented() {
            continue;
        }
        let name = scope.as_str();
        match values::most_similar(name, &known) {
            Some(near) => {
                return Err(refused(&format!(
                    "{name:?} is not documented; did you mean `{near}`? The scopes are {}; to \
                     send it anyway, add --undocumented-scopes",
                    known.join(", ")
                )));
            }
            None => context.note(&format!("the scope {name:?} is not documented")),
        }
    }
    Ok(scopes)
}

pub(crate) fn description(scope: &str) -> Option<&'static str> {
    DOCUMENTED.iter().find(|(name, _)| *name == scope).map(|(_, what)| *what)
}

/// Returns the help text of `--scope`.
pub(crate) fn help() -> String {
    let mut help = "What to ask the user for, like \"names email\"; repeatable\n\n\
                    Separated by blanks or commas. The documented scopes:\n"
        .to_owned();
    for (name, what) in DOCUMENTED {
        // Writing to a string cannot fail.
        let _ = writeln!(help, "  {name:18} {what}");
    }
    help
}

/// Returns a parser that offers the documented scopes.
pub(crate) fn parser() -> Offering {
    Offering(|| DOCUMENTED.map(|(name, help)| PossibleValue::new(name).help(help)).into())
}

#[cfg(test)]
mod tests {
    use didit_blocking_adapter::core::data_transfer::Scope;

    use super::*;

    #[test]
    fn documented_scopes_match_the_library() {
        let mut all = Scope::ALL.map(|scope| scope.to_string());
        let mut described = DOCUMENTED.map(|(name, _)| name);
        all.sort();
        described.sort_unstable();
        assert_eq!(all, described);
        assert_eq!(description("birthdate"), Some("Date of birth"));
        assert_eq!(description("loyalty"), None);
    }
}

//! Readable labels for the service's names.

use std::borrow::Cow;

use didit_blocking_adapter::core::RawJson;

/// The maximum length at which a name from the service is shown, in characters.
const MAX_NAME: usize = 60;

/// Truncates a name to its maximum length.
pub(crate) fn shortened(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => Cow::Owned(format!("{}…", &name[..end])),
        None => Cow::Borrowed(name),
    }
}

/// Returns the label of a member: `postal_code` becomes "Postal code".
pub(crate) fn of_member(name: &str) -> String {
    const CAPITALS: [&str; 13] =
        ["id", "iban", "bic", "url", "nfc", "ip", "x", "aml", "ai", "os", "vpn", "poa", "mrz"];
    let name = name.strip_prefix("is_").unwrap_or(name);
    let words = name.split('_').enumerate().map(|(at, word)| {
        let mut word = if word == "tor" { "Tor" } else { word }.to_owned();
        if CAPITALS.contains(&&*word) {
            word.make_ascii_uppercase();
        } else if let Some(first) = word.get_mut(..1).filter(|_| at == 0) {
            first.make_ascii_uppercase();
        }
        word
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns a value as text: a string without its quotes, a boolean as yes or no.
pub(crate) fn of_value(value: &RawJson) -> String {
    match value.as_str() {
        "true" => "yes".to_owned(),
        "false" => "no".to_owned(),
        text if text.starts_with('"') => value.deserialize().unwrap_or_else(|_| text.to_owned()),
        text if text.starts_with(['[', '{']) => value.to_compact(),
        text => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels() {
        for (name, words) in [
            ("postal_code", "Postal code"),
            ("is_verified", "Verified"),
            ("iban", "IBAN"),
            ("is_vpn_or_tor", "VPN or Tor"),
            ("account_id", "Account ID"),
            ("x_account", "X account"),
            ("", ""),
            ("é", "é"),
        ] {
            assert_eq!(of_member(name), words);
        }
    }
}

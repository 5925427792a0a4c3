//! What a developer wants to know beside a page: commands to copy, and the decision.

use serde_json::Value;

use super::html::Html;
use crate::state::Shared;

/// Writes commands that can be selected with one click each.
pub(super) fn commands(page: &mut Html, commands: &[String]) {
    page.raw("<ul class=\"commands\">\n");
    for command in commands {
        page.raw("<li><code>").text(command).raw("</code></li>\n");
    }
    page.raw("</ul>\n");
}

/// Writes the decision as the API answers it, to be opened.
pub(super) fn decision(page: &mut Html, text: &str) {
    let pretty = serde_json::from_str::<Value>(text)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| text.to_owned());
    page.raw("<details class=\"json\">\n<summary>Decision as JSON</summary>\n");
    page.raw("<pre tabindex=\"0\"><code>").text(&pretty).raw("</code></pre>\n</details>\n");
}

/// The lines that tell a shell, and so `didit`, where the sandbox is and how to ask it.
pub(super) fn variables(shared: &Shared) -> Vec<String> {
    let application = &shared.settings.application;
    [
        ("DIDIT_BASE_URL", &shared.reach.url),
        ("DIDIT_CLIENT_ID", &application.client_id),
        ("DIDIT_CLIENT_SECRET", &application.client_secret),
    ]
    .map(|(name, value)| format!("export {name}={}", quoted(value)))
    .to_vec()
}

/// A request with an application's key, for the shell.
pub(super) fn curl(shared: &Shared, client_id: &str, path: &str) -> String {
    let application =
        shared.settings.applications().find(|application| application.client_id == client_id);
    let key = application.map_or("", |application| &application.api_key);
    format!(
        "curl -H {} {}",
        quoted(&format!("X-Api-Key: {key}")),
        quoted(&format!("{}{path}", shared.reach.url))
    )
}

/// A word as a POSIX shell takes it literally.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_shell_takes_words_literally() {
        assert_eq!(quoted("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}

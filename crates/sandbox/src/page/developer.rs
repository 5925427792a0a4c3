//! The card beside a page with what only a developer wants to know, and commands to copy.

use serde_json::Value;

use super::html::Html;
use super::qr_code;
use crate::state::Shared;

/// The part of a session that every card shows.
pub(super) struct Session<'a> {
    /// The status as the name of a class.
    pub(super) class: &'a str,
    pub(super) status: &'a str,
    pub(super) id: &'a str,
    pub(super) vendor_data: Option<&'a str>,
}

/// Ends the phone, and begins the card beside it.
pub(super) fn begin_card(page: &mut Html, session: &Session<'_>) {
    page.raw(
        "</main>\n<aside class=\"card\">\n<h2>About this session</h2>\n<dl>\n<dt>Status</dt>\n\
         <dd><span class=\"status ",
    );
    page.text(session.class).raw("\">").text(session.status).raw("</span></dd>\n");
    code_row(page, "Session", session.id);
    if let Some(vendor_data) = session.vendor_data {
        row(page, "Vendor data", vendor_data);
    }
}

/// Ends the phone, with nothing beside it.
pub(super) fn end_phone(page: &mut Html) {
    page.raw("</main>\n</div>\n");
}

/// Writes one thing that the card says in text.
pub(super) fn row(page: &mut Html, name: &'static str, text: &str) {
    page.raw("<dt>").raw(name).raw("</dt>\n<dd>").text(text).raw("</dd>\n");
}

/// Writes one thing that the card says in code.
pub(super) fn code_row(page: &mut Html, name: &'static str, code: &str) {
    page.raw("<dt>").raw(name).raw("</dt>\n<dd><code>").text(code).raw("</code></dd>\n");
}

/// Ends the card: commands, the decision, and how to get to a phone.
pub(super) fn end_card(
    page: &mut Html,
    shared: &Shared,
    commands: &[String],
    json: Option<&str>,
    path: &str,
) {
    self::commands(page, commands);
    if let Some(json) = json {
        decision(page, json);
    }
    if let Some(network) = &shared.reach.network {
        page.raw("<details>\n<summary>Open on a phone</summary>\n");
        qr_code::write(page, &format!("{}{path}", network.url));
        page.raw("</details>\n");
    } else {
        page.raw(
            "<p class=\"quiet\">This page opens on this machine only, unless the sandbox listens for \
             others.</p>\n",
        );
    }
    page.raw("<p><a class=\"open\" href=\"/\">All sessions</a></p>\n</aside>\n</div>\n");
}

/// Writes commands that can be selected with one click each.
pub(super) fn commands(page: &mut Html, commands: &[String]) {
    page.raw("<ul class=\"commands\">\n");
    for command in commands {
        page.raw("<li>");
        for line in command.lines() {
            page.raw("<code>").text(line).raw("</code>\n");
        }
        page.raw("</li>\n");
    }
    page.raw("</ul>\n");
}

/// Writes the decision as the API answers it, to be opened.
fn decision(page: &mut Html, text: &str) {
    let pretty = serde_json::from_str::<Value>(text)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| text.to_owned());
    page.raw("<details class=\"json\">\n<summary>Decision as JSON</summary>\n");
    page.raw("<pre tabindex=\"0\"><code>").text(&pretty).raw("</code></pre>\n</details>\n");
}

/// Returns the lines that tell a shell, and so `didit`, where the sandbox is and how to ask it.
pub(super) fn variables(shared: &Shared) -> String {
    let application = &shared.settings.application;
    [
        ("DIDIT_BASE_URL", &shared.reach.url),
        ("DIDIT_CLIENT_ID", &application.client_id),
        ("DIDIT_CLIENT_SECRET", &application.client_secret),
    ]
    .map(|(name, value)| format!("export {name}={}", quoted(value)))
    .join("\n")
}

/// Returns a request with an application's key, for the shell.
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

/// Returns a word as a POSIX shell takes it literally.
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

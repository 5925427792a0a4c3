//! The frame of the phone, and the card next to it with details and commands for developers.

use std::time::Duration;

use serde_json::Value;

use super::html::Html;
use super::qr_code;
use crate::clock;
use crate::state::Shared;

/// The data of a session that is shown on every card.
pub(super) struct Session<'a> {
    /// The status as the name of a CSS class.
    pub(super) class: &'a str,
    pub(super) status: &'a str,
    pub(super) id: &'a str,
    pub(super) vendor_data: Option<&'a str>,
}

/// Begins a page with a phone, on which this app is shown.
pub(super) fn begin_phone(title: &str, app: &'static str) -> Html {
    let mut page = Html::new(title);
    page.raw("<div class=\"stage\">\n<main class=\"phone\">\n<p class=\"app\">").raw(app);
    page.raw(" <span>simulated by the sandbox</span></p>\n");
    page
}

/// Ends the phone and begins the card.
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

/// Ends the phone without adding a card.
pub(super) fn end_phone(page: &mut Html) {
    page.raw("</main>\n</div>\n");
}

/// Writes a row of the card with a text.
pub(super) fn row(page: &mut Html, name: &'static str, text: &str) {
    page.raw("<dt>").raw(name).raw("</dt>\n<dd>").text(text).raw("</dd>\n");
}

/// Writes the row of the card with the time at which the session expires.
pub(super) fn expiry_row(page: &mut Html, at: Duration) {
    let at = clock::rfc3339(at).replace('T', " ");
    row(page, "Expires (UTC)", at.get(..16).unwrap_or(&at));
}

/// Writes a row of the card with a value set as code.
pub(super) fn code_row(page: &mut Html, name: &'static str, code: &str) {
    page.raw("<dt>").raw(name).raw("</dt>\n<dd><code>").text(code).raw("</code></dd>\n");
}

/// Ends the card with the commands, the decision, and a QR code for a phone.
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
            "<p class=\"quiet\">This page opens on this machine only. For a phone, start the sandbox \
             with <code>didit sandbox --listen 0.0.0.0</code>.</p>\n",
        );
    }
    page.raw("<p><a class=\"open\" href=\"/\">All sessions</a></p>\n</aside>\n</div>\n");
}

/// Writes a list of commands, each of which is selected with one click.
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

/// Writes the decision as returned by the API, collapsed.
fn decision(page: &mut Html, text: &str) {
    let pretty = serde_json::from_str::<Value>(text)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| text.to_owned());
    page.raw("<details class=\"json\">\n<summary>Decision as JSON</summary>\n");
    page.raw("<pre tabindex=\"0\"><code>").text(&pretty).raw("</code></pre>\n</details>\n");
}

/// Returns shell commands that set the environment variables with which `didit` uses the sandbox.
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

/// Returns shell commands that list the verification sessions with an API key.
pub(super) fn verification_list(shared: &Shared) -> String {
    let (url, key) = (quoted(&shared.reach.url), quoted(&shared.settings.application.api_key));
    format!(
        "unset DIDIT_CLIENT_ID DIDIT_CLIENT_SECRET\n\
         DIDIT_BASE_URL={url} DIDIT_API_KEY={key} didit verification list"
    )
}

/// Returns a shell command for a request with an application's key.
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

/// Quotes a word for a POSIX shell.
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
    fn words_are_quoted_for_the_shell() {
        assert_eq!(quoted("http://127.0.0.1:8080"), "http://127.0.0.1:8080");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}

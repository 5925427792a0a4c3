//! Shared checks of the fuzz targets.

use didit_core::{BaseUrl, ClientCredentials, ResponseError};

/// Asserts that a text is safe to show in a terminal or a log: not empty, and without control
/// characters.
#[track_caller]
pub fn assert_plain(text: &str) {
    assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
}

/// Returns client credentials with a secret that must never appear in any output.
pub fn client() -> ClientCredentials {
    ClientCredentials::new("client", SECRET).expect("a valid client")
}

/// The secret of [`client`].
pub const SECRET: &str = "canary-secret";

/// Returns a base URL with all optional parts: a port and a path.
pub fn base() -> BaseUrl {
    "https://gateway.example:8443/a/b".parse().expect("a valid base URL")
}

/// Returns the same JSON with every letter and digit in string values replaced. The lengths stay
/// the same, so an error that contains no value is the same for both texts.
///
/// A string after a colon is a value. Strings with escapes are kept, since a replacement could
/// break the escape.
pub fn masked(json: &[u8]) -> Vec<u8> {
    let mut masked = json.to_vec();
    let mut at = 0;
    let mut before = None;
    while at < json.len() {
        let (byte, start) = (json[at], at + 1);
        at = start;
        if byte == b'"' {
            let Some(end) = string_end(json, start) else { break };
            if before == Some(b':') && !json[start..end].contains(&b'\\') {
                mask(&mut masked[start..end]);
            }
            at = end + 1;
        }
        if !byte.is_ascii_whitespace() {
            before = Some(byte);
        }
    }
    masked
}

/// Returns the text of an error without the service's message, which is masked like all values.
pub fn without_message(error: &ResponseError) -> String {
    let shown = error.to_string();
    shown.split("; the service says").next().unwrap_or_default().to_owned()
}

fn string_end(json: &[u8], start: usize) -> Option<usize> {
    let mut escaped = false;
    let end = json[start..].iter().position(|&byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some(start + end)
}

fn mask(text: &mut [u8]) {
    for byte in text.iter_mut().filter(|byte| byte.is_ascii_alphanumeric()) {
        *byte = b'x';
    }
}

//! Checks that several fuzz targets share.

use didit_core::{BaseUrl, ClientCredentials};

/// Shown to people and written to logs: one line, and nothing a terminal would act upon.
#[track_caller]
pub fn assert_plain(text: &str) {
    assert!(!text.is_empty() && !text.contains(char::is_control), "{text:?}");
}

/// A client whose secret must never be seen again.
pub fn client() -> ClientCredentials {
    ClientCredentials::new("client", SECRET).expect("a valid client")
}

/// The secret of [`client`].
pub const SECRET: &str = "canary-secret";

/// A base URL with all that one may have.
pub fn base() -> BaseUrl {
    "https://gateway.example:8443/a/b".parse().expect("a valid base URL")
}

/// The same bytes with every letter and digit of the string values replaced, their length kept: an
/// error that tells nothing of the values is the same for both.
///
/// A string is taken for a value where it stands behind a colon. Strings with escapes stay, since a
/// replaced letter could break the escape.
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

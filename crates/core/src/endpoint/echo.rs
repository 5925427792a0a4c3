//! The private texts of a request, which the service may echo, and the secrets that it issues.

use zeroize::Zeroizing;

use crate::json;
use crate::secret::Secret;

/// The length of the shortest text that is removed, in bytes. The codes of countries, languages,
/// genders and document types are shorter, and texts that short occur in messages by chance.
const MIN_BYTES: usize = 4;
/// The length of the shortest number that is removed.
const MIN_DIGITS: usize = 9;
/// The maximum number of texts to search for. Of more texts, the longest are removed.
const MAX_TEXTS: usize = 256;

/// Returns the texts to remove from the service's messages. A text comes after those that contain
/// it: if it were removed first, the rest of them would remain.
pub(crate) fn private<T: Into<Secret>>(texts: impl IntoIterator<Item = T>) -> Vec<Secret> {
    let mut texts: Vec<Secret> = texts.into_iter().map(Into::into).collect();
    texts.retain(|text| text.expose().trim().len() >= MIN_BYTES);
    texts.sort_by(|a, b| b.expose().len().cmp(&a.expose().len()).then(a.expose().cmp(b.expose())));
    texts.dedup_by(|a, b| a.expose() == b.expose());
    texts.truncate(MAX_TEXTS);
    texts
}

/// Returns the strings and the long numbers in a JSON text. The names of members are the service's.
pub(crate) fn texts(body: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut end = 0;
    for (start, text, is_name) in json::strings(body) {
        texts.extend(long_numbers(&body[end..start]));
        if !is_name {
            texts.push(unescaped(text));
        }
        end = start + text.len();
    }
    texts.extend(long_numbers(&body[end..]));
    texts
}

/// Returns the numbers with at least [`MIN_DIGITS`] digits, without signs and exponents.
fn long_numbers(json: &str) -> impl Iterator<Item = String> {
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let is_long = |text: &&str| text.matches(|c: char| c.is_ascii_digit()).count() >= MIN_DIGITS;
    json.split(move |c| !is_part(c)).filter(is_long).map(str::to_owned)
}

/// The length of the shortest token in bytes, and the maximum number of tokens to search for.
pub(super) const MIN_TOKEN_BYTES: usize = 8;
const MAX_TOKENS: usize = 8;

/// Returns the tokens in the body of a response, even if it is not valid JSON. Text without the
/// form of a token ([RFC 6750, section 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)),
/// such as a message about a token, is left out.
pub(crate) fn issued(body: &[u8]) -> Vec<Secret> {
    let body = String::from_utf8_lossy(body);
    // The end of the last string, if it was the name of a token.
    let mut name_end = None;
    let token = |(at, text, is_name): (usize, &str, bool)| {
        let names_token = is_name && matches!(text, "access_token" | "session_token");
        let name_end = std::mem::replace(&mut name_end, names_token.then_some(at + text.len()))?;
        let is_value = !is_name && body.get(name_end + 1..at - 1)?.trim() == ":";
        let text = Zeroizing::new(is_value.then(|| unescaped(text))?);
        let is_token = text.len() >= MIN_TOKEN_BYTES && text.bytes().all(|b| b.is_ascii_graphic());
        is_token.then(|| Secret::from(&**text))
    };
    private(json::strings(&body).filter_map(token).take(MAX_TOKENS))
}

/// Resolves the escapes of a JSON string. One that is not valid Unicode is kept as it was sent.
fn unescaped(text: &str) -> String {
    let quoted = Zeroizing::new(format!("\"{text}\""));
    serde_json::from_str(&quoted).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_are_kept_and_longer_ones_come_first() {
        let texts = private(["Jane", "ESP", "Jane Doe", " en ", "", "Jane", "Joan"]);
        let texts: Vec<_> = texts.iter().map(Secret::expose).collect();
        assert_eq!(texts, ["Jane Doe", "Jane", "Joan"]);
    }

    #[test]
    fn texts_of_any_json_are_found() {
        let json = r#"{"a":"b\"c","d" : ["e",{"f":"\u00e9\\"},1e999,null],"g":"\ud800","h":{}}"#;
        assert_eq!(texts(json), ["b\"c", "e", "é\\", "\\ud800"]);
        assert_eq!(texts(r#""a""#), ["a"]);
        assert_eq!(
            texts(r#"{"a":[-123456789E-7,12345678.9,12345678,1.5e-99],"b":true}"#),
            ["123456789", "12345678.9"]
        );
        assert_eq!(texts("34600111222333"), ["34600111222333"]);
        for json in ["", "7", r#"{"a"#, r#"["a\""#] {
            assert_eq!(texts(json), [""; 0], "{json}");
        }
    }

    #[test]
    fn tokens_of_any_response_are_found() {
        let body = "\u{feff}{\"access_token\":\"token\\u002daa\",\"url\":\"u\",\"session_token\" : \"token-bb\"}";
        for body in [body, &body[..body.len() - 1]] {
            let issued = issued(body.as_bytes());
            assert_eq!(
                issued.iter().map(Secret::expose).collect::<Vec<_>>(),
                ["token-aa", "token-bb"]
            );
        }
        for body in [
            "",
            r#"{"access_token":12345678,"a":"12345678"}"#,
            r#"["access_token","12345678"]"#,
            r#"{"access_token":["12345678"]}"#,
            r#"{"session_token":"This field may not be blank."}"#,
            r#"{"session_token":"expired"}"#,
        ] {
            assert!(issued(body.as_bytes()).is_empty(), "{body}");
        }
        let many = r#""access_token":"12345678","#.repeat(300_000);
        assert_eq!(issued(many.as_bytes()).len(), 1);
    }
}

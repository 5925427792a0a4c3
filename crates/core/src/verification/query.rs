//! The query of a URL ([RFC 3986 §3.4](https://www.rfc-editor.org/rfc/rfc3986#section-3.4)).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All characters other than unreserved ones.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Appends a parameter. All characters other than unreserved ones are percent-encoded.
pub(super) fn push(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.extend(utf8_percent_encode(name, &ENCODED));
    query.push('=');
    query.extend(utf8_percent_encode(value, &ENCODED));
}

/// Returns a path with its query, if the query is not empty.
pub(super) fn join(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// Returns the names and values of a query, decoded.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_percent_encoded() {
        let mut query = String::new();
        assert_eq!(join("/a/", &query), "/a/");
        push(&mut query, "status", "In Review,Declined");
        push(&mut query, "a&b", "é=#?+/~\r\n");
        let decoded: Vec<_> = pairs(&query).collect();
        assert_eq!(decoded[0], ("status".to_owned(), "In Review,Declined".to_owned()));
        assert_eq!(decoded[1], ("a&b".to_owned(), "é=#?+/~\r\n".to_owned()));
        let odd: Vec<_> =
            pairs("a=b+c%2&d&=%zz%&%+5=e").map(|(name, value)| name + "=" + &value).collect();
        assert_eq!(odd, ["a=b c%2", "d=", "=%zz%", "% 5=e"]);
        let encoded = "status=In%20Review%2CDeclined&a%26b=%C3%A9%3D%23%3F%2B%2F~%0D%0A";
        assert_eq!(join("/a/", &query), format!("/a/?{encoded}"));
    }
}

//! The query of a URL ([RFC 3986 §3.4](https://www.rfc-editor.org/rfc/rfc3986#section-3.4)).

/// Appends a parameter. All characters other than unreserved ones are percent-encoded.
pub(super) fn push(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    encode(query, name);
    query.push('=');
    encode(query, value);
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
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let encoded = after.get(..2).filter(|_| *first == b'%');
        let digits = encoded.and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encode(query: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            query.push(char::from(byte));
        } else {
            let [high, low] = [byte >> 4, byte & 15].map(|nibble| HEX[usize::from(nibble)]);
            query.extend(['%', char::from(high), char::from(low)]);
        }
    }
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
            pairs("a=b+c%2&d&=%zz%").map(|(name, value)| name + "=" + &value).collect();
        assert_eq!(odd, ["a=b c%2", "d=", "=%zz%"]);
        let encoded = "status=In%20Review%2CDeclined&a%26b=%C3%A9%3D%23%3F%2B%2F~%0D%0A";
        assert_eq!(join("/a/", &query), format!("/a/?{encoded}"));
    }
}

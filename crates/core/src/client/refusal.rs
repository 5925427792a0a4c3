/// Returns a description of a proxy's failure to connect, the same for every HTTP library, and advice,
/// if more specific than that for the kind of failure. `text` is the library's.
pub fn describe_refusal(text: &str) -> (String, Option<&'static str>) {
    let advice = Some("check the proxy");
    let status = match text.rsplit_once('/') {
        Some((_, number)) => Some(number).filter(|number| number.parse::<u16>().is_ok()),
        None => text.ends_with("authorization required").then_some("407"),
    };
    if let Some(status) = status {
        let description = format!("the proxy responded with {status}");
        return (description, advice.filter(|_| status != "407"));
    }
    let words = match text {
        _ if text.ends_with("unsuccessful") => "the proxy did not respond with a valid 200",
        _ if text.ends_with("too many headers") => "the proxy's response has too many headers",
        _ if text.ends_with("too long") => "the headers of the proxy's response are too long",
        _ if text.ends_with("did not respond") || text.ends_with("unexpected end of file") => {
            "the proxy closed the connection"
        }
        _ => text,
    };
    (words.to_owned(), advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_have_the_same_words() {
        for (text, words) in [
            ("proxy server responded 407/407", "the proxy responded with 407"),
            ("tunnel error: proxy authorization required", "the proxy responded with 407"),
            ("proxy server responded 502/502", "the proxy responded with 502"),
            ("tunnel error: unsuccessful", "the proxy did not respond with a valid 200"),
            ("proxy server did not respond", "the proxy closed the connection"),
            ("tunnel error: unexpected end of file", "the proxy closed the connection"),
            (
                "http parse resulted in too many headers",
                "the proxy's response has too many headers",
            ),
            (
                "tunnel error: proxy response headers too long",
                "the headers of the proxy's response are too long",
            ),
            ("any other/text", "any other/text"),
        ] {
            let advice = (!words.ends_with("407")).then_some("check the proxy");
            assert_eq!(describe_refusal(text), (words.to_owned(), advice), "{text}");
        }
    }
}

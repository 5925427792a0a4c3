use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

#[test]
fn plain_secrets_are_removed() {
    let cases = [
        ("no: s3cret-word, s3cret-word!", "no: ***, ***!"),
        ("cut off at s3cret-wor…", "cut off at ***…"),
        ("cut off at s3cr…", "cut off at ***…"),
        ("cut off at s3cr……", "cut off at ***……"),
        ("……", "……"),
        ("cut off at s3c…", "cut off at s3c…"),
        ("s3cr in the middle", "s3cr in the middle"),
        ("é s3cret-word", "é ***"),
        ("nothing", "nothing"),
        ("", ""),
    ];
    for (text, expected) in cases {
        assert_eq!(scrub(text, "s3cret-word"), expected);
    }
    assert_eq!(scrub("S3CRET-Word, s3cret-wOR…", "s3cret-word"), "***, ***…");
    assert_eq!(scrub("invalid name: name", "Name"), "invalid name: name");
    assert_eq!(scrub("text", ""), "text");
    assert_eq!(scrub("aaaa", "a"), "****");
}

#[test]
fn encoded_secrets_are_removed() {
    let secret = "a\"b\\c&<d>/  e'f";
    for text in [
        r#"a\"b\\c&<d>\/  e'f"#,
        "a%22b%5cc%26%3Cd%3e%2F++e%27f",
        "a&quot;b\\c&amp;&lt;d&gt;/ e&#39;f",
        "a&#34;b\\c&amp;&lt;d&gt;&#x2F; e&apos;f",
        r"a\u0022b\u005Cc\u0026\u003cd\u003e\u002f \u0020e\u0027f",
        r"a&#034;b&#0092;c&#00038;&#x3c;d&#x03E;/&#160;e&#039;f",
        r"a\x22b\x5Cc\x26\x3Cd\x3e\x2f\x20e\x27f",
        "a\"b\\c&<d>/\u{a0}e\\'f",
        r"a%22b%5cc%26%3Cd%3e%2F%C2%a0\u00a0\xa0&#xA0;e%27f",
        r"A&#34b&#00000000092C&AMP;&#x000003cD&gt&sol; &#x000045;&#39F",
    ] {
        assert_eq!(scrub(&format!("<{text}>"), &secret.replace("  ", " ")), "<***>", "{text}");
    }
    assert_eq!(scrub("no a%22b%5cc%2…", secret), "no ***…");
    assert_eq!(scrub("Jane Doe, Jane%C2%A0Doe", "Jane\u{a0}Doe"), "***, ***");
}

#[test]
fn secrets_encoded_twice_are_removed() {
    let secret = "a\"b\\c&<d>/e'f";
    for text in [
        "a%2522b%255Cc%2526%253C%64%253e%252Fe%2527f",
        r#"a\\\"b\\\\c&<d>/e'f"#,
        "a%5C%22b%5C%5Cc%26%3Cd%3E%2Fe%27f",
        r"a\&quot;b\\c&amp;&lt;d&gt;/e&#39;f",
        r"a&amp;quot;b\c&amp;amp;&amp;lt;d&amp;gt;/e&amp;#39;f",
        r"a\\u0022b\\\\c&<d>/e'f",
        r"a&#38;#034;b%26%23%30%30%39%32c&amp;AMP&#x026#x3C;d&amp#0000062/e'f",
    ] {
        assert_eq!(scrub(&format!("<{text}>"), secret), "<***>", "{text}");
    }
}

#[test]
fn secrets_in_hexadecimal_and_base64_are_removed() {
    // printf 'p@s>w?rd' | base64; printf 'p@s>w?rd' | xxd -p
    for (text, rest) in [
        ("cEBzPnc/cmQ=", "***="),
        ("cEBzPnc_cmQ=", "***="),
        ("cEBzPnc/cmQ", "***"),
        (r"cEBzPnc\/cmQ%3D", "***%3D"),
        ("7040733e773f7264", "***"),
        ("7040733E773f7264", "***"),
        // printf 'id:p@s>w?rd' | base64; printf '["p@s>w?rd"]' | base64; printf '"p@s>w?rd"' | base64
        ("aWQ6cEBzPnc/cmQ=", "aWQ6***="),
        ("WyJwQHM+dz9yZCJd", "WyJ***CJd"),
        ("WyJwQHM-dz9yZCJd", "WyJ***CJd"),
        ("InBAcz53P3JkIg==", "In***Ig=="),
        ("cEBzP…", "***…"),
        ("7040733e77…", "***…"),
    ] {
        assert_eq!(scrub(&format!("as {text}"), "p@s>w?rd"), format!("as {rest}"));
    }
    assert_eq!(scrub("cGFzc3dvcg== 70617373776f72", "passwor"), "cGFzc3dvcg== 70617373776f72");
}

#[test]
#[allow(clippy::disallowed_methods, reason = "it measures the time")]
fn time_is_bounded() {
    let ascii: String = (' '..='~').collect();
    for (text, secret) in [
        ("\\".repeat(301), "\\".repeat(300)),
        ("\\".repeat(1200), "\\".repeat(2000)),
        ("%".repeat(1200), "%".repeat(2000)),
        ("%25".repeat(600), "%2525".repeat(600)),
        ("&amp;amp;".repeat(200), "&".repeat(2000)),
        ("&nbsp;".repeat(300), " x".repeat(2000)),
        ("%".repeat(300), ascii.repeat(10)),
        (["&#", &"0".repeat(3000)].concat(), ascii.repeat(2)),
        ("&#48".repeat(500), ascii.repeat(2)),
        ("&#0&#x0".repeat(200), ascii.repeat(2)),
        (["&#", &"&#48;".repeat(500)].concat(), "&#0".repeat(100)),
    ] {
        let start = std::time::Instant::now();
        scrub(&text, &secret);
        // Without optimization, and with room for a busy machine.
        assert!(start.elapsed().as_secs() < 5, "{:?} for {secret:.9}", start.elapsed());
    }
}

proptest! {
    /// Any text is accepted, in any encoding, even if it is cut off.
    #[test]
    fn no_text_panics(text in "([a-c%&\\\\;…é]|%61|&#0?97;|\\\\x61|\\\\u0061){0,20}", secret in "[a-c é…]{0,6}") {
        scrub(&text, &secret);
    }

    /// Any secret is removed, wherever it occurs, and from 8 bytes in any case.
    #[test]
    fn no_secret_survives(
        secret in "[ -~]{4,20}",
        before in "[a-z]{0,9}[.]",
        after in "[.][a-z]{0,9}",
        in_upper_case: u32,
    ) {
        prop_assume!(!secret.trim().is_empty() && !"***".contains(secret.trim()));
        let each = |form: fn(u8) -> String| secret.bytes().map(form).collect::<String>();
        let json = serde_json::to_string(&secret).unwrap();
        let mut forms = vec![
            secret.clone(),
            json[1..json.len() - 1].to_owned(),
            each(|byte| format!("%{byte:02X}")),
            each(|byte| format!("\\x{byte:02x}")),
            each(|byte| format!("\\u{byte:04X}")),
            each(|byte| format!("&#{byte:08};")),
            each(|byte| format!("&#x{byte:x}")),
        ];
        let is_long = secret.len() >= MIN_WHOLE;
        if is_long {
            forms.extend([STANDARD_NO_PAD.encode(&secret), URL_SAFE_NO_PAD.encode(&secret)]);
            forms.push(each(|byte| format!("{byte:02x}")));
        }
        let mix = |(at, c): (u32, char)| match in_upper_case.rotate_right(at) & 1 {
            0 => c.to_ascii_lowercase(),
            _ => c.to_ascii_uppercase(),
        };
        for form in forms {
            let form = if is_long { (0..).zip(form.chars()).map(mix).collect() } else { form };
            let scrubbed = scrub(&format!("{before}{form}{after}"), &secret);
            prop_assert!(!scrubbed.contains(secret.trim()), "{scrubbed}");
            prop_assert!(!scrubbed.contains(&form), "{scrubbed}");
        }
    }

    /// Any secret is removed from the base64 of any text that contains it.
    #[test]
    fn no_secret_survives_within_base64(
        before in "[a-z:]{0,9}",
        secret in "[!-~][ -~]{6,18}[!-~]",
        after in "[a-z:]{0,9}",
    ) {
        for base64 in [STANDARD, URL_SAFE] {
            let text = base64.encode([&*before, &secret, &after].concat());
            let scrubbed = scrub(&text, &secret);
            let removed = (text.len() + REDACTED.len()).saturating_sub(scrubbed.len());
            // The first and the last byte of the secret may share a character with other bytes.
            prop_assert!(removed * 6 + 10 >= secret.len() * 8, "{scrubbed}");
        }
    }

    /// A text without any part of the secret is kept.
    #[test]
    fn other_text_is_kept(text in "[a-mA-M%&#;\\\\ ]{0,80}[.]", secret in "[n-z]{4,20}") {
        prop_assert_eq!(scrub(&text, &secret), text);
    }
}

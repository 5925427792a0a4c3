use super::*;

fn canonical(text: &str) -> Result<String, String> {
    canonical_json(text.as_bytes()).map_err(|error| error.to_string())
}

/// The expected texts are the output of Python 3.
#[test]
fn numbers_match_python() {
    for (number, expected) in [
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("-7", "-7"),
        ("118120836164494130086420187336801405660", "118120836164494130086420187336801405660"),
        ("18446744073709551616", "18446744073709551616"),
        ("2.0", "2"),
        ("2.50", "2.5"),
        ("-1e2", "-100"),
        ("1E+16", "10000000000000000"),
        ("1e22", "10000000000000000000000"),
        ("1e23", "99999999999999991611392"),
        ("36.8421052631579", "36.8421052631579"),
        ("0.1", "0.1"),
        ("0.10000000000000001", "0.1"),
        ("1e-4", "0.0001"),
        ("0.00009", "9e-05"),
        ("-1.5e-7", "-1.5e-07"),
        ("1e-7", "1e-07"),
        ("5e-324", "5e-324"),
        ("1e-400", "0"),
        ("2.2250738585072014e-308", "2.2250738585072014e-308"),
        ("2251799813685248.5", "2251799813685248.5"),
        ("0.30000000000000004", "0.30000000000000004"),
        // The value is equally close to .2 and .3, and in the second case to .7 and .8.
        ("668327109817711.25", "668327109817711.2"),
        ("668327109817711.75", "668327109817711.8"),
    ] {
        let (text, expected) = (format!(r#"{{"n":{number}}}"#), format!(r#"{{"n":{expected}}}"#));
        assert_eq!(canonical(&text), Ok(expected), "{number}");
    }
}

#[test]
fn strings_are_unescaped_and_members_sorted() {
    for (text, expected) in [
        (
            r#" { "b" : [ 1 , true , null ] , "a" : { } , "c" : [ ] } "#,
            r#"{"a":{},"b":[1,true,null],"c":[]}"#,
        ),
        (
            r#"{"\/":"\b\f\n\r\t\u0007\u001F\u007f\u2028\"\\"}"#,
            "{\"/\":\"\\b\\f\\n\\r\\t\\u0007\\u001f\x7f\u{2028}\\\"\\\\\"}",
        ),
        // A name beyond the BMP sorts after U+FFFF, unlike in UTF-16.
        (r#"{"\ud83d\ude00":1,"\uffff":2,"z":3}"#, "{\"z\":3,\"\u{ffff}\":2,\"😀\":1}"),
        (r#"{"a":1,"A":2,"aa":3,"":4}"#, r#"{"":4,"A":2,"a":1,"aa":3}"#),
        (r#"{"a":{"d":[{"y":1,"x":2}],"c":0}}"#, r#"{"a":{"c":0,"d":[{"x":2,"y":1}]}}"#),
    ] {
        assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn invalid_or_ambiguous_json_is_rejected() {
    let deep = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert!(canonical(&deep(63)).is_ok());
    let too_deep = deep(64);
    for (text, problem) in [
        ("", "expected an object at line 1 column 1"),
        ("[1]", "expected an object at line 1 column 1"),
        ("\n 1", "expected an object at line 2 column 2"),
        ("{}x", "trailing characters at line 1 column 3"),
        (r#"{"a":1,"b":{"c":1,"\u0063":2}}"#, "duplicate name in an object at line 1 column 19"),
        (r#"{"a":"\ud800"}"#, "lone surrogate in a string at line 1 column 7"),
        (r#"{"a":"\ud800\u0041"}"#, "lone surrogate in a string at line 1 column 7"),
        (r#"{"a":"\udc00"}"#, "lone surrogate in a string at line 1 column 7"),
        (r#"{"a":"\u12"}"#, "invalid escape in a string at line 1 column 9"),
        (r#"{"a":"\u+123"}"#, "invalid escape in a string at line 1 column 9"),
        (r#"{"a":"\x"}"#, "invalid escape in a string at line 1 column 7"),
        ("{\"a\":\"\n\"}", "control character in a string at line 1 column 7"),
        (r#"{"a":"b"#, "unexpected end of a string at line 1 column 8"),
        (r#"{"a":NaN}"#, "NaN and Infinity are not JSON at line 1 column 6"),
        (r#"{"a":-Infinity}"#, "invalid number at line 1 column 7"),
        (r#"{"a":1e999}"#, "number too large for a double at line 1 column 6"),
        (r#"{"a":1.}"#, "invalid number at line 1 column 8"),
        (r#"{"a":01}"#, "expected a comma or the end of the array or object at line 1 column 7"),
        (r#"{"a":+1}"#, "expected a value at line 1 column 6"),
        (r#"{"a":1,}"#, "expected a name at line 1 column 8"),
        (r#"{"a":[1,]}"#, "expected a value at line 1 column 9"),
        (r#"{,"a":1}"#, "expected a name at line 1 column 2"),
        (r#"{"a" 1}"#, "expected a colon at line 1 column 6"),
        (r#"{"a":[1"#, "unexpected end at line 1 column 8"),
        (r#"{"a":"#, "unexpected end at line 1 column 6"),
        (&too_deep, "nested more than 64 levels deep at line 1 column 69"),
    ] {
        assert_eq!(canonical(text), Err(problem.to_owned()), "{text}");
    }
    assert!(canonical_json(b"{\"a\":\"\xff\"}").is_err());
}

#[test]
fn depth_does_not_count_siblings() {
    let text = format!(r#"{{"a":[{}[]]}}"#, "[],".repeat(100));
    assert_eq!(canonical(&text), Ok(text));
}

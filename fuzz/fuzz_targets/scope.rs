//! A scope has a name that OAuth allows, and keeps it unless it is another spelling of `picture`.

#![no_main]

use std::collections::HashSet;

use didit_core::data_transfer::Scope;
use didit_fuzz::assert_plain;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // RFC 6749 §3.3
    let allowed = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    let valid = !text.is_empty() && text.bytes().all(allowed);
    match text.parse::<Scope>() {
        Ok(scope) => {
            assert!(valid, "{text}");
            let name = if text == "pictures" { "picture" } else { text };
            assert_eq!((scope.as_str(), &*scope.to_string()), (name, name));
            let same = matches!(text, "picture" | "pictures");
            assert_eq!(scope == Scope::PICTURE, same);
            assert_eq!(HashSet::from([scope, Scope::PICTURE]).len(), 2 - usize::from(same));
        }
        Err(reason) => {
            assert!(!valid, "{text}");
            assert_plain(&reason.to_string());
        }
    }
});

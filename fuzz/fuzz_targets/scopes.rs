//! A list of scopes has no duplicates, keeps the order, and round-trips through its text.

#![no_main]

use std::collections::HashSet;

use didit_core::data_transfer::{Scope, Scopes};
use didit_fuzz::assert_plain;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let names: Vec<&str> = text.split([' ', ',']).filter(|name| !name.is_empty()).collect();
    let valid: Result<Vec<Scope>, _> = names.iter().map(|name| name.parse()).collect();
    match (text.parse::<Scopes>(), valid) {
        (Ok(scopes), Ok(valid)) => {
            let mut seen = HashSet::new();
            let once: Vec<&Scope> = valid.iter().filter(|scope| seen.insert(*scope)).collect();
            assert!(scopes.iter().map(Scope::as_str).eq(once.iter().map(|scope| scope.as_str())));
            assert_eq!(scopes.to_string().parse(), Ok(scopes.clone()));
            assert_eq!(Scopes::new(valid), Ok(scopes));
        }
        (Err(reason), valid) => {
            assert!(names.is_empty() || valid.is_err(), "{text}");
            assert_plain(&reason.to_string());
        }
        (Ok(_), Err(reason)) => panic!("{text}: {reason}"),
    }
});

//! Types in the formats of serde: a refused value is explained.
#![allow(clippy::unwrap_used)]

use didit_core::data_transfer::{Scope, Scopes};
use didit_core::{BaseUrl, SessionId};
use serde::de::DeserializeOwned;

fn refusal<T: DeserializeOwned>(text: &str) -> String {
    let error = serde_json::from_value::<T>(text.into()).err().unwrap().to_string();
    assert!(!error.contains('\u{e9}'), "{error}");
    error
}

#[test]
fn refused_texts_have_a_reason_that_does_not_quote_them() {
    let reason = "invalid value: the base URL is plain http to another machine; use https, \
                  expected a base URL";
    assert_eq!(refusal::<BaseUrl>("http://h.example"), reason);
    assert!(refusal::<SessionId>("").contains("the session id is empty"));
    assert!(
        refusal::<SessionId>("caf\u{e9}").contains("character 4 of the session id is not allowed")
    );
    assert!(refusal::<Scope>("caf\u{e9}").contains("the scope contains an invalid character"));
    assert!(refusal::<Scopes>(" ").contains("the scope is empty"));
}

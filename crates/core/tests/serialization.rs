//! Types in the formats of serde: JSON of the service is written as it was sent, or not at all, and a
//! refused value is explained.
#![allow(clippy::unwrap_used)]

use didit_core::data_transfer::{Decision, Scope, Scopes};
use didit_core::verification::Decision as VerificationDecision;
use didit_core::{BaseUrl, RawJson, SessionId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_test::{Configure as _, assert_ser_tokens_error};

const TEXT: &str = r#"{"session_id": "s-1", "status": "Approved", "number": 1.50}"#;

#[derive(Serialize)]
struct Row<T> {
    id: u8,
    value: Option<T>,
}

#[derive(Serialize)]
struct Flat<T> {
    id: u8,
    #[serde(flatten)]
    value: T,
}

#[derive(Serialize)]
#[serde(tag = "type")]
enum Tagged<T> {
    Value(T),
}

fn is_written_as_sent_or_refused<T: Serialize + Clone>(value: &T) {
    let row = Row { id: 7, value: Some(value.clone()) };
    let written = serde_json::to_string(&row).unwrap();
    assert_eq!(written, format!(r#"{{"id":7,"value":{TEXT}}}"#));
    assert_eq!(serde_json::to_value(&row).unwrap()["value"]["status"], "Approved");

    let refusal = "serde_json can write this as a whole only; store its text instead";
    let flat = serde_json::to_string(&Flat { id: 7, value: value.clone() });
    assert_eq!(flat.unwrap_err().to_string(), refusal);
    let tagged = serde_json::to_string(&Tagged::Value(value.clone()));
    assert_eq!(tagged.unwrap_err().to_string(), refusal);
    // Binary formats write it in a form that they cannot read.
    assert_ser_tokens_error(&value.compact(), &[], refusal);
}

#[test]
fn json_of_the_service_is_written_as_sent_or_refused() {
    is_written_as_sent_or_refused(&TEXT.parse::<RawJson>().unwrap());
    is_written_as_sent_or_refused(&Decision::from_json(TEXT.as_bytes()).unwrap());
    is_written_as_sent_or_refused(&VerificationDecision::from_json(TEXT.as_bytes()).unwrap());
}

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

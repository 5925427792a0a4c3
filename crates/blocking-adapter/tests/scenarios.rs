//! Runs the scenarios that all adapters share.

use didit_blocking_adapter::Client;
use didit_core::{Decision, SessionId};
use didit_scenarios::{Adapter, Failed, Settings, answers, authorization, transport};

struct Blocking(Client);

impl Adapter for Blocking {
    fn new(settings: Settings) -> Result<Self, String> {
        let mut builder = Client::builder(settings.credentials)
            .base_url(settings.base_url)
            .policy(settings.policy);
        if let Some(pem) = settings.root_certificate {
            builder = builder.root_certificate(pem.as_bytes()).map_err(|e| e.to_string())?;
        }
        builder.build().map(Self).map_err(|e| e.to_string())
    }

    fn decision(&self, session_id: &SessionId) -> Result<Decision, Failed> {
        self.0.decision(session_id).map_err(Failed::new)
    }
}

#[test]
fn happy_path() {
    authorization::happy_path::<Blocking>();
}

#[test]
fn one_token_and_one_connection() {
    authorization::one_token_and_one_connection::<Blocking>();
}

#[test]
fn many_callers_share_one_token() {
    authorization::many_callers_share_one_token::<Blocking>();
}

#[test]
fn expired_token_is_renewed() {
    authorization::expired_token_is_renewed::<Blocking>();
}

#[test]
fn token_of_unknown_lifetime_is_used_once() {
    authorization::token_of_unknown_lifetime_is_used_once::<Blocking>();
}

#[test]
fn unauthorized_once() {
    authorization::unauthorized_once::<Blocking>();
}

#[test]
fn unauthorized_for_ever() {
    authorization::unauthorized_for_ever::<Blocking>();
}

#[test]
fn wrong_secret() {
    authorization::wrong_secret::<Blocking>();
}

#[test]
fn held_token() {
    authorization::held_token::<Blocking>();
}

#[test]
fn api_key() {
    authorization::api_key::<Blocking>();
}

#[test]
fn secrets_stay_hidden() {
    authorization::secrets_stay_hidden::<Blocking>();
}

#[test]
fn forbidden() {
    answers::forbidden::<Blocking>();
}

#[test]
fn not_found() {
    answers::not_found::<Blocking>();
}

#[test]
fn html_error_page() {
    answers::html_error_page::<Blocking>();
}

#[test]
fn html_with_success() {
    answers::html_with_success::<Blocking>();
}

#[test]
fn empty_body() {
    answers::empty_body::<Blocking>();
}

#[test]
fn truncated_json() {
    answers::truncated_json::<Blocking>();
}

#[test]
fn sample_as_printed() {
    answers::sample_as_printed::<Blocking>();
}

#[test]
fn another_session() {
    answers::another_session::<Blocking>();
}

#[test]
fn oversized_answer() {
    answers::oversized_answer::<Blocking>();
}

#[test]
fn redirect_is_not_followed() {
    answers::redirect_is_not_followed::<Blocking>();
}

#[test]
fn broken_exchanges_are_retried() {
    transport::broken_exchanges_are_retried::<Blocking>();
}

#[test]
fn failed_status_with_a_broken_body() {
    transport::failed_status_with_a_broken_body::<Blocking>();
}

#[test]
fn refused_connection() {
    transport::refused_connection::<Blocking>();
}

#[test]
fn deadline() {
    transport::deadline::<Blocking>();
}

#[test]
fn retry_after_beyond_the_deadline() {
    transport::retry_after_beyond_the_deadline::<Blocking>();
}

#[test]
fn plain_http_elsewhere() {
    transport::plain_http_elsewhere::<Blocking>();
}

#[test]
fn tls_with_an_own_authority() {
    transport::tls_with_an_own_authority::<Blocking>();
}

#[test]
fn untrusted_certificates() {
    transport::untrusted_certificates::<Blocking>();
}

#[test]
fn malformed_root_certificate() {
    transport::malformed_root_certificate::<Blocking>();
}

#[test]
fn unknown_host() {
    transport::unknown_host::<Blocking>();
}

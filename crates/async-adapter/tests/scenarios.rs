//! Runs the scenarios that all adapters share.

use didit_scenarios::{
    Async, answers, authorization, flow, judgement, logs, many, proxies, transport,
};

#[test]
fn happy_path() {
    authorization::happy_path::<Async>();
}

#[test]
fn one_token_and_one_connection() {
    authorization::one_token_and_one_connection::<Async>();
}

#[test]
fn many_callers_share_one_token() {
    authorization::many_callers_share_one_token::<Async>();
}

#[test]
fn expired_token_is_renewed() {
    authorization::expired_token_is_renewed::<Async>();
}

#[test]
fn token_of_unknown_lifetime_is_used_once() {
    authorization::token_of_unknown_lifetime_is_used_once::<Async>();
}

#[test]
fn unauthorized_once() {
    authorization::unauthorized_once::<Async>();
}

#[test]
fn unauthorized_for_ever() {
    authorization::unauthorized_for_ever::<Async>();
}

#[test]
fn wrong_secret() {
    authorization::wrong_secret::<Async>();
}

#[test]
fn held_token() {
    authorization::held_token::<Async>();
}

#[test]
fn api_key() {
    authorization::api_key::<Async>();
}

#[test]
fn secrets_stay_hidden() {
    authorization::secrets_stay_hidden::<Async>();
}

#[test]
fn forbidden() {
    answers::forbidden::<Async>();
}

#[test]
fn not_found() {
    answers::not_found::<Async>();
}

#[test]
fn html_error_page() {
    answers::html_error_page::<Async>();
}

#[test]
fn html_with_success() {
    answers::html_with_success::<Async>();
}

#[test]
fn empty_body() {
    answers::empty_body::<Async>();
}

#[test]
fn truncated_json() {
    answers::truncated_json::<Async>();
}

#[test]
fn sample_as_printed() {
    answers::sample_as_printed::<Async>();
}

#[test]
fn another_session() {
    answers::another_session::<Async>();
}

#[test]
fn oversized_answer() {
    answers::oversized_answer::<Async>();
}

#[test]
fn redirect_is_not_followed() {
    answers::redirect_is_not_followed::<Async>();
}

#[test]
fn broken_exchanges_are_retried() {
    transport::broken_exchanges_are_retried::<Async>();
}

#[test]
fn failed_status_with_a_broken_body() {
    transport::failed_status_with_a_broken_body::<Async>();
}

#[test]
fn refused_connection() {
    transport::refused_connection::<Async>();
}

#[test]
fn deadline() {
    transport::deadline::<Async>();
}

#[test]
fn retry_after_beyond_the_deadline() {
    transport::retry_after_beyond_the_deadline::<Async>();
}

#[test]
fn plain_http_elsewhere() {
    transport::plain_http_elsewhere::<Async>();
}

#[test]
fn tls_with_an_own_authority() {
    transport::tls_with_an_own_authority::<Async>();
}

#[test]
fn untrusted_certificates() {
    transport::untrusted_certificates::<Async>();
}

#[test]
fn malformed_root_certificate() {
    transport::malformed_root_certificate::<Async>();
}

#[test]
fn unknown_host() {
    transport::unknown_host::<Async>();
}

#[test]
fn by_bearer_token() {
    flow::by_bearer_token::<Async>();
}

#[test]
fn by_api_key() {
    flow::by_api_key::<Async>();
}

#[test]
fn without_vendor_data() {
    flow::without_vendor_data::<Async>();
}

#[test]
fn creation_is_not_repeated() {
    flow::creation_is_not_repeated::<Async>();
}

#[test]
fn creation_is_not_repeated_after_a_refusal() {
    flow::creation_is_not_repeated_after_a_refusal::<Async>();
}

#[test]
fn broken_exchange_after_an_answer() {
    transport::broken_exchange_after_an_answer::<Async>();
}

#[test]
fn refused_creation_is_repeated() {
    flow::refused_creation_is_repeated::<Async>();
}

#[test]
fn creation_is_repeated_after_a_refused_connection() {
    flow::creation_is_repeated_after_a_refused_connection::<Async>();
}

#[test]
fn wrong_session_token() {
    flow::wrong_session_token::<Async>();
}

#[test]
fn malformed_session_token() {
    flow::malformed_session_token::<Async>();
}

#[test]
fn status_without_credentials() {
    flow::status_without_credentials::<Async>();
}

#[test]
fn as_they_finish() {
    many::as_they_finish::<Async>();
}

#[test]
fn in_order() {
    many::in_order::<Async>();
}

#[test]
fn partial_failures() {
    many::partial_failures::<Async>();
}

#[test]
fn dropped_early() {
    many::dropped_early::<Async>();
}

#[test]
fn takes_no_more_than_it_works_on() {
    many::takes_no_more_than_it_works_on::<Async>();
}

#[test]
fn no_ids() {
    many::no_ids::<Async>();
}

#[test]
fn one_token_and_bounded_concurrency() {
    many::one_token_and_bounded_concurrency::<Async>();
}

#[test]
fn a_quota_drains_without_a_refusal() {
    judgement::a_quota_drains_without_a_refusal::<Async>();
}

#[test]
fn a_shared_quota_drains() {
    judgement::a_shared_quota_drains::<Async>();
}

#[test]
fn retry_after_is_obeyed() {
    judgement::retry_after_is_obeyed::<Async>();
}

#[test]
fn waiting_ends_with_a_final_status() {
    judgement::waiting_ends_with_a_final_status::<Async>();
}

#[test]
fn waiting_ends_by_its_deadline() {
    judgement::waiting_ends_by_its_deadline::<Async>();
}

#[test]
fn refused_credentials_are_asked_for_once() {
    judgement::refused_credentials_are_asked_for_once::<Async>();
}

#[test]
fn nothing_private_is_logged() {
    logs::nothing_private_is_logged::<Async>();
}

#[test]
fn proxies_from_the_environment() {
    proxies::from_the_environment::<Async>("proxies_from_the_environment");
}

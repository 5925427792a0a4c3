//! Runs the scenarios that all adapters share.

use didit_scenarios::{
    Blocking, answers, authorization, flow, judgement, logs, many, proxies, transport,
};

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

#[test]
fn by_bearer_token() {
    flow::by_bearer_token::<Blocking>();
}

#[test]
fn by_api_key() {
    flow::by_api_key::<Blocking>();
}

#[test]
fn without_vendor_data() {
    flow::without_vendor_data::<Blocking>();
}

#[test]
fn creation_is_not_repeated() {
    flow::creation_is_not_repeated::<Blocking>();
}

#[test]
fn creation_is_not_repeated_after_a_refusal() {
    flow::creation_is_not_repeated_after_a_refusal::<Blocking>();
}

#[test]
fn broken_exchange_after_an_answer() {
    transport::broken_exchange_after_an_answer::<Blocking>();
}

#[test]
fn refused_creation_is_repeated() {
    flow::refused_creation_is_repeated::<Blocking>();
}

#[test]
fn creation_is_repeated_after_a_refused_connection() {
    flow::creation_is_repeated_after_a_refused_connection::<Blocking>();
}

#[test]
fn wrong_session_token() {
    flow::wrong_session_token::<Blocking>();
}

#[test]
fn malformed_session_token() {
    flow::malformed_session_token::<Blocking>();
}

#[test]
fn status_without_credentials() {
    flow::status_without_credentials::<Blocking>();
}

#[test]
fn as_they_finish() {
    many::as_they_finish::<Blocking>();
}

#[test]
fn in_order() {
    many::in_order::<Blocking>();
}

#[test]
fn partial_failures() {
    many::partial_failures::<Blocking>();
}

#[test]
fn dropped_early() {
    many::dropped_early::<Blocking>();
}

#[test]
fn takes_no_more_than_it_works_on() {
    many::takes_no_more_than_it_works_on::<Blocking>();
}

#[test]
fn no_ids() {
    many::no_ids::<Blocking>();
}

#[test]
fn one_token_and_bounded_concurrency() {
    many::one_token_and_bounded_concurrency::<Blocking>();
}

#[test]
fn a_quota_drains_without_a_refusal() {
    judgement::a_quota_drains_without_a_refusal::<Blocking>();
}

#[test]
fn a_shared_quota_drains() {
    judgement::a_shared_quota_drains::<Blocking>();
}

#[test]
fn retry_after_is_obeyed() {
    judgement::retry_after_is_obeyed::<Blocking>();
}

#[test]
fn waiting_ends_with_a_final_status() {
    judgement::waiting_ends_with_a_final_status::<Blocking>();
}

#[test]
fn waiting_ends_by_its_deadline() {
    judgement::waiting_ends_by_its_deadline::<Blocking>();
}

#[test]
fn refused_credentials_are_asked_for_once() {
    judgement::refused_credentials_are_asked_for_once::<Blocking>();
}

#[test]
fn nothing_private_is_logged() {
    logs::nothing_private_is_logged::<Blocking>();
}

#[test]
fn proxies_from_the_environment() {
    proxies::from_the_environment::<Blocking>("proxies_from_the_environment");
}

//! The list of all cases, as a macro.

/// Expands every case to a test of the given client.
///
/// ```ignore
/// didit_conformance::cases!(Async);
/// ```
#[macro_export]
macro_rules! cases {
    ($client:ty) => {
        $crate::cases!(
            $client;
            authorization::happy_path,
            authorization::one_token_and_one_connection,
            authorization::concurrent_callers_share_one_token,
            authorization::expiring_token_is_renewed,
            authorization::token_of_unknown_lifetime_is_used_once,
            authorization::unauthorized_once_is_retried,
            authorization::unauthorized_twice_is_final,
            authorization::wrong_secret_is_final,
            authorization::bearer_token_of_the_caller,
            authorization::api_key,
            authorization::tenants_share_connections_but_not_tokens,
            authorization::running_client_accepts_new_credentials_and_tokens,
            authorization::errors_contain_no_secrets,
            responses::forbidden_is_final,
            responses::not_found_is_final,
            responses::html_error_page,
            responses::html_with_success,
            responses::empty_body,
            responses::truncated_json,
            responses::chunked_body_without_its_end,
            responses::head_that_is_not_http,
            responses::invalid_json_of_the_documentation,
            responses::decision_of_another_session,
            responses::oversized_body,
            responses::oversized_head,
            responses::large_head_within_the_limits,
            responses::redirect_is_not_followed,
            transport::broken_exchanges_are_retried,
            transport::error_status_with_a_broken_body,
            transport::refused_connection,
            transport::deadline_ends_the_call,
            transport::retry_after_beyond_the_deadline,
            transport::tls_with_a_private_authority,
            transport::client_certificate_required,
            transport::untrusted_certificates,
            transport::malformed_root_certificate,
            transport::unknown_host,
            sessions::session_flow_by_bearer_token,
            sessions::session_flow_by_api_key,
            sessions::creation_without_vendor_data,
            sessions::ambiguous_creation_is_not_retried,
            sessions::ambiguous_creation_after_a_rejection_is_not_retried,
            transport::broken_exchange_after_a_response,
            sessions::rejected_creation_is_retried,
            sessions::creation_is_retried_after_a_refused_connection,
            sessions::creation_uses_a_new_connection,
            sessions::wrong_session_token,
            sessions::malformed_session_token,
            sessions::status_without_credentials,
            bulk::results_in_order_of_completion,
            bulk::results_in_order_of_the_ids,
            bulk::one_failure_does_not_affect_others,
            bulk::dropped_stream_sends_no_more_requests,
            bulk::ids_are_taken_on_demand,
            bulk::empty_input_sends_nothing,
            bulk::one_token_and_bounded_concurrency,
            pacing_and_retry::single_client_is_never_rate_limited,
            pacing_and_retry::clients_drain_a_shared_quota,
            pacing_and_retry::retry_after_is_honored,
            pacing_and_retry::wait_ends_with_a_final_status,
            pacing_and_retry::wait_ends_at_its_deadline,
            pacing_and_retry::rejected_credentials_fail_all_waiting_calls,
            waking::supplied_token_wakes_waiting_calls,
            waking::permits_come_from_the_store,
            logs::logs_contain_no_secrets_or_personal_data,
            proxies::proxy_from_the_builder,
            proxies::proxy_refusal_is_not_retried,
            proxies::reset_before_the_connection_is_retried,
            verification::verification_lifecycle,
            verification::separate_verification_host,
            verification::session_list_spans_pages,
            verification::session_list_has_no_session_twice,
            verification::next_page_on_another_host_is_not_followed,
            verification::session_list_ends_if_a_page_repeats,
            verification::session_list_ends_with_an_error,
            verification::pages_wait_for_the_rate_limiter,
            verification::wait_for_a_settled_status,
            verification::ambiguous_creation_is_retried_if_allowed,
            verification::ambiguous_update_is_not_retried,
            verification::pdf_type_and_size_are_checked,
            verification::raw_request,
            verification::retry_after_of_a_verification_is_honored,
            verification::daily_session_limit,
            verification::client_credentials_are_rejected,
        );

        #[test]
        fn proxies_from_the_environment() {
            $crate::proxies::from_the_environment::<$client>("proxies_from_the_environment");
        }
    };
    ($client:ty; $($module:ident::$case:ident),* $(,)?) => {
        $(
            #[test]
            fn $case() {
                $crate::$module::$case::<$client>();
            }
        )*
    };
}

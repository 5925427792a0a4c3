/// Lists the cases once, as a test each of the given client.
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
            authorization::many_callers_share_one_token,
            authorization::expired_token_is_renewed,
            authorization::token_of_unknown_lifetime_is_used_once,
            authorization::unauthorized_once,
            authorization::unauthorized_for_ever,
            authorization::wrong_secret,
            authorization::held_token,
            authorization::api_key,
            authorization::secrets_stay_hidden,
            responses::forbidden,
            responses::not_found,
            responses::html_error_page,
            responses::html_with_success,
            responses::empty_body,
            responses::truncated_json,
            responses::body_without_its_end,
            responses::head_that_is_not_http,
            responses::sample_as_printed,
            responses::another_session,
            responses::oversized_answer,
            responses::oversized_head,
            responses::as_many_headers_as_both_adapters_read,
            responses::redirect_is_not_followed,
            transport::broken_exchanges_are_retried,
            transport::failed_status_with_a_broken_body,
            transport::refused_connection,
            transport::deadline,
            transport::retry_after_beyond_the_deadline,
            transport::plain_http_elsewhere,
            transport::tls_with_an_own_authority,
            transport::client_certificate_demanded,
            transport::untrusted_certificates,
            transport::malformed_root_certificate,
            transport::unknown_host,
            sessions::by_bearer_token,
            sessions::by_api_key,
            sessions::without_vendor_data,
            sessions::creation_is_not_repeated,
            sessions::creation_is_not_repeated_after_a_refusal,
            transport::broken_exchange_after_an_answer,
            sessions::refused_creation_is_repeated,
            sessions::creation_is_repeated_after_a_refused_connection,
            sessions::creation_on_a_connection_of_its_own,
            sessions::wrong_session_token,
            sessions::malformed_session_token,
            sessions::status_without_credentials,
            bulk::as_they_finish,
            bulk::in_order,
            bulk::partial_failures,
            bulk::dropped_early,
            bulk::takes_no_more_than_it_works_on,
            bulk::no_ids,
            bulk::one_token_and_bounded_concurrency,
            pacing_and_retry::a_quota_drains_without_a_refusal,
            pacing_and_retry::a_shared_quota_drains,
            pacing_and_retry::retry_after_is_obeyed,
            pacing_and_retry::waiting_ends_with_a_final_status,
            pacing_and_retry::waiting_ends_by_its_deadline,
            pacing_and_retry::refused_credentials_are_asked_for_once,
            waking::a_token_wakes_those_that_wait_for_it,
            waking::permits_come_from_the_store,
            logs::nothing_private_is_logged,
            proxies::by_code,
            proxies::proxy_that_refuses,
            verification::whole_life,
            verification::a_host_of_its_own,
            verification::pages,
            verification::pages_of_a_stranger,
            verification::pages_end_with_an_error,
            verification::pages_wait_in_the_queue,
            verification::waiting,
            verification::repetition,
            verification::updates_are_not_repeated,
            verification::reports,
            verification::any_route,
            verification::refusals,
            verification::sessions_of_a_day,
            verification::a_token_is_refused,
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

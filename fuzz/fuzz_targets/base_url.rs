//! Accepted base URLs are https or loopback, and printing and parsing them round-trips.

#![no_main]

use std::net::IpAddr;

use didit_core::oauth::FetchToken;
use didit_core::{BaseUrl, Endpoint};
use didit_fuzz::{assert_plain, client};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let base: BaseUrl = match text.parse() {
        Ok(base) => base,
        Err(reason) => return assert_plain(&reason.to_string()),
    };
    let shown = base.to_string();
    assert_plain(&shown);
    assert_eq!(shown.parse::<BaseUrl>(), Ok(base.clone()));

    let request = FetchToken::new(client()).request(&base, None);
    let request = request.expect("a request to any base URL that was accepted");
    assert_eq!(request.uri().to_string(), format!("{shown}/auth/v2/token/"));
    assert_eq!(base.is_plain_http(), request.uri().scheme_str() == Some("http"));
    if base.is_plain_http() {
        let host = request.uri().host().unwrap_or_default();
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        assert!(host == "localhost" || address.is_ok_and(|ip| ip.is_loopback()), "{shown}");
    }
});

//! Responses of the token route yield a usable, redacted token or an error without their values.

#![no_main]

use std::time::Duration;

use didit_core::data_transfer::RetrieveDecision;
use didit_core::oauth::FetchToken;
use didit_core::{BaseUrl, Endpoint};
use didit_fuzz::{assert_plain, client, masked, without_message};
use http::Response;
use libfuzzer_sys::fuzz_target;

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

fuzz_target!(|body: &[u8]| {
    let endpoint = FetchToken::new(client());
    match endpoint.parse(&Response::new(body)) {
        Ok(token) => {
            let secret = token.secret().expose();
            assert!(!secret.is_empty() && secret.bytes().all(|byte| byte.is_ascii_graphic()));
            assert!(token.lifetime().is_none_or(|lifetime| lifetime <= TEN_YEARS));
            let shown = format!("AccessToken {{ lifetime: {:?}, .. }}", token.lifetime());
            assert_eq!(format!("{token:?}"), shown);

            let decision = RetrieveDecision::new("s".parse().expect("a valid identifier"));
            let request = decision.request(&BaseUrl::production(), Some(token.authorization()));
            let request = request.expect("a request with any token that was accepted");
            let header = &request.headers()["authorization"];
            assert_eq!(header.to_str().ok(), Some(&*format!("Bearer {secret}")));
            assert!(header.is_sensitive());
        }
        Err(error) => {
            assert_plain(&error.to_string());
            let other = endpoint.parse(&Response::new(&*masked(body))).err();
            // The service's message is masked like the rest, so it is not compared.
            assert_eq!(other.as_ref().map(without_message), Some(without_message(&error)));
        }
    }
});

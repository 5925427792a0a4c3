//! Retrieves two decisions concurrently with the async client; both share one access token.
//!
//! `cargo run -q -p didit-examples --example async_client`

use std::error::Error;

use didit_async_adapter::Client;
use didit_async_adapter::core::{ClientCredentials, SessionId};
use didit_sandbox::Sandbox;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Replaces the live service, which is the default base URL.
    let sandbox = Sandbox::start()?;
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret())?;
    let client = Client::builder(credentials).base_url(sandbox.url().parse()?).build()?;

    let first: SessionId = "unique-session-identifier".parse()?;
    let second: SessionId = "another-session".parse()?;
    let (first, second) = tokio::try_join!(client.decision(&first), client.decision(&second))?;

    for decision in [first, second] {
        let names = decision.user_data().and_then(|user| user.names.as_ref());
        let name = names.and_then(|names| names.full_name.as_deref()).unwrap_or("nobody");
        println!("{}: {}, {name}", decision.session_id(), decision.status());
    }
    println!("tokens issued: {}", sandbox.tokens_issued());
    Ok(())
}

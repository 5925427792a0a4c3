//! Retrieves a decision with the blocking client, and handles an error.
//!
//! `cargo run -p didit-example-quickstart`

use std::error::Error;

use didit_blocking_adapter::Client;
use didit_blocking_adapter::core::ClientCredentials;
use didit_sandbox::Sandbox;

fn main() -> Result<(), Box<dyn Error>> {
    // Serves the same API on this machine. Without `base_url`, the client calls the live service.
    let sandbox = Sandbox::start()?;
    sandbox.missing("no-such-session");
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret())?;
    let client = Client::builder(credentials).base_url(sandbox.url().parse()?).build()?;

    let decision = client.decision(&"unique-session-identifier".parse()?)?;
    println!("{}: {}", decision.session_id(), decision.status());
    if let Some(user) = decision.user_data() {
        let name = user.names.as_ref().and_then(|names| names.full_name.as_deref());
        let email = user.email.as_ref().and_then(|email| email.email.as_deref());
        println!("{}, {}", name.unwrap_or("no name"), email.unwrap_or("no email"));
    }

    match client.decision(&"no-such-session".parse()?) {
        Ok(decision) => println!("{}: {}", decision.session_id(), decision.status()),
        Err(error) => println!("error: {error}"),
    }
    Ok(())
}

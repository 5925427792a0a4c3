//! Retrieves decisions with the blocking client, and handles an error.
//!
//! `cargo run -q -p didit-examples --example blocking_client`

use std::error::Error;

use didit_blocking_adapter::Client;
use didit_blocking_adapter::core::ClientCredentials;
use didit_sandbox::Sandbox;

fn main() -> Result<(), Box<dyn Error>> {
    // Replaces the live service, which is the default base URL.
    let sandbox = Sandbox::start()?;
    sandbox.missing("no-such-session");
    let credentials = ClientCredentials::new(sandbox.client_id(), sandbox.client_secret())?;
    let client = Client::builder(credentials).base_url(sandbox.url().parse()?).build()?;

    let decision = client.decision(&"unique-session-identifier".parse()?)?;
    if let Some(user) = decision.user_data() {
        println!(
            "{}",
            user.names.as_ref().and_then(|names| names.full_name.as_deref()).unwrap_or("no name")
        );
        println!(
            "{}",
            user.email.as_ref().and_then(|email| email.email.as_deref()).unwrap_or("no email")
        );
        // A member without its own type is a JSON value, as the service sent it.
        println!("gender: {}", user.gender.as_ref().map_or("not shared", |gender| gender.as_str()));
    }

    match client.decision(&"no-such-session".parse()?) {
        Ok(decision) => println!("{}", decision.status()),
        Err(error) => println!("{error}"),
    }
    Ok(())
}

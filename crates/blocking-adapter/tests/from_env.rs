//! Configuration by environment variables.

use std::error::Error;

use didit_blocking_adapter::Client;
use didit_conformance::environment;

fn retrieve() -> Result<String, Box<dyn Error>> {
    Ok(Client::from_env()?.decision(&"s-1".parse()?)?.session_id().to_string())
}

#[test]
fn client_from_environment() {
    environment::client_from_environment("client_from_environment", retrieve);
}

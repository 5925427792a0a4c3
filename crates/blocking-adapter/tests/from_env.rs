//! A client that is configured by the environment.

use std::error::Error;

use didit_blocking_adapter::Client;
use didit_conformance::environment;

fn retrieve() -> Result<String, Box<dyn Error>> {
    Ok(Client::from_env()?.decision(&"s-1".parse()?)?.session_id().to_string())
}

#[test]
fn the_environment_makes_a_client() {
    environment::the_environment_makes_a_client("the_environment_makes_a_client", retrieve);
}

//! Configuration by environment variables.

use std::error::Error;

use didit_async_adapter::Client;
use didit_conformance::environment;

#[tokio::main(flavor = "current_thread")]
async fn retrieve() -> Result<String, Box<dyn Error>> {
    Ok(Client::from_env()?.decision(&"s-1".parse()?).await?.session_id().to_string())
}

#[test]
fn client_from_environment() {
    environment::client_from_environment("client_from_environment", retrieve);
}

//! Access tokens by the OAuth 2.0 client-credentials grant.

mod fetch_token;

pub use self::fetch_token::{AccessToken, FetchToken};

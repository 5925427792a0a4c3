use std::fmt;

use crate::base_url::BaseUrl;
use crate::proxy::HttpProxy;

/// Route of a client's requests, for errors.
#[derive(Clone, Debug)]
pub struct Route {
    host: String,
    port: u16,
    proxy: Option<HttpProxy>,
}

impl Route {
    /// Creates the route to a host, through a proxy if there is one.
    pub fn new(base: &BaseUrl, proxy: Option<HttpProxy>) -> Self {
        Self { host: base.host().to_owned(), port: base.port(), proxy }
    }

    /// Returns the proxy, if there is one.
    pub fn proxy(&self) -> Option<&HttpProxy> {
        self.proxy.as_ref()
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)?;
        match &self.proxy {
            Some(proxy) => write!(f, " through the proxy {proxy}"),
            None => Ok(()),
        }
    }
}

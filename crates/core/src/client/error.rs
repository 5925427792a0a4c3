use std::error::Error;
use std::fmt;
use std::ops::Deref;

use super::transport::Route;
use crate::engine::{CallError, CallErrorKind, TransportErrorKind};
use crate::proxy::HttpProxy;

/// The error of a client's call. It dereferences to the core's [`CallError`], and, if the transport
/// failed, also has the route of the request and the HTTP library's error `T`.
///
/// `{:?}` prints one readable line, `{:#?}` the structure.
pub struct ClientError<T> {
    call: CallError,
    /// The route of the request, if the transport failed.
    route: Option<Box<Route>>,
    detail: Option<Box<TransportDetail<T>>>,
}

impl<T> ClientError<T> {
    /// Creates the error of a call; `detail` is ignored unless the transport failed.
    pub fn new(call: CallError, detail: Option<TransportDetail<T>>, route: &Route) -> Self {
        if !matches!(call.kind(), CallErrorKind::Transport(_)) {
            return Self::from(call);
        }
        Self { call, route: Some(Box::new(route.clone())), detail: detail.map(Box::new) }
    }

    /// Returns the core's error.
    pub fn call(&self) -> &CallError {
        &self.call
    }

    /// Returns short advice on how to resolve the error.
    pub fn advice(&self) -> &'static str {
        // What to check before another attempt matters more than the cause.
        if self.call.may_have_taken_effect() {
            return self.call.advice();
        }
        let advice = self.detail.as_ref().and_then(|detail| detail.advice);
        let by_route = || match (self.call.kind(), &self.route) {
            (CallErrorKind::Transport(kind), Some(route)) => route.advice(*kind),
            _ => None,
        };
        advice.or_else(by_route).unwrap_or_else(|| self.call.advice())
    }
}

/// An HTTP library's error, with a description and advice.
#[derive(Debug)]
pub struct TransportDetail<T> {
    /// The error.
    pub error: T,
    /// A short description of the failure.
    pub description: Option<String>,
    /// Advice for the user, if more specific than that for the kind of failure.
    pub advice: Option<&'static str>,
}

/// The description of a response whose head cannot be parsed, the same for every HTTP library.
pub const NOT_HTTP: &str = "the response is not valid HTTP";

/// Returns a description of a proxy's failure to connect, the same for every HTTP library, and advice,
/// if more specific than that for the kind of failure. `text` is the library's.
pub fn describe_refusal(text: &str) -> (String, Option<&'static str>) {
    let advice = Some("check the proxy");
    let status = match text.rsplit_once('/') {
        Some((_, number)) => Some(number).filter(|number| number.parse::<u16>().is_ok()),
        None => text.ends_with("authorization required").then_some("407"),
    };
    if let Some(status) = status {
        let description = format!("the proxy responded with {status}");
        return (description, advice.filter(|_| status != "407"));
    }
    let words = match text {
        _ if text.ends_with("unsuccessful") => "the proxy did not respond with a valid 200",
        _ if text.ends_with("too many headers") => "the proxy's response has too many headers",
        _ if text.ends_with("too long") => "the headers of the proxy's response are too long",
        _ if text.ends_with("did not respond") || text.ends_with("unexpected end of file") => {
            "the proxy closed the connection"
        }
        _ => text,
    };
    (words.to_owned(), advice)
}

impl<T> Deref for ClientError<T> {
    type Target = CallError;

    fn deref(&self) -> &CallError {
        &self.call
    }
}

impl<T> From<CallError> for ClientError<T> {
    fn from(call: CallError) -> Self {
        Self { call, route: None, detail: None }
    }
}

impl<T> From<ClientError<T>> for CallError {
    fn from(error: ClientError<T>) -> Self {
        error.call
    }
}

impl<T> fmt::Display for ClientError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)?;
        let Some(route) = &self.route else { return Ok(()) };
        let description = self.detail.as_ref().and_then(|detail| detail.description.as_ref());
        let description = description.map(|text| format!(": {text}")).unwrap_or_default();
        // The HTTP libraries do not tell the handshake with a proxy from that with the service.
        let is_handshake = matches!(
            self.call.kind(),
            CallErrorKind::Transport(
                TransportErrorKind::Certificate | TransportErrorKind::Handshake
            )
        );
        let has_two = is_handshake && route.proxy().is_some_and(HttpProxy::is_tls);
        write!(f, " ({route}{description}{})", if has_two { "; it may be the proxy's" } else { "" })
    }
}

impl<T: fmt::Debug> fmt::Debug for ClientError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !f.alternate() {
            return write!(f, "{self}; {}", self.advice());
        }
        f.debug_struct("ClientError")
            .field("call", &self.call)
            .field("route", &self.route)
            .field("detail", &self.detail)
            .finish()
    }
}

impl<T: Error + 'static> Error for ClientError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.detail {
            Some(detail) => Some(&detail.error),
            None => self.call.source(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::base_url::BaseUrl;

    fn detail() -> TransportDetail<io::Error> {
        TransportDetail {
            error: io::ErrorKind::ConnectionRefused.into(),
            description: Some("connection refused".to_owned()),
            advice: Some("start the server"),
        }
    }

    #[test]
    fn transport_error_names_the_route() {
        let base: BaseUrl = "https://h.example:8443".parse().unwrap();
        let lost = || CallError::new(CallErrorKind::Transport(TransportErrorKind::Connect));
        let error = ClientError::new(lost(), Some(detail()), &Route::new(&base, None));
        let line = "could not retrieve the decision: no connection could be made \
                    (h.example:8443: connection refused)";
        assert_eq!(error.to_string(), line);
        assert_eq!(format!("{error:?}"), format!("{line}; start the server"));
        assert!(format!("{error:#?}").starts_with("ClientError {"));
        assert!(error.source().unwrap().is::<io::Error>() && error.is_retryable());
        let proxy = crate::ProxySettings::default().with_proxy("http://u:secret@p:3128");
        let route = Route::new(&base, proxy.proxy_for(&base).unwrap());
        let error = ClientError::<io::Error>::new(lost(), None, &route);
        assert!(
            error.to_string().ends_with("(h.example:8443 through the proxy p:3128)"),
            "{error}"
        );
        assert!(!format!("{error:#?}").contains("secret") && error.source().is_none());
    }

    #[test]
    fn handshake_may_be_that_with_an_https_proxy() {
        let base: BaseUrl = "https://h.example".parse().unwrap();
        let shown = |scheme: &str, kind| {
            let proxy = crate::ProxySettings::default().with_proxy(&format!("{scheme}://p:1"));
            let route = Route::new(&base, proxy.proxy_for(&base).unwrap());
            let call = CallError::new(CallErrorKind::Transport(kind));
            ClientError::new(call, Some(detail()), &route).to_string()
        };
        let either = " through the proxy p:1: connection refused; it may be the proxy's)";
        let certificate = TransportErrorKind::Certificate;
        assert!(shown("https", certificate).ends_with(either));
        assert!(shown("https", TransportErrorKind::Handshake).ends_with(either));
        assert!(!shown("http", certificate).contains("may be"));
        assert!(!shown("https", TransportErrorKind::Connect).contains("may be"));
    }

    #[test]
    fn advice_about_the_effect_comes_first() {
        let created = |kind| {
            let call = CallError::new(CallErrorKind::Transport(kind))
                .with_endpoint(crate::EndpointKind::CreateSession)
                .with_replay(crate::Replay::OnlyIfUnsent);
            let route = Route::new(&"http://127.0.0.1".parse().unwrap(), None);
            ClientError::new(call, Some(detail()), &route).advice()
        };
        assert_eq!(created(TransportErrorKind::Connect), "start the server");
        assert_eq!(
            created(TransportErrorKind::ConnectionLost),
            "the session may have been created; trying again creates another"
        );
    }

    #[test]
    fn other_errors_ignore_route_and_detail() {
        let route = Route::new(&BaseUrl::production(), None);
        let error =
            ClientError::new(CallError::new(CallErrorKind::Finished), Some(detail()), &route);
        assert_eq!(
            error.to_string(),
            "could not retrieve the decision: the call has already ended"
        );
        assert_eq!((error.advice(), error.source().is_none()), ("start a new call", true));
        assert!(matches!(CallError::from(error).kind(), CallErrorKind::Finished));
    }

    #[test]
    fn libraries_have_the_same_words() {
        for (text, words) in [
            ("proxy server responded 407/407", "the proxy responded with 407"),
            ("tunnel error: proxy authorization required", "the proxy responded with 407"),
            ("proxy server responded 502/502", "the proxy responded with 502"),
            ("tunnel error: unsuccessful", "the proxy did not respond with a valid 200"),
            ("proxy server did not respond", "the proxy closed the connection"),
            ("tunnel error: unexpected end of file", "the proxy closed the connection"),
            (
                "http parse resulted in too many headers",
                "the proxy's response has too many headers",
            ),
            (
                "tunnel error: proxy response headers too long",
                "the headers of the proxy's response are too long",
            ),
            ("any other/text", "any other/text"),
        ] {
            let advice = (!words.ends_with("407")).then_some("check the proxy");
            assert_eq!(describe_refusal(text), (words.to_owned(), advice), "{text}");
        }
    }
}

//! The HTML pages: lists of sessions and requests, and for each session a simulated phone.

mod developer;
mod guard;
mod hosted_flow;
mod html;
mod index;
mod lists;
mod phone;
mod qr_code;

use crate::RecordedRequest;
use crate::answer::Answer;
use crate::state::Shared;
use guard::Viewer;

/// A page, as identified by its path.
#[derive(Debug, PartialEq)]
pub(crate) enum Page<'a> {
    Index,
    Live,
    Style,
    /// The icon, which browsers request on their own.
    Icon,
    /// The login of a browser on another machine, with the sandbox's token.
    Enter(&'a str),
    /// The phone of the session with this token.
    Phone(&'a str),
    /// The hosted flow of the verification session with this token.
    HostedFlow(&'a str),
}

impl<'a> Page<'a> {
    pub(crate) fn of(path: &'a str) -> Option<Self> {
        match path {
            "/" => Some(Self::Index),
            "/live" => Some(Self::Live),
            "/sandbox.css" => Some(Self::Style),
            "/favicon.ico" => Some(Self::Icon),
            _ => {
                let unslashed = path.strip_suffix('/').unwrap_or(path);
                if let Some(token) = path.strip_prefix("/enter/") {
                    return Some(Self::Enter(token));
                }
                let phone = unslashed.strip_prefix("/authorize/").map(Self::Phone);
                phone.or_else(|| unslashed.strip_prefix("/session/").map(Self::HostedFlow))
            }
        }
    }
}

pub(crate) fn visit(
    shared: &Shared,
    request: &RecordedRequest,
    page: &Page<'_>,
) -> Result<Answer, Answer> {
    guard::check_host(shared, request)?;
    let viewer = Viewer::of(shared, request);
    // The response to HEAD is that to GET; its body is not sent.
    let method = if request.method == "HEAD" { "GET" } else { &*request.method };
    match (method, page) {
        ("GET", Page::Enter(token)) => guard::enter(shared, token),
        (_, Page::Index | Page::Live) if viewer == Viewer::Guest => Err(guard::token_required()),
        ("GET", Page::Style) => Ok(html::style()),
        ("GET", Page::Icon) => Ok(html::no_icon()),
        ("GET", Page::Index) => index::show(shared),
        ("GET", Page::Live) => index::live(shared),
        ("POST", Page::Index) => index::create(shared, request),
        ("GET", Page::Phone(token)) => phone::show(shared, viewer, token),
        ("POST", Page::Phone(token)) => phone::decide(shared, viewer, request, token),
        ("GET", Page::HostedFlow(token)) => hosted_flow::show(shared, viewer, token),
        ("POST", Page::HostedFlow(token)) => hosted_flow::decide(shared, viewer, request, token),
        _ => {
            let answer =
                html::notice(405, "Method not allowed", "A page accepts only GET, HEAD and POST.");
            Err(answer.with("Allow", "GET, HEAD, POST"))
        }
    }
}

/// Redirects the browser after a form was handled, so that reloading does not send it again.
fn redirect_to(path: &str) -> Answer {
    html::guarded(Answer::new(303, Vec::new()))
        .with("Location", path)
        .with("Content-Type", "text/plain")
}

fn no_such_session() -> Answer {
    html::notice(
        404,
        "There is no such session",
        "The address may be incomplete, or the session was deleted, or it belongs to another sandbox.",
    )
}

/// Returns the response to a form without a valid choice.
fn undecided() -> Answer {
    html::notice(400, "No decision was made", "Go back and press one of the buttons.")
}

fn save_failed(error: &std::io::Error) -> Answer {
    html::notice(500, "The change could not be saved", &error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_resolve_to_pages() {
        assert_eq!(Page::of("/"), Some(Page::Index));
        assert_eq!(Page::of("/authorize/a"), Some(Page::Phone("a")));
        assert_eq!(Page::of("/favicon.ico"), Some(Page::Icon));
        assert_eq!(Page::of("/authorize/a/"), Some(Page::Phone("a")));
        assert_eq!(Page::of("/enter/a"), Some(Page::Enter("a")));
        assert_eq!(Page::of("/session/a/"), Some(Page::HostedFlow("a")));
        assert_eq!(Page::of("/auth/v2/token/"), None);
        assert_eq!(Page::of("/?a=b"), None);
    }
}

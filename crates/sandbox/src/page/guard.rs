//! Access control of the pages and their forms.

use super::{html, redirect_to};
use crate::RecordedRequest;
use crate::answer::Answer;
use crate::record::Form;
use crate::state::Shared;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Viewer {
    /// A browser on this machine, or one with the sandbox's token; it sees everything.
    Developer,
    /// A browser on another machine; it sees only sessions whose URLs it has.
    Guest,
}

impl Viewer {
    pub(super) fn of(shared: &Shared, request: &RecordedRequest) -> Self {
        let known = shared.reach.network.as_ref().is_none_or(|network| {
            request.local || cookie(request, &network.cookie) == Some(&*network.token)
        });
        if known { Self::Developer } else { Self::Guest }
    }
}

/// Gives a browser on another machine access to all pages, if it has the sandbox's token.
pub(super) fn enter(shared: &Shared, token: &str) -> Result<Answer, Answer> {
    let network = shared.reach.network.as_ref().filter(|network| network.token == token);
    let network = network.ok_or_else(token_required)?;
    // With SameSite=Strict a browser that follows a link in a chat or an email would not send it.
    let cookie = format!("{}={token}; Path=/; HttpOnly; SameSite=Lax", network.cookie);
    Ok(redirect_to("/").with("Set-Cookie", cookie))
}

/// Returns the response to a browser on another machine without the sandbox's token.
pub(super) fn token_required() -> Answer {
    let why = "On another machine, use the URL that the sandbox printed when it started.";
    html::dead_end(403, "This page needs the full URL", why)
}

fn cookie<'a>(request: &'a RecordedRequest, name: &str) -> Option<&'a str> {
    let mut cookies = request.header("Cookie")?.split(';').filter_map(|pair| pair.split_once('='));
    cookies.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// Refuses other host names, as protection against DNS rebinding.
pub(super) fn check_host(shared: &Shared, request: &RecordedRequest) -> Result<(), Answer> {
    if shared.reach.is_host(request.header("Host").unwrap_or_default()) {
        return Ok(());
    }
    let why = format!("These pages are available only at {}.", shared.reach.hosts());
    Err(html::dead_end(403, "This host name is not accepted", &why))
}

/// Reads the form of a request. Refuses it unless it was sent from the page with this form token, as
/// protection against cross-site request forgery.
pub(super) fn form(request: &RecordedRequest, scheme: &str, token: &str) -> Result<Form, Answer> {
    let refused = |why| Err(html::notice(403, "The form was refused", why));
    let here = format!("{scheme}://{}", request.header("Host").unwrap_or_default());
    if request.header("Origin").is_some_and(|origin| !origin.eq_ignore_ascii_case(&here)) {
        return refused("The form comes from another site.");
    }
    if request.header("Sec-Fetch-Site").is_some_and(|site| site != "same-origin") {
        return refused("The form comes from another site.");
    }
    match request.form() {
        Some(form) if form.get("form") == Some(token) => Ok(form),
        _ => refused("The form is not from this page. Go back, reload the page, and try again."),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::Sandbox;
    use crate::respond::respond;

    fn get(sandbox: &Sandbox, path: &str, local: bool, cookie: &str) -> Answer {
        let request = RecordedRequest {
            headers: [("Host", "192.168.0.1:80"), ("Cookie", cookie)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            local,
            ..RecordedRequest::example(path)
        };
        respond(sandbox.shared(), &request)
    }

    #[test]
    fn guest_sees_one_session_and_token_opens_all_pages() {
        let builder = Sandbox::builder().listen(Ipv4Addr::UNSPECIFIED.into());
        let sandbox = builder.start().expect("a sandbox");
        let shared = sandbox.shared();
        let created = |application: &str| {
            let application = application.to_owned();
            shared.state().sessions.create(application, "names".to_owned(), None, shared.now())
        };
        let session = created(sandbox.client_id()).expect("a session");
        let phone = format!("/authorize/{}", session.token);

        for path in ["/", "/live"] {
            assert_eq!(get(&sandbox, path, false, "").status, 403, "{path}");
            assert_eq!(get(&sandbox, path, true, "").status, 200, "{path}");
        }
        let text = |answer: &Answer| String::from_utf8_lossy(&answer.body).into_owned();
        let guest = text(&get(&sandbox, &phone, false, ""));
        assert!(guest.contains("Share your data?"), "{guest}");
        assert!(!guest.contains(sandbox.api_key()) && !guest.contains("About this session"));

        let url = sandbox.network_url().expect("a URL");
        let (_, token) = url.rsplit_once('/').expect("a path");
        assert_eq!(get(&sandbox, "/enter/wrong", false, "").status, 403);
        let entered = get(&sandbox, &format!("/enter/{token}"), false, "");
        assert_eq!(entered.status, 303);
        let header = |name: &str| {
            let found = entered.headers.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str()).unwrap_or_default()
        };
        assert_eq!(header("Location"), "/");
        let cookie = header("Set-Cookie").split(';').next().unwrap_or_default();
        let cookie = format!("theme=dark; {cookie}");
        assert_eq!(get(&sandbox, "/", false, &cookie).status, 200);
        assert!(text(&get(&sandbox, &phone, false, &cookie)).contains("About this session"));
        assert_eq!(get(&sandbox, "/", false, &cookie.replace('=', "=x")).status, 403);
    }
}

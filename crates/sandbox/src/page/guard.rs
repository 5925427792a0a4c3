//! Who may see the pages and send their forms: a browser that shows this very sandbox.

use super::html;
use crate::RecordedRequest;
use crate::answer::Answer;
use crate::form::Form;
use crate::host::is_loopback;

/// Refuses a host name that another site made to resolve to this machine.
pub(super) fn check_host(request: &RecordedRequest) -> Result<(), Answer> {
    if is_loopback(request.header("Host").unwrap_or_default()) {
        return Ok(());
    }
    let why = "These pages answer at 127.0.0.1 and localhost, and at no other name.";
    Err(html::notice(403, "That is not this sandbox", why))
}

/// The form of a request, if it comes from the page that `token` was written into.
pub(super) fn form(request: &RecordedRequest, scheme: &str, token: &str) -> Result<Form, Answer> {
    let refused = |why| Err(html::notice(403, "That form was not sent from here", why));
    let here = format!("{scheme}://{}", request.header("Host").unwrap_or_default());
    if request.header("Origin").is_some_and(|origin| !origin.eq_ignore_ascii_case(&here)) {
        return refused("It comes from another site.");
    }
    if request.header("Sec-Fetch-Site").is_some_and(|site| site != "same-origin") {
        return refused("It comes from another site.");
    }
    match Form::of(request) {
        Some(form) if form.get("form") == Some(token) => Ok(form),
        _ => refused("It does not belong to this page. Go back, reload the page, and try again."),
    }
}

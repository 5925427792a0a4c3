//! Matching of paths to routes of the verification API.

use crate::Route;
use crate::answer::Answer;

const PREFIX: &str = "/v3/session";

/// Returns whether a request target belongs to the verification API.
pub(crate) fn is_verification(target: &str) -> bool {
    target.starts_with("/v3/")
}

/// Returns the route of a request target and its session id (empty if the route has none), or the
/// response of the service's router, which precedes any check of credentials.
pub(crate) fn resolve<'a>(method: &str, target: &'a str) -> Result<(Route, &'a str), Answer> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if let Some(found) = find(path) {
        return Ok(found);
    }
    // The router redirects only GET requests to the path with a trailing slash.
    let slashed = format!("{path}/");
    if method == "GET" && find(&slashed).is_some() {
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        return Err(html(301, "Moved Permanently").with("Location", format!("{slashed}{query}")));
    }
    Err(html(404, "Not Found"))
}

fn find(path: &str) -> Option<(Route, &str)> {
    let rest = path.strip_prefix(PREFIX)?;
    match rest {
        "/" => return Some((Route::CreateVerification, "")),
        "s/" => return Some((Route::ListVerifications, "")),
        _ => {}
    }
    let (id, action) = rest.strip_prefix('/')?.split_once('/')?;
    let route = match action {
        "decision/" => Route::VerificationDecision,
        "update-status/" => Route::UpdateVerificationStatus,
        "generate-pdf/" => Route::VerificationPdf,
        "delete/" => Route::DeleteVerification,
        _ => return None,
    };
    is_uuid(id).then_some((route, id))
}

/// Returns whether a text is a UUID in the form that paths require: lower case, with hyphens.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn html(status: u16, title: &str) -> Answer {
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>{title}</title>\n</head>\n<body>\n  \
         <h1>{title}</h1><p>The requested resource was not found on this server.</p>\n</body>\n\
         </html>\n"
    );
    Answer::new(status, body.into_bytes()).with("Content-Type", "text/html; charset=utf-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "11111111-2222-3333-4444-555555555555";

    #[test]
    fn paths_resolve_to_routes() {
        let route = |target: &str| resolve("GET", target).map(|(route, id)| (route, id.to_owned()));
        assert_eq!(route("/v3/session/"), Ok((Route::CreateVerification, String::new())));
        assert_eq!(route("/v3/sessions/?limit=2"), Ok((Route::ListVerifications, String::new())));
        for (action, expected) in [
            ("decision", Route::VerificationDecision),
            ("update-status", Route::UpdateVerificationStatus),
            ("generate-pdf", Route::VerificationPdf),
            ("delete", Route::DeleteVerification),
        ] {
            let target = format!("/v3/session/{ID}/{action}/");
            assert_eq!(route(&target), Ok((expected, ID.to_owned())));
        }
        let status = |method: &str, target: &str| resolve(method, target).expect_err(target).status;
        assert_eq!(status("GET", "/v3/sessions"), 301);
        assert_eq!(status("DELETE", &format!("/v3/session/{ID}/delete")), 404);
        for id in ["", "abc", &ID.to_uppercase().replace('1', "A"), &ID.replace('-', "")] {
            assert_eq!(status("GET", &format!("/v3/session/{id}/decision/")), 404, "{id}");
        }
    }
}

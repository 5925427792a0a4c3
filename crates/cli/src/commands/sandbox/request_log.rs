//! The log of `didit sandbox`: one line a request.

use std::io::{self, Write as _};

use didit_sandbox::RecordedRequest;
use time::OffsetDateTime;

use crate::terminal;

pub(super) fn log(request: &RecordedRequest) {
    let (hour, minute, second) = OffsetDateTime::now_utc().time().as_hms();
    let line = format!("{hour:02}:{minute:02}:{second:02}Z {}", told(request));
    // Nobody is left to be told if this fails.
    let _ = writeln!(io::stderr(), "{}", terminal::escape(&line));
}

fn told(request: &RecordedRequest) -> String {
    let RecordedRequest { method, path, status, request_id, .. } = request;
    let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    format!("{method} {} -> {status} ({request_id})", without_token(path))
}

/// The pages of a session are found by its token.
fn without_token(path: &str) -> String {
    let pages = ["/authorize/", "/session/"];
    match pages.into_iter().find(|page| path.starts_with(page)) {
        Some(page) => format!("{page}[redacted]"),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_logged_without_the_token_in_it() {
        assert_eq!(without_token("/authorize/canary?x"), "/authorize/[redacted]");
        assert_eq!(without_token("/auth/v2/token/"), "/auth/v2/token/");
    }
}

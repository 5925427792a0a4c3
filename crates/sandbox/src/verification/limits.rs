//! The rate limits of the verification API.

use std::time::Duration;

use super::Call;
use crate::answer::Answer;
use crate::quota::{Verdict, Windows};
use crate::{Quota, Route, clock};

/// Limits on the requests of each kind that an application may send within a sliding window.
///
/// Unlike on the data-transfer API, only responses with status 429 have the headers
/// `X-RateLimit-Limit`, `X-RateLimit-Remaining`, `X-RateLimit-Reset` and `Retry-After`
/// ([documentation](https://docs.didit.me/integration/rate-limiting)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerificationLimits {
    /// Decisions and lists.
    pub get: Option<Quota>,
    /// Changes of a status, and deletions.
    pub write: Option<Quota>,
    /// New sessions.
    pub create: Option<Quota>,
    /// Reports as PDF.
    pub pdf: Option<Quota>,
    /// New sessions, not counting requests that return an unfinished one again. A 429 for this limit
    /// has none of the headers.
    pub sandbox_sessions: Option<Quota>,
}

impl VerificationLimits {
    /// The documented limits: within 60 seconds 600 reads, 300 writes, 600 new sessions and 50
    /// PDFs; within 24 hours 500 new sessions of a sandbox.
    pub const DOCUMENTED: Self = Self {
        get: Some(per_minute(600)),
        write: Some(per_minute(300)),
        create: Some(per_minute(600)),
        pdf: Some(per_minute(50)),
        sandbox_sessions: Some(Quota { limit: 500, window: Duration::from_secs(86_400) }),
    };

    /// No limits.
    pub const NONE: Self =
        Self { get: None, write: None, create: None, pdf: None, sandbox_sessions: None };
}

const fn per_minute(limit: u32) -> Quota {
    Quota { limit, window: Duration::from_secs(60) }
}

/// Counts a request, or refuses it.
pub(super) fn check(call: &Call<'_>, windows: &mut Windows, route: Route) -> Result<(), Answer> {
    let limits = &call.shared.settings.verification_limits;
    let (kind, quota) = match route {
        Route::CreateVerification => ("Session creation", limits.create),
        Route::VerificationPdf => ("Session PDF generation", limits.pdf),
        Route::UpdateVerificationStatus | Route::DeleteVerification => {
            ("Write request", limits.write)
        }
        _ => ("GET request", limits.get),
    };
    let Some((quota, verdict)) = refused(call, windows, kind, quota) else {
        return Ok(());
    };
    let period = match quota.window.as_secs() {
        60 => "minute".to_owned(),
        seconds => format!("{seconds} seconds"),
    };
    let why = format!(
        "{kind} rate limit exceeded. You can make up to {} requests per {period}.",
        quota.limit
    );
    Err(Answer::detail(429, &why).with_rate_limit(&verdict, call.now))
}

/// Counts a new session, or refuses it like the service's own sandbox.
pub(super) fn check_session(call: &Call<'_>, windows: &mut Windows) -> Result<(), Answer> {
    let quota = call.shared.settings.verification_limits.sandbox_sessions;
    let Some((quota, verdict)) = refused(call, windows, "Sandbox session", quota) else {
        return Ok(());
    };
    let why = format!(
        "Sandbox session quota exceeded ({} sessions per {}h). Wait for the window to reset. \
         Expected available in {} seconds.",
        quota.limit,
        quota.window.as_secs() / 3600,
        clock::seconds_up(verdict.until_reset)
    );
    Err(Answer::detail(429, &why))
}

/// Counts a request of this kind; returns its quota and the verdict if it is over the limit.
fn refused(
    call: &Call<'_>,
    windows: &mut Windows,
    kind: &'static str,
    quota: Option<Quota>,
) -> Option<(Quota, Verdict)> {
    let quota = quota?;
    let verdict = windows.ask(&call.application.client_id, kind, quota, call.now);
    (!verdict.accepted).then_some((quota, verdict))
}

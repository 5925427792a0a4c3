//! The rate limits of the verification API.

use std::collections::HashMap;
use std::time::Duration;

use crate::answer::Answer;
use crate::quota::Window;
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

/// The windows of accepted requests, by client id and kind.
pub(crate) struct Limiter {
    limits: VerificationLimits,
    windows: HashMap<(String, &'static str), Window>,
}

impl Limiter {
    pub(crate) fn new(limits: VerificationLimits) -> Self {
        Self { limits, windows: HashMap::new() }
    }

    /// Counts a new session, or refuses it like the service's own sandbox.
    pub(crate) fn ask_for_session(
        &mut self,
        application: &str,
        now: Duration,
    ) -> Result<(), Answer> {
        let Some(quota) = self.limits.sandbox_sessions else {
            return Ok(());
        };
        let verdict = self.window(application, "Sandbox session", quota).ask(now);
        if verdict.accepted {
            return Ok(());
        }
        let why = format!(
            "Sandbox session quota exceeded ({} sessions per {}h). Wait for the window to reset. \
             Expected available in {} seconds.",
            quota.limit,
            quota.window.as_secs() / 3600,
            clock::seconds_up(verdict.until_reset)
        );
        Err(Answer::detail(429, &why))
    }

    fn window(&mut self, application: &str, kind: &'static str, quota: Quota) -> &mut Window {
        let window = self.windows.entry((application.to_owned(), kind));
        window.or_insert_with(|| Window::new(quota))
    }

    /// Counts a request, or refuses it.
    pub(crate) fn ask(
        &mut self,
        application: &str,
        route: Route,
        now: Duration,
    ) -> Result<(), Answer> {
        let (kind, quota) = match route {
            Route::CreateVerification => ("Session creation", self.limits.create),
            Route::VerificationPdf => ("Session PDF generation", self.limits.pdf),
            Route::UpdateVerificationStatus | Route::DeleteVerification => {
                ("Write request", self.limits.write)
            }
            _ => ("GET request", self.limits.get),
        };
        let Some(quota) = quota else {
            return Ok(());
        };
        let verdict = self.window(application, kind, quota).ask(now);
        if verdict.accepted {
            return Ok(());
        }
        let period = match quota.window.as_secs() {
            60 => "minute".to_owned(),
            seconds => format!("{seconds} seconds"),
        };
        let why = format!(
            "{kind} rate limit exceeded. You can make up to {} requests per {period}.",
            quota.limit
        );
        Err(Answer::detail(429, &why)
            .with("X-RateLimit-Limit", quota.limit.to_string())
            .with("X-RateLimit-Remaining", "0")
            .with(
                "X-RateLimit-Reset",
                clock::seconds_up(now.saturating_add(verdict.until_reset)).to_string(),
            )
            .with("Retry-After", clock::seconds_up(verdict.until_reset).to_string()))
    }
}

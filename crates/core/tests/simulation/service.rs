//! A strict model of the service, with its own accounting and checks of the requests.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use didit_core::{Authorization, ClientCredentials, Credentials, Moment};
use http::{HeaderMap, Request, StatusCode};

use super::work::Answer;

/// The responses that carry the headers of the rate limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reports {
    Always,
    OnRefusal,
    Never,
}

/// A sliding-window quota on decisions, which counts requests from the moment of acceptance.
#[derive(Debug)]
pub(crate) struct Quota {
    pub(crate) limit: usize,
    pub(crate) window: Duration,
    reports: Reports,
    accepted: VecDeque<Moment>,
}

impl Quota {
    pub(crate) fn new(limit: usize, window: Duration) -> Self {
        Self { limit, window, reports: Reports::Always, accepted: VecDeque::new() }
    }

    pub(crate) fn with_reports(self, reports: Reports) -> Self {
        Self { reports, ..self }
    }

    /// Accepts a request, or returns the time until the next one can be accepted.
    pub(crate) fn take(&mut self, now: Moment) -> Result<(), Duration> {
        while self.accepted.front().is_some_and(|at| at.after(self.window) <= now) {
            self.accepted.pop_front();
        }
        match self.accepted.front() {
            Some(oldest) if self.accepted.len() >= self.limit => {
                Err(oldest.after(self.window).since(now))
            }
            _ => {
                self.accepted.push_back(now);
                Ok(())
            }
        }
    }

    fn headers(&self, now: Moment) -> HeaderMap {
        let oldest = self.accepted.front().copied().unwrap_or(now);
        let reset = oldest.after(self.window).since_origin().as_secs_f64().ceil();
        let mut headers = HeaderMap::new();
        let mut set =
            |name: &'static str, text: String| headers.insert(name, text.parse().unwrap());
        set("x-ratelimit-limit", self.limit.to_string());
        set("x-ratelimit-remaining", (self.limit - self.accepted.len()).to_string());
        set("x-ratelimit-reset", format!("{reset}"));
        let seconds = now.since_origin().as_secs();
        let (minutes, seconds) = (seconds / 60, seconds % 60);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        set("date", format!("Thu, 01 Jan 1970 {hours:02}:{minutes:02}:{seconds:02} GMT"));
        headers
    }
}

/// The authorization of the callers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Access {
    /// Fetched tokens with this lifetime, or of unspecified lifetime.
    Tokens(Option<Duration>),
    /// A given token that is valid until this moment.
    Bearer(Moment),
    /// A given key that is valid until this moment.
    ApiKey(Moment),
}

impl Access {
    pub(crate) fn credentials(self) -> Credentials {
        match self {
            Self::Tokens(_) => ClientCredentials::new("id", "secret").unwrap().into(),
            Self::Bearer(_) => Authorization::bearer("held").unwrap().into(),
            Self::ApiKey(_) => Authorization::api_key("held").unwrap().into(),
        }
    }

    /// Returns the header that is accepted from the start, and the end of its validity.
    fn accepted(self) -> Option<(String, Moment)> {
        match self {
            Self::Tokens(_) => None,
            Self::Bearer(until) => Some(("Bearer held".to_owned(), until)),
            Self::ApiKey(until) => Some(("held".to_owned(), until)),
        }
    }
}

/// The reaction of the service to a request that reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    Normal,
    Status(u16),
    Truncated,
    /// Revokes all tokens issued so far.
    Revoking,
}

#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) quota: Option<Quota>,
    pub(crate) access: Access,
    /// The time until which decisions are refused, although the refusal names a much longer one.
    pub(crate) refuses_until: Moment,
    /// The accepted headers, with the end of their validity.
    accepted: Vec<(String, Moment)>,
    /// The times at which sessions are decided; all others are decided from the start.
    decided_at: BTreeMap<String, Moment>,
    pub(crate) tokens_issued: usize,
    pub(crate) unauthorized: usize,
    pub(crate) refused_by_limit: usize,
    /// The time of the last of these refusals.
    pub(crate) last_refused_at: Moment,
    pub(crate) decided: usize,
    pub(crate) undecided: usize,
    pub(crate) created: usize,
}

impl Service {
    pub(crate) fn new(quota: Option<Quota>, access: Access) -> Self {
        Self {
            quota,
            access,
            refuses_until: Moment::default(),
            accepted: access.accepted().into_iter().collect(),
            decided_at: BTreeMap::new(),
            tokens_issued: 0,
            unauthorized: 0,
            refused_by_limit: 0,
            last_refused_at: Moment::default(),
            decided: 0,
            undecided: 0,
            created: 0,
        }
    }

    pub(crate) fn decide(&mut self, session: &str, at: Moment) {
        self.decided_at.insert(session.to_owned(), at);
    }

    pub(crate) fn answer(
        &mut self,
        request: &Request<Vec<u8>>,
        now: Moment,
        reaction: Reaction,
    ) -> Answer {
        if reaction == Reaction::Revoking {
            self.accepted.clear();
        }
        if let Reaction::Status(status) = reaction {
            return answer(status, r#"{"message":"scripted"}"#.to_owned());
        }
        let path = request.uri().path().to_owned();
        let mut answered = if path == "/auth/v2/token/" {
            self.token(now)
        } else if !self.authorized(request, now) {
            self.unauthorized += 1;
            answer(401, r#"{"detail":"token"}"#.to_owned())
        } else if path == "/auth/v2/session/" {
            self.created += 1;
            answer(201, r#"{"session_id":"s","session_token":"t","url":"https://x/t"}"#.to_owned())
        } else {
            self.decision(&path, now)
        };
        if reaction == Reaction::Truncated {
            answered.body.truncate(answered.body.len() / 2);
            answered.undecided = false;
        }
        answered
    }

    fn token(&mut self, now: Moment) -> Answer {
        let Access::Tokens(lifetime) = self.access else { panic!("unexpected token request") };
        self.tokens_issued += 1;
        let token = format!("token-{}", self.tokens_issued);
        let validity = lifetime.unwrap_or(Duration::from_secs(100_000_000));
        self.accepted.push((format!("Bearer {token}"), now.after(validity)));
        let seconds = validity.as_secs_f64();
        answer(
            200,
            match lifetime {
                Some(_) => format!(r#"{{"access_token":"{token}","expires_in":{seconds}}}"#),
                None => format!(r#"{{"access_token":"{token}"}}"#),
            },
        )
    }

    fn authorized(&self, request: &Request<Vec<u8>>, now: Moment) -> bool {
        let headers = request.headers();
        let sent = headers.get("authorization").or(headers.get("x-api-key"));
        let sent = sent.and_then(|value| value.to_str().ok());
        self.accepted.iter().any(|(accepted, until)| Some(&**accepted) == sent && *until > now)
    }

    fn decision(&mut self, path: &str, now: Moment) -> Answer {
        let id =
            path.strip_prefix("/auth/v2/session/").and_then(|rest| rest.strip_suffix("/decision/"));
        let id = id.expect("a documented path");
        if now < self.refuses_until {
            let mut refusal = answer(429, String::new());
            refusal.headers.insert("retry-after", "1000000".parse().unwrap());
            return refusal;
        }
        let refused = self.quota.as_mut().and_then(|quota| quota.take(now).err());
        let mut answered = match refused {
            Some(wait) => {
                self.refused_by_limit += 1;
                self.last_refused_at = now;
                let mut refusal = answer(429, String::new());
                let seconds = wait.as_secs_f64().ceil().max(1.0);
                refusal.headers.insert("retry-after", format!("{seconds}").parse().unwrap());
                refusal
            }
            None => {
                let undecided = self.decided_at.get(id).is_some_and(|at| now < *at);
                *if undecided { &mut self.undecided } else { &mut self.decided } += 1;
                // "New" is an unknown status, which does not count as final.
                let statuses =
                    if undecided { ["Retrieved", "New"] } else { ["Confirmed", "Declined"] };
                let status = statuses[(self.decided + self.undecided) % 2];
                let body = format!(r#"{{"session_id":"{id}","status":"{status}"}}"#);
                Answer { undecided, ..answer(200, body) }
            }
        };
        if let Some(quota) = &self.quota
            && match quota.reports {
                Reports::Always => true,
                Reports::OnRefusal => refused.is_some(),
                Reports::Never => false,
            }
        {
            answered.headers.extend(quota.headers(now));
        }
        answered
    }
}

fn answer(status: u16, body: String) -> Answer {
    let status = StatusCode::from_u16(status).unwrap();
    Answer { status, headers: HeaderMap::new(), body: body.into(), undecided: false }
}

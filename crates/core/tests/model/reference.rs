//! A reference model of consecutive calls, as simple as possible: without sharing, queue or leases.

use std::time::Duration;

use didit_core::{Moment, Policy};

/// The reply to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reply {
    /// The requested resource; a token has this lifetime in seconds.
    Good { lifetime: Option<u64> },
    /// Status 200 with another JSON document.
    Malformed,
    /// The requested resource, but truncated.
    CutOff,
    /// An error status, with its `Retry-After` in seconds.
    Status(u16, Option<u64>),
    /// No connection was made, so nothing was sent.
    Unconnected,
    /// The certificate was refused, so nothing was sent.
    Untrusted,
    /// The connection was lost before the response was complete.
    Broken,
    /// No response in time.
    Silence,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Decision,
    Creation,
}

/// The expected result of a poll.
#[derive(Debug, PartialEq)]
pub(crate) enum Expected {
    FetchToken,
    /// The call's own request, with this token.
    Ask(String),
    /// A wait that is longer than the first and at most as long as the second duration.
    Wait(Duration, Duration),
    Succeed,
    /// A failure with this reply as its cause, if there is one.
    Fail(Option<Reply>),
}

/// The state between calls: the token, and the times before which nothing may be sent.
pub(crate) struct Client {
    pub(crate) policy: Policy,
    token: Option<Token>,
    closed: [Moment; 2],
    /// The time before which no token may be requested, and the reply that demanded it.
    token_closed: Option<(Moment, Reply)>,
    /// The number of consecutive refusals of token requests.
    token_refusals: u32,
    /// The time until which refused credentials fail all calls, and the reply that refused them.
    denied: Option<(Moment, Reply)>,
    /// The time before which a refused token is not replaced.
    no_renewal_before: Moment,
}

struct Token {
    name: String,
    renew_at: Moment,
    expires_at: Moment,
}

/// A call in progress.
pub(crate) struct Call {
    kind: Kind,
    deadline: Moment,
    /// A token that was fetched for this call's next request, and the end of its use, if it has one.
    fetched: Option<(String, Option<Moment>)>,
    failures: [u32; 2],
    refusals: u32,
    renewed: bool,
    pause: Option<(Duration, Duration)>,
    /// Set if the rate limit of the token endpoint caused the pause.
    token_refused: bool,
    end: Option<Expected>,
    last: Option<Reply>,
}

impl Client {
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            token: None,
            closed: [Moment::default(); 2],
            token_closed: None,
            token_refusals: 0,
            denied: None,
            no_renewal_before: Moment::default(),
        }
    }

    pub(crate) fn begin(kind: Kind, timeout: Duration, now: Moment) -> Call {
        Call {
            kind,
            deadline: now.after(timeout),
            fetched: None,
            failures: [0; 2],
            refusals: 0,
            renewed: false,
            pause: None,
            token_refused: false,
            end: None,
            last: None,
        }
    }

    pub(crate) fn next(&mut self, call: &mut Call, now: Moment) -> Expected {
        if let Some(end) = call.end.take() {
            return end;
        }
        if now >= call.deadline {
            return Expected::Fail(call.last);
        }
        if let Some((least, most)) = call.pause {
            return Expected::Wait(least, most);
        }
        let Some(token) = self.usable(call, now) else {
            return match self.token_closed.filter(|(until, _)| *until > now) {
                None => match self.denied.filter(|(until, _)| *until > now) {
                    Some((_, reply)) => Expected::Fail(Some(reply)),
                    None => Expected::FetchToken,
                },
                // A token that is due for renewal is used until it expires instead.
                Some(_) if self.token.as_ref().is_some_and(|token| token.expires_at > now) => self
                    .ask(
                        call,
                        now,
                        self.token.as_ref().map(|token| token.name.clone()).unwrap_or_default(),
                    ),
                Some((until, _)) if until < call.deadline => wait_until(until, now),
                Some((_, reply)) => Expected::Fail(Some(reply)),
            };
        };
        self.ask(call, now, token)
    }

    fn ask(&self, call: &mut Call, now: Moment, token: String) -> Expected {
        let closed = self.closed[call.kind as usize];
        if closed > now && closed >= call.deadline {
            return Expected::Fail(call.last);
        }
        if closed > now {
            return wait_until(closed, now);
        }
        call.fetched = None;
        Expected::Ask(token)
    }

    fn usable(&self, call: &Call, now: Moment) -> Option<String> {
        let shared = self.token.as_ref().filter(|token| token.renew_at > now);
        let fetched = call.fetched.as_ref();
        let fetched = fetched.filter(|(_, until)| until.is_none_or(|until| now < until));
        let fetched = fetched.map(|(name, _)| name.clone());
        fetched.or_else(|| shared.map(|token| token.name.clone()))
    }

    /// Ends the pause.
    pub(crate) fn waited(call: &mut Call) {
        call.pause = None;
    }

    pub(crate) fn token_answered(
        &mut self,
        call: &mut Call,
        reply: Reply,
        name: &str,
        now: Moment,
    ) {
        if let Reply::Good { lifetime } = reply {
            (call.failures[0], call.last, self.token_refusals) = (0, None, 0);
            let lifetime = lifetime.map(Duration::from_secs);
            // It is used for a second even if it has expired.
            let until = lifetime.map(|lifetime| now.after(lifetime.max(Duration::from_secs(1))));
            call.fetched = Some((name.to_owned(), until));
            self.token_closed = None;
            if let Some(lifetime) = lifetime {
                let early = self.policy.token_refresh_margin.min(lifetime / 10);
                self.token = Some(Token {
                    name: name.to_owned(),
                    renew_at: now.after(lifetime.saturating_sub(early)),
                    expires_at: now.after(lifetime),
                });
            }
            return;
        }
        if let Reply::Status(429 | 503, Some(seconds)) = reply
            && seconds > 0
        {
            self.close_token(now.after(Duration::from_secs(seconds)), reply);
        }
        // A token that is still valid is used until it expires.
        if let Some(token) = self.token.as_mut().filter(|token| token.expires_at > now) {
            token.renew_at = token.expires_at;
            call.failures[0] = 0;
            return;
        }
        self.failed(call, reply, true, now);
    }

    pub(crate) fn answered(&mut self, call: &mut Call, reply: Reply, now: Moment) {
        match reply {
            Reply::Good { .. } => call.end = Some(Expected::Succeed),
            Reply::Status(401, _) if !call.renewed && now >= self.no_renewal_before => {
                (call.renewed, call.failures[1], self.token) = (true, 0, None);
            }
            Reply::Status(401, _) => {
                if call.renewed && now >= self.no_renewal_before {
                    self.no_renewal_before = now.after(Duration::from_secs(10));
                }
                self.failed(call, reply, false, now);
            }
            reply => self.failed(call, reply, false, now),
        }
    }

    fn failed(&mut self, call: &mut Call, reply: Reply, of_token: bool, now: Moment) {
        let refused = matches!(reply, Reply::Status(429, _));
        if refused {
            call.refusals += 1;
        } else {
            call.failures[usize::from(!of_token)] += 1;
        }
        let failures = call.failures[usize::from(!of_token)];
        let mut refusals = call.refusals;
        if of_token {
            self.token_refusals = if refused { self.token_refusals + 1 } else { 0 };
            refusals = refusals.max(self.token_refusals);
        }
        let unsent = refused || matches!(reply, Reply::Unconnected | Reply::Untrusted);
        let transient = match reply {
            Reply::Status(status, _) => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            Reply::Malformed | Reply::Untrusted => false,
            _ => true,
        };
        if of_token && !transient {
            self.denied = Some((now.after(Duration::from_secs(1)), reply));
        }
        let repeatable = of_token || call.kind == Kind::Decision || unsent;
        let retry_after = match reply {
            Reply::Status(_, Some(seconds)) if seconds > 0 => Some(Duration::from_secs(seconds)),
            _ => None,
        };
        if let (Some(wait), true, false) = (retry_after, refused, of_token) {
            let closed = &mut self.closed[call.kind as usize];
            *closed = now.after(wait).max(*closed);
        }
        call.last = Some(reply);
        if !transient || !repeatable || (!refused && failures >= self.policy.max_attempts) {
            call.end = Some(Expected::Fail(Some(reply)));
            return;
        }
        let doubled = 2_u32.saturating_pow((failures + refusals - 1).min(31));
        let backoff = self.policy.backoff_base.saturating_mul(doubled).min(self.policy.backoff_cap);
        let nano = Duration::from_nanos(1);
        let (least, most) =
            retry_after.map_or((Duration::ZERO, backoff), |wait| (wait.saturating_sub(nano), wait));
        let left = call.deadline.since(now);
        // If only the shortest pauses fit, the random pause decides, which the engine draws.
        call.token_refused = refused && of_token;
        if least + nano >= left {
            call.end = Some(Expected::Fail(Some(reply)));
            self.close_at_the_end(call, now.after(most));
        } else {
            call.pause = Some((least, most));
        }
    }

    /// Returns whether the random pause may have been too long for the deadline; ends the pause.
    pub(crate) fn gives_up(&mut self, call: &mut Call, now: Moment) -> bool {
        let Some((_, most)) = call.pause.take() else { return false };
        self.close_at_the_end(call, now.after(most));
        now.after(most) >= call.deadline
    }

    /// Defers later token requests after a refusal that ends the call, for the longest pause.
    fn close_at_the_end(&mut self, call: &Call, until: Moment) {
        if let Some(reply) = call.last.filter(|_| call.token_refused) {
            self.close_token(until, reply);
        }
    }

    fn close_token(&mut self, until: Moment, reply: Reply) {
        let until = self.token_closed.map_or(until, |(earlier, _)| earlier.max(until));
        self.token_closed = Some((until, reply));
    }

    /// Defers all later calls of the same kind until the end of the pause after a refusal.
    pub(crate) fn close(&mut self, call: &Call, until: Moment) {
        let closed = &mut self.closed[call.kind as usize];
        *closed = until.max(*closed);
    }

    /// Returns the time for a request. A renewal leaves half of it for the use of the old token.
    pub(crate) fn left(&self, call: &Call, of_token: bool, now: Moment) -> Duration {
        let left = call.deadline.since(now);
        let renews = of_token && self.token.as_ref().is_some_and(|token| token.expires_at > now);
        if renews { left / 2 } else { left }
    }
}

fn wait_until(moment: Moment, now: Moment) -> Expected {
    let wait = moment.since(now);
    Expected::Wait(wait.saturating_sub(Duration::from_nanos(1)), wait)
}

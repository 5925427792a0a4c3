//! Faults, and their assignment to requests.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::Route;
use crate::answer::Answer;
use crate::fixtures;

/// A deviation from the documented response to a request.
///
/// With [`Pass`](Self::Pass), [`Delay`](Self::Delay), [`Drip`](Self::Drip) or
/// [`Truncate`](Self::Truncate) the request is handled as usual: it uses quota, issues a token,
/// creates a session. With any other fault it has no effect.
///
/// ```
/// use didit_sandbox::Fault;
///
/// let busy = Fault::answer(503).header("Retry-After", "1").body(r#"{"message":"busy"}"#);
/// # assert_ne!(busy, Fault::Close);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// No fault: in a script, one request that is answered as documented.
    Pass,
    /// A custom response; see [`Fault::answer`].
    Answer {
        /// The HTTP status.
        status: u16,
        /// Headers. They replace the sandbox's headers of the same names, including
        /// `Content-Length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// A connection reset after the whole request was read.
    Reset,
    /// A connection reset as soon as the head of the request was read; the body is not read.
    ResetEarly,
    /// An orderly close of the connection, without a response.
    Close,
    /// The documented response with its full `Content-Length`, but only the first half of its body;
    /// then the connection is closed.
    Truncate,
    /// The documented response, head and body, one byte at a time with this pause before each. A
    /// decision has about 900 bytes.
    Drip(Duration),
    /// The documented response, after this time.
    Delay(Duration),
    /// Status 200 and a chunked body of spaces that continues until the peer closes the connection.
    Endless,
    /// Status 200 and a body of this many spaces, with a matching `Content-Length`.
    Huge(u64),
    /// Bytes that are not HTTP; then the connection is closed.
    Garbage,
    /// No response, until the peer closes the connection or the sandbox stops.
    Hang,
}

impl Fault {
    /// Returns a response with this status, the default headers, and a body of the form
    /// `{"message": ...}`.
    pub fn answer(status: u16) -> Self {
        Self::Answer { status, headers: Vec::new(), body: fixtures::ERROR_MESSAGE.into() }
    }

    /// Returns a redirect: status 302 and this `Location`.
    pub fn redirect(location: &str) -> Self {
        Self::answer(302).header("Location", location).body("")
    }

    /// Adds a header. Has no effect unless the fault is an [`answer`](Self::answer).
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// Sets the body. Has no effect unless the fault is an [`answer`](Self::answer).
    ///
    /// Without a `Content-Type` header the type is HTML if the body starts with `<`, JSON if it
    /// starts with `{`, and plain text otherwise.
    #[must_use]
    pub fn body(mut self, text: impl Into<Vec<u8>>) -> Self {
        if let Self::Answer { body, .. } = &mut self {
            *body = text.into();
        }
        self
    }
}

/// Builds the response of a [`Fault::Answer`].
pub(crate) fn scripted_answer(
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
) -> Answer {
    let content_type = match body.first() {
        Some(b'<') => "text/html",
        Some(b'{') => "application/json",
        _ => "text/plain",
    };
    let has_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("Content-Type"));
    let answer = Answer { status, headers, body };
    if has_type { answer } else { answer.with("Content-Type", content_type) }
}

/// Assigns faults to requests: scripted faults first, then permanent ones, then random ones.
#[derive(Default)]
pub(crate) struct FaultPlan {
    scripted: HashMap<Route, VecDeque<Fault>>,
    always: HashMap<Route, Fault>,
    random: Option<RandomFaults>,
}

struct RandomFaults {
    seed: u64,
    percent: u8,
    faults: Vec<Fault>,
}

impl FaultPlan {
    pub(crate) fn script(&mut self, route: Route, faults: impl IntoIterator<Item = Fault>) {
        self.scripted.entry(route).or_default().extend(faults);
    }

    pub(crate) fn always(&mut self, route: Route, fault: Fault) {
        self.always.insert(route, fault);
    }

    pub(crate) fn clear(&mut self, route: Route) {
        self.scripted.remove(&route);
        self.always.remove(&route);
    }

    pub(crate) fn random(&mut self, seed: u64, percent: u8, faults: Vec<Fault>) {
        self.random = Some(RandomFaults { seed, percent, faults });
    }

    /// Returns the fault for the next request on this route, if it is due. Otherwise it is kept for
    /// that request.
    pub(crate) fn next_if(&mut self, route: Route, is_due: fn(&Fault) -> bool) -> Option<Fault> {
        if let Some(script) = self.scripted.get_mut(&route).filter(|script| !script.is_empty()) {
            return if is_due(script.front()?) { script.pop_front() } else { None };
        }
        if let Some(fault) = self.always.get(&route) {
            return Some(fault.clone()).filter(is_due);
        }
        let random = self.random.as_mut()?;
        let seed = random.seed;
        let fault = random.draw().unwrap_or(Fault::Pass);
        if is_due(&fault) {
            return Some(fault);
        }
        random.seed = seed;
        None
    }
}

impl RandomFaults {
    fn draw(&mut self) -> Option<Fault> {
        let hit = split_mix(&mut self.seed) % 100 < u64::from(self.percent);
        let count = u64::try_from(self.faults.len()).ok().filter(|&count| hit && count > 0)?;
        let index = usize::try_from(split_mix(&mut self.seed) % count).ok()?;
        self.faults.get(index).cloned()
    }
}

/// Returns the next number of the `SplitMix64` generator, which is good enough for choosing faults.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripted_faults_precede_permanent_ones() {
        let mut plan = FaultPlan::default();
        plan.always(Route::Decision, Fault::Close);
        plan.script(Route::Decision, [Fault::Reset, Fault::Pass]);
        let mut next = |route| plan.next_if(route, |_| true);
        let faults = [(); 4].map(|()| next(Route::Decision));
        assert_eq!(faults, [Fault::Reset, Fault::Pass, Fault::Close, Fault::Close].map(Some));
        assert_eq!(next(Route::Token), None);
        plan.clear(Route::Decision);
        assert_eq!(plan.next_if(Route::Decision, |_| true), None);
    }

    #[test]
    fn random_faults_repeat_with_the_same_seed() {
        let draw = |seed, percent| {
            let mut plan = FaultPlan::default();
            plan.random(seed, percent, vec![Fault::Reset, Fault::Close]);
            let next = |_| {
                assert_eq!(plan.next_if(Route::Decision, |_| false), None);
                plan.next_if(Route::Decision, |_| true).unwrap_or(Fault::Hang)
            };
            (0..1000).map(next).collect::<Vec<Fault>>()
        };
        assert_eq!(draw(1, 20), draw(1, 20));
        assert_ne!(draw(1, 20), draw(2, 20));
        assert!(draw(1, 0).iter().all(|fault| *fault == Fault::Pass));
        assert!(draw(1, 100).iter().all(|fault| *fault != Fault::Pass));
        let hits = draw(1, 20).iter().filter(|fault| **fault != Fault::Pass).count();
        assert!((150..250).contains(&hits), "{hits}");
    }
}

//! The text form of faults, for command lines: `decision:status=503,retry-after=1,times=2`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::fault::FaultPlan;
use crate::{Fault, Route};

/// A fault, its route, and the number of requests that it affects.
///
/// Its text form is `ROUTE:KIND[,KEY=VALUE]...`
///
/// | part | |
/// |---|---|
/// | `ROUTE` | the text form of a [`Route`]: `token`, `create-session`, `decision`, `verification-create` … |
/// | `KIND` | `status=NNN`, `redirect=URL`, `reset`, `reset-early`, `close`, `truncate`, `drip=PAUSE`, `delay=PAUSE`, `endless`, `huge=BYTES`, `garbage`, `hang` |
/// | `PAUSE` | a whole number and its unit: `250ms`, `2s`, `1m` |
/// | `times=N` | the number of requests that the fault affects; all if omitted |
/// | `retry-after=VALUE` | with `status` or `redirect` only: the header `Retry-After` |
/// | `header=NAME:VALUE` | with `status` or `redirect` only: any header; may be repeated; the value cannot contain a comma |
/// | `body=TEXT` | with `status` or `redirect` only, must come last: the rest of the text is the body, including commas |
///
/// ```
/// use didit_sandbox::{Fault, FaultRule, Route};
///
/// let rule: FaultRule = "decision:status=503,retry-after=1,times=2".parse()?;
/// assert_eq!(rule.route, Route::Decision);
/// assert_eq!(rule.fault, Fault::answer(503).header("Retry-After", "1"));
/// assert_eq!(rule.times, Some(2));
/// # Ok::<(), didit_sandbox::FaultRuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRule {
    /// The route whose requests are affected.
    pub route: Route,
    /// The fault.
    pub fault: Fault,
    /// The number of requests that are affected; `None` for all.
    pub times: Option<u32>,
}

/// The error for a text that is not a valid [`FaultRule`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultRuleError {
    rule: String,
    why: String,
}

impl fmt::Display for FaultRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid fault rule {:?}: {}", self.rule, self.why)
    }
}

impl std::error::Error for FaultRuleError {}

impl FromStr for FaultRule {
    type Err = FaultRuleError;

    fn from_str(rule: &str) -> Result<Self, FaultRuleError> {
        parse(rule).map_err(|why| FaultRuleError { rule: rule.to_owned(), why })
    }
}

impl FaultPlan {
    pub(crate) fn apply(&mut self, rule: FaultRule) {
        match rule.times.and_then(|times| usize::try_from(times).ok()) {
            Some(times) => self.script(rule.route, std::iter::repeat_n(rule.fault, times)),
            None => self.always(rule.route, rule.fault),
        }
    }
}

fn parse(rule: &str) -> Result<FaultRule, String> {
    let (route, rest) = rule.split_once(':').ok_or("expected ROUTE:KIND[,KEY=VALUE...]")?;
    let route = route.parse().map_err(|error: crate::UnknownRoute| error.to_string())?;
    let (rest, body) = match rest.split_once(",body=") {
        Some((rest, body)) => (rest, Some(body)),
        None => (rest, None),
    };
    let mut parts = rest.split(',');
    let mut fault = parse_kind(parts.next().unwrap_or_default())?;
    let mut times = None;
    for part in parts {
        match part.split_once('=') {
            Some(("times", value)) => times = Some(parse_times(value)?),
            Some(("retry-after", value)) => fault = with_header(fault, "Retry-After", value)?,
            Some(("header", value)) => {
                let (name, value) = value.split_once(':').ok_or("a header is NAME:VALUE")?;
                fault = with_header(fault, name, value.trim())?;
            }
            _ => {
                return Err(format!(
                    "{part:?} is not one of times=N, retry-after=VALUE, header=NAME:VALUE, body=TEXT"
                ));
            }
        }
    }
    if let Some(body) = body {
        expect_answer(&fault)?;
        fault = fault.body(body);
    }
    Ok(FaultRule { route, fault, times })
}

fn parse_kind(kind: &str) -> Result<Fault, String> {
    let (name, value) = match kind.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (kind, None),
    };
    Ok(match (name, value) {
        ("reset", None) => Fault::Reset,
        ("reset-early", None) => Fault::ResetEarly,
        ("close", None) => Fault::Close,
        ("truncate", None) => Fault::Truncate,
        ("endless", None) => Fault::Endless,
        ("garbage", None) => Fault::Garbage,
        ("hang", None) => Fault::Hang,
        ("status", Some(value)) => Fault::answer(parse_status(value)?),
        ("redirect", Some(url)) => Fault::redirect(url),
        ("drip", Some(pause)) => Fault::Drip(parse_pause(pause)?),
        ("delay", Some(pause)) => Fault::Delay(parse_pause(pause)?),
        ("huge", Some(bytes)) => {
            Fault::Huge(bytes.parse().map_err(|_| format!("{bytes:?} is not a number of bytes"))?)
        }
        _ => {
            return Err(format!(
                "{kind:?} is not one of status=NNN, redirect=URL, reset, reset-early, close, truncate, drip=PAUSE, \
                 delay=PAUSE, endless, huge=BYTES, garbage, hang"
            ));
        }
    })
}

fn parse_status(value: &str) -> Result<u16, String> {
    let status = value.parse().ok().filter(|status| (200..600).contains(status));
    status.ok_or_else(|| format!("{value:?} is not a status from 200 to 599"))
}

fn parse_times(value: &str) -> Result<u32, String> {
    // Bounded because the script holds one entry per request.
    let times = value.parse().ok().filter(|times| (1..=1_000_000).contains(times));
    times.ok_or_else(|| format!("{value:?} is not a number of times from 1 to 1000000"))
}

fn parse_pause(value: &str) -> Result<Duration, String> {
    let (number, unit) = value.split_at(value.bytes().take_while(u8::is_ascii_digit).count());
    let pause = number.parse::<u64>().ok().and_then(|number| match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        _ => None,
    });
    pause.ok_or_else(|| format!("{value:?} is not a pause like 250ms, 2s or 1m"))
}

fn with_header(fault: Fault, name: &str, value: &str) -> Result<Fault, String> {
    expect_answer(&fault)?;
    if name.is_empty()
        || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        return Err(format!("{name:?} is not a header name"));
    }
    Ok(fault.header(name, value))
}

fn expect_answer(fault: &Fault) -> Result<(), String> {
    match fault {
        Fault::Answer { .. } => Ok(()),
        _ => Err("retry-after, header and body are valid with status or redirect only".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_parsed() {
        let fault = |text: &str| text.parse::<FaultRule>().map(|rule| rule.fault);
        for (kind, expected) in [
            ("status=404", Fault::answer(404)),
            ("redirect=http://127.0.0.1:1/", Fault::redirect("http://127.0.0.1:1/")),
            ("reset", Fault::Reset),
            ("reset-early", Fault::ResetEarly),
            ("close", Fault::Close),
            ("truncate", Fault::Truncate),
            ("drip=5ms", Fault::Drip(Duration::from_millis(5))),
            ("delay=2s", Fault::Delay(Duration::from_secs(2))),
            ("delay=1m", Fault::Delay(Duration::from_secs(60))),
            ("endless", Fault::Endless),
            ("huge=9000000", Fault::Huge(9_000_000)),
            ("garbage", Fault::Garbage),
            ("hang", Fault::Hang),
        ] {
            assert_eq!(fault(&format!("token:{kind}")), Ok(expected), "{kind}");
        }
    }

    #[test]
    fn options_and_body_are_parsed() {
        let rule =
            "create-session:status=502,header=X-One: 1,times=3,body={\"a\":1,\"b\":2}".parse();
        let fault = Fault::answer(502).header("X-One", "1").body(r#"{"a":1,"b":2}"#);
        assert_eq!(rule, Ok(FaultRule { route: Route::CreateSession, fault, times: Some(3) }));
    }

    #[test]
    fn invalid_rule_is_rejected_with_the_reason() {
        for (rule, why) in [
            ("decision", "ROUTE:KIND"),
            ("sessions:reset", "no such route"),
            ("decision:explode", "\"explode\" is not one of status=NNN"),
            ("decision:reset=1", "is not one of status=NNN"),
            ("decision:status=99", "not a status"),
            ("decision:status=abc", "not a status"),
            ("decision:drip=5", "not a pause"),
            ("decision:drip=99999999999999999999m", "not a pause"),
            ("decision:huge=-1", "not a number of bytes"),
            ("decision:reset,times=0", "not a number of times"),
            ("decision:reset,retry-after=1", "valid with status or redirect only"),
            ("decision:reset,body=x", "valid with status or redirect only"),
            ("decision:status=500,header=x", "NAME:VALUE"),
            ("decision:status=500,header=a b:x", "not a header name"),
            ("decision:status=500,what=1", "\"what=1\" is not one of"),
        ] {
            let error = rule.parse::<FaultRule>().expect_err(rule).to_string();
            assert!(error.contains(why) && error.contains(rule), "{error}");
        }
    }
}

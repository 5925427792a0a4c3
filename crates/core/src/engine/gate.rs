use std::time::Duration;

use super::moment::Moment;

/// Keeps all calls from sending until the time that the service set.
///
/// That time is not trusted without limit: if it is further away than [`PROBE_INTERVAL`], one
/// request per interval is sent anyway, as a probe, to see whether the service still refuses. If a
/// probe is inconclusive, another follows after [`PROBE_PAUSE`]. A response to a request that was
/// sent before the gate closed does not open it.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// The time of the last refusal.
    refused_at: Moment,
    /// The end of the time that the service set; the origin if it accepts requests.
    until: Moment,
    /// True if the service named that time to this client.
    named: bool,
    probe_at: Moment,
    /// The time at which the probe in flight was sent.
    probe: Option<Moment>,
}

const PROBE_INTERVAL: Duration = Duration::from_secs(15 * 60);
const PROBE_PAUSE: Duration = Duration::from_secs(5);

impl Gate {
    /// Closes the gate until `until`, because a request that was sent at `sent_at` was refused. If
    /// it was sent before the gate closed, or the service has not `named` that time, the later end
    /// applies. Returns that end.
    pub(super) fn close(
        &mut self,
        until: Moment,
        named: bool,
        sent_at: Moment,
        now: Moment,
    ) -> Moment {
        let replaces = named && self.is_newer(sent_at);
        let named = if replaces || until > self.until { named } else { self.named };
        let until = if replaces { until } else { until.max(self.until) };
        let probe_at = now.after(PROBE_INTERVAL);
        *self = Self { refused_at: now, until, named, probe_at, probe: None };
        until
    }

    /// Returns whether the service named the end of its refusal, and no probe is in flight.
    pub(super) fn is_certain(&self) -> bool {
        self.named && self.probe.is_none()
    }

    /// Sets the time until which the gate is closed according to other processes; the origin if it
    /// is open or a probe is due. A later end that this process knows of is kept until then.
    pub(super) fn set_by_store(&mut self, until: Moment) {
        let is_open = until == Moment::default();
        self.until = if is_open { until } else { until.max(self.until) };
        self.named &= !is_open;
        (self.probe_at, self.probe) = (until, None);
    }

    /// Returns whether a request that was sent at `sent_at` is newer than the last refusal.
    pub(super) fn is_newer(&self, sent_at: Moment) -> bool {
        self.refused_at <= sent_at
    }

    /// Opens the gate, because a request that was sent at `sent_at` was accepted; returns whether it
    /// had closed before that.
    pub(super) fn open(&mut self, sent_at: Moment) -> bool {
        let opens = self.is_newer(sent_at) && self.until > Moment::default();
        if opens {
            (self.until, self.named, self.probe) = (Moment::default(), false, None);
        }
        opens
    }

    /// Returns when the next request may pass, or `None` if one may pass now.
    pub(super) fn closed_until(&self, now: Moment) -> Option<Moment> {
        Some(self.until.min(self.probe_at)).filter(|until| *until > now)
    }

    /// Returns the end of the time that the service set, if it has not ended.
    pub(super) fn end(&self, now: Moment) -> Option<Moment> {
        Some(self.until).filter(|until| *until > now)
    }

    /// Records that a request passed. Before the time that the service set, only one may pass per
    /// interval.
    pub(super) fn passed(&mut self, now: Moment) {
        if self.until > now {
            (self.probe_at, self.probe) = (now.after(PROBE_INTERVAL), Some(now));
        }
    }

    /// Records that the service refused a request that was sent at `sent_at`. If it was the probe,
    /// none is in flight now.
    pub(super) fn refused(&mut self, sent_at: Moment) {
        self.probe.take_if(|probe| *probe == sent_at);
    }

    /// Records that a request that was sent at `sent_at` did not show whether the service accepts
    /// requests; returns whether it was the probe, so that the next may pass earlier.
    pub(super) fn inconclusive(&mut self, sent_at: Moment, now: Moment) -> bool {
        let was_probe = self.probe.take_if(|probe| *probe == sent_at).is_some();
        if was_probe {
            self.probe_at = now.after(PROBE_PAUSE);
        }
        was_probe
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::new(Duration::from_secs(seconds))
    }

    #[test]
    fn end_is_certain_if_the_service_named_it_and_nothing_tests_it() {
        let mut gate = Gate::default();
        gate.close(at(2000), true, at(0), at(0));
        assert!(gate.is_certain());
        gate.passed(at(900));
        assert!(!gate.is_certain());
        gate.refused(at(900));
        assert!(gate.is_certain());
        gate.close(at(1000), false, at(900), at(901));
        assert!(gate.is_certain(), "the named end is later");
        gate.set_by_store(Moment::default());
        gate.set_by_store(at(3000));
        assert!(!gate.is_certain(), "another process met this refusal");
        gate.close(at(4000), true, at(1000), at(1000));
        gate.open(at(1000));
        gate.set_by_store(at(5000));
        assert!(!gate.is_certain(), "another process met this refusal");
    }

    #[test]
    fn gate_opens_at_the_latest_time_given() {
        let mut gate = Gate::default();
        assert_eq!(gate.closed_until(at(0)), None);
        gate.close(at(10), true, at(0), at(1));
        gate.close(at(5), true, at(0), at(2));
        assert_eq!(gate.closed_until(at(9)), Some(at(10)));
        assert_eq!(gate.closed_until(at(10)), None);
        gate.passed(at(10));
        assert_eq!(gate.closed_until(at(10)), None);
    }

    #[test]
    fn long_closed_gate_lets_one_probe_pass_per_interval() {
        let mut gate = Gate::default();
        gate.close(Moment::new(Duration::MAX), true, at(99), at(100));
        assert_eq!(gate.closed_until(at(100)), Some(at(1000)));
        assert_eq!(gate.closed_until(at(1000)), None);
        assert_eq!(gate.end(at(1000)), Some(Moment::new(Duration::MAX)), "even if a probe is due");
        gate.passed(at(1000));
        assert_eq!(gate.closed_until(at(1000)), Some(at(1900)));
        assert!(gate.open(at(1000)));
        assert_eq!(gate.end(at(1000)), None);
        assert_eq!(gate.closed_until(at(1000)), None);
        assert!(!gate.open(at(1000)), "it is open already");
    }

    #[test]
    fn probe_that_shows_nothing_is_soon_followed_by_another() {
        let mut gate = Gate::default();
        gate.inconclusive(at(0), at(1));
        gate.close(at(86_400), true, at(99), at(100));
        gate.inconclusive(at(99), at(101));
        assert_eq!(gate.closed_until(at(101)), Some(at(1_000)));
        gate.passed(at(1_000));
        gate.inconclusive(at(1_000), at(1_010));
        assert_eq!(gate.closed_until(at(1_010)), Some(at(1_015)));
        gate.passed(at(1_015));
        assert_eq!(gate.closed_until(at(1_015)), Some(at(1_915)));
        gate.inconclusive(at(1_015), at(86_400));
        assert_eq!(gate.closed_until(at(86_400)), None);
    }

    #[test]
    fn known_end_of_a_refusal_outlasts_the_probes_of_other_processes() {
        let mut gate = Gate::default();
        gate.close(at(86_400), true, at(0), at(0));
        gate.set_by_store(at(900));
        assert_eq!(gate.closed_until(at(899)), Some(at(900)));
        gate.passed(at(900));
        assert_eq!(gate.closed_until(at(900)), Some(at(1_800)));
        gate.set_by_store(Moment::default());
        assert_eq!(gate.closed_until(at(900)), None);
    }

    #[test]
    fn refusal_that_names_no_time_confirms_a_longer_one() {
        let mut gate = Gate::default();
        gate.close(at(86_400), true, at(0), at(0));
        gate.passed(at(900));
        assert_eq!(gate.close(at(902), false, at(900), at(901)), at(86_400));
        assert_eq!(gate.closed_until(at(902)), Some(at(1_801)));
        assert_eq!(gate.close(at(90_000), false, at(1_801), at(1_802)), at(90_000));
    }

    #[test]
    fn only_requests_sent_after_the_refusal_open_the_gate_or_shorten_its_time() {
        let mut gate = Gate::default();
        gate.close(at(3000), true, at(0), at(1));
        assert!(!gate.open(at(0)));
        gate.close(at(20), true, at(0), at(2));
        gate.passed(at(902));
        assert_eq!(gate.closed_until(at(903)), Some(at(1802)));
        gate.close(at(910), true, at(902), at(903));
        assert_eq!(gate.closed_until(at(904)), Some(at(910)));
    }
}

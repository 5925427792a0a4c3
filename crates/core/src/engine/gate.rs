use std::time::Duration;

use super::moment::Moment;

/// Keeps all calls from sending until the time that the service set.
///
/// Trust in that time is bounded: if it is further away than [`PROBE_INTERVAL`], one request per
/// interval is sent anyway, to see whether the service still refuses.
#[derive(Debug, Default)]
pub(super) struct Gate(Option<Closed>);

#[derive(Clone, Copy, Debug)]
struct Closed {
    until: Moment,
    probe_at: Moment,
}

const PROBE_INTERVAL: Duration = Duration::from_secs(15 * 60);

impl Gate {
    /// Closes the gate until `until`, unless it is already closed for longer.
    pub(super) fn close(&mut self, until: Moment, now: Moment) {
        let until = self.0.map_or(until, |closed| closed.until.max(until));
        self.0 = Some(Closed { until, probe_at: now.after(PROBE_INTERVAL) });
    }

    pub(super) fn open(&mut self) {
        self.0 = None;
    }

    /// Returns when the next request may pass, or `None` if one may pass now.
    pub(super) fn closed_until(&self, now: Moment) -> Option<Moment> {
        self.0.map(|closed| closed.until.min(closed.probe_at)).filter(|until| *until > now)
    }

    /// Returns whether the time that the service set is still in the future.
    pub(super) fn is_closed(&self, now: Moment) -> bool {
        self.0.is_some_and(|closed| closed.until > now)
    }

    /// Records that a request passes. Before the time that the service set, only one may pass per
    /// interval.
    pub(super) fn pass(&mut self, now: Moment) {
        self.0 = self.0.filter(|closed| closed.until > now);
        if let Some(closed) = &mut self.0 {
            closed.probe_at = now.after(PROBE_INTERVAL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::new(Duration::from_secs(seconds))
    }

    #[test]
    fn gate_opens_at_the_latest_time_given() {
        let mut gate = Gate::default();
        assert_eq!(gate.closed_until(at(0)), None);
        gate.close(at(10), at(0));
        gate.close(at(5), at(1));
        assert_eq!(gate.closed_until(at(9)), Some(at(10)));
        assert_eq!(gate.closed_until(at(10)), None);
        gate.pass(at(10));
        assert_eq!(gate.closed_until(at(10)), None);
    }

    #[test]
    fn long_closed_gate_lets_one_probe_pass_per_interval() {
        let mut gate = Gate::default();
        gate.close(Moment::new(Duration::MAX), at(100));
        assert_eq!(gate.closed_until(at(100)), Some(at(1000)));
        assert_eq!(gate.closed_until(at(1000)), None);
        gate.pass(at(1000));
        assert_eq!(gate.closed_until(at(1000)), Some(at(1900)));
        gate.open();
        assert_eq!(gate.closed_until(at(1000)), None);
    }
}

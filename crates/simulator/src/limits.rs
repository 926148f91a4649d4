use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;

/// Calls of each company to each endpoint, counted against WeCom's limits: who goes over one is shut out for as long
/// as it counts (WeCom 90454).
#[derive(Default)]
pub(crate) struct Limits {
    counts: HashMap<(Arc<str>, &'static str), [Window; 2]>,
}

/// How many calls of one endpoint a company may make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed {
    pub(crate) per_minute: u32,
    pub(crate) per_hour: u32,
}

#[derive(Clone, Copy, Default)]
struct Window {
    calls: u32,
    ends: Option<Moment>,
}

impl Window {
    /// Counts a call. The one that is too many begins the time out.
    fn admits(&mut self, length: Duration, allowed: u32, now: Moment) -> bool {
        if self.ends.is_none_or(|ends| ends <= now) {
            *self = Self { calls: 0, ends: Some(now + length) };
        }
        if self.calls == allowed {
            self.ends = Some(now + length);
        }
        self.calls = self.calls.saturating_add(1);
        self.calls <= allowed
    }
}

impl Limits {
    /// Counts a call; false when it is over a limit (45009).
    pub(crate) fn admit(
        &mut self,
        corpid: &Arc<str>,
        endpoint: &'static str,
        allowed: Allowed,
        now: Moment,
    ) -> bool {
        let [minute, hour] = self.counts.entry((Arc::clone(corpid), endpoint)).or_default();
        minute.admits(Duration::from_mins(1), allowed.per_minute, now)
            && hour.admits(Duration::from_hours(1), allowed.per_hour, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_too_many_is_shut_out_for_a_whole_minute() {
        let mut window = Window::default();
        let mut admits = |second: i64| window.admits(Duration::from_mins(1), 3, Moment(second * 1000));
        assert_eq!([0, 10, 20].map(&mut admits), [true; 3]);
        // Insisting does not make it longer.
        assert_eq!([30, 59, 61, 89].map(&mut admits), [false; 4]);
        assert_eq!([90, 91, 92, 93].map(&mut admits), [true, true, true, false]);
        assert!(admits(200));
    }
}

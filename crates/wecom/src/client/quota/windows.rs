//! The calls of the last minute and the last hour.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The calls that WeCom allows for each company and API (WeCom 90312, 90454). After that it blocks all calls until the
/// window ends, sign-ins included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// Calls in a minute; 10,000 by default.
    pub per_minute: u32,
    /// Calls in an hour; 150,000 by default.
    pub per_hour: u32,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self { per_minute: 10_000, per_hour: 150_000 }
    }
}

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const STEPS: [Duration; 2] = [Duration::from_secs(1), MINUTE];

impl CallLimits {
    /// The part of background work: four fifths, less what sign-ins use of it.
    fn of_background(self) -> [u64; 2] {
        [self.per_minute, self.per_hour].map(|limit| u64::from(limit) * 4 / 5)
    }
}

/// The windows of a minute and an hour. Times are milliseconds of any clock that does not run backwards much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Windows([Window; 2]);

impl Windows {
    /// How many calls background work may make now; if none, the time at which it may.
    pub(super) fn room(&mut self, limits: CallLimits, slack: Duration, now: i64) -> Result<u32, i64> {
        let windows = self.0.iter_mut().zip([MINUTE, HOUR]).zip(STEPS).zip(limits.of_background());
        let (mut room, mut full_until) = (u32::MAX, None);
        for (((window, length), step), most) in windows {
            match window.room(most, millis(length + step + slack), now) {
                Ok(other) => room = room.min(other),
                // Of two that are full, the one that is free later counts.
                Err(free_at) => full_until = full_until.max(Some(free_at)),
            }
        }
        full_until.map_or(Ok(room), Err)
    }

    /// Counts calls that are made now.
    pub(super) fn count(&mut self, calls: u32, now: i64) {
        for (window, step) in self.0.iter_mut().zip(STEPS) {
            window.count(calls, millis(step), now);
        }
    }
}

/// A window that slides in steps: a step counts as long as any part of it may lie in the window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "VecDeque<(i64, u32)>", into = "VecDeque<(i64, u32)>")]
struct Window {
    /// The start of each step and its calls, oldest first.
    steps: VecDeque<(i64, u32)>,
    sum: u64,
}

impl From<VecDeque<(i64, u32)>> for Window {
    fn from(steps: VecDeque<(i64, u32)>) -> Self {
        let sum = steps.iter().map(|(_, calls)| u64::from(*calls)).sum();
        Self { steps, sum }
    }
}

impl From<Window> for VecDeque<(i64, u32)> {
    fn from(window: Window) -> Self {
        window.steps
    }
}

impl Window {
    fn room(&mut self, most: u64, lasts: i64, now: i64) -> Result<u32, i64> {
        // What a clock that is ahead has counted happened by now: it must not count for longer.
        for (begin, _) in self.steps.iter_mut().rev().take_while(|(begin, _)| *begin > now) {
            *begin = now;
        }
        while let Some((begin, calls)) = self.steps.front().copied()
            && begin + lasts <= now
        {
            self.steps.pop_front();
            self.sum = self.sum.saturating_sub(u64::from(calls));
        }
        match most.checked_sub(self.sum).filter(|room| *room > 0) {
            Some(room) => Ok(u32::try_from(room).unwrap_or(u32::MAX)),
            None => Err(self.steps.front().map_or(now, |(begin, _)| *begin) + lasts),
        }
    }

    fn count(&mut self, calls: u32, step: i64, now: i64) {
        self.sum += u64::from(calls);
        match self.steps.back_mut() {
            Some((begin, counted)) if now < *begin + step => *counted = counted.saturating_add(calls),
            _ => self.steps.push_back((now, calls)),
        }
    }
}

pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::quota::tests::most_within;

    /// Makes calls as fast as the quota allows, every `unasked`th without waiting; returns their times.
    fn calls(many: usize, each_takes: usize, unasked: usize) -> Vec<i64> {
        let (mut windows, limits) = (Windows::default(), CallLimits::default());
        let mut micros = 0_i64;
        (0..many)
            .map(|call| {
                let now = micros / 1_000;
                if unasked == 0 || call % unasked != 0 {
                    while let Err(free_at) = windows.room(limits, Duration::ZERO, micros / 1_000) {
                        assert!(free_at > micros / 1_000, "the next try must be later");
                        micros = free_at * 1_000;
                    }
                }
                let now = now.max(micros / 1_000);
                windows.count(1, now);
                micros += i64::try_from(each_takes).unwrap();
                now
            })
            .collect()
    }

    #[test]
    fn no_minute_and_no_hour_holds_more_than_four_fifths_of_what_wecom_allows() {
        for micros in [0, 100, 7_000] {
            let calls = calls(260_000, micros, 0);
            assert!(most_within(&calls, MINUTE) <= 8_000, "{micros}");
            assert!(most_within(&calls, HOUR) <= 120_000, "{micros}");
        }
    }

    #[test]
    fn calls_that_do_not_wait_count_for_those_that_do() {
        assert!(most_within(&calls(40_000, 10, 100), MINUTE) <= 8_100);
    }

    #[test]
    fn what_another_process_reads_is_what_was_counted() {
        let mut windows = Windows::default();
        for now in [0, 10, 1_500, 90_000, 4_000_000] {
            windows.count(3, now);
        }
        let text = serde_json::to_string(&windows).unwrap();
        assert_eq!(serde_json::from_str::<Windows>(&text).unwrap(), windows);
    }

    #[test]
    fn calls_that_a_clock_ahead_has_counted_end_with_the_others() {
        let mut windows = Windows::default();
        windows.count(10_000, 3_600_000);
        let minute_and_step = 61_000;
        assert_eq!(windows.room(CallLimits::default(), Duration::ZERO, 1_000), Err(1_000 + minute_and_step));
        assert!(windows.room(CallLimits::default(), Duration::ZERO, 1_000 + minute_and_step).is_ok());
    }
}

//! The quota of calls of a company. WeCom allows 10,000 calls in a minute and 150,000 in an hour for each company and
//! API (WeCom 90312). After that it blocks all calls until the window ends, sign-ins included. So background work uses
//! at most four fifths of the quota and then waits.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::CorpId;
use tokio::time::Instant;

/// The base of the API and the company behind it.
type Company<'a> = (&'a str, &'a CorpId);

/// Counts the calls of this process by company and API.
#[derive(Debug, Default)]
pub(crate) struct Quota(Mutex<HashMap<(String, CorpId, &'static str), Windows>>);

impl Quota {
    /// Counts a call of background work. Fails with the time of the next try if there is no quota now.
    pub(crate) fn reserve(
        &self,
        company: Company<'_>,
        call: &'static str,
        now: Instant,
    ) -> Result<(), Instant> {
        self.of(company, call, |windows| match windows.free_at(now) {
            Some(free_at) => Err(free_at),
            None => {
                windows.count(now);
                Ok(())
            }
        })
    }

    /// Counts a call that does not wait for quota.
    pub(crate) fn note(&self, company: Company<'_>, call: &'static str, now: Instant) {
        self.of(company, call, |windows| windows.count(now));
    }

    fn of<T>(
        &self,
        (base, corp_id): Company<'_>,
        call: &'static str,
        run: impl FnOnce(&mut Windows) -> T,
    ) -> T {
        let mut companies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        run(companies.entry((base.to_owned(), corp_id.clone(), call)).or_default())
    }
}

#[derive(Debug)]
struct Windows([Window; 2]);

impl Default for Windows {
    fn default() -> Self {
        let (minute, hour) = (Duration::from_mins(1), Duration::from_hours(1));
        Self([Window::new(8_000, minute, Duration::from_secs(1)), Window::new(120_000, hour, minute)])
    }
}

impl Windows {
    fn free_at(&mut self, now: Instant) -> Option<Instant> {
        self.0.iter_mut().filter_map(|window| window.free_at(now)).max()
    }

    fn count(&mut self, now: Instant) {
        self.0.iter_mut().for_each(|window| window.count(now));
    }
}

/// A window that slides in steps: a step counts as long as any part of it may lie in the window.
#[derive(Debug)]
struct Window {
    most: u32,
    length: Duration,
    step: Duration,
    /// The start of each step and its calls, oldest first.
    steps: VecDeque<(Instant, u32)>,
    sum: u32,
}

impl Window {
    fn new(most: u32, length: Duration, step: Duration) -> Self {
        Self { most, length, step, steps: VecDeque::new(), sum: 0 }
    }

    /// The time at which there is room again; `None` if there is room now.
    fn free_at(&mut self, now: Instant) -> Option<Instant> {
        let lasts = self.length + self.step;
        while let Some((begin, calls)) = self.steps.front().copied()
            && begin + lasts <= now
        {
            self.steps.pop_front();
            self.sum -= calls;
        }
        if self.sum < self.most { None } else { self.steps.front().map(|(begin, _)| *begin + lasts) }
    }

    fn count(&mut self, now: Instant) {
        self.sum += 1;
        match self.steps.back_mut() {
            Some((begin, calls)) if now < *begin + self.step => *calls += 1,
            _ => self.steps.push_back((now, 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes calls as fast as the quota allows, every `unasked`th without waiting; returns their virtual times.
    fn calls(many: usize, each_takes: Duration, unasked: usize) -> Vec<Instant> {
        let (quota, corp_id, mut now) = (Quota::default(), CorpId::parse("ww1").unwrap(), Instant::now());
        let company = ("https://wecom.example.com", &corp_id);
        (0..many)
            .map(|call| {
                if unasked > 0 && call % unasked == 0 {
                    quota.note(company, "user/list", now);
                    return now;
                }
                while let Err(free_at) = quota.reserve(company, "user/list", now) {
                    assert!(free_at > now, "the next try must be later");
                    now = free_at;
                }
                now += each_takes;
                now - each_takes
            })
            .collect()
    }

    fn most_within(calls: &[Instant], window: Duration) -> usize {
        let (mut from, mut most) = (0, 0);
        for (to, call) in calls.iter().enumerate() {
            while calls[from] + window <= *call {
                from += 1;
            }
            most = most.max(to - from + 1);
        }
        most
    }

    #[test]
    fn no_minute_and_no_hour_holds_more_than_four_fifths_of_what_wecom_allows() {
        for micros in [0, 100, 7_000] {
            let calls = calls(260_000, Duration::from_micros(micros), 0);
            assert!(most_within(&calls, Duration::from_mins(1)) <= 8_000, "{micros}");
            assert!(most_within(&calls, Duration::from_hours(1)) <= 120_000, "{micros}");
        }
    }

    #[test]
    fn calls_that_do_not_wait_count_for_those_that_do() {
        let calls = calls(40_000, Duration::from_micros(10), 100);
        assert!(most_within(&calls, Duration::from_mins(1)) <= 8_100);
    }

    #[test]
    fn each_company_and_api_has_its_own_windows() {
        let (quota, now) = (Quota::default(), Instant::now());
        let (one, other) = (CorpId::parse("ww1").unwrap(), CorpId::parse("ww2").unwrap());
        let spent = (0..10_000).any(|_| quota.reserve(("base", &one), "user/list", now).is_err());
        assert!(spent, "WeCom allows 10,000 a minute");
        assert!(quota.reserve(("base", &one), "user/get", now).is_ok());
        assert!(quota.reserve(("base", &other), "user/list", now).is_ok());
        assert!(quota.reserve(("other", &one), "user/list", now).is_ok());
    }
}

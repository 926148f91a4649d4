//! How many calls a company has to spare. WeCom counts per company and API, 10,000 in a minute and 150,000 in an
//! hour (WeCom 90312), and blocks whoever asks for more for as long as the window lasts, people at the sign-in page
//! included. So background work takes four fifths of it at most and waits for the rest.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use wecom_login_model::CorpId;

/// The base of the API and the company behind it.
type Company<'a> = (&'a str, &'a CorpId);

/// The calls of a process, by company and API.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<HashMap<(String, CorpId, &'static str), Windows>>);

impl Pace {
    /// Counts a call if background work may make it now; else says when to ask again.
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

    /// Counts a call that does not wait.
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

/// A window that slides by steps: a step counts as long as any moment of it may lie in the window.
#[derive(Debug)]
struct Window {
    most: u32,
    length: Duration,
    step: Duration,
    /// Begin of each step and its calls, oldest first.
    steps: VecDeque<(Instant, u32)>,
    sum: u32,
}

impl Window {
    fn new(most: u32, length: Duration, step: Duration) -> Self {
        Self { most, length, step, steps: VecDeque::new(), sum: 0 }
    }

    /// When there is room again, unless there is now.
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

    /// Makes calls as fast as it may, with some that do not wait among them; the moments, in virtual time.
    fn calls(many: usize, each_takes: Duration, unasked: usize) -> Vec<Instant> {
        let (pace, corp_id, mut now) = (Pace::default(), CorpId::parse("ww1").unwrap(), Instant::now());
        let company = ("https://wecom.example.com", &corp_id);
        (0..many)
            .map(|call| {
                if unasked > 0 && call % unasked == 0 {
                    pace.note(company, "user/list", now);
                    return now;
                }
                while let Err(free_at) = pace.reserve(company, "user/list", now) {
                    assert!(free_at > now, "waiting must lead somewhere");
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
    fn companies_and_apis_have_windows_of_their_own() {
        let (pace, now) = (Pace::default(), Instant::now());
        let (one, other) = (CorpId::parse("ww1").unwrap(), CorpId::parse("ww2").unwrap());
        while pace.reserve(("base", &one), "user/list", now).is_ok() {}
        assert!(pace.reserve(("base", &one), "user/get", now).is_ok());
        assert!(pace.reserve(("base", &other), "user/list", now).is_ok());
        assert!(pace.reserve(("other", &one), "user/list", now).is_ok());
    }
}

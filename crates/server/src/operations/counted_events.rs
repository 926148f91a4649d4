//! Audit events that anybody can cause in any number, such as refusals before WeCom is asked. They write no row of their own:
//! they are counted, and each address, kind and minute has one row with the count. A killed process loses the counts of its
//! last minute; they are in the metrics and the log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wecom_login_model::Timestamp;
use wecom_login_store::AuditEntry;

use crate::http::client_address::ClientAddress;

/// The number of rows with an address in one round. Further addresses share one row for each kind.
const MOST: usize = 1_000;
/// The longest value of a detail in characters; a client chooses some of them.
const LONGEST_DETAIL: usize = 200;

/// The counts of one server.
#[derive(Debug, Default)]
pub(crate) struct CountedEvents(Mutex<HashMap<Key, Counted>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    minute: i64,
    /// `None` for the addresses that have no row of their own.
    address: Option<String>,
    event: String,
    outcome: String,
    actor: String,
}

#[derive(Debug)]
struct Counted {
    /// The first event, without what others of the row do not share.
    entry: AuditEntry,
    count: u64,
    last: Timestamp,
}

impl CountedEvents {
    /// Counts an event.
    pub(crate) fn count(&self, mut entry: AuditEntry) {
        for value in entry.detail.values_mut() {
            if let Some(text) = value.as_str().filter(|text| text.chars().count() > LONGEST_DETAIL) {
                *value = text.chars().take(LONGEST_DETAIL).collect::<String>().into();
            }
        }
        entry.address = entry.address.map(|address| match address.parse::<IpAddr>() {
            Ok(address) => ClientAddress::Known(address).counted_as(),
            Err(_) => address,
        });
        let mut counts = self.counts();
        let mut key = Key {
            minute: minute(entry.at),
            address: entry.address.clone(),
            event: entry.event.clone(),
            outcome: entry.outcome.clone(),
            actor: entry.actor.clone(),
        };
        if counts.len() >= MOST && !counts.contains_key(&key) {
            "visitor".clone_into(&mut entry.actor);
            (entry.address, entry.corp_id, entry.user_key) = (None, None, None);
            entry = entry.detail("others", true);
            key = Key { address: None, actor: entry.actor.clone(), ..key };
        }
        match counts.get_mut(&key) {
            Some(counted) => counted.add(&entry),
            None => {
                counts.insert(key, Counted { count: 1, last: entry.at, entry });
            }
        }
    }

    /// Takes the rows of the minutes that are over at `now`.
    pub(crate) fn take_finished(&self, now: Timestamp) -> Vec<AuditEntry> {
        self.take(|minute_of_row| minute_of_row < minute(now))
    }

    /// Takes all rows, those of the minute under way too.
    pub(crate) fn take_all(&self) -> Vec<AuditEntry> {
        self.take(|_| true)
    }

    /// Takes rows in the order of their first events.
    fn take(&self, is_taken: impl Fn(i64) -> bool) -> Vec<AuditEntry> {
        let mut counts = self.counts();
        let taken = counts.extract_if(|key, _| is_taken(key.minute));
        let mut rows: Vec<AuditEntry> = taken.map(|(_, counted)| counted.row()).collect();
        drop(counts);
        rows.sort_by(|one, other| (one.at, &one.request_id).cmp(&(other.at, &other.request_id)));
        rows
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Key, Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn add(&mut self, other: &AuditEntry) {
        self.count += 1;
        self.last = self.last.max(other.at);
        if self.entry.instance != other.instance {
            self.entry.instance = None;
        }
        self.entry.detail.retain(|name, value| other.detail.get(name) == Some(value));
    }

    fn row(self) -> AuditEntry {
        self.entry.detail("count", self.count).detail("until", self.last.as_millis())
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_secs().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wecom_login_store::AuditEvent;

    fn refused(address: &str, second: i64) -> AuditEntry {
        let at = Timestamp::from_millis(second * 1000);
        let mut entry = AuditEntry::new(AuditEvent::SignIn, at).outcome("state_unknown");
        entry.address = Some(address.to_owned());
        entry
    }

    fn shown(rows: &[AuditEntry]) -> Vec<(i64, Option<&str>, u64)> {
        rows.iter()
            .map(|row| (row.at.as_secs(), row.address.as_deref(), row.detail["count"].as_u64().unwrap()))
            .collect()
    }

    #[test]
    fn each_address_and_minute_has_one_row() {
        let events = CountedEvents::default();
        for second in [0, 1, 59, 60] {
            events.count(refused("192.0.2.1", second));
        }
        events.count(refused("192.0.2.2", 2));
        events.count(refused("192.0.2.2", 2).outcome("locked_out"));
        let rows = events.take_finished(Timestamp::from_millis(60_000));
        assert_eq!(
            shown(&rows),
            [(0, Some("192.0.2.1"), 3), (2, Some("192.0.2.2"), 1), (2, Some("192.0.2.2"), 1)]
        );
        assert_eq!(rows[0].detail["until"], 59_000);
        assert_eq!(shown(&events.take_all()), [(60, Some("192.0.2.1"), 1)]);
        assert_eq!(events.take_all(), []);
    }

    #[test]
    fn a_row_says_only_what_its_events_share() {
        let events = CountedEvents::default();
        let entry = || refused("192.0.2.1", 0).detail("errcode", 710_003);
        events.count(entry().instance("a").detail("path", "/x"));
        events.count(entry().instance("b").detail("path", "/y".repeat(1000)));
        let row = events.take_all().remove(0);
        assert_eq!((row.instance, row.detail.get("path")), (None, None));
        assert_eq!(row.detail["errcode"], 710_003);
        events.count(entry().detail("path", "路".repeat(1000)));
        assert_eq!(events.take_all()[0].detail["path"].as_str().unwrap().chars().count(), LONGEST_DETAIL);
    }

    /// F4, F5: what a stranger with many addresses can write is bounded.
    #[test]
    fn ten_thousand_events_of_an_ipv6_network_are_one_row_and_many_networks_share_one() {
        let events = CountedEvents::default();
        for host in 1..=10_000_u32 {
            events.count(refused(&format!("2001:db8::{host:x}"), 0));
        }
        assert_eq!(shown(&events.take_all()), [(0, Some("2001:db8::/64"), 10_000)]);
        for network in 0..5_000_u32 {
            events.count(refused(&format!("2001:db8:0:{network:x}::1"), 0));
        }
        let rows = events.take_all();
        assert_eq!(rows.len(), MOST + 1);
        let others: Vec<_> = rows.iter().filter(|row| row.detail.contains_key("others")).collect();
        assert_eq!((others.len(), others[0].address.as_deref()), (1, None));
        assert_eq!(others[0].detail["count"], 4_000);
    }
}

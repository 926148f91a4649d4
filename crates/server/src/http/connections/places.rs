//! The places of open connections, by the client's address, and the choice of the connection that leaves for a new one.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use crate::http::client_address::ClientAddress;
use crate::http::connections::activity::{Activity, JUST_ANSWERED};

/// The places.
#[derive(Debug)]
pub(crate) struct Places {
    most: AtomicUsize,
    free: Arc<Semaphore>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// The number of the last connection; the oldest connection has the lowest number.
    last: u64,
    /// The connections of each address, an IPv6 address being its /64.
    addresses: HashMap<String, HashMap<u64, Arc<Activity>>>,
}

/// A place; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    address: String,
    number: u64,
    activity: Arc<Activity>,
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self { most: most.into(), free: Arc::new(Semaphore::new(most)), table: Mutex::default() }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lowers the number of places, before they are used.
    pub(crate) fn lower_to(&self, most: usize) {
        let former = self.most.fetch_min(most, Ordering::Relaxed);
        self.free.forget_permits(former.saturating_sub(most));
    }

    /// The number of places.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// The number of places that are in use.
    pub(crate) fn open(&self) -> usize {
        self.table().addresses.values().map(HashMap::len).sum()
    }

    /// A permit for a place. If none is free, asks connections to leave until one is. `None` never occurs: the semaphore is
    /// not closed.
    pub(crate) async fn make_room(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            return Some(permit);
        }
        let mut freed = std::pin::pin!(self.free.clone().acquire_owned());
        loop {
            self.table().ask_one_to_leave();
            tokio::select! {
                biased;
                permit = &mut freed => return permit.ok(),
                () = sleep(JUST_ANSWERED) => {}
            }
        }
    }

    /// Takes a place for a connection from this address.
    pub(crate) fn take(this: &Arc<Self>, address: IpAddr, permit: OwnedSemaphorePermit) -> Place {
        let (address, activity) =
            (ClientAddress::Known(address.to_canonical()).counted_as(), Arc::new(Activity::opened()));
        let mut table = this.table();
        table.last += 1;
        let number = table.last;
        table.addresses.entry(address.clone()).or_default().insert(number, activity.clone());
        drop(table);
        Place { places: this.clone(), address, number, activity, _permit: permit }
    }
}

impl Table {
    /// Asks one connection of the address with the most connections to leave: the one that has been idle longest. If no
    /// connection of any address is idle, the oldest one leaves after an answer, so that clients which send one request after
    /// another do not keep others out.
    fn ask_one_to_leave(&self) {
        let now = Instant::now();
        if let Some(idle) = self.of_the_largest(|_, activity| activity.idle_for(now)) {
            idle.leave_now();
        } else if let Some(oldest) =
            self.of_the_largest(|number, activity| (!activity.is_leaving()).then_some(Reverse(number)))
        {
            oldest.leave_after_answer();
        }
    }

    /// The connection of the highest rank, of the address with the most connections among those that have one with a rank.
    fn of_the_largest<R: Ord>(&self, rank: impl Fn(u64, &Activity) -> Option<R>) -> Option<&Activity> {
        let mut best: Option<(usize, R, &Activity)> = None;
        for connections in self.addresses.values() {
            let size = connections.len();
            if best.as_ref().is_some_and(|(largest, ..)| size < *largest) {
                continue;
            }
            for (number, activity) in connections {
                let Some(rank) = rank(*number, activity) else { continue };
                if best.as_ref().is_none_or(|(largest, highest, _)| (size, &rank) > (*largest, highest)) {
                    best = Some((size, rank, activity));
                }
            }
        }
        best.map(|(.., activity)| activity)
    }
}

impl Place {
    pub(crate) fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.places.table();
        if let Some(connections) = table.addresses.get_mut(&self.address) {
            connections.remove(&self.number);
            if connections.is_empty() {
                table.addresses.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use std::time::Duration;
    use tokio::time::advance;

    const COLLEAGUE: &str = "192.0.2.1";
    const CROWD: [&str; 3] = ["2001:db8::1", "2001:db8::2", "2001:db8::3"];

    /// Places that are all taken, in this order, a second apart; each connection has been answered.
    async fn taken_by(addresses: &[&str]) -> (Arc<Places>, Vec<Place>) {
        let (places, mut taken) = (Arc::new(Places::new(addresses.len())), Vec::new());
        for address in addresses {
            let permit = places.make_room().await.unwrap();
            let place = Places::take(&places, address.parse().unwrap(), permit);
            answer(&place);
            taken.push(place);
            advance(Duration::from_secs(1)).await;
        }
        (places, taken)
    }

    fn answer(place: &Place) {
        place.activity().request_begins();
        place.activity().answer_ends();
        place.activity().flushed();
    }

    /// The places whose connection is asked to leave at once for a new one, and those that leave after an answer.
    fn leaving(places: &Places, taken: &[Place]) -> (Vec<usize>, Vec<usize>) {
        assert!(places.make_room().now_or_never().is_none(), "a place was free");
        let asked = |place: &Place| place.activity().asked_to_leave().now_or_never().is_some();
        let now: Vec<usize> = (0..taken.len()).filter(|number| asked(&taken[*number])).collect();
        let later = (0..taken.len()).filter(|number| taken[*number].activity().is_leaving());
        (now.clone(), later.filter(|number| !now.contains(number)).collect())
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connection_of_the_address_with_most_connections_leaves() {
        let (places, taken) = taken_by(&[COLLEAGUE, CROWD[0], CROWD[1], CROWD[2], COLLEAGUE]).await;
        // The first connection of the crowd has been used since.
        answer(&taken[1]);
        assert_eq!(leaving(&places, &taken), (vec![2], vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn where_addresses_have_equally_many_the_longest_idle_connection_of_all_leaves() {
        let (places, taken) = taken_by(&["192.0.2.3", COLLEAGUE, "192.0.2.2"]).await;
        answer(&taken[0]);
        assert_eq!(leaving(&places, &taken), (vec![1], vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_of_another_address_leaves_before_a_busy_one() {
        let (places, taken) = taken_by(&[COLLEAGUE, CROWD[0], CROWD[1]]).await;
        taken[1].activity().request_begins();
        taken[2].activity().request_begins();
        assert_eq!(leaving(&places, &taken), (vec![0], vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_are_busy_the_oldest_of_the_largest_address_leaves_after_its_answer() {
        let (places, taken) = taken_by(&[COLLEAGUE, CROWD[0], CROWD[1]]).await;
        for place in &taken {
            place.activity().request_begins();
        }
        assert_eq!(leaving(&places, &taken), (vec![], vec![1]));
        assert_eq!(leaving(&places, &taken), (vec![], vec![1, 2]), "the next look asks another one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_when_its_connection_has_ended() {
        let (places, mut taken) = taken_by(&[COLLEAGUE, CROWD[0]]).await;
        assert_eq!((places.open(), places.most()), (2, 2));
        taken.pop();
        assert_eq!(places.open(), 1);
        assert!(places.make_room().now_or_never().is_some());
        assert!(!places.table().addresses.contains_key("2001:db8::/64"));
    }

    #[tokio::test]
    async fn a_lower_limit_takes_places_away() {
        let places = Arc::new(Places::new(4096));
        places.lower_to(1);
        places.lower_to(2);
        assert_eq!(places.most(), 1);
        let permit = places.make_room().await.unwrap();
        let _place = Places::take(&places, COLLEAGUE.parse().unwrap(), permit);
        assert!(places.make_room().now_or_never().is_none());
    }
}

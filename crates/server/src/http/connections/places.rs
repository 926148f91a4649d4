//! The places of open connections, by the client's address, and the choice of the connection that leaves for a new one.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use crate::http::client_address::counted_as;
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
        let (address, activity) = (counted_as(address.to_canonical()), Arc::new(Activity::opened()));
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

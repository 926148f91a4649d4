use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::callback::sealed;
use super::happened::happened;
use super::{By, Change, ChangeRefused, Receiver};
use crate::world::Shared;

/// WeCom breaks off a delivery after this long (WeCom 96238).
const PATIENCE: Duration = Duration::from_secs(5);
/// And tries three times in all.
const TRIES: usize = 3;
/// So many events are remembered.
const REMEMBERED: usize = 10_000;

/// An event, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Event {
    /// Its number, from 1.
    pub id: u64,
    /// The company.
    pub corpid: String,
    /// The app that is told; `None` is contact sync.
    pub agentid: Option<u64>,
    /// The plain text that is encrypted on the way.
    pub xml: String,
    /// How far it came.
    pub state: EventState,
    /// The outcome of each try so far: an HTTP status, or what went wrong.
    pub tries: Vec<String>,
}

impl Event {
    fn receiver(&self) -> Receiver {
        self.agentid.map_or(Receiver::ContactSync, Receiver::App)
    }
}

/// How far an event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// Kept back until it is released.
    Held,
    /// On its way.
    UnderWay,
    /// The receiver answered 200.
    Delivered,
    /// No further try follows.
    GivenUp,
}

/// Brings events to their receivers: in order to each, at once to different ones.
pub(crate) struct Pusher {
    state: Mutex<State>,
    under_way: watch::Sender<usize>,
    stopped: watch::Sender<bool>,
    runtime: Handle,
}

#[derive(Default)]
struct State {
    events: VecDeque<Event>,
    last: u64,
    holding: bool,
    /// What waits for each receiver; a lane that is there has a task.
    lanes: HashMap<(String, Receiver), VecDeque<u64>>,
}

impl Pusher {
    /// Its tasks run on the runtime that polls the caller.
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::default(),
            under_way: watch::Sender::new(0),
            stopped: watch::Sender::new(false),
            runtime: Handle::current(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.state().events.iter().cloned().collect()
    }

    pub(crate) fn holding(&self) -> bool {
        self.state().holding
    }

    pub(crate) fn hold(&self) {
        self.state().holding = true;
    }

    /// Waits until nothing is on its way.
    pub(crate) async fn settled(&self) {
        let _ = self.under_way.subscribe().wait_for(|under_way| *under_way == 0).await;
    }

    /// Forgets everything; deliveries end.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        let waiting: usize = state.lanes.values().map(VecDeque::len).sum();
        state.lanes.values_mut().for_each(VecDeque::clear);
        state.events.clear();
        state.holding = false;
        drop(state);
        self.under_way.send_modify(|under_way| *under_way -= waiting);
        self.stopped.send_modify(|_| {});
    }

    /// Ends all deliveries for good.
    pub(crate) fn stop(&self) {
        self.stopped.send_replace(true);
    }

    fn note(&self, id: u64, note: impl FnOnce(&mut Event)) {
        if let Some(event) = self.state().event(id) {
            note(event);
        }
    }
}

impl State {
    /// Numbers follow each other, so an event stands where its number says.
    fn event(&mut self, id: u64) -> Option<&mut Event> {
        let first = self.events.front()?.id;
        self.events.get_mut(usize::try_from(id.checked_sub(first)?).ok()?)
    }

    /// Forgets the oldest once they are done with.
    fn forget_old(&mut self) {
        let done = |event: &Event| matches!(event.state, EventState::Delivered | EventState::GivenUp);
        while self.events.len() > REMEMBERED && self.events.front().is_some_and(done) {
            self.events.pop_front();
        }
    }
}

/// Makes changes and pushes what came of them.
pub(crate) fn change(
    shared: &Arc<Shared>,
    corpid: &str,
    changes: Vec<Change>,
    by: By,
) -> Result<(), ChangeRefused> {
    let now = shared.clock.now();
    let mut pushed = Vec::new();
    {
        let mut world = shared.world();
        let world = &mut *world;
        let callbacks = &world.callbacks;
        let company = world.companies.iter_mut().find(|company| company.corpid() == corpid);
        let company = company.ok_or_else(|| ChangeRefused::Missing(format!("company {corpid:?}")))?;
        // Of several changes all are made or none.
        let before = (changes.len() > 1).then(|| company.clone());
        for change in changes {
            let callback = |receiver| callbacks.get(&(corpid.to_owned(), receiver));
            match happened(company, change, by, now, callback) {
                Ok(events) => pushed.extend(events),
                Err(refused) => {
                    if let Some(before) = before {
                        *company = before;
                    }
                    return Err(refused);
                }
            }
        }
    }
    for (receiver, xml) in pushed {
        push(shared, corpid, receiver, xml);
    }
    Ok(())
}

/// Sends an event, or keeps it while events are held; gives its number.
pub(crate) fn push(shared: &Arc<Shared>, corpid: &str, receiver: Receiver, xml: String) -> u64 {
    let copies = shared.world().behaviour.callback_copies;
    let pusher = &shared.pusher;
    let mut state = pusher.state();
    state.last += 1;
    let id = state.last;
    let agentid = if let Receiver::App(agentid) = receiver { Some(agentid) } else { None };
    state.events.push_back(Event {
        id,
        corpid: corpid.to_owned(),
        agentid,
        xml,
        state: EventState::Held,
        tries: Vec::new(),
    });
    state.forget_old();
    let holding = state.holding;
    drop(state);
    if !holding {
        for _ in 0..copies {
            send(shared, id);
        }
    }
    id
}

/// Lets the held events go in order; holding ends.
pub(crate) fn release(shared: &Arc<Shared>) {
    let held: Vec<u64> = {
        let mut state = shared.pusher.state();
        state.holding = false;
        let held = state.events.iter().filter(|event| event.state == EventState::Held);
        held.map(|event| event.id).collect()
    };
    for id in held {
        send(shared, id);
    }
}

/// Sends that event, once more if it was sent already; false when there is none.
pub(crate) fn send(shared: &Arc<Shared>, id: u64) -> bool {
    let pusher = &shared.pusher;
    let mut state = pusher.state();
    let Some(event) = state.event(id) else { return false };
    event.state = EventState::UnderWay;
    let lane = (event.corpid.clone(), event.receiver());
    pusher.under_way.send_modify(|under_way| *under_way += 1);
    if let Some(waiting) = state.lanes.get_mut(&lane) {
        waiting.push_back(id);
        return true;
    }
    state.lanes.insert(lane.clone(), VecDeque::from([id]));
    drop(state);
    pusher.runtime.spawn(drain(Arc::clone(shared), lane));
    true
}

/// One event after the other, until none waits.
async fn drain(shared: Arc<Shared>, lane: (String, Receiver)) {
    let pusher = &shared.pusher;
    let mut stopped = pusher.stopped.subscribe();
    loop {
        let next = {
            let mut state = pusher.state();
            let next = state.lanes.get_mut(&lane).and_then(VecDeque::pop_front);
            if next.is_none() {
                state.lanes.remove(&lane);
            }
            next
        };
        let Some(id) = next else { return };
        if *stopped.borrow_and_update() {
            pusher.note(id, |event| event.state = EventState::GivenUp);
        } else {
            tokio::select! {
                () = deliver(&shared, &lane, id) => {}
                _ = stopped.changed() => pusher.note(id, |event| event.state = EventState::GivenUp),
            }
        }
        pusher.under_way.send_modify(|under_way| *under_way -= 1);
    }
}

async fn deliver(shared: &Shared, (corpid, receiver): &(String, Receiver), id: u64) {
    let pusher = &shared.pusher;
    let mut end = EventState::GivenUp;
    for _ in 0..TRIES {
        let (outcome, further) = attempt(shared, corpid, *receiver, id).await;
        let delivered = outcome.as_deref() == Ok("200");
        let (Ok(told) | Err(told)) = outcome;
        pusher.note(id, |event| event.tries.push(told));
        if delivered {
            end = EventState::Delivered;
        }
        if !further {
            break;
        }
    }
    pusher.note(id, |event| event.state = end);
}

/// One try: the status or what went wrong, and whether another may follow. The documents differ on whether a status
/// other than 200 is tried again (WeCom 90238 says so, 90930 does not): `callback_retries_status`.
async fn attempt(
    shared: &Shared,
    corpid: &str,
    receiver: Receiver,
    id: u64,
) -> (Result<String, String>, bool) {
    let (callback, nonce, retries_status) = {
        let mut world = shared.world();
        let callback = world.callbacks.get(&(corpid.to_owned(), receiver)).cloned();
        (callback, world.chance.digits(10), world.behaviour.callback_retries_status)
    };
    let xml = shared.pusher.state().event(id).map(|event| event.xml.clone());
    let (Some(callback), Some(xml)) = (callback, xml) else {
        return (Err("there is no callback setting".to_owned()), false);
    };
    let timestamp = shared.clock.now().secs().to_string();
    let (url, body) = match sealed(&callback, (corpid, receiver), &xml, (&timestamp, &nonce)) {
        Ok(ready) => ready,
        Err(refused) => return (Err(refused.to_string()), false),
    };
    let reply = tokio::select! {
        reply = shared.outbound.post(&url, body) => reply,
        () = shared.clock.sleep(PATIENCE) => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
    };
    match reply {
        Ok(reply) => (Ok(reply.status.to_string()), reply.status != 200 && retries_status),
        Err(why) => (Err(why), true),
    }
}

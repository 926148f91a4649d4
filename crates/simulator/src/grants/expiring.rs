use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::chance::Chance;
use crate::clock::Moment;

/// Things handed out under unguessable names, all with the same life. What is over is forgotten as new ones come,
/// so that neither memory nor the time of a call grows with what was handed out long ago.
pub(crate) struct Expiring<T> {
    name_length: usize,
    lifetime: Duration,
    remembered: Duration,
    issued: HashMap<String, Issued<T>>,
    by_age: VecDeque<(Moment, String)>,
}

struct Issued<T> {
    expires: Moment,
    thing: T,
}

/// What a name stands for.
pub(crate) enum Found<'a, T> {
    Live(&'a T),
    Expired(&'a T),
    Unknown,
}

impl<T> Expiring<T> {
    pub(crate) fn new(name_length: usize, lifetime: Duration) -> Self {
        let (issued, by_age) = (HashMap::new(), VecDeque::new());
        Self { name_length, lifetime, remembered: Duration::ZERO, issued, by_age }
    }

    /// Expired things are told apart from unknown ones for this long.
    pub(crate) fn remembered_for(self, remembered: Duration) -> Self {
        Self { remembered, ..self }
    }

    /// Hands `thing` out; gives its name.
    pub(crate) fn issue(&mut self, thing: T, now: Moment, chance: &mut Chance) -> String {
        while self.by_age.front().is_some_and(|(expires, _)| *expires + self.remembered <= now) {
            if let Some((_, name)) = self.by_age.pop_front() {
                self.issued.remove(&name);
            }
        }
        let (name, expires) = (chance.text(self.name_length), now + self.lifetime);
        self.issued.insert(name.clone(), Issued { expires, thing });
        self.by_age.push_back((expires, name.clone()));
        name
    }

    pub(crate) fn find(&self, name: &str, now: Moment) -> Found<'_, T> {
        match self.issued.get(name) {
            None => Found::Unknown,
            Some(issued) if issued.expires <= now => Found::Expired(&issued.thing),
            Some(issued) => Found::Live(&issued.thing),
        }
    }

    pub(crate) fn live(&self, name: &str, now: Moment) -> Option<&T> {
        if let Found::Live(thing) = self.find(name, now) { Some(thing) } else { None }
    }

    pub(crate) fn live_mut(&mut self, name: &str, now: Moment) -> Option<&mut T> {
        self.issued.get_mut(name).filter(|issued| issued.expires > now).map(|issued| &mut issued.thing)
    }

    /// Takes it back: the name stands for nothing from now on.
    pub(crate) fn take(&mut self, name: &str) -> Option<T> {
        self.issued.remove(name).map(|issued| issued.thing)
    }
}

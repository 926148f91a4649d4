use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::Member;
use super::crowd::Crowd;

/// The members of a company: those who were put there, each found by one look-up in an index, before a generated
/// crowd. Members are shared (`Arc`): going back to the start copies pointers.
#[derive(Debug, Clone, Default)]
pub(super) struct Members {
    /// By the place in the order in which they came. The crowd has the first places.
    own: BTreeMap<u64, Arc<Member>>,
    places: HashMap<String, u64>,
    by_department: HashMap<i64, Vec<Arc<Member>>>,
    by_mobile: HashMap<String, Arc<Member>>,
    by_email: HashMap<String, Arc<Member>>,
    by_biz_mail: HashMap<String, Arc<Member>>,
    crowd: Option<Arc<Crowd>>,
    /// Places of the crowd whose member has left or has been edited (and is then among `own`).
    gone: HashSet<u64>,
}

/// Whom a list shows, without the rest of a member.
pub(crate) struct Face<'a> {
    pub(crate) userid: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
    pub(crate) alias: &'a str,
    pub(crate) department: Cow<'a, [i64]>,
}

impl<'a> Face<'a> {
    fn of(member: &'a Member) -> Self {
        Self {
            userid: Cow::Borrowed(&member.userid),
            name: Cow::Borrowed(&member.name),
            alias: &member.alias,
            department: Cow::Borrowed(&member.department),
        }
    }
}

fn borrowed(member: &Arc<Member>) -> Cow<'_, Member> {
    Cow::Borrowed(member)
}

impl Members {
    pub(super) fn of(crowd: Crowd) -> Self {
        Self { crowd: Some(Arc::new(crowd)), ..Self::default() }
    }

    fn crowd_len(&self) -> u64 {
        self.crowd.as_ref().map_or(0, |crowd| crowd.len())
    }

    /// The crowd's member at that place, who is still as generated.
    fn in_crowd(&self, place: Option<u64>) -> Option<(&Crowd, u64)> {
        let place = place.filter(|place| !self.gone.contains(place))?;
        Some((self.crowd.as_deref()?, place))
    }

    pub(super) fn get(&self, userid: &str) -> Option<Cow<'_, Member>> {
        let key = Member::key(userid);
        if let Some(place) = self.places.get(&key) {
            return self.own.get(place).map(borrowed);
        }
        let (crowd, place) = self.in_crowd(self.crowd.as_ref()?.place(&key))?;
        Some(Cow::Owned(crowd.member(place)))
    }

    pub(super) fn by_mobile(&self, mobile: &str) -> Option<Cow<'_, Member>> {
        if let Some(member) = self.by_mobile.get(&mobile.to_ascii_lowercase()) {
            return Some(borrowed(member));
        }
        let (crowd, place) = self.in_crowd(self.crowd.as_ref()?.place_by_mobile(mobile))?;
        Some(Cow::Owned(crowd.member(place)))
    }

    pub(super) fn by_email(&self, email: &str, biz: bool) -> Option<Cow<'_, Member>> {
        let index = if biz { &self.by_biz_mail } else { &self.by_email };
        if let Some(member) = index.get(&email.to_ascii_lowercase()) {
            return Some(borrowed(member));
        }
        let (crowd, place) = self.in_crowd(self.crowd.as_ref()?.place_by_email(email, biz))?;
        Some(Cow::Owned(crowd.member(place)))
    }

    pub(super) fn len(&self) -> usize {
        let crowd = usize::try_from(self.crowd_len()).unwrap_or(usize::MAX);
        crowd - self.gone.len() + self.own.len()
    }

    /// Everybody from that place on, in order.
    pub(super) fn iter(&self, from: u64) -> impl Iterator<Item = (u64, Cow<'_, Member>)> {
        self.places(from).filter_map(|place| {
            let member = match self.in_crowd((place < self.crowd_len()).then_some(place)) {
                Some((crowd, place)) => Cow::Owned(crowd.member(place)),
                None => borrowed(self.own.get(&place)?),
            };
            Some((place, member))
        })
    }

    /// As [`iter`](Self::iter), for lists that show no more than a face.
    pub(super) fn faces(&self, from: u64) -> impl Iterator<Item = (u64, Face<'_>)> {
        self.places(from).filter_map(|place| {
            let face = match self.in_crowd((place < self.crowd_len()).then_some(place)) {
                Some((crowd, place)) => crowd.face(place),
                None => Face::of(self.own.get(&place)?),
            };
            Some((place, face))
        })
    }

    /// Every place that somebody may have: the crowd's, then those who came later.
    fn places(&self, from: u64) -> impl Iterator<Item = u64> {
        let crowd = self.crowd_len();
        (from..crowd).chain(self.own.range(from.max(crowd)..).map(|(place, _)| *place))
    }

    pub(super) fn of_department(&self, department: i64) -> impl Iterator<Item = Cow<'_, Member>> {
        let crowd = self.crowd.as_deref().into_iter().flat_map(move |crowd| {
            let places = crowd.places_of(department).iter().map(|place| u64::from(*place));
            places.filter(|place| !self.gone.contains(place)).map(|place| Cow::Owned(crowd.member(place)))
        });
        crowd.chain(self.by_department.get(&department).into_iter().flatten().map(borrowed))
    }

    /// The place of a member, found without regard to case.
    pub(super) fn place(&self, userid: &str) -> Option<u64> {
        let key = Member::key(userid);
        self.places.get(&key).copied().or_else(|| {
            let place = self.crowd.as_ref().and_then(|crowd| crowd.place(&key));
            self.in_crowd(place).map(|(_, place)| place)
        })
    }

    /// Adds the member at the end, or in the place of the one with the same userid.
    pub(super) fn put(&mut self, member: Member) {
        let end = || self.own.last_key_value().map_or(0, |(last, _)| last + 1).max(self.crowd_len());
        let place = self.place(&member.userid).unwrap_or_else(end);
        self.put_at(place, member);
    }

    pub(super) fn put_at(&mut self, place: u64, mut member: Member) {
        member.level();
        self.remove(&member.userid);
        let member = Arc::new(member);
        for department in &member.department {
            self.by_department.entry(*department).or_default().push(Arc::clone(&member));
        }
        for (index, value) in [
            (&mut self.by_mobile, &member.mobile),
            (&mut self.by_email, &member.email),
            (&mut self.by_biz_mail, &member.biz_mail),
        ] {
            if !value.is_empty() {
                index.insert(value.to_ascii_lowercase(), Arc::clone(&member));
            }
        }
        self.places.insert(Member::key(&member.userid), place);
        self.own.insert(place, member);
    }

    /// Takes the member out; gives back whom it took.
    pub(super) fn remove(&mut self, userid: &str) -> Option<Member> {
        let Some(place) = self.places.remove(&Member::key(userid)) else {
            let (crowd, place) = self.in_crowd(self.place(userid))?;
            let member = crowd.member(place);
            self.gone.insert(place);
            return Some(member);
        };
        let member = self.own.remove(&place)?;
        for department in &member.department {
            if let Some(list) = self.by_department.get_mut(department) {
                list.retain(|other| !Arc::ptr_eq(other, &member));
            }
        }
        for (index, value) in [
            (&mut self.by_mobile, &member.mobile),
            (&mut self.by_email, &member.email),
            (&mut self.by_biz_mail, &member.biz_mail),
        ] {
            let key = value.to_ascii_lowercase();
            if index.get(&key).is_some_and(|other| Arc::ptr_eq(other, &member)) {
                index.remove(&key);
            }
        }
        Some(Arc::unwrap_or_clone(member))
    }
}

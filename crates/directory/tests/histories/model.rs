//! The reference model: what the copy must show after each step of a history, by the rules of docs/organisation.md and nothing
//! else. It is pure: it has no storage and no WeCom, and it shares no code with the program.

use std::collections::{BTreeMap, BTreeSet};

/// A member of a company, by place.
pub(crate) type Who = usize;
/// An app of a company, by place.
pub(crate) type App = usize;

pub(crate) const MEMBERS: usize = 5;
pub(crate) const APPS: usize = 2;
/// An app that is not answered for so long decides nothing any more.
const COUNTED_OUT_AFTER: i64 = 24 * 60;

/// A member as WeCom has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) department: Option<i64>,
    pub(crate) disabled: bool,
    pub(crate) name: u8,
    pub(crate) mobile: Option<u8>,
}

/// An app as WeCom has it, and whether the program is configured for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) departments: BTreeSet<i64>,
    pub(crate) names: BTreeSet<Who>,
    /// WeCom answers 50003.
    pub(crate) disabled: bool,
    pub(crate) configured: bool,
}

/// The truth of a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) people: BTreeMap<Who, Person>,
    pub(crate) apps: Vec<Scope>,
}

/// Departments 1 to 4: 2 and 3 are below 1, and 4 is below 2.
pub(crate) const PARENTS: [(i64, i64); 4] = [(1, 0), (2, 1), (3, 1), (4, 2)];

/// A department with all below it.
pub(crate) fn below(root: i64) -> BTreeSet<i64> {
    let mut found = BTreeSet::from([root]);
    for (id, parent) in PARENTS {
        if found.contains(&parent) {
            found.insert(id);
        }
    }
    found
}

impl Truth {
    pub(crate) fn sees(&self, app: App, who: Who) -> bool {
        let Some(person) = self.people.get(&who) else { return false };
        let scope = &self.apps[app];
        let here = |id: i64| scope.departments.iter().any(|root| below(*root).contains(&id));
        scope.names.contains(&who) || person.department.is_some_and(here)
    }

    fn is_barred(&self, who: Who) -> bool {
        self.people.get(&who).is_some_and(|person| person.disabled)
    }

    fn configured(&self) -> Vec<App> {
        (0..APPS).filter(|app| self.apps[*app].configured).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Evidence {
    Deleted,
    Unseen,
}

/// What the copy knows of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Row {
    pub(crate) left: Option<(i64, Evidence)>,
}

/// The last answer to an app about a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) sees: bool,
    pub(crate) asked: i64,
}

/// A company's copy, as it must be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Copy {
    pub(crate) rows: BTreeMap<Who, Row>,
    pub(crate) views: BTreeMap<(App, Who), View>,
    /// Members who were deleted while the copy did not know them.
    pub(crate) marks: BTreeMap<Who, i64>,
    pub(crate) run_numbers: [Option<i64>; APPS],
    /// In minutes.
    pub(crate) failing_since: [Option<i64>; APPS],
    /// By id: the app and the member.
    pub(crate) sessions: BTreeMap<String, (App, Who)>,
    /// Members whom events ask to read again.
    pub(crate) tasks: BTreeSet<Who>,
}

/// What becomes of a member after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Decided,
    Undecided,
}

/// When: the number that the database gives out next, and the clock in minutes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    pub(crate) number: i64,
    pub(crate) minute: i64,
}

impl Copy {
    fn counts(&self, app: App, when: When) -> bool {
        self.failing_since[app].is_none_or(|since| since > when.minute - COUNTED_OUT_AFTER)
    }

    fn fails(&mut self, app: App, when: When) {
        self.failing_since[app].get_or_insert(when.minute);
    }

    fn miss_others(&mut self, truth: &Truth, when: When) {
        for app in (0..APPS).filter(|app| !truth.apps[*app].configured) {
            self.fails(app, when);
        }
    }

    fn sees(&self, app: App, who: Who) -> bool {
        self.views.get(&(app, who)).is_some_and(|view| view.sees)
    }

    fn end_sessions(&mut self, who: Who, through: Option<App>) {
        self.sessions
            .retain(|_, (app, member)| *member != who || through.is_some_and(|through| through != *app));
    }

    fn leave(&mut self, who: Who, evidence: Evidence, number: i64) {
        if let Some(row) = self.rows.get_mut(&who) {
            match (row.left, evidence) {
                (None, _) => row.left = Some((number, evidence)),
                (Some((before, _)), Evidence::Deleted) if before < number => {
                    row.left = Some((number, evidence));
                }
                _ => {}
            }
        }
        if evidence == Evidence::Deleted {
            for app in 0..APPS {
                if let Some(view) =
                    self.views.get_mut(&(app, who)).filter(|view| view.sees && view.asked < number)
                {
                    *view = View { sees: false, asked: number };
                }
            }
        }
        self.end_sessions(who, None);
    }

    /// WeCom showed the member to the app when it was asked by that number.
    pub(crate) fn visible(&mut self, app: App, who: Who, barred: bool, number: i64) {
        self.failing_since[app] = None;
        match self.rows.get_mut(&who) {
            Some(Row { left: Some((left, _)) }) if *left >= number => return,
            Some(row) => {
                if !barred {
                    row.left = None;
                }
            }
            None => {
                let mark = self.marks.get(&who).copied().into_iter();
                let mark =
                    mark.chain(self.views.get(&(app, who)).filter(|view| !view.sees).map(|view| view.asked));
                let mark = mark.filter(|mark| *mark > number).max();
                self.rows.insert(who, Row::default());
                if let Some(mark) = mark {
                    return self.leave(who, Evidence::Unseen, mark);
                }
            }
        }
        let view = self.views.entry((app, who)).or_insert(View { sees: true, asked: number });
        if view.asked <= number {
            *view = View { sees: true, asked: number };
        }
        if barred {
            self.leave(who, Evidence::Unseen, number);
        }
    }

    /// WeCom told these apps, asked by that number, that they do not see the member, and showed the member to others or not.
    fn not_visible(&mut self, blind: &[App], who: Who, is_visible: bool, when: When) -> Standing {
        let mut lost = Vec::new();
        for app in blind {
            self.failing_since[*app] = None;
            let confirmed_later = self.run_numbers[*app].is_some_and(|run| run > when.number);
            let stays = self
                .views
                .get(&(*app, who))
                .is_some_and(|view| view.asked > when.number || (view.sees && confirmed_later));
            if !stays {
                self.views.insert((*app, who), View { sees: false, asked: when.number });
                lost.push(*app);
            }
        }
        let standing = self.judge(who, is_visible, when);
        for app in lost {
            self.end_sessions(who, Some(app));
        }
        standing
    }

    fn judge(&mut self, who: Who, is_visible: bool, when: When) -> Standing {
        match self.rows.get(&who) {
            None | Some(Row { left: Some(_) }) => return Standing::Decided,
            Some(_) if is_visible => return Standing::Decided,
            Some(_) => {}
        }
        let keeps = |app: &App| {
            let asked =
                self.views.get(&(*app, who)).is_some_and(|view| !view.sees && view.asked >= when.number);
            self.counts(*app, when) && !asked
        };
        if (0..APPS).any(|app| keeps(&app)) {
            return Standing::Undecided;
        }
        self.leave(who, Evidence::Unseen, when.number);
        Standing::Decided
    }

    /// An answer to a sign-in or to getUserInfo comes in. `answer` is what WeCom saw when it was asked: visible and barred, or
    /// not.
    pub(crate) fn read(&mut self, app: App, who: Who, answer: Option<bool>, when: When) {
        match answer {
            Some(barred) => self.visible(app, who, barred, when.number),
            None => {
                if self.not_visible(&[app], who, false, when) == Standing::Undecided {
                    self.tasks.insert(who);
                }
            }
        }
    }

    /// True if a session may begin.
    pub(crate) fn may_begin(&self, app: App, who: Who) -> bool {
        let has_left = self.rows.get(&who).is_some_and(|row| row.left.is_some());
        let is_blind = self.views.get(&(app, who)).is_some_and(|view| !view.sees);
        !has_left && !is_blind
    }

    /// An event came: the member was deleted.
    pub(crate) fn told_deleted(&mut self, truth: &Truth, who: Who, when: When) {
        self.miss_others(truth, when);
        self.leave(who, Evidence::Deleted, when.number);
        if !self.rows.contains_key(&who) {
            self.marks.insert(who, when.number);
        }
        self.tasks.insert(who);
    }

    /// An event came: something about the member has changed.
    pub(crate) fn told_changed(&mut self, truth: &Truth, who: Who, when: When) {
        self.miss_others(truth, when);
        self.tasks.insert(who);
    }

    /// An event came: the member has left the visible scope of the app.
    pub(crate) fn told_out_of_scope(&mut self, truth: &Truth, app: App, who: Who, when: When) {
        self.miss_others(truth, when);
        self.not_visible(&[app], who, false, when);
        self.tasks.insert(who);
    }

    /// The worker does what events have asked for.
    pub(crate) fn work(&mut self, truth: &Truth, is_away: bool, when: When) {
        let configured = truth.configured();
        let (answered, failing): (Vec<App>, Vec<App>) =
            configured.into_iter().partition(|app| !truth.apps[*app].disabled);
        if is_away || answered.is_empty() {
            return;
        }
        for who in std::mem::take(&mut self.tasks) {
            for app in &failing {
                self.fails(*app, when);
            }
            let (seeing, blind): (Vec<App>, Vec<App>) =
                answered.iter().partition(|app| truth.sees(**app, who));
            for app in &seeing {
                self.visible(*app, who, truth.is_barred(who), when.number);
            }
            self.not_visible(&blind, who, !seeing.is_empty(), when);
        }
    }

    /// A sync of the app comes to its end, or fails.
    pub(crate) fn sync(&mut self, truth: &Truth, app: App, forced: bool, is_away: bool, when: When) {
        self.miss_others(truth, when);
        if is_away || truth.apps[app].disabled {
            return self.fails(app, when);
        }
        let seen: Vec<Who> = (0..MEMBERS).filter(|who| truth.sees(app, *who)).collect();
        let is_orphan =
            |copy: &Self, who: Who| !(0..APPS).any(|app| copy.counts(app, when) && copy.sees(app, who));
        let mut candidates: Vec<Who> = self.rows.keys().copied().filter(|who| !seen.contains(who)).collect();
        candidates.retain(|who| {
            let has_session = self.sessions.values().any(|session| *session == (app, *who));
            self.rows[who].left.is_none() && (self.sees(app, *who) || is_orphan(self, *who) || has_session)
        });
        let held = !forced && seen.is_empty() && !candidates.is_empty();
        // Other apps are asked about members whom no app is known to see any more.
        for other in truth.configured().into_iter().filter(|other| *other != app && !held) {
            for who in candidates.clone() {
                let elsewhere = (0..APPS).any(|x| x != app && self.counts(x, when) && self.sees(x, who));
                let asked = self.views.get(&(other, who)).is_some_and(|view| view.asked >= when.number);
                if elsewhere || asked {
                    continue;
                }
                if truth.apps[other].disabled {
                    self.fails(other, when);
                    break;
                }
                if truth.sees(other, who) {
                    self.visible(other, who, truth.is_barred(who), when.number);
                } else {
                    self.not_visible(&[other], who, false, when);
                }
            }
        }
        for who in &seen {
            let barred = truth.is_barred(*who);
            self.rows.entry(*who).or_default();
            if !barred {
                self.rows.insert(*who, Row::default());
            }
            let view = self.views.entry((app, *who)).or_insert(View { sees: true, asked: when.number });
            if !view.sees {
                *view = View { sees: true, asked: when.number };
            }
            if barred && self.rows[who].left.is_none() {
                self.leave(*who, Evidence::Unseen, when.number);
            }
        }
        self.failing_since[app] = None;
        if !held {
            for who in candidates {
                if self.rows[&who].left.is_some() {
                    continue;
                }
                self.views.insert((app, who), View { sees: false, asked: when.number });
                let all_blind = (0..APPS).filter(|x| self.counts(*x, when)).all(|x| {
                    self.views.get(&(x, who)).is_some_and(|view| !view.sees && view.asked >= when.number)
                });
                if all_blind {
                    self.leave(who, Evidence::Unseen, when.number);
                }
                self.end_sessions(who, Some(app));
            }
        }
        self.run_numbers[app] = Some(when.number);
    }
}

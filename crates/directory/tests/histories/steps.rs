//! The steps of histories, and how they are chosen at random.

use std::collections::BTreeSet;

use proptest::collection::{btree_set, vec};
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

use crate::model::{APPS, App, MEMBERS, Who};
use crate::world::COMPANIES;

/// What changes in a company.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// Hired, or hired again.
    Hire(Who, Option<i64>),
    Leave(Who),
    Move(Who, Option<i64>),
    Rename(Who, u8),
    Mobile(Who, Option<u8>),
    Disable(Who, bool),
    Scope(App, BTreeSet<i64>, BTreeSet<Who>),
    DisableApp(App, bool),
    Configure(App, bool),
}

/// An event that comes, whether it is true or not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Told {
    Deleted(Who),
    Changed(Who),
    OutOfScope(App, Who),
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Edit(usize, Edit),
    /// With the event that WeCom sends for it, where it sends one.
    EditTold(usize, Edit),
    Told(usize, Told),
    Work,
    Sync(usize, App, bool),
    SignIn(usize, App, Who),
    /// A sign-in reads the member, and its answer arrives after these steps.
    LateSignIn(usize, App, Who, Vec<Step>),
    /// WeCom answers nobody until it is back.
    Away(bool),
    /// A sync that is killed after it was polled so often.
    KilledSync(usize, App, bool, u16),
    KilledWork(u16),
    /// Minutes, in either direction.
    Clock(i64),
}

fn who() -> std::ops::Range<Who> {
    0..MEMBERS
}

fn department() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![4 => (1..=4_i64).prop_map(Some), 1 => Just(None)]
}

fn edit() -> BoxedStrategy<Edit> {
    prop_oneof![
        4 => (who(), department()).prop_map(|(who, id)| Edit::Hire(who, id)),
        4 => who().prop_map(Edit::Leave),
        5 => (who(), department()).prop_map(|(who, id)| Edit::Move(who, id)),
        2 => (who(), any::<u8>()).prop_map(|(who, name)| Edit::Rename(who, name % 4)),
        2 => (who(), any::<Option<u8>>()).prop_map(|(who, mobile)| Edit::Mobile(who, mobile.map(|one| one % 4))),
        2 => (who(), any::<bool>()).prop_map(|(who, yes)| Edit::Disable(who, yes)),
        4 => (0..APPS, btree_set(1..=4_i64, 0..3), btree_set(who(), 0..3))
            .prop_map(|(app, ids, names)| Edit::Scope(app, ids, names)),
        2 => (0..APPS, any::<bool>()).prop_map(|(app, yes)| Edit::DisableApp(app, yes)),
        2 => (0..APPS, any::<bool>()).prop_map(|(app, yes)| Edit::Configure(app, yes)),
    ]
    .boxed()
}

fn one_event() -> impl Strategy<Value = Told> {
    prop_oneof![
        who().prop_map(Told::Deleted),
        who().prop_map(Told::Changed),
        (0..APPS, who()).prop_map(|(app, who)| Told::OutOfScope(app, who)),
    ]
}

fn plain() -> BoxedStrategy<Step> {
    let company = || 0..COMPANIES;
    prop_oneof![
        6 => (company(), edit()).prop_map(|(company, edit)| Step::Edit(company, edit)),
        8 => (company(), edit()).prop_map(|(company, edit)| Step::EditTold(company, edit)),
        3 => (company(), one_event()).prop_map(|(company, told)| Step::Told(company, told)),
        5 => Just(Step::Work),
        7 => (company(), 0..APPS, any::<bool>()).prop_map(|(company, app, force)| Step::Sync(company, app, force)),
        7 => (company(), 0..APPS, who()).prop_map(|(company, app, who)| Step::SignIn(company, app, who)),
        1 => any::<bool>().prop_map(Step::Away),
        2 => prop_oneof![1..90_i64, -90..0_i64, 1000..1700_i64].prop_map(Step::Clock),
    ]
    .boxed()
}

fn step() -> impl Strategy<Value = Step> {
    let company = || 0..COMPANIES;
    prop_oneof![
        20 => plain(),
        2 => (company(), 0..APPS, who(), vec(plain(), 1..3))
            .prop_map(|(company, app, who, then)| Step::LateSignIn(company, app, who, then)),
        1 => (company(), 0..APPS, any::<bool>(), 0..250_u16)
            .prop_map(|(company, app, force, polls)| Step::KilledSync(company, app, force, polls)),
        1 => (0..60_u16).prop_map(Step::KilledWork),
    ]
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec(step(), 8..28)
}

//! Runs of a sync, and what they do to the copy.

use std::time::Duration;

use wecom_login_model::{
    AgentId, CorpId, Department, DepartmentId, Fingerprint, MemberStatus, Profile, Timestamp, UserId,
};
use wecom_login_store::{
    Answers, AppAnswer, ApplyParams, Asked, EventTask, Lease, LeaseGuard, LookupKind, MemberAnswers, NewRun,
    NewSession, Outcome, OutgoingEvent, Phase, ReadNumber, Run, RunScope, Staged, Standing, Store,
    VisibleScope, WalkedDepartment,
};

use crate::backends::{Fresh, REGISTERS, begin_session, mark_left, on_every_database, save_member};
use crate::{NOW, until};

const MINUTE: Duration = Duration::from_mins(1);

pub(crate) fn corp() -> CorpId {
    CorpId::parse("wwA").unwrap()
}

pub(crate) fn agent(text: &str) -> AgentId {
    AgentId::parse(text).unwrap()
}

pub(crate) fn user(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

pub(crate) fn staged(text: &str, name: &str, read_at: Timestamp) -> Staged {
    let profile = Profile {
        // What COPY and SQL must carry as it is.
        name: format!("{name}\t\\N\n'\"\r张"),
        departments: vec![DepartmentId(1)],
        status: Some(MemberStatus::Active),
        ..Profile::default()
    };
    // The company gives the number.
    let asked = Asked { number: ReadNumber(0), at: read_at };
    Staged { user_id: user(text), profile, asked, source: Some(DepartmentId(1)) }
}

pub(crate) struct Company<'a> {
    pub(crate) store: &'a Store,
    pub(crate) agent: AgentId,
    pub(crate) now: Timestamp,
}

impl Company<'_> {
    async fn begin(&self) -> Run {
        let new = NewRun {
            corp_id: &corp(),
            agent_id: &self.agent,
            instance: "Example",
            extent: RunScope::Company,
            started_by: "test",
            forced: false,
            phase: Phase::VisibleScope,
        };
        self.store.begin_run(&new, LeaseGuard::NOTHING, self.now - MINUTE * 60, self.now).await.unwrap()
    }

    /// A run that sees these members in department 1, up to the point where leavers are asked for.
    pub(crate) async fn walk(&self, mut members: Vec<Staged>) -> Run {
        let run = self.begin().await;
        let number = self.store.next_number().await.unwrap();
        for member in &mut members {
            member.asked.number = number;
        }
        let department = Department { id: DepartmentId(1), name: "总部".into(), parent: None, order: 7 };
        let scope = VisibleScope {
            departments: vec![department],
            names: vec![user("named")],
            ..VisibleScope::default()
        };
        self.store.stage_scope(run.id, &scope, LeaseGuard::NOTHING).await.unwrap();
        let walked = [WalkedDepartment { id: DepartmentId(1), whole: true }];
        self.store.stage_walked(run.id, members, &walked, LeaseGuard::NOTHING).await.unwrap();
        self.store.end_walk(run.id, LeaseGuard::NOTHING).await.unwrap();
        self.store.find_leavers(&run, self.now, LeaseGuard::NOTHING).await.unwrap();
        self.store.run(run.id).await.unwrap().unwrap()
    }

    pub(crate) async fn apply(&self, run: &Run, hold: Option<&str>) -> (wecom_login_store::Applied, Outcome) {
        let when = ApplyParams {
            now: self.now,
            extent: RunScope::Company,
            hold: hold.map(str::to_owned),
            blind: None,
            since: run.number,
            gone: Vec::new(),
            watched_until: Some(self.now + MINUTE),
        };
        let applied = self.store.apply_run(run, &when, LeaseGuard::NOTHING).await.unwrap();
        self.store.clear_staging(&corp(), &self.agent, 50).await.unwrap();
        applied
    }

    pub(crate) async fn gone(&self, run: &Run, whom: LookupKind) {
        let people = self.store.next_to_ask(run.id, whom, 100).await.unwrap();
        let people: Vec<UserId> = people.into_iter().map(|one| one.user_id).collect();
        let answers = Answers { gone: people, ..Answers::default() };
        let asked = Asked { number: self.store.next_number().await.unwrap(), at: self.now };
        self.store.stage_answers(run.id, &answers, asked, LeaseGuard::NOTHING).await.unwrap();
    }

    pub(crate) async fn has_left(&self, text: &str) -> bool {
        self.store.member(&corp(), &user(text)).await.unwrap().unwrap().left_at.is_some()
    }
}

async fn a_run_writes_what_differs_and_nothing_else(fresh: Fresh) {
    let mut company = Company { store: &fresh.store, agent: agent("7"), now: NOW };
    let people =
        |now| (0..1_200).map(|number| staged(&format!("User{number:04}"), "名", now)).collect::<Vec<_>>();
    let mut twice = people(NOW);
    twice.extend(people(NOW).into_iter().take(100));
    let run = company.walk(twice).await;
    assert_eq!((run.seen, run.departments), (1_200, 1), "who is in two departments is one member");
    let (applied, outcome) = company.apply(&run, None).await;
    assert_eq!((applied.joined, applied.changed, outcome), (1_200, 0, Outcome::Complete));
    let row = fresh.store.member(&corp(), &user("user0007")).await.unwrap().unwrap();
    assert_eq!((row.profile, row.user_id.as_str()), (staged("x", "名", NOW).profile, "User0007"));

    company.now = NOW + MINUTE;
    let run = company.walk(people(company.now)).await;
    assert_eq!(company.apply(&run, None).await.0.written, 0);
    let mut people = people(company.now);
    people[5].profile.name = "改".into();
    company.now = company.now + MINUTE;
    for one in &mut people {
        one.asked.at = company.now;
    }
    let run = company.walk(people).await;
    let (applied, _) = company.apply(&run, None).await;
    assert_eq!((applied.joined, applied.changed, applied.left), (0, 1, 0));
}

async fn whom_no_app_sees_has_left_and_is_told_once(fresh: Fresh) {
    let (one, other) = (agent("7"), agent("8"));
    let mut company = Company { store: &fresh.store, agent: one.clone(), now: NOW };
    for agent in [one, other] {
        company.agent = agent;
        let run = company.walk(vec![staged("stays", "a", NOW), staged("goes", "b", NOW)]).await;
        company.apply(&run, None).await;
    }
    let session = NewSession {
        id: "s1",
        token_hash: Fingerprint::of("t"),
        sign_in: None,
        corp_id: &corp(),
        user_id: &user("goes"),
        instance: "Example",
        agent_id: &agent("7"),
        created_at: NOW,
        idle_until: NOW + MINUTE * 60,
        expires_at: NOW + MINUTE * 60,
        account: REGISTERS,
        former: None,
    };
    begin_session(&fresh.store, &session).await;
    for (text, left) in [("8", false), ("7", true)] {
        (company.agent, company.now) = (agent(text), company.now + MINUTE);
        let run = company.walk(vec![staged("stays", "a", company.now)]).await;
        company.gone(&run, LookupKind::Leavers).await;
        if left {
            // The sync asks the other app once more before it marks anybody.
            let (number, other) = (fresh.store.next_number().await.unwrap(), agent("8"));
            let answers = [(&other, AppAnswer::NotVisible)];
            let (corp_id, user_id) = (&corp(), &user("goes"));
            let asked = Asked { number, at: company.now };
            let read = MemberAnswers { corp_id, user_id, asked, answers: &answers };
            let standing = fresh.store.record_answers(&read, company.now).await.unwrap();
            assert_eq!(standing, Standing::Undecided, "the app of the run saw the member");
        }
        let (applied, _) = company.apply(&run, None).await;
        assert_eq!((applied.left, company.has_left("goes").await), (u64::from(left), left), "app {text}");
    }
    assert!(fresh.store.session_by_id("s1", company.now).await.unwrap().is_none());
    let told: Vec<OutgoingEvent> =
        fresh.store.outbox(0, 10).await.unwrap().into_iter().map(|row| row.event).collect();
    assert_eq!(told, [OutgoingEvent::MemberLeft, OutgoingEvent::SessionEnded("s1".into())]);

    company.now = company.now + MINUTE;
    let run = company.walk(vec![staged("stays", "a", company.now), staged("goes", "b", company.now)]).await;
    assert_eq!(company.apply(&run, None).await.0.came_back, 1);
    assert!(!company.has_left("goes").await);
    let told = fresh.store.outbox(0, 10).await.unwrap().pop().unwrap();
    assert_eq!((told.event, told.user_key), (OutgoingEvent::MemberReturned, user("goes")));
}

async fn of_many_leavers_everybody_is_told(fresh: Fresh) {
    const MANY: usize = 1_100;
    let mut company = Company { store: &fresh.store, agent: agent("7"), now: NOW };
    let names: Vec<String> = (0..MANY).map(|number| format!("m{number:04}")).collect();
    let mut people: Vec<Staged> = names.iter().map(|name| staged(name, "名", NOW)).collect();
    people.push(staged("stays", "a", NOW));
    let run = company.walk(people).await;
    company.apply(&run, None).await;
    for name in &names {
        let session = NewSession {
            id: name,
            token_hash: Fingerprint::of(name),
            sign_in: None,
            corp_id: &corp(),
            user_id: &user(name),
            instance: "Example",
            agent_id: &agent("7"),
            created_at: NOW,
            idle_until: NOW + MINUTE * 60,
            expires_at: NOW + MINUTE * 60,
            account: REGISTERS,
            former: None,
        };
        begin_session(&fresh.store, &session).await;
    }
    company.now = NOW + MINUTE;
    let run = company.walk(vec![staged("stays", "a", company.now)]).await;
    until("nobody is left to ask about", async || {
        company.gone(&run, LookupKind::Leavers).await;
        fresh.store.next_to_ask(run.id, LookupKind::Leavers, 1).await.unwrap().is_empty()
    })
    .await;
    assert_eq!(company.apply(&run, None).await.0.left, MANY as u64);

    let told = fresh.store.outbox(0, 10_000).await.unwrap();
    let left = told.iter().filter(|row| row.event == OutgoingEvent::MemberLeft);
    assert!(left.map(|row| row.user_key.as_str()).eq(&names));
    let ended = told.iter().filter_map(|row| match &row.event {
        OutgoingEvent::SessionEnded(id) => Some(id),
        OutgoingEvent::MemberLeft | OutgoingEvent::MemberReturned => None,
    });
    assert!(ended.eq(&names));
    let audited = fresh.store.audit_entries(0, 10_000).await.unwrap();
    for event in ["member_left", "session_ended"] {
        let of_it = audited.iter().filter(|(_, entry)| entry.event == event);
        assert!(
            of_it
                .map(|(_, entry)| entry.user_key.as_deref())
                .eq(names.iter().map(|name| Some(name.as_str())))
        );
    }
}

async fn held_removals_wait_for_their_approval(fresh: Fresh) {
    let mut company = Company { store: &fresh.store, agent: agent("7"), now: NOW };
    let run = company.walk(vec![staged("a", "a", NOW), staged("b", "b", NOW)]).await;
    company.apply(&run, None).await;
    company.now = NOW + MINUTE;
    let run = company.walk(vec![staged("a", "a", company.now)]).await;
    assert_eq!(fresh.store.leavers_so_far(&run).await.unwrap(), (0, 2));
    let (applied, outcome) = company.apply(&run, Some("too many")).await;
    assert_eq!((applied.left, applied.held, outcome), (0, 1, Outcome::Held));
    let held = fresh.store.held_removals(10).await.unwrap();
    assert_eq!((held[0].count, held[0].approved, &held[0].members[..]), (1, 0, &[user("b")][..]));
    let confirmation = async |text: &str| {
        let known = fresh.store.known_member(&corp(), &agent("7"), &user(text), NOW).await.unwrap();
        known.unwrap().confirmation
    };
    assert_eq!(confirmation("a").await.confirmed_at, Some(company.now));
    assert_eq!(confirmation("b").await.confirmed_at, None, "held is not confirmed");

    assert_eq!(fresh.store.approve_removals(&corp(), &company.agent, "admin").await.unwrap(), 1);
    company.now = company.now + MINUTE;
    let run = company.walk(vec![staged("a", "a", company.now)]).await;
    company.gone(&run, LookupKind::Approved).await;
    let (applied, outcome) = company.apply(&run, Some("still too many")).await;
    assert_eq!((applied.left, applied.held, outcome), (1, 0, Outcome::Complete));
    assert!(company.has_left("b").await && fresh.store.held_removals(10).await.unwrap().is_empty());
}

async fn what_was_read_or_told_since_is_newer(fresh: Fresh) {
    let mut company = Company { store: &fresh.store, agent: agent("7"), now: NOW };
    let run = company.walk(vec![staged("read", "alt", NOW), staged("left", "x", NOW)]).await;
    company.apply(&run, None).await;
    company.now = NOW + MINUTE;
    let run =
        company.walk(vec![staged("read", "older", company.now), staged("left", "x", company.now)]).await;
    let later = company.now + MINUTE;
    let newer = Profile { name: "newer".into(), ..Profile::default() };
    save_member(&fresh.store, &corp(), &user("read"), &newer, later, &agent("7")).await;
    mark_left(&fresh.store, &corp(), &user("left"), later).await;
    company.now = later + MINUTE;
    company.apply(&run, None).await;
    assert_eq!(fresh.store.member(&corp(), &user("read")).await.unwrap().unwrap().profile.name, "newer");
    assert!(company.has_left("left").await);
}

async fn an_unfinished_run_is_taken_up_and_an_old_one_is_not(fresh: Fresh) {
    let mut company = Company { store: &fresh.store, agent: agent("7"), now: NOW };
    let run = company.begin().await;
    assert_ne!(company.begin().await.id, run.id, "it had read nothing");
    let run = company.walk(vec![staged("a", "a", NOW)]).await;
    assert_eq!(company.begin().await.id, run.id);
    company.now = NOW + MINUTE * 61;
    let next = company.begin().await;
    assert_ne!(next.id, run.id);
    assert_eq!(fresh.store.run(run.id).await.unwrap().unwrap().outcome, Some(Outcome::Failed));
}

async fn a_lease_has_one_holder_and_who_lost_it_writes_nothing(fresh: Fresh) {
    const NAME: &str = "sync/wwA";
    let store = &fresh.store;
    let lease = |holder: &str, beats: i64| Lease {
        holder: holder.to_owned(),
        label: format!("process {holder}"),
        since: NOW,
        beats,
    };
    let take = async |holder: &str, lost: Option<&Lease>| {
        store.take_lease(NAME, &lease(holder, 0), lost).await.unwrap()
    };
    assert_eq!(take("one", None).await, Ok(()));
    assert_eq!(take("two", None).await, Err(lease("one", 0)));
    assert!(store.renew_lease(NAME, "one").await.unwrap());
    assert_eq!(take("two", Some(&lease("one", 0))).await, Err(lease("one", 1)), "it has beaten since");

    let company = Company { store, agent: agent("7"), now: NOW };
    let run = company.begin().await;
    let under = |holder| LeaseGuard { lease: Some((NAME, holder)) };
    store.stage_scope(run.id, &VisibleScope::default(), under("one")).await.unwrap();
    let seen = lease("one", 2);
    assert_eq!(take("two", Some(&lease("one", 1))).await, Err(seen.clone()), "each transaction is a beat");
    assert_eq!(take("two", Some(&seen)).await, Ok(()), "not one beat since");
    assert_eq!(take("three", Some(&seen)).await, Err(lease("two", 0)), "another one was first");
    assert!(!store.renew_lease(NAME, "one").await.unwrap());
    let refused = store.stage_scope(run.id, &VisibleScope::default(), under("one")).await.unwrap_err();
    assert!(refused.is_lease_lost(), "{refused}");
    store.stage_scope(run.id, &VisibleScope::default(), under("two")).await.unwrap();
    store.release_lease(NAME, "two").await.unwrap();
    assert_eq!(take("three", None).await, Ok(()));
    assert_eq!(take("four", Some(&seen)).await, Err(lease("three", 0)));
}

/// The tasks of an event that a replica noted or claimed by a clock that is ahead.
async fn what_a_clock_ahead_has_noted_or_claimed_is_worked_on_now(fresh: Fresh) {
    let (store, corp_id) = (&fresh.store, CorpId::parse("wwA").unwrap());
    let hour = MINUTE * 60;
    let tasks = ["a", "b"].map(|user_id| EventTask::Member(UserId::parse(user_id).unwrap()));
    store.note_event_tasks(&corp_id, &tasks[..1], NOW + hour).await.unwrap();
    store.note_event_tasks(&corp_id, &tasks[1..], NOW).await.unwrap();
    let ahead = store.claim_event_tasks(&corp_id, NOW + hour, NOW + hour + MINUTE, 10).await.unwrap();
    assert_eq!(ahead.len(), 2);
    assert_eq!(store.companies_with_due_events(NOW).await.unwrap(), std::slice::from_ref(&corp_id));
    let now = store.claim_event_tasks(&corp_id, NOW, NOW + MINUTE, 10).await.unwrap();
    assert_eq!(now.len(), 2);
    // Whoever has lost the claim settles nothing.
    store.finish_event_task(&ahead[0]).await.unwrap();
    store.fail_event_task(&ahead[1], "late", true, NOW + hour, None).await.unwrap();
    assert_eq!(store.event_backlog().await.unwrap()[0].waiting, 2);
    assert!(store.companies_with_due_events(NOW).await.unwrap().is_empty(), "they are claimed");
    for task in &now {
        store.finish_event_task(task).await.unwrap();
    }
    assert!(store.event_backlog().await.unwrap().is_empty());
}

on_every_database![
    a_run_writes_what_differs_and_nothing_else,
    whom_no_app_sees_has_left_and_is_told_once,
    of_many_leavers_everybody_is_told,
    held_removals_wait_for_their_approval,
    what_was_read_or_told_since_is_newer,
    an_unfinished_run_is_taken_up_and_an_old_one_is_not,
    a_lease_has_one_holder_and_who_lost_it_writes_nothing,
    what_a_clock_ahead_has_noted_or_claimed_is_worked_on_now,
];

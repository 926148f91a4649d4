//! How each step of a history is done to WeCom, to the program and to the model.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::timeout;
use wecom_login_auth_model::Query;
use wecom_login_directory::{SyncError, SyncOptions, SyncSource};
use wecom_login_model::Clock as _;
use wecom_login_simulator::{Fault, FaultKind};
use wecom_login_store::{AppAnswer, Asked, MemberAnswers, ReadNumber, Standing};

use crate::model::{APPS, App, Copy, MEMBERS, Person, Scope, Truth, When, Who, below};
use crate::steps::{Edit, Step, Told};
use crate::world::{COMPANIES, Database, World, agent, corp, told, user};

/// App 0 sees department 2 with what is below it, app 1 everybody; the members are everywhere.
fn beginning() -> Truth {
    let person = |who: Who| Person {
        department: Some([1, 2, 3, 4][who % 4]),
        disabled: false,
        name: 0,
        mobile: Some(0),
    };
    let scope = |root: i64| Scope {
        departments: BTreeSet::from([root]),
        names: BTreeSet::new(),
        disabled: false,
        configured: true,
    };
    Truth { people: (0..MEMBERS - 1).map(|who| (who, person(who))).collect(), apps: vec![scope(2), scope(1)] }
}

/// No step takes longer.
const DEADLINE: Duration = Duration::from_mins(1);

/// Runs a history; what differs, if something does.
pub(crate) async fn run(database: Database, steps: &[Step]) -> Result<(), String> {
    let truths = vec![beginning(); COMPANIES];
    let world = World::new(database, &truths).await;
    let models = world.copies().await;
    let mut history = History { world, truths, models, is_away: false };
    for (at, step) in steps.iter().enumerate() {
        let done = timeout(DEADLINE, Box::pin(history.go(step))).await;
        done.map_err(|_| format!("step {at} hangs: {step:?}"))?;
        history.compare().await.map_err(|problem| format!("step {at}, {step:?}: {problem}"))?;
    }
    timeout(DEADLINE, history.settle()).await.map_err(|_| "the end hangs".to_owned())?
}

struct History {
    world: World,
    truths: Vec<Truth>,
    models: Vec<Copy>,
    is_away: bool,
}

impl History {
    async fn go(&mut self, step: &Step) {
        match step {
            Step::Edit(company, edit) => self.edit(*company, edit),
            Step::EditTold(company, edit) => {
                let before = self.truths[*company].clone();
                self.edit(*company, edit);
                for told in told_by(&before, &self.truths[*company], edit) {
                    self.tell(*company, told).await;
                }
            }
            Step::Told(company, told) => self.tell(*company, *told).await,
            Step::Work => self.work().await,
            Step::Sync(company, app, force) => self.sync(*company, *app, *force).await,
            Step::SignIn(company, app, who) => {
                let asked = self.ask(*company, *app, *who).await;
                self.answer(*company, *app, *who, asked).await;
            }
            Step::LateSignIn(company, app, who, then) => {
                let asked = self.ask(*company, *app, *who).await;
                for step in then {
                    Box::pin(self.go(step)).await;
                }
                self.answer(*company, *app, *who, asked).await;
            }
            Step::Away(away) => {
                self.is_away = *away;
                self.world.wecom.clear_faults();
                if *away {
                    self.world.wecom.fault(Fault::new("*", FaultKind::Errcode { code: -1 }));
                }
            }
            Step::KilledSync(company, app, force, polls) => {
                if self.truths[*company].apps[*app].configured {
                    let source = self.world.source(*company, *app);
                    let directory = self.world.directory.clone();
                    let options = options(*force);
                    let sync = directory.sync(&source, &options, &|_| ());
                    killed_after(*polls, sync).await;
                    self.adopt().await;
                }
            }
            Step::KilledWork(polls) => {
                self.world.clock.advance(LONGEST_PAUSE);
                let events = self.world.events.clone();
                killed_after(*polls, events.work()).await;
                self.adopt().await;
            }
            Step::Clock(minutes) => self.pass(*minutes),
        }
    }

    fn pass(&self, minutes: i64) {
        let by = Duration::from_secs(minutes.unsigned_abs() * 60);
        let now = self.world.clock.now();
        self.world.clock.set(if minutes < 0 { now - by } else { now + by });
    }

    fn edit(&mut self, company: usize, edit: &Edit) {
        let truth = &mut self.truths[company];
        match edit {
            Edit::Hire(who, department) => {
                let person = Person { department: *department, disabled: false, name: 0, mobile: Some(0) };
                truth.people.entry(*who).or_insert(person);
            }
            Edit::Leave(who) => drop(truth.people.remove(who)),
            Edit::Scope(app, departments, names) => {
                (truth.apps[*app].departments, truth.apps[*app].names) = (departments.clone(), names.clone());
            }
            Edit::DisableApp(app, yes) => truth.apps[*app].disabled = *yes,
            Edit::Configure(app, yes) => truth.apps[*app].configured = *yes,
            Edit::Move(who, _) | Edit::Rename(who, _) | Edit::Mobile(who, _) | Edit::Disable(who, _) => {
                let Some(person) = truth.people.get_mut(who) else { return };
                match edit {
                    Edit::Move(_, department) => person.department = *department,
                    Edit::Rename(_, name) => person.name = *name,
                    Edit::Mobile(_, mobile) => person.mobile = *mobile,
                    Edit::Disable(_, yes) => person.disabled = *yes,
                    _ => {}
                }
            }
        }
        self.world.set(company, &self.truths[company]);
    }

    async fn tell(&mut self, company: usize, told: Told) {
        let when = self.world.when().await;
        let (truth, model) = (&self.truths[company], &mut self.models[company]);
        let name = |who: Who| user(who);
        match told {
            Told::Deleted(who) => {
                model.told_deleted(truth, who, when);
                let fields = format!(
                    "<Event>change_contact</Event><ChangeType>delete_user</ChangeType><UserID>{}</UserID>",
                    name(who)
                );
                self.world.tell(company, None, &fields).await;
            }
            Told::Changed(who) => {
                model.told_changed(truth, who, when);
                let fields = format!(
                    "<Event>change_contact</Event><ChangeType>update_user</ChangeType><UserID>{}</UserID>",
                    name(who)
                );
                self.world.tell(company, None, &fields).await;
            }
            Told::OutOfScope(app, who) => {
                model.told_out_of_scope(truth, app, who, when);
                let fields = format!(
                    "<Event>unsubscribe</Event><FromUserName>{}</FromUserName><AgentID>{}</AgentID>",
                    name(who),
                    agent(app)
                );
                self.world.tell(company, Some(app), &fields).await;
            }
        }
    }

    async fn work(&mut self) {
        // No company rests any more, and every task is due.
        self.world.clock.advance(LONGEST_PAUSE);
        self.world.wait_for_tasks().await;
        let when = self.world.when().await;
        for (company, model) in self.models.iter_mut().enumerate() {
            model.work(&self.truths[company], self.is_away, when);
        }
        for _ in 0..MEMBERS {
            if self.world.events.work().await.unwrap() == 0 {
                break;
            }
        }
    }

    async fn sync(&mut self, company: usize, app: App, force: bool) {
        if !self.truths[company].apps[app].configured {
            return;
        }
        let when = self.world.when().await;
        self.models[company].sync(&self.truths[company], app, force, self.is_away, when);
        let source = self.world.source(company, app);
        let fails = self.is_away || self.truths[company].apps[app].disabled;
        if let Err(error) = self.world.directory.sync(&source, &options(force), &|_| ()).await {
            assert!(fails && !matches!(error, SyncError::Running(_)), "{error}");
        }
        // A run that was resumed has the number that it began with.
        self.models[company].run_numbers[app] = self.world.copies().await[company].run_numbers[app];
    }

    /// WeCom is asked for the member; `None` if it does not answer the app.
    async fn ask(&mut self, company: usize, app: App, who: Who) -> Option<(Asked, When, Option<Person>)> {
        let truth = &self.truths[company];
        let when = self.world.when().await;
        let asked =
            Asked { number: self.world.store.next_number().await.unwrap(), at: self.world.clock.now() };
        assert_eq!(asked.number, ReadNumber(when.number));
        if self.is_away || truth.apps[app].disabled {
            return None;
        }
        let seen = truth.sees(app, who).then(|| truth.people[&who].clone());
        Some((asked, when, seen))
    }

    /// The answer is recorded as a sign-in records it, and the session begins if it may.
    async fn answer(
        &mut self,
        company: usize,
        app: App,
        who: Who,
        asked: Option<(Asked, When, Option<Person>)>,
    ) {
        let Some((asked, when, seen)) = asked else { return };
        let (corp_id, agent_id, user_id) = (corp(company), agent(app), user(who));
        let (store, now) = (self.world.store.clone(), self.world.clock.now());
        let barred = seen.as_ref().map(|person| person.disabled);
        let minute = self.world.when().await.minute;
        self.models[company].read(app, who, barred, When { minute, ..when });
        let Some(person) = seen else {
            let answers = [(&agent_id, AppAnswer::NotVisible)];
            let read = MemberAnswers { corp_id: &corp_id, user_id: &user_id, asked, answers: &answers };
            if store.record_answers(&read, now).await.unwrap() == Standing::Undecided {
                let task = wecom_login_store::EventTask::Member(user_id);
                store.note_event_tasks(&corp_id, &[task], now).await.unwrap();
            }
            return;
        };
        let profile = told_profile(&self.truths[company], app, &person);
        store.record_visible((&corp_id, &agent_id), (&user_id, &profile), asked, now).await.unwrap();
        let may_begin = self.models[company].may_begin(app, who);
        let begun = self.world.begin_session(company, app, who).await;
        assert_eq!(begun.is_some(), may_begin, "a session of {who} through app {app} of company {company}");
        if let Some(id) = begun {
            self.models[company].sessions.insert(id, (app, who));
        }
    }

    /// After a kill it is not known how far the work had come. Nobody may have left whom an app that is answered sees; and the
    /// next steps begin with what is there.
    async fn adopt(&mut self) {
        self.world.restart().await;
        // A worker's claim runs out.
        self.world.clock.advance(Duration::from_mins(10));
        for (company, after) in self.world.copies().await.into_iter().enumerate() {
            let (truth, before) = (&self.truths[company], &self.models[company]);
            for (who, row) in &after.rows {
                let was_there = before.rows.get(who).is_none_or(|row| row.left.is_none());
                let is_seen = (0..APPS).any(|app| {
                    let one = &truth.apps[app];
                    truth.sees(app, *who) && one.configured && !one.disabled
                }) && truth.people.get(who).is_some_and(|person| !person.disabled);
                assert!(
                    row.left.is_none() || !was_there || !is_seen || self.is_away,
                    "{who} of company {company} was marked and is there"
                );
            }
            for task in &before.tasks {
                let done = after.tasks.contains(task) || !self.is_away;
                assert!(done, "the event of {task} of company {company} is lost");
            }
            self.models[company] = after;
        }
    }

    async fn compare(&self) -> Result<(), String> {
        for (company, (model, copy)) in self.models.iter().zip(self.world.copies().await).enumerate() {
            let plain = |copy: &Copy| {
                let rows: BTreeMap<Who, _> = copy
                    .rows
                    .iter()
                    .map(|(who, row)| (*who, row.left.map(|(_, evidence)| evidence)))
                    .collect();
                let sees: BTreeMap<(App, Who), bool> =
                    copy.views.iter().map(|(key, view)| (*key, view.sees)).collect();
                (
                    rows,
                    sees,
                    copy.sessions.clone(),
                    copy.failing_since.map(|since| since.is_some()),
                    copy.tasks.clone(),
                )
            };
            if plain(&copy) != plain(model) {
                return Err(format!(
                    "company {company}:\n  the copy is {:?}\n  and must be {:?}",
                    plain(&copy),
                    plain(model)
                ));
            }
        }
        Ok(())
    }

    /// WeCom and all apps work, every event is worked on and every app is synchronised: the copy is what the apps see.
    async fn settle(mut self) -> Result<(), String> {
        self.is_away = false;
        self.world.wecom.clear_faults();
        for company in 0..COMPANIES {
            for app in 0..APPS {
                self.edit(company, &Edit::DisableApp(app, false));
                self.edit(company, &Edit::Configure(app, true));
            }
        }
        // Older runs are not resumed any more.
        self.pass(60);
        self.work().await;
        // Twice: what the second app loses sight of, the first one's view of it is written at its next sync.
        for _ in 0..2 {
            for company in 0..COMPANIES {
                for app in 0..APPS {
                    self.sync(company, app, true).await;
                }
            }
        }
        self.compare().await.map_err(|problem| format!("at the end: {problem}"))?;
        for company in 0..COMPANIES {
            self.check_copy(company)
                .await
                .map_err(|problem| format!("at the end: company {company}: {problem}"))?;
            for app in 0..APPS {
                let source = self.world.source(company, app);
                let report = self.world.directory.sync(&source, &options(false), &|_| ()).await;
                let written = report.map_err(|error| error.to_string())?.applied.written;
                if written > 0 {
                    return Err(format!(
                        "one more sync of app {app} of company {company} writes {written} rows"
                    ));
                }
            }
        }
        Ok(())
    }

    async fn check_copy(&mut self, company: usize) -> Result<(), String> {
        let truth = self.truths[company].clone();
        let copy = self.world.copies().await.remove(company);
        for who in 0..MEMBERS {
            let is_seen = (0..APPS).any(|app| truth.sees(app, who)) && !truth.people[&who].disabled;
            let is_there = copy.rows.get(&who).is_some_and(|row| row.left.is_none());
            if is_seen != is_there {
                return Err(format!("member {who}: seen {is_seen}, in the copy {is_there}"));
            }
        }
        for (app, who) in copy.sessions.values() {
            if !truth.sees(*app, *who) || truth.people[who].disabled {
                return Err(format!("member {who} has a session through app {app}, which does not see them"));
            }
        }
        if !copy.tasks.is_empty() {
            return Err(format!("events wait: {:?}", copy.tasks));
        }
        let visible: BTreeSet<i64> =
            truth.apps.iter().flat_map(|app| app.departments.iter().flat_map(|root| below(*root))).collect();
        let departments = self.world.departments(company).await;
        if departments != visible.iter().copied().collect::<Vec<_>>() {
            return Err(format!("departments {departments:?} in place of {visible:?}"));
        }
        for app in 0..APPS {
            let source: SyncSource = self.world.source(company, app);
            let model = self.world.directory.auth_model(source.corp_id.clone(), source.agent_id.clone());
            let everybody = Query::of("Q(status__ne=5)".parse().map_err(|_| "the filter")?);
            let rows = model.query(&everybody).await.map_err(|error| error.to_string())?.rows;
            let given: BTreeMap<Who, (String, String, Vec<i64>)> = rows
                .iter()
                .map(|row| {
                    let place = row.user_id.as_str().trim_start_matches("Member").parse().unwrap();
                    let departments = row.department.iter().map(|id| id.0).collect();
                    (place, (row.name.clone(), row.mobile.clone(), departments))
                })
                .filter(|(who, _)| copy.rows[who].left.is_none())
                .collect();
            let may = told(&truth, app);
            if given != may {
                return Err(format!("app {app} gives out {given:?} and may give out {may:?}"));
            }
        }
        for who in copy.rows.iter().filter(|(_, row)| row.left.is_some()).map(|(who, _)| *who) {
            for app in 0..APPS {
                if self.world.begin_session(company, app, who).await.is_some() {
                    return Err(format!("a session begins for member {who}, who has left"));
                }
            }
        }
        Ok(())
    }
}

/// Longer than any task or company rests, and shorter than what an app is counted out after.
const LONGEST_PAUSE: Duration = Duration::from_mins(6);

fn options(force: bool) -> SyncOptions {
    SyncOptions { started_by: "test".to_owned(), force, every: None }
}

/// Polls the work so often and then drops it, as when its process dies.
async fn killed_after<T>(polls: u16, work: impl Future<Output = T>) {
    let (mut work, mut left) = (pin!(work), polls);
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        work.as_mut().poll(context).map(drop)
    })
    .await;
}

/// What WeCom sends for a change.
fn told_by(before: &Truth, after: &Truth, edit: &Edit) -> Vec<Told> {
    match edit {
        Edit::Leave(who) if before.people.contains_key(who) => vec![Told::Deleted(*who)],
        Edit::Hire(who, _)
        | Edit::Move(who, _)
        | Edit::Rename(who, _)
        | Edit::Mobile(who, _)
        | Edit::Disable(who, _)
            if after.people.contains_key(who) =>
        {
            vec![Told::Changed(*who)]
        }
        Edit::Scope(app, _, _) => {
            let lost = |who: &Who| before.sees(*app, *who) && !after.sees(*app, *who);
            (0..MEMBERS).filter(lost).map(|who| Told::OutOfScope(*app, who)).collect()
        }
        _ => Vec::new(),
    }
}

/// What the app is told of a person who is visible to it.
fn told_profile(truth: &Truth, app: App, person: &Person) -> wecom_login_model::Profile {
    let mut one = truth.clone();
    one.people = BTreeMap::from([(0, Person { disabled: false, ..person.clone() })]);
    one.apps[app].names.insert(0);
    let (name, mobile, departments) = told(&one, app).remove(&0).unwrap();
    wecom_login_model::Profile {
        name,
        mobile,
        departments: departments.iter().map(|id| wecom_login_model::DepartmentId(*id)).collect(),
        main_department: departments.first().map(|id| wecom_login_model::DepartmentId(*id)),
        status: Some(if person.disabled { 2.into() } else { 1.into() }),
        ..wecom_login_model::Profile::default()
    }
}

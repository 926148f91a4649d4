//! The copy is brought up to date by set: only what differs is written, some members at a time in transactions of their own, so
//! that sign-ins never wait longer for the one writer of SQLite than they have patience.
//!
//! Each member's row is correct by itself, as after a sign-in, and a row that is up to date is not written again. So a run that ends
//! between two transactions is resumed like any other. Removals follow; the guard has judged all of them together before. The last
//! transaction records the run's outcome.

use wecom_login_model::{ContactField, ContactFields, DepartmentId, Timestamp};

use super::removals::{Removal, hold, remove_some};
use super::runs::of_run;
use super::{LeaseGuard, Outcome, Run, RunId, RunScope, tree};
use crate::audit::note;
use crate::database::{PEOPLE, Statement, Transaction, sql};
use crate::members::{NOT_NEWER, no_value, written};
use crate::outbox::note_returned;
use crate::visibility::{COUNTED_OUT_AFTER, NOT_COUNTED_OUT, ReadNumber, has_answered, hold_app};
use crate::{Error, OK, Store};

/// How a run is to be applied.
#[derive(Debug, Clone)]
pub struct ApplyParams {
    /// Now.
    pub now: Timestamp,
    /// How much the run is about.
    pub extent: RunScope,
    /// Why removals are held, if they are: only those that an administrator has approved are made then.
    pub hold: Option<String>,
    /// Why somebody may have been there unseen, if so. The run does not count as complete then.
    pub blind: Option<String>,
    /// Taken before this invocation asked WeCom anything. A run that was resumed began before.
    pub since: ReadNumber,
    /// Departments that are not there any more, where the run is about some of them.
    pub gone: Vec<DepartmentId>,
    /// When the next scheduled sync would be late, if there is a schedule.
    pub watched_until: Option<Timestamp>,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Applied {
    /// New rows.
    pub joined: u64,
    /// Rows that have changed.
    pub changed: u64,
    /// Members who had left and are back.
    pub came_back: u64,
    /// Members marked as having left.
    pub left: u64,
    /// Members whose removal is held.
    pub held: u64,
    /// Rows written in all tables of the copy.
    pub written: u64,
}

/// Members in one transaction: while it runs, sign-ins that write wait on SQLite.
const STEP: i64 = 5_000;

/// Members who are removed in one transaction.
const REMOVED_AT_ONCE: i64 = 500;

/// Those of the members seen whose keys lie in a part of the order.
struct Step {
    after: String,
    /// None leads to the end.
    up_to: Option<String>,
}

impl Step {
    async fn next(
        transaction: &mut Transaction,
        run: &Run,
        after: String,
        length: i64,
    ) -> Result<Self, Error> {
        let last = sql("SELECT user_key FROM seen_members WHERE run_id = $1 AND user_key > $2
             ORDER BY user_key LIMIT 1 OFFSET $3")
        .bind(run.id.0)
        .bind(&after)
        .bind(length)
        .fetch_optional(transaction)
        .await?;
        Ok(Self { after, up_to: last.map(|row| row.get("user_key")).transpose()? })
    }

    /// The condition on a column, whose placeholders begin with this one; [`bind`](Self::bind) gives the values.
    fn holds(&self, column: &str, first: usize) -> String {
        let end =
            if self.up_to.is_some() { format!(" AND {column} <= ${}", first + 1) } else { String::new() };
        format!("{column} > ${first}{end}")
    }

    fn bind(&self, statement: Statement) -> Statement {
        let statement = statement.bind(&self.after);
        match &self.up_to {
            Some(up_to) => statement.bind(up_to),
            None => statement,
        }
    }
}

impl Store {
    /// Applies what the run has staged and ends it. What was read by a sign-in or told by an event since the run saw a
    /// member is newer and stays.
    pub async fn apply_run(
        &self,
        run: &Run,
        when: &ApplyParams,
        under: LeaseGuard<'_>,
    ) -> Result<(Applied, Outcome), Error> {
        self.apply_in_steps(run, when, under, STEP).await
    }

    async fn apply_in_steps(
        &self,
        run: &Run,
        when: &ApplyParams,
        under: LeaseGuard<'_>,
        length: i64,
    ) -> Result<(Applied, Outcome), Error> {
        // With what a try that died has done.
        let mut applied = Applied {
            joined: run.joined,
            changed: run.changed,
            came_back: run.came_back,
            left: run.left,
            ..Applied::default()
        };
        let mut after = String::new();
        loop {
            let mut transaction = self.begin_under(PEOPLE, under).await?;
            transaction.lift_timeouts().await?;
            hold_app(&mut transaction, &run.corp_id, &run.agent_id).await?;
            if after.is_empty() {
                let shown = shown_fields(&mut transaction, run).await?;
                has_answered(&mut transaction, &run.corp_id, &run.agent_id, shown).await?;
                applied.written += tree::write(&mut transaction, run, when).await?;
            }
            let step = Step::next(&mut transaction, run, after, length).await?;
            members(&mut transaction, run, when, &step, &mut applied).await?;
            applied.written += visibility(&mut transaction, run, &step).await?;
            let Some(up_to) = step.up_to else {
                if when.extent == RunScope::Company {
                    for which in [Removal::Unseen, Removal::Barred] {
                        transaction =
                            self.remove_all(transaction, (run, when, under), which, &mut applied).await?;
                    }
                }
                let outcome = end(&mut transaction, run, when, &mut applied).await?;
                transaction.commit().await?;
                return Ok((applied, outcome));
            };
            count_so_far(&mut transaction, run, applied).await?;
            transaction.commit().await?;
            self.database.let_others_write().await;
            after = up_to;
        }
    }

    /// Removes some at a time, each time in a transaction of its own; returns the one that goes on.
    async fn remove_all(
        &self,
        mut transaction: Transaction,
        (run, when, under): (&Run, &ApplyParams, LeaseGuard<'_>),
        which: Removal,
        applied: &mut Applied,
    ) -> Result<Transaction, Error> {
        let mut after = String::new();
        while let Some(last) =
            remove_some(&mut transaction, run, when, which, (&after, REMOVED_AT_ONCE), applied).await?
        {
            after = last;
            count_so_far(&mut transaction, run, *applied).await?;
            transaction.commit().await?;
            self.database.let_others_write().await;
            transaction = self.begin_under(PEOPLE, under).await?;
            transaction.lift_timeouts().await?;
            hold_app(&mut transaction, &run.corp_id, &run.agent_id).await?;
        }
        Ok(transaction)
    }
}

/// Keeps what has been done, for the case that the process dies.
async fn count_so_far(transaction: &mut Transaction, run: &Run, applied: Applied) -> Result<(), Error> {
    sql("UPDATE sync_runs SET joined = $1, changed = $2, came_back = $3, gone = $4 WHERE id = $5")
        .bind(stored(applied.joined))
        .bind(stored(applied.changed))
        .bind(stored(applied.came_back))
        .bind(stored(applied.left))
        .bind(run.id.0)
        .execute(transaction)
        .await?;
    Ok(())
}

/// What is a judgement about all that the run has seen.
async fn end(
    transaction: &mut Transaction,
    run: &Run,
    when: &ApplyParams,
    applied: &mut Applied,
) -> Result<Outcome, Error> {
    applied.written += tree::forget(transaction, run, when).await?;
    if when.extent == RunScope::Company {
        hold(transaction, run, when, applied).await?;
    }
    let outcome = match (&when.blind, applied.held) {
        (Some(_), _) => Outcome::Incomplete,
        (None, 1..) => Outcome::Held,
        (None, 0) => Outcome::Complete,
    };
    finish(transaction, run, when, *applied, outcome).await?;
    Ok(outcome)
}

/// A row is written when WeCom tells something else than it was last written from, or when its member had left.
///
/// Apps of one company may see a member differently. A row that shows another app's present view stays as it is while
/// this app's own view has not changed: two apps do not write it by turns.
/// An app that does not count any more has no present view; `$3` is now.
const DIFFERS: &str = "(m.left_at IS NOT NULL AND s.barred = 0) OR ({lacks})
    OR (m.row_hash IS DISTINCT FROM s.row_hash AND NOT (
        EXISTS (SELECT 1 FROM member_visibility AS mine WHERE mine.corp_id = $1 AND mine.user_key = s.user_key
                    AND mine.agent_id = $2 AND mine.answer = 1 AND mine.row_hash = s.row_hash)
        AND EXISTS (SELECT 1 FROM member_visibility AS other
                    JOIN apps AS x ON x.corp_id = other.corp_id AND x.agent_id = other.agent_id AND {counts}
                    WHERE other.corp_id = $1 AND other.user_key = s.user_key AND other.agent_id <> $2
                        AND other.answer = 1 AND other.row_hash = m.row_hash)))";

/// The condition that the run's read is the newest: the member has not left since, and no newer answer was written.
const NEWEST: &str = "m.asked <= s.asked AND (m.left_at IS NULL OR COALESCE(m.left_number, 0) < s.asked)";

/// The contact fields that WeCom has shown to the run.
async fn shown_fields(transaction: &mut Transaction, run: &Run) -> Result<ContactFields, Error> {
    let fields =
        ContactField::ALL.map(|field| format!("COALESCE(MAX(fields & {bit}), 0)", bit = field.bit()));
    let row = sql(format!("SELECT {} AS fields FROM seen_members WHERE run_id = $1", fields.join(" + ")))
        .bind(run.id.0)
        .long()
        .fetch_one(transaction)
        .await?;
    Ok(ContactFields::of_bits(row.get("fields")?))
}

async fn members(
    transaction: &mut Transaction,
    run: &Run,
    when: &ApplyParams,
    step: &Step,
    applied: &mut Applied,
) -> Result<(), Error> {
    let corp_id = run.corp_id.as_str();
    let before = count(transaction, corp_id, step).await?;
    let returned = sql(format!(
        "SELECT m.user_key FROM members AS m
         JOIN seen_members AS s ON s.run_id = $2 AND s.user_key = m.user_key
         WHERE m.corp_id = $1 AND m.left_at IS NOT NULL AND s.barred = 0 AND {NEWEST} AND {}
         ORDER BY m.user_key",
        step.holds("s.user_key", 3)
    ));
    let returned =
        step.bind(returned.bind(corp_id).bind(run.id.0)).long().fetch_all(&mut *transaction).await?;
    let returned = returned.iter().map(|row| row.get("user_key")).collect::<Result<Vec<String>, Error>>()?;
    note_returned(transaction, &run.corp_id, &returned, when.now).await?;
    // The last condition is for PostgreSQL: a sign-in may have written the row since this statement began.
    let contact = ContactField::ALL
        .map(|field| format!("CASE WHEN s.barred = 1 THEN '' ELSE p.{} END", field.as_str()))
        .join(", ");
    // Another app's answer may have written the row, from which WeCom withholds what it shows to this one.
    let lacks = ContactField::ALL
        .map(|field| {
            let (bit, name, none) = (field.bit(), field.as_str(), no_value(field));
            format!("(s.fields & {bit} <> 0 AND m.{name} IN ({none}))")
        })
        .join(" OR ");
    let counts = NOT_COUNTED_OUT.replace("{0}", &format!("$3 - {}", COUNTED_OUT_AFTER.as_millis()));
    let written = sql(format!(
        "INSERT INTO members (corp_id, user_key, user_id, name, alias, position, mobile, email, biz_mail, avatar,
            gender, departments, leads, main_department, status, row_hash, read_at, asked, left_at, left_number,
            left_evidence, created_at, updated_at)
         SELECT $1, p.user_key, p.user_id, p.name, p.alias, p.position, {contact},
            p.departments, p.leads, p.main_department, p.status, p.row_hash, p.read_at, s.asked,
            CASE WHEN s.barred = 1 AND $5 = 1 THEN $3 END, CASE WHEN s.barred = 1 AND $5 = 1 THEN s.asked END,
            CASE WHEN s.barred = 1 AND $5 = 1 THEN CASE p.status WHEN 5 THEN 'deleted' ELSE 'unseen' END END, $3, $3
         FROM seen_members AS s
         LEFT JOIN members AS m ON m.corp_id = $1 AND m.user_key = s.user_key
         JOIN staged_members AS p ON p.id = s.staged_id
         WHERE s.run_id = $4 AND {part} AND (
            (m.id IS NULL AND NOT EXISTS (SELECT 1 FROM member_visibility AS mark WHERE mark.corp_id = $1
                AND mark.user_key = s.user_key AND mark.agent_id IN ('', $2) AND mark.answer = 0
                AND mark.asked > s.asked))
            OR (m.id IS NOT NULL AND {NEWEST} AND ({differs})))
         ORDER BY s.user_key
         ON CONFLICT (corp_id, user_key) DO UPDATE SET {written} WHERE {NOT_NEWER}",
        written = written("$2"),
        differs = DIFFERS.replace("{counts}", &counts).replace("{lacks}", &lacks),
        part = step.holds("s.user_key", 6),
    ))
    .bind(corp_id)
    .bind(run.agent_id.as_str())
    .bind(when.now.as_millis())
    .bind(run.id.0)
    .bind(i64::from(when.extent == RunScope::Company));
    let written = step.bind(written).long().execute(&mut *transaction).await?;
    let joined = count(transaction, corp_id, step).await?.saturating_sub(before);
    let came_back = returned.len() as u64;
    applied.joined += joined;
    applied.came_back += came_back;
    applied.changed += written.saturating_sub(joined + came_back);
    applied.written += written;
    Ok(())
}

/// Records that the app sees these members. A record that says so already stays as it is: the run confirms it.
async fn visibility(transaction: &mut Transaction, run: &Run, step: &Step) -> Result<u64, Error> {
    let written = sql(format!(
        "INSERT INTO member_visibility (corp_id, user_key, agent_id, answer, asked, asked_at, row_hash, fields, consented,
            departments, leads, main_department)
         SELECT $1, s.user_key, $2, 1, s.asked, s.read_at, s.row_hash, s.fields, 0, p.departments, p.leads,
            p.main_department
         FROM seen_members AS s
         JOIN members AS m ON m.corp_id = $1 AND m.user_key = s.user_key
         LEFT JOIN member_visibility AS mine
            ON mine.corp_id = $1 AND mine.user_key = s.user_key AND mine.agent_id = $2
         JOIN staged_members AS p ON p.id = s.staged_id
         WHERE s.run_id = $3 AND {} AND (m.left_at IS NULL OR COALESCE(m.left_number, 0) <= s.asked)
            AND (mine.user_key IS NULL OR (mine.asked <= s.asked
                AND (mine.answer = 0 OR mine.row_hash <> s.row_hash OR mine.fields <> s.fields)))
         ORDER BY s.user_key
         ON CONFLICT (corp_id, user_key, agent_id) DO UPDATE SET answer = 1, asked = excluded.asked,
            asked_at = excluded.asked_at, row_hash = excluded.row_hash, fields = excluded.fields,
            departments = excluded.departments, leads = excluded.leads, main_department = excluded.main_department
         WHERE member_visibility.asked <= excluded.asked",
        step.holds("s.user_key", 4)
    ));
    let written = written.bind(run.corp_id.as_str()).bind(run.agent_id.as_str()).bind(run.id.0);
    step.bind(written).long().execute(transaction).await
}

async fn finish(
    transaction: &mut Transaction,
    run: &Run,
    when: &ApplyParams,
    applied: Applied,
    outcome: Outcome,
) -> Result<(), Error> {
    // Why removals would have been held tells nothing where none are.
    let problem = match outcome {
        Outcome::Complete => "",
        _ => when.blind.as_deref().or(when.hold.as_deref()).unwrap_or_default(),
    };
    sql("UPDATE sync_runs SET finished_at = $1, outcome = $2, problem = $3, joined = $4, changed = $5,
            came_back = $6, gone = $7, held = $8 WHERE id = $9")
    .bind(when.now.as_millis())
    .bind(outcome.as_str())
    .bind(problem)
    .bind(stored(applied.joined))
    .bind(stored(applied.changed))
    .bind(stored(applied.came_back))
    .bind(stored(applied.left))
    .bind(stored(applied.held))
    .bind(run.id.0)
    .execute(&mut *transaction)
    .await?;
    if when.extent == RunScope::Company {
        let result = if outcome == Outcome::Complete { OK } else { outcome.as_str() };
        let entry = of_run(run, when.now)
            .outcome(result)
            .detail("joined", applied.joined)
            .detail("changed", applied.changed)
            .detail("cameBack", applied.came_back)
            .detail("left", applied.left)
            .detail("held", applied.held);
        note(transaction, entry).await?;
    }
    if when.extent == RunScope::Company && when.blind.is_none() {
        sql("UPDATE apps SET run_number = $1, run_started_at = $2, run_finished_at = $3, watched_until = $4
             WHERE corp_id = $5 AND agent_id = $6")
        .bind(run.number.0)
        .bind(run.started_at.as_millis())
        .bind(when.now.as_millis())
        .bind(when.watched_until.map(Timestamp::as_millis))
        .bind(run.corp_id.as_str())
        .bind(run.agent_id.as_str())
        .execute(transaction)
        .await?;
    }
    Ok(())
}

/// How many members the copy has in this part of the order.
async fn count(transaction: &mut Transaction, corp_id: &str, step: &Step) -> Result<u64, Error> {
    let part = step.holds("user_key", 2);
    let row = sql(format!("SELECT COUNT(*) AS n FROM members WHERE corp_id = $1 AND {part}")).bind(corp_id);
    Ok(number(step.bind(row).long().fetch_one(transaction).await?.get("n")?))
}

pub(super) fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl RunId {
    /// As it is shown.
    pub const fn number(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wecom_login_model::{AgentId, CorpId, Profile, UserId};

    use super::super::{Answers, LookupKind, NewRun, Phase, Staged, VisibleScope};
    use super::*;
    use crate::Asked;

    struct Company {
        store: Store,
        corp_id: CorpId,
        agent_id: AgentId,
    }

    impl Company {
        /// A run that has seen these members at this moment, and has nobody left to ask for.
        async fn seen(&self, people: &[(&str, &str)], now: Timestamp) -> Run {
            let new = NewRun {
                corp_id: &self.corp_id,
                agent_id: &self.agent_id,
                instance: "Example",
                extent: RunScope::Company,
                started_by: "test",
                forced: false,
                phase: Phase::VisibleScope,
            };
            let (store, under) = (&self.store, LeaseGuard::NOTHING);
            let run = store.begin_run(&new, under, now, now).await.unwrap().id;
            let number = store.next_number().await.unwrap();
            let members = people.iter().map(|(user_id, name)| Staged {
                user_id: UserId::parse(*user_id).unwrap(),
                profile: Profile { name: (*name).to_owned(), ..Profile::default() },
                asked: Asked { number, at: now },
                source: None,
            });
            store.stage_scope(run, &VisibleScope::default(), under).await.unwrap();
            store.stage_walked(run, members.collect(), &[], under).await.unwrap();
            store.end_walk(run, under).await.unwrap();
            let run_row = store.run(run).await.unwrap().unwrap();
            store.find_leavers(&run_row, now, under).await.unwrap();
            let unseen = store.next_to_ask(run, LookupKind::Leavers, 10).await.unwrap();
            let asked = Asked { number: store.next_number().await.unwrap(), at: now };
            let gone = unseen.into_iter().map(|one| one.user_id).collect();
            store.stage_answers(run, &Answers { gone, ..Answers::default() }, asked, under).await.unwrap();
            store.run(run).await.unwrap().unwrap()
        }
    }

    fn when(now: Timestamp) -> ApplyParams {
        ApplyParams {
            now,
            extent: RunScope::Company,
            hold: None,
            blind: None,
            since: ReadNumber(0),
            gone: Vec::new(),
            watched_until: None,
        }
    }

    #[tokio::test]
    async fn a_large_company_comes_in_steps_and_a_run_that_died_between_two_counts_both_tries() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
        let (corp_id, agent_id) = (CorpId::parse("wwA").unwrap(), AgentId::parse("7").unwrap());
        let company = Company { store: store.clone(), corp_id: corp_id.clone(), agent_id };
        let now = Timestamp::from_millis(1_800_000_000_000);
        let before = [("b", "1"), ("d", "1"), ("f", "1"), ("goes", "1")];
        let run = company.seen(&before, now).await;
        store.apply_run(&run, &when(now), LeaseGuard::NOTHING).await.unwrap();

        let later = now + Duration::from_hours(1);
        let run = company.seen(&[("F", "1"), ("e", "2"), ("d", "2"), ("b", "1"), ("a", "2")], later).await;
        let mut first = store.begin_under(PEOPLE, LeaseGuard::NOTHING).await.unwrap();
        let step = Step::next(&mut first, &run, String::new(), 2).await.unwrap();
        assert_eq!(step.up_to.as_deref(), Some("d"), "two before it and itself");
        drop(first);

        sql("CREATE TRIGGER dies BEFORE INSERT ON members WHEN new.user_key = 'e'
             BEGIN SELECT RAISE(ABORT, 'the process dies'); END")
        .execute(store.database.writer())
        .await
        .unwrap();
        store.apply_in_steps(&run, &when(later), LeaseGuard::NOTHING, 2).await.unwrap_err();
        sql("DROP TRIGGER dies").execute(store.database.writer()).await.unwrap();
        let name = async |user_id: &str| {
            let user_id = UserId::parse(user_id).unwrap();
            let member = store.member(&corp_id, &user_id).await.unwrap();
            member.map(|member| (member.profile.name, member.left_at.is_some()))
        };
        assert_eq!(name("a").await, Some(("2".to_owned(), false)));
        assert_eq!(name("e").await, None);
        assert_eq!(name("goes").await, Some(("1".to_owned(), false)), "nobody is removed before the end");

        let run = store.run(run.id).await.unwrap().unwrap();
        assert_eq!((run.joined, run.changed, run.outcome), (1, 1, None));
        let (applied, outcome) =
            store.apply_in_steps(&run, &when(later), LeaseGuard::NOTHING, 2).await.unwrap();
        assert_eq!((applied.joined, applied.changed, applied.left), (2, 2, 1));
        assert_eq!(outcome, Outcome::Complete);
        assert_eq!(name("e").await, Some(("2".to_owned(), false)));
        assert_eq!(name("goes").await, Some(("1".to_owned(), true)));
        let run = store.run(run.id).await.unwrap().unwrap();
        assert_eq!((run.joined, run.changed, run.left), (2, 2, 1));
    }
}

//! The members' rows and records that a run writes: only what differs.

use wecom_login_model::{ContactField, ContactFields};

use super::{Applied, ApplyParams, number};
use crate::Error;
use crate::database::{Statement, Transaction, sql};
use crate::members::{NOT_NEWER, no_value, written};
use crate::organisation::{Run, RunScope};
use crate::outbox::note_returned;
use crate::visibility::{COUNTED_OUT_AFTER, NOT_COUNTED_OUT};

/// The members seen whose keys lie between two keys.
pub(super) struct Step {
    after: String,
    /// `None` leads to the end.
    pub(super) up_to: Option<String>,
}

impl Step {
    pub(super) async fn next(
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
pub(super) async fn shown_fields(transaction: &mut Transaction, run: &Run) -> Result<ContactFields, Error> {
    let fields =
        ContactField::ALL.map(|field| format!("COALESCE(MAX(fields & {bit}), 0)", bit = field.bit()));
    let row = sql(format!("SELECT {} AS fields FROM seen_members WHERE run_id = $1", fields.join(" + ")))
        .bind(run.id.0)
        .long()
        .fetch_one(transaction)
        .await?;
    Ok(ContactFields::of_bits(row.get("fields")?))
}

pub(super) async fn members(
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
pub(super) async fn visibility(transaction: &mut Transaction, run: &Run, step: &Step) -> Result<u64, Error> {
    let written = sql(format!(
        "INSERT INTO member_visibility (corp_id, user_key, agent_id, answer, asked, asked_at, row_hash, fields,
            departments, leads, main_department)
         SELECT $1, s.user_key, $2, 1, s.asked, s.read_at, s.row_hash, s.fields, p.departments, p.leads,
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

/// How many members the copy has in this part of the order.
async fn count(transaction: &mut Transaction, corp_id: &str, step: &Step) -> Result<u64, Error> {
    let part = step.holds("user_key", 2);
    let row = sql(format!("SELECT COUNT(*) AS n FROM members WHERE corp_id = $1 AND {part}")).bind(corp_id);
    Ok(number(step.bind(row).long().fetch_one(transaction).await?.get("n")?))
}

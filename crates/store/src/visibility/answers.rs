//! Answers to single reads: a sign-in, an event, one member on demand.

use std::time::Duration;

use wecom_login_model::{AgentId, ContactField, ContactFields, CorpId, Member, Profile, Timestamp, UserId};

use super::apps::has_answered;
use super::{Asked, COUNTED_OUT_AFTER, NOT_COUNTED_OUT, ReadNumber};
use crate::database::{PEOPLE, Transaction, sql};
use crate::leavers::{LeftEvidence, Marked, leave, sign_out};
use crate::members::{COLUMNS, is_barred, json, member, no_value, upsert};
use crate::outbox::note_returned;
use crate::row_hash::row_hash;
use crate::{Error, Store};

/// Retention of marks of members that the copy does not know. It is longer than any answer of WeCom can be under way.
const MARKS_LAST: Duration = Duration::from_hours(24);

/// What WeCom answered an app about a member.
#[derive(Debug, Clone, Copy)]
pub enum AppAnswer<'a> {
    /// The member is visible to the app.
    Visible {
        /// The userid in WeCom's spelling.
        user_id: &'a UserId,
        /// What WeCom told the app.
        profile: &'a Profile,
    },
    /// The member is not visible to the app, or is not in the company: WeCom says the same for both.
    NotVisible,
}

/// The answers of one read of a member through one app or several.
#[derive(Debug, Clone, Copy)]
pub struct MemberAnswers<'a> {
    /// The company.
    pub corp_id: &'a CorpId,
    /// The member who was asked for.
    pub user_id: &'a UserId,
    /// When WeCom was asked.
    pub asked: Asked,
    /// Each app with its answer. An app that WeCom did not answer is left out.
    pub answers: &'a [(&'a AgentId, AppAnswer<'a>)],
}

/// What is known of a member after an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// An app sees the member.
    Present,
    /// The member has left.
    Left,
    /// The copy does not know the member.
    Unknown,
    /// No app has just seen the member, and not every app of the company has been asked: the member stays until then.
    Undecided,
}

impl Store {
    /// Records the answers to a read, all or nothing, and what follows from them:
    ///
    /// * a visible member's row is written, and the member is back if they had left before WeCom was asked;
    /// * members with status 2 or 5 leave;
    /// * sessions end that were begun through an app that does not see the member;
    /// * the member leaves if this read has asked every app of the company that counts and none sees them.
    ///
    /// An answer that is older than what is recorded changes nothing.
    pub async fn record_answers(&self, read: &MemberAnswers<'_>, now: Timestamp) -> Result<Standing, Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let standing = record(&mut transaction, read, now).await?;
        transaction.commit().await?;
        Ok(standing)
    }

    /// Records that one app sees the member, and returns the row as this app may give it out. It waits for other work on
    /// the same member only: a sign-in depends on it.
    pub async fn record_visible(
        &self,
        (corp_id, agent_id): (&CorpId, &AgentId),
        (user_id, profile): (&UserId, &Profile),
        asked: Asked,
        now: Timestamp,
    ) -> Result<Member, Error> {
        let mut transaction = if is_barred(profile) {
            self.database.begin(PEOPLE).await?
        } else {
            self.database.begin_unserialized().await?
        };
        let read = MemberAnswers { corp_id, user_id, asked, answers: &[] };
        has_answered(&mut transaction, corp_id, agent_id, kept_fields(profile)).await?;
        visible(&mut transaction, &read, agent_id, (user_id, profile), now).await?;
        let member = seen_by(&mut transaction, (corp_id, agent_id), user_id).await?;
        transaction.commit().await?;
        member.ok_or_else(|| Error::vanished("a member's row that was just written is not there"))
    }

    /// Deletes marks of members that the copy does not know, older than [`MARKS_LAST`], at most `limit`; returns how many.
    pub async fn purge_visibility_marks(&self, now: Timestamp, limit: i64) -> Result<u64, Error> {
        let marks = sql("SELECT v.corp_id, v.user_key, v.agent_id FROM member_visibility AS v
             WHERE v.answer = 0 AND v.asked_at < $1 AND NOT EXISTS
                (SELECT 1 FROM members AS m WHERE m.corp_id = v.corp_id AND m.user_key = v.user_key)
             LIMIT $2")
        .bind((now - MARKS_LAST).as_millis())
        .bind(limit)
        .fetch_all(self.database.reader())
        .await?;
        let mut deleted = 0;
        for mark in marks {
            deleted +=
                sql("DELETE FROM member_visibility WHERE corp_id = $1 AND user_key = $2 AND agent_id = $3
                AND answer = 0 AND NOT EXISTS (SELECT 1 FROM members WHERE corp_id = $1 AND user_key = $2)")
                .bind(mark.get::<String>("corp_id")?)
                .bind(mark.get::<String>("user_key")?)
                .bind(mark.get::<String>("agent_id")?)
                .execute(self.database.writer())
                .await?;
        }
        Ok(deleted)
    }

    /// Records that one app sees these members, in one transaction.
    pub async fn record_all_visible(
        &self,
        (corp_id, agent_id): (&CorpId, &AgentId),
        members: &[(UserId, Profile)],
        asked: Asked,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let shown = members.iter().map(|(_, profile)| kept_fields(profile));
        let shown = shown.fold(ContactFields::default(), ContactFields::and);
        has_answered(&mut transaction, corp_id, agent_id, shown).await?;
        for (user_id, profile) in members {
            let read = MemberAnswers { corp_id, user_id, asked, answers: &[] };
            visible(&mut transaction, &read, agent_id, (user_id, profile), now).await?;
        }
        transaction.commit().await
    }
}

/// Records the answers in a transaction; see [`Store::record_answers`].
pub(crate) async fn record(
    transaction: &mut Transaction,
    read: &MemberAnswers<'_>,
    now: Timestamp,
) -> Result<Standing, Error> {
    let (mut is_visible, mut blind) = (false, Vec::new());
    // In one order of rows for all who write: the apps', the member's, the records.
    for (agent_id, answer) in read.answers {
        let shown = match answer {
            AppAnswer::Visible { profile, .. } => kept_fields(profile),
            AppAnswer::NotVisible => ContactFields::default(),
        };
        has_answered(transaction, read.corp_id, agent_id, shown).await?;
    }
    hold_member(transaction, read).await?;
    for (agent_id, answer) in read.answers {
        match answer {
            AppAnswer::Visible { user_id, profile } => {
                visible(transaction, read, agent_id, (user_id, profile), now).await?;
                is_visible = true;
            }
            AppAnswer::NotVisible => {
                if not_visible(transaction, read, agent_id).await? {
                    blind.push(*agent_id);
                }
            }
        }
    }
    let standing = judge(transaction, read, is_visible, now).await?;
    for agent_id in blind {
        sign_out(transaction, read.corp_id, &[read.user_id.folded()], Some(agent_id), now).await?;
    }
    Ok(standing)
}

/// The contact fields of an answer that are kept: of members who are barred none is.
fn kept_fields(profile: &Profile) -> ContactFields {
    if is_barred(profile) { ContactFields::default() } else { profile.shown_fields() }
}

async fn hold_member(
    transaction: &mut Transaction,
    read: &MemberAnswers<'_>,
) -> Result<Option<Leaving>, Error> {
    let row = sql(format!(
        "SELECT m.left_at, m.left_number FROM members AS m WHERE m.corp_id = $1 AND m.user_key = $2 {}",
        transaction.for_update("m")
    ))
    .bind(read.corp_id.as_str())
    .bind(read.user_id.folded())
    .fetch_optional(transaction)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Leaving {
        has_left: row.get::<Option<i64>>("left_at")?.is_some(),
        number: ReadNumber(row.get::<Option<i64>>("left_number")?.unwrap_or_default()),
    }))
}

/// Whether and by which number the member has left.
#[derive(Debug, Clone, Copy)]
struct Leaving {
    has_left: bool,
    number: ReadNumber,
}

async fn visible(
    transaction: &mut Transaction,
    read: &MemberAnswers<'_>,
    agent_id: &AgentId,
    (user_id, profile): (&UserId, &Profile),
    now: Timestamp,
) -> Result<(), Error> {
    let (corp_id, asked) = (read.corp_id, read.asked);
    let barred = is_barred(profile);
    let shown = kept_fields(profile);
    let read = &MemberAnswers { user_id, ..*read };
    let before = hold_member(transaction, read).await?;
    let is_newer = |leaving: Leaving| !leaving.has_left || leaving.number < asked.number;
    match before {
        Some(leaving) if !is_newer(leaving) => return Ok(()),
        Some(Leaving { has_left: true, .. }) if !barred => {
            note_returned(transaction, corp_id, &[user_id.folded()], now).await?;
        }
        _ => {}
    }
    let mark = if before.is_none() { newer_mark(transaction, read, agent_id).await? } else { None };
    let upsert = upsert(corp_id, agent_id, user_id, profile, asked, now)?;
    if upsert.fetch_optional(&mut *transaction).await?.is_none() {
        add_missing_fields(transaction, read, profile).await?;
    }
    if let Some(number) = mark {
        // The member left while WeCom answered, and the copy did not know them then.
        let marked = Marked { evidence: LeftEvidence::Unseen, number, now };
        leave(transaction, corp_id, &[user_id.folded()], marked).await?;
        return Ok(());
    }
    sql("INSERT INTO member_visibility (corp_id, user_key, agent_id, answer, asked, asked_at, row_hash, fields, departments,
            leads, main_department)
         VALUES ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (corp_id, user_key, agent_id) DO UPDATE SET answer = 1, asked = excluded.asked,
            asked_at = excluded.asked_at, row_hash = excluded.row_hash, fields = excluded.fields,
            departments = excluded.departments, leads = excluded.leads, main_department = excluded.main_department
         WHERE member_visibility.asked <= excluded.asked")
    .bind(corp_id.as_str())
    .bind(user_id.folded())
    .bind(agent_id.as_str())
    .bind(asked.number.0)
    .bind(asked.at.as_millis())
    .bind(row_hash(user_id, profile))
    .bind(shown.bits())
    .bind(json(&profile.departments)?)
    .bind(json(&profile.leads)?)
    .bind(profile.main_department.map(|id| id.0))
    .execute(&mut *transaction)
    .await?;
    if barred {
        let evidence = LeftEvidence::of_status(profile.status);
        leave(transaction, corp_id, &[user_id.folded()], Marked { evidence, number: asked.number, now })
            .await?;
    }
    Ok(())
}

/// The row shows a newer answer to another app, from which WeCom may have withheld what it has told this one.
async fn add_missing_fields(
    transaction: &mut Transaction,
    read: &MemberAnswers<'_>,
    profile: &Profile,
) -> Result<(), Error> {
    let kept = kept_fields(profile);
    for field in ContactField::ALL.into_iter().filter(|field| kept.has(*field)) {
        let name = field.as_str();
        sql(format!(
            "UPDATE members SET {name} = $1 WHERE corp_id = $2 AND user_key = $3 AND left_at IS NULL AND {name} IN ({})",
            no_value(field)
        ))
        .bind(profile.contact(field))
        .bind(read.corp_id.as_str())
        .bind(read.user_id.folded())
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}

/// The number of an answer "not visible" that is newer than this read, about a member that the copy does not know.
async fn newer_mark(
    transaction: &mut Transaction,
    read: &MemberAnswers<'_>,
    agent_id: &AgentId,
) -> Result<Option<ReadNumber>, Error> {
    let row = sql("SELECT MAX(asked) AS asked FROM member_visibility
         WHERE corp_id = $1 AND user_key = $2 AND agent_id IN ('', $3) AND answer = 0 AND asked > $4")
    .bind(read.corp_id.as_str())
    .bind(read.user_id.folded())
    .bind(agent_id.as_str())
    .bind(read.asked.number.0)
    .fetch_one(transaction)
    .await?;
    Ok(row.get::<Option<i64>>("asked")?.map(ReadNumber))
}

/// Records that the app does not see the member; false if a newer answer is there.
async fn not_visible(
    transaction: &mut Transaction,
    read: &MemberAnswers<'_>,
    agent_id: &AgentId,
) -> Result<bool, Error> {
    let (corp_id, user_key) = (read.corp_id, read.user_id.folded());
    let recorded = sql("INSERT INTO member_visibility (corp_id, user_key, agent_id, answer, asked, asked_at)
         VALUES ($1, $2, $3, 0, $4, $5)
         ON CONFLICT (corp_id, user_key, agent_id) DO UPDATE SET answer = 0, asked = excluded.asked,
            asked_at = excluded.asked_at
         WHERE member_visibility.asked <= excluded.asked AND NOT (member_visibility.answer = 1 AND EXISTS
            (SELECT 1 FROM apps AS x WHERE x.corp_id = $1 AND x.agent_id = $3 AND x.run_number > excluded.asked))")
    .bind(corp_id.as_str())
    .bind(&user_key)
    .bind(agent_id.as_str())
    .bind(read.asked.number.0)
    .bind(read.asked.at.as_millis())
    .execute(&mut *transaction)
    .await?;
    if recorded == 0 {
        return Ok(false);
    }
    sql("DELETE FROM held_removals WHERE corp_id = $1 AND agent_id = $2 AND user_key = $3")
        .bind(corp_id.as_str())
        .bind(agent_id.as_str())
        .bind(&user_key)
        .execute(&mut *transaction)
        .await?;
    Ok(true)
}

/// Whether the member has left, by the records as they are now.
async fn judge(
    transaction: &mut Transaction,
    read: &MemberAnswers<'_>,
    is_visible: bool,
    now: Timestamp,
) -> Result<Standing, Error> {
    let Some(leaving) = hold_member(transaction, read).await? else { return Ok(Standing::Unknown) };
    if leaving.has_left {
        return Ok(Standing::Left);
    }
    if is_visible {
        return Ok(Standing::Present);
    }
    // An app that counts, and that has not said "not visible" to this read or later, keeps the member.
    let row = sql(format!(
        "SELECT COUNT(*) AS keeping FROM apps AS x WHERE x.corp_id = $1 AND {counts}
            AND NOT EXISTS (SELECT 1 FROM member_visibility AS v WHERE v.corp_id = $1 AND v.user_key = $2
                AND v.agent_id = x.agent_id AND v.answer = 0 AND v.asked >= $3)",
        counts = NOT_COUNTED_OUT.replace("{0}", "$4"),
    ))
    .bind(read.corp_id.as_str())
    .bind(read.user_id.folded())
    .bind(read.asked.number.0)
    .bind((now - COUNTED_OUT_AFTER).as_millis())
    .fetch_one(&mut *transaction)
    .await?;
    if row.get::<i64>("keeping")? > 0 {
        return Ok(Standing::Undecided);
    }
    let marked = Marked { evidence: LeftEvidence::Unseen, number: read.asked.number, now };
    leave(transaction, read.corp_id, &[read.user_id.folded()], marked).await?;
    Ok(Standing::Left)
}

/// The member's row as the app may give it out; `None` if the app has never seen the member.
pub(crate) async fn seen_by(
    transaction: &mut Transaction,
    (corp_id, agent_id): (&CorpId, &AgentId),
    user_id: &UserId,
) -> Result<Option<Member>, Error> {
    let row = sql(format!(
        "SELECT {columns} FROM members AS m LEFT JOIN member_visibility AS v
            ON v.corp_id = m.corp_id AND v.user_key = m.user_key AND v.agent_id = $3
         WHERE m.corp_id = $1 AND m.user_key = $2",
        columns = columns_for_app(),
    ))
    .bind(corp_id.as_str())
    .bind(user_id.folded())
    .bind(agent_id.as_str())
    .fetch_optional(transaction)
    .await?;
    row.as_ref().map(member).transpose()
}

/// The columns of a member from `members AS m LEFT JOIN member_visibility AS v`, as the app of `v` may give them out: the
/// contact fields that WeCom has shown to it or that the member has given to it, and the departments that it was told.
pub(crate) fn columns_for_app() -> String {
    let column = |name: &str| match name {
        "mobile" | "email" | "biz_mail" | "avatar" | "gender" => masked(name),
        "departments" | "leads" => format!("COALESCE(v.{name}, '[]') AS {name}"),
        "main_department" => "v.main_department".to_owned(),
        _ => format!("m.{name}"),
    };
    COLUMNS.split(',').map(|name| column(name.trim())).collect::<Vec<_>>().join(", ")
}

fn masked(name: &str) -> String {
    let field = ContactField::ALL.into_iter().find(|field| field.as_str() == name);
    let bit = field.map_or(0, ContactField::bit);
    // What WeCom says in place of a gender tells nothing.
    let placeholder = if name == "gender" { " OR m.gender = '0'" } else { "" };
    format!(
        "CASE WHEN (v.fields | v.consented) & {bit} <> 0{placeholder} THEN m.{name} ELSE '' END AS {name}"
    )
}

use std::time::Duration;

use wecom_login_model::{AgentId, CorpId, Fingerprint, Timestamp, UserId};

use super::{COMPANY, EventTask, RENAME};
use crate::database::{PEOPLE, Transaction, sql};
use crate::leavers::{LeftEvidence, Marked, leave, sign_out};
use crate::sessions::end_sessions_of;
use crate::visibility::{AppAnswer, Asked, MemberAnswers, next_number, record};
use crate::{EndReason, Error, Store};

/// WeCom sends an event again within seconds if it got no answer (WeCom 90930). Within this time a repetition may also
/// be another event: their only moment is a whole second (`CreateTime`), so two alike cannot be told apart.
const MAY_BE_ANOTHER: Duration = Duration::from_mins(1);

/// How long a leaver's event waits for whoever else moves people, and then for the leaver's sessions: WeCom waits for 5
/// seconds in all (WeCom 90930).
const PATIENCE: Duration = Duration::from_secs(2);

/// An event, as it is taken.
#[derive(Debug, Clone)]
pub struct NewEvent<'a> {
    /// Of the decrypted text and whom it was sent to.
    pub fingerprint: Fingerprint,
    /// The company.
    pub corp_id: &'a CorpId,
    /// What is to be read again.
    pub tasks: Vec<EventTask>,
    /// Whose sessions end at once.
    pub leaver: Option<Leaver<'a>>,
}

/// Who leaves by an event.
#[derive(Debug, Clone)]
pub enum Leaver<'a> {
    /// The member was deleted: all sessions end.
    Company(UserId),
    /// The member leaves the visible scope of an app: the sessions end that were begun through it. Members of a company with
    /// one app leave with it; otherwise the event's task asks every app.
    Scope {
        /// The member.
        user_id: UserId,
        /// The app.
        agent_id: &'a AgentId,
    },
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// It is taken.
    New,
    /// It was taken before.
    Repeated,
}

impl Store {
    /// Takes an event: that it was heard, what it asks for and the end of the leaver's sessions, all or nothing. When
    /// this returns, the event outlives the process.
    ///
    /// A repetition ends no session. Within a minute it asks for its tasks once more, after that for nothing: a message
    /// that somebody captured and sends again later is of no use to them.
    ///
    /// While somebody else moves people and does not come to an end (a sync of a large company), the sessions end and the
    /// member is marked by the task: WeCom gives an event up after three tries.
    pub async fn accept_event(&self, event: &NewEvent<'_>, now: Timestamp) -> Result<Accepted, Error> {
        match self.take(event, Marks::Now, now).await {
            Err(error) if error.is_busy() && event.leaver.is_some() => {
                self.take(event, Marks::Later, now).await
            }
            taken => taken,
        }
    }

    async fn take(&self, event: &NewEvent<'_>, marks: Marks, now: Timestamp) -> Result<Accepted, Error> {
        let fingerprint = event.fingerprint.to_hex();
        let mut transaction = match (&event.leaver, marks) {
            (Some(_), Marks::Now) => self.database.begin_within(PEOPLE, PATIENCE).await?,
            (Some(_), Marks::Later) => self.database.begin_within(&fingerprint, PATIENCE).await?,
            (None, _) => self.database.begin(&fingerprint).await?,
        };
        let is_new = sql("INSERT INTO heard_events (fingerprint, heard_at) VALUES ($1, $2)
             ON CONFLICT (fingerprint) DO NOTHING")
        .bind(&fingerprint)
        .bind(now.as_millis())
        .execute(&mut transaction)
        .await?
            == 1;
        let matters = is_new || {
            let row = sql("SELECT heard_at FROM heard_events WHERE fingerprint = $1")
                .bind(&fingerprint)
                .fetch_one(&mut transaction)
                .await?;
            now < Timestamp::from_millis(row.get("heard_at")?) + MAY_BE_ANOTHER
        };
        if is_new && let Some(leaver) = &event.leaver {
            let number = next_number(&mut transaction, &self.database).await?;
            end_sessions(&mut transaction, event.corp_id, leaver, marks, Asked { number, at: now }).await?;
        }
        if matters {
            note(&mut transaction, event.corp_id, &event.tasks, now).await?;
        }
        transaction.commit().await?;
        Ok(if is_new { Accepted::New } else { Accepted::Repeated })
    }

    /// Asks for these tasks, as an event would.
    pub async fn note_event_tasks(
        &self,
        corp_id: &CorpId,
        tasks: &[EventTask],
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.database.begin(&format!("events/{corp_id}")).await?;
        note(&mut transaction, corp_id, tasks, now).await?;
        transaction.commit().await
    }

    /// Deletes what was heard longer than `keep` ago, at most `limit`; tells how many.
    pub async fn purge_heard_events(&self, now: Timestamp, keep: Duration, limit: i64) -> Result<u64, Error> {
        sql("DELETE FROM heard_events WHERE fingerprint IN
             (SELECT fingerprint FROM heard_events WHERE heard_at < $1 LIMIT $2)")
        .bind((now - keep).as_millis())
        .bind(limit)
        .execute(self.database.writer())
        .await
    }

    /// An authentic callback of the company's contact sync came; kept to the minute, so that many at once do not wait for
    /// each other.
    pub async fn heard_from_contacts(&self, corp_id: &CorpId, now: Timestamp) -> Result<(), Error> {
        sql("INSERT INTO event_sources (corp_id, heard_at) VALUES ($1, $2)
             ON CONFLICT (corp_id) DO UPDATE SET heard_at = excluded.heard_at
             WHERE event_sources.heard_at < $3")
        .bind(corp_id.as_str())
        .bind(now.as_millis())
        .bind((now - Duration::from_mins(1)).as_millis())
        .execute(self.database.writer())
        .await?;
        Ok(())
    }
}

/// When a leaver's row is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// With the end of the sessions.
    Now,
    /// When the event's task is worked on.
    Later,
}

async fn end_sessions(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    leaver: &Leaver<'_>,
    marks: Marks,
    told: Asked,
) -> Result<(), Error> {
    match (leaver, marks) {
        (Leaver::Company(user_id), Marks::Now) => {
            for user_id in former_names(transaction, corp_id, user_id).await?.iter().chain([user_id]) {
                delete(transaction, corp_id, user_id, told).await?;
            }
        }
        (Leaver::Company(user_id), Marks::Later) => {
            end_sessions_of(transaction, corp_id, user_id, EndReason::Left, told.at).await?;
        }
        (Leaver::Scope { user_id, agent_id }, Marks::Now) => {
            let answers = [(*agent_id, AppAnswer::NotVisible)];
            let read = MemberAnswers { corp_id, user_id, asked: told, answers: &answers };
            record(transaction, &read, told.at).await?;
        }
        (Leaver::Scope { user_id, agent_id }, Marks::Later) => {
            sign_out(transaction, corp_id, &[user_id.folded()], Some(agent_id), told.at).await?;
        }
    }
    Ok(())
}

/// The member was deleted. If the copy does not know them, a mark stays, so that an answer from before begins no session.
async fn delete(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_id: &UserId,
    told: Asked,
) -> Result<(), Error> {
    let marked = Marked { evidence: LeftEvidence::Deleted, number: told.number, now: told.at };
    leave(transaction, corp_id, &[user_id.folded()], marked).await?;
    sql("INSERT INTO member_visibility (corp_id, user_key, agent_id, answer, asked, asked_at)
         SELECT $1, $2, '', 0, $3, $4
         WHERE NOT EXISTS (SELECT 1 FROM members WHERE corp_id = $1 AND user_key = $2)
         ON CONFLICT (corp_id, user_key, agent_id) DO UPDATE SET asked = excluded.asked, asked_at = excluded.asked_at")
    .bind(corp_id.as_str())
    .bind(user_id.folded())
    .bind(told.number.0)
    .bind(told.at.as_millis())
    .execute(transaction)
    .await?;
    Ok(())
}

/// The former userids of a member whose rename to `user_id` still waits in the queue. A deletion under the new userid is about the
/// same person. The rename is dropped, because another person may get the new userid before the worker runs.
async fn former_names(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    user_id: &UserId,
) -> Result<Vec<UserId>, Error> {
    let (mut former, mut open) = (Vec::new(), vec![user_id.folded()]);
    let rows = sql("SELECT id, subject FROM event_tasks WHERE corp_id = $1 AND kind = $2")
        .bind(corp_id.as_str())
        .bind(RENAME)
        .fetch_all(&mut *transaction)
        .await?;
    let mut renamings = Vec::with_capacity(rows.len());
    for row in &rows {
        let task = EventTask::read(RENAME, &row.get::<String>("subject")?)?;
        renamings.push((row.get::<i64>("id")?, task));
    }
    while let Some(name) = open.pop() {
        for (id, task) in &renamings {
            let EventTask::Rename { from, to } = task else { continue };
            if to.folded() != name || former.contains(from) {
                continue;
            }
            sql("DELETE FROM event_tasks WHERE id = $1").bind(*id).execute(&mut *transaction).await?;
            former.push(from.clone());
            open.push(from.folded());
        }
    }
    Ok(former)
}

/// A sync of the company begins so long after its event: what else cannot be understood in the meantime is read by the
/// same sync, and the replicas' clocks, which differ by less, agree that the event came before it.
const SYNC_AFTER: Duration = Duration::from_secs(6);

/// In one order, so that two events that name the same members do not wait for each other.
async fn note(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    tasks: &[EventTask],
    now: Timestamp,
) -> Result<(), Error> {
    let mut tasks: Vec<(i64, String)> = tasks.iter().map(|task| (task.kind(), task.subject())).collect();
    tasks.sort_unstable();
    tasks.dedup();
    for (kind, subject) in tasks {
        // Due at once, whatever the clocks of this process and of the worker's say.
        let due_at = if kind == COMPANY { now + SYNC_AFTER } else { Timestamp::from_millis(0) };
        // A task that waits does not wait longer because of another event.
        sql("INSERT INTO event_tasks (corp_id, kind, subject, version, since, noted_at, due_at, claimed_until,
                tries, strikes, problem)
             VALUES ($1, $2, $3, 1, $4, $4, $5, 0, 0, 0, '')
             ON CONFLICT (corp_id, kind, subject) DO UPDATE SET version = event_tasks.version + 1,
                noted_at = excluded.noted_at, tries = 0, strikes = 0, set_aside_at = NULL, problem = '',
                due_at = CASE WHEN event_tasks.due_at < excluded.due_at
                              THEN event_tasks.due_at ELSE excluded.due_at END")
        .bind(corp_id.as_str())
        .bind(kind)
        .bind(subject)
        .bind(now.as_millis())
        .bind(due_at.as_millis())
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}

use std::time::Duration;

use wecom_login_model::{CorpId, Fingerprint, Timestamp, UserId};

use super::EventTask;
use crate::database::{PEOPLE, Transaction, sql};
use crate::leavers::{leave, lose_sight, sign_out};
use crate::sessions::end_sessions_of;
use crate::{EndReason, Error, Store, ViewingApp};

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
    /// The member leaves the company: all sessions end.
    Company(UserId),
    /// The member leaves the visible scope of an app: the sessions end that were begun through it, and all of them
    /// unless another app sees the member.
    Scope {
        /// The member.
        user_id: UserId,
        /// The app.
        app: ViewingApp<'a>,
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
            end_sessions(&mut transaction, event.corp_id, leaver, marks, now).await?;
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
    now: Timestamp,
) -> Result<(), Error> {
    match leaver {
        Leaver::Company(user_id) if marks == Marks::Now => {
            leave(transaction, corp_id, &[user_id.folded()], now).await?;
        }
        Leaver::Company(user_id) => {
            end_sessions_of(transaction, corp_id, user_id, EndReason::Left, now).await?;
        }
        Leaver::Scope { user_id, app } if marks == Marks::Now => {
            lose_sight(transaction, corp_id, *app, &[user_id.folded()], now).await?;
        }
        Leaver::Scope { user_id, app } => {
            let through = Some(app.instances);
            sign_out(transaction, corp_id, &[user_id.folded()], through, now).await?;
        }
    }
    Ok(())
}

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
        sql("INSERT INTO event_tasks (corp_id, kind, subject, version, since, noted_at, due_at, claimed_until,
                tries, strikes, problem)
             VALUES ($1, $2, $3, 1, $4, $4, $4, 0, 0, 0, '')
             ON CONFLICT (corp_id, kind, subject) DO UPDATE SET version = event_tasks.version + 1,
                noted_at = excluded.noted_at, due_at = excluded.due_at, tries = 0, strikes = 0,
                set_aside_at = NULL, problem = ''")
        .bind(corp_id.as_str())
        .bind(kind)
        .bind(subject)
        .bind(now.as_millis())
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}

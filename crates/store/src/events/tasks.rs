use std::time::Duration;

use wecom_login_model::{CorpId, Timestamp};

use super::{COMPANY, EventTask, RENAME};
use crate::database::{Row, sql};
use crate::{Error, Store};

/// A task that somebody works on. Nobody else gets it before the claim has run out; after that the claim counts for
/// nothing.
#[derive(Debug, Clone)]
pub struct ClaimedTask {
    id: i64,
    version: i64,
    until: Timestamp,
    /// What is to be done.
    pub task: EventTask,
    /// The oldest of its events.
    pub since: Timestamp,
    /// How often it has failed.
    pub tries: i64,
    /// How often of those it was the task's own fault.
    pub strikes: i64,
}

/// How much of a company's events is not worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The company.
    pub corp_id: CorpId,
    /// Tasks that wait.
    pub waiting: i64,
    /// The oldest event of theirs.
    pub since: Option<Timestamp>,
    /// Tasks that failed too often, and wait for somebody to look, or for another event.
    pub set_aside: i64,
}

/// A task that failed too often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSetAside {
    /// The company.
    pub corp_id: CorpId,
    /// What was to be done.
    pub task: EventTask,
    /// Since when it is set aside.
    pub at: Timestamp,
    /// What went wrong last.
    pub problem: String,
}

/// No pause and no claim lasts longer by far. A later time comes from a clock that is ahead, of a replica that may be dead, and is
/// not waited for.
const FURTHEST: Duration = Duration::from_mins(15);

/// Tasks that are due and not claimed at `$1`; `$2` is [`FURTHEST`] after it.
const DUE: &str = "set_aside_at IS NULL AND (due_at <= $1 OR due_at > $2)
    AND (claimed_until <= $1 OR claimed_until > $2)";

impl Store {
    /// Companies with tasks that are due.
    pub async fn companies_with_due_events(&self, now: Timestamp) -> Result<Vec<CorpId>, Error> {
        let rows = sql(format!("SELECT DISTINCT corp_id FROM event_tasks WHERE {DUE} ORDER BY corp_id"))
            .bind(now.as_millis())
            .bind((now + FURTHEST).as_millis())
            .fetch_all(self.database.reader())
            .await?;
        rows.iter().map(corp_id).collect()
    }

    /// True when more than `most` of the company's tasks wait, and no new userid is among those that are due: a sync would
    /// take such a member for one who left and one who came.
    pub async fn are_more_events_waiting(
        &self,
        corp_id: &CorpId,
        most: i64,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let row = sql("SELECT COUNT(*) AS waiting FROM
             (SELECT 1 FROM event_tasks WHERE corp_id = $1 AND set_aside_at IS NULL LIMIT $2) AS first
             WHERE NOT EXISTS (SELECT 1 FROM event_tasks
                WHERE corp_id = $1 AND kind = $3 AND set_aside_at IS NULL AND due_at <= $4)")
        .bind(corp_id.as_str())
        .bind(most + 1)
        .bind(RENAME)
        .bind(now.as_millis())
        .fetch_one(self.database.reader())
        .await?;
        Ok(row.get::<i64>("waiting")? > most)
    }

    /// True when a sync of the company is due because an event could not be understood, and no new userid waits.
    pub async fn is_company_sync_due(&self, corp_id: &CorpId, now: Timestamp) -> Result<bool, Error> {
        let row = sql("SELECT COUNT(*) AS due FROM event_tasks
             WHERE corp_id = $1 AND kind = $2 AND set_aside_at IS NULL AND due_at <= $4
                AND NOT EXISTS (SELECT 1 FROM event_tasks
                    WHERE corp_id = $1 AND kind = $3 AND set_aside_at IS NULL AND due_at <= $4)")
        .bind(corp_id.as_str())
        .bind(COMPANY)
        .bind(RENAME)
        .bind(now.as_millis())
        .fetch_one(self.database.reader())
        .await?;
        Ok(row.get::<i64>("due")? > 0)
    }

    /// A sync of the company that began at `began_at` came to its end and has not seen everything. The next one would not
    /// see more: an event that could not be understood before is done with.
    pub async fn company_was_read(&self, corp_id: &CorpId, began_at: Timestamp) -> Result<(), Error> {
        sql("DELETE FROM event_tasks WHERE corp_id = $1 AND kind = $2 AND noted_at < $3")
            .bind(corp_id.as_str())
            .bind(COMPANY)
            .bind(began_at.as_millis())
            .execute(self.database.writer())
            .await?;
        Ok(())
    }

    /// A sync of the company failed; one that was asked for by an event is due again at `due_at`.
    pub async fn postpone_company_sync(
        &self,
        corp_id: &CorpId,
        problem: &str,
        due_at: Timestamp,
    ) -> Result<(), Error> {
        sql("UPDATE event_tasks SET tries = tries + 1, problem = $3, due_at = $4 WHERE corp_id = $1 AND kind = $2")
            .bind(corp_id.as_str())
            .bind(COMPANY)
            .bind(problem)
            .bind(due_at.as_millis())
            .execute(self.database.writer())
            .await?;
        Ok(())
    }

    /// Claims due tasks of the company, the most urgent first; a sync of the company is not among them.
    pub async fn claim_event_tasks(
        &self,
        corp_id: &CorpId,
        now: Timestamp,
        until: Timestamp,
        limit: i64,
    ) -> Result<Vec<ClaimedTask>, Error> {
        // The second look at claimed_until is for PostgreSQL: another statement may have claimed the row since the first.
        let rows = sql(format!(
            "UPDATE event_tasks SET claimed_until = $4
             WHERE (claimed_until <= $1 OR claimed_until > $2) AND id IN
                (SELECT id FROM event_tasks WHERE corp_id = $3 AND kind <> $6 AND {DUE}
                 ORDER BY kind, due_at, id LIMIT $5)
             RETURNING id, kind, subject, version, since, tries, strikes"
        ))
        .bind(now.as_millis())
        .bind((now + FURTHEST).as_millis())
        .bind(corp_id.as_str())
        .bind(until.as_millis())
        .bind(limit)
        .bind(COMPANY)
        .fetch_all(self.database.writer())
        .await?;
        let claimed = |row: &Row| {
            Ok(ClaimedTask {
                id: row.get("id")?,
                version: row.get("version")?,
                until,
                task: task(row)?,
                since: Timestamp::from_millis(row.get("since")?),
                tries: row.get("tries")?,
                strikes: row.get("strikes")?,
            })
        };
        let mut tasks = rows.iter().map(claimed).collect::<Result<Vec<_>, Error>>()?;
        // RETURNING has no order.
        tasks.sort_by_key(|claimed| (claimed.task.kind(), claimed.id));
        Ok(tasks)
    }

    /// The task is done. If another event has asked for it in the meantime, it is to be done again.
    pub async fn finish_event_task(&self, claimed: &ClaimedTask) -> Result<(), Error> {
        let done = sql("DELETE FROM event_tasks WHERE id = $1 AND version = $2 AND claimed_until = $3")
            .bind(claimed.id)
            .bind(claimed.version)
            .bind(claimed.until.as_millis())
            .execute(self.database.writer())
            .await?;
        if done == 0 {
            sql("UPDATE event_tasks SET claimed_until = 0, since = noted_at WHERE id = $1 AND claimed_until = $2")
                .bind(claimed.id)
                .bind(claimed.until.as_millis())
                .execute(self.database.writer())
                .await?;
        }
        Ok(())
    }

    /// Whoever claimed these tasks together is still at work. What somebody else has taken over stays theirs.
    pub async fn renew_event_claims(
        &self,
        claimed: &mut [ClaimedTask],
        until: Timestamp,
    ) -> Result<(), Error> {
        let Some(former) = claimed.first().map(|claimed| claimed.until) else { return Ok(()) };
        let mut renew = sql("UPDATE event_tasks SET claimed_until = $1 WHERE claimed_until = $2 AND id IN (")
            .bind(until.as_millis())
            .bind(former.as_millis())
            .once();
        for (place, claimed) in claimed.iter().enumerate() {
            renew.push(if place == 0 { "" } else { ", " });
            renew.push_bound(claimed.id);
        }
        renew.push(")");
        renew.execute(self.database.writer()).await?;
        for claimed in claimed {
            claimed.until = until;
        }
        Ok(())
    }

    /// Gives the task back untried.
    pub async fn release_event_task(&self, claimed: &ClaimedTask) -> Result<(), Error> {
        sql("UPDATE event_tasks SET claimed_until = 0 WHERE id = $1 AND claimed_until = $2")
            .bind(claimed.id)
            .bind(claimed.until.as_millis())
            .execute(self.database.writer())
            .await?;
        Ok(())
    }

    /// The task failed and is due again at `due_at`, or at once if another event has asked for it in the meantime. With
    /// `set_aside` it waits for such an event.
    pub async fn fail_event_task(
        &self,
        claimed: &ClaimedTask,
        problem: &str,
        own_fault: bool,
        due_at: Timestamp,
        set_aside: Option<Timestamp>,
    ) -> Result<(), Error> {
        let failed =
            sql("UPDATE event_tasks SET claimed_until = 0, tries = tries + 1, strikes = strikes + $1,
                due_at = $2, set_aside_at = $3, problem = $4
             WHERE id = $5 AND version = $6 AND claimed_until = $7")
            .bind(i64::from(own_fault))
            .bind(due_at.as_millis())
            .bind(set_aside.map(Timestamp::as_millis))
            .bind(problem)
            .bind(claimed.id)
            .bind(claimed.version)
            .bind(claimed.until.as_millis())
            .execute(self.database.writer())
            .await?;
        if failed == 0 { self.release_event_task(claimed).await } else { Ok(()) }
    }

    /// A complete sync that began at `began_at` has seen what these tasks ask for. New userids stay: a sync cannot know
    /// them.
    pub async fn drop_events_before(&self, corp_id: &CorpId, began_at: Timestamp) -> Result<u64, Error> {
        sql("DELETE FROM event_tasks WHERE corp_id = $1 AND noted_at < $2 AND kind <> $3
                AND set_aside_at IS NULL")
        .bind(corp_id.as_str())
        .bind(began_at.as_millis())
        .bind(RENAME)
        .execute(self.database.writer())
        .await
    }

    /// What waits and what is set aside, by company.
    pub async fn event_backlog(&self) -> Result<Vec<Backlog>, Error> {
        let rows = sql("SELECT corp_id,
                SUM(CASE WHEN set_aside_at IS NULL THEN 1 ELSE 0 END) AS waiting,
                MIN(CASE WHEN set_aside_at IS NULL THEN since END) AS since,
                SUM(CASE WHEN set_aside_at IS NULL THEN 0 ELSE 1 END) AS set_aside
             FROM event_tasks GROUP BY corp_id ORDER BY corp_id")
        .fetch_all(self.database.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Backlog {
                    corp_id: corp_id(row)?,
                    waiting: row.get("waiting")?,
                    since: row.get::<Option<i64>>("since")?.map(Timestamp::from_millis),
                    set_aside: row.get("set_aside")?,
                })
            })
            .collect()
    }

    /// The tasks that are set aside, the latest first.
    pub async fn events_set_aside(&self, limit: i64) -> Result<Vec<EventSetAside>, Error> {
        let rows = sql("SELECT corp_id, kind, subject, set_aside_at, problem FROM event_tasks
             WHERE set_aside_at IS NOT NULL ORDER BY set_aside_at DESC, id DESC LIMIT $1")
        .bind(limit)
        .fetch_all(self.database.reader())
        .await?;
        rows.iter()
            .map(|row| {
                Ok(EventSetAside {
                    corp_id: corp_id(row)?,
                    task: task(row)?,
                    at: Timestamp::from_millis(row.get("set_aside_at")?),
                    problem: row.get("problem")?,
                })
            })
            .collect()
    }
}

fn corp_id(row: &Row) -> Result<CorpId, Error> {
    CorpId::parse(row.get::<String>("corp_id")?)
        .map_err(|error| Error::corrupt("table event_tasks, corp_id", error))
}

fn task(row: &Row) -> Result<EventTask, Error> {
    EventTask::read(row.get("kind")?, &row.get::<String>("subject")?)
}

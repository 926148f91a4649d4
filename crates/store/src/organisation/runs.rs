use wecom_login_model::{AgentId, CorpId, Timestamp};

use super::{LeaseGuard, staging_of};
use crate::database::{Row, Transaction, sql};
use crate::visibility::{ReadNumber, next_number};
use crate::{AuditEntry, AuditEvent, Error, Store};

/// A run's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(pub i64);

/// How much a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunScope {
    /// All that the app sees.
    Company,
    /// Some departments; nobody is marked as having left.
    Departments,
}

/// How far a run is. What lies before is kept when its process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Everybody's identifiers, by the secret of contact sync.
    Listing,
    /// What the app sees: departments, and people by name.
    VisibleScope,
    /// The members of the departments, one after another.
    Walk,
    /// The people by name whom no department has shown.
    Names,
    /// The members of the copy whom nothing has shown.
    Leavers,
    /// The copy is brought up to date.
    Apply,
}

/// How far a run can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Coverage {
    /// All that the app sees.
    #[default]
    Whole,
    /// The same, once everybody whom the listing tells was asked for by name.
    ByListing,
    /// Somebody may be there unseen.
    Blind,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The copy is what the app sees.
    Complete,
    /// It is, but for removals that wait for an administrator.
    Held,
    /// Somebody may have been there unseen: what was seen is in the copy, and some or all removals are left out.
    Incomplete,
    /// It broke off, and nobody was marked as having left.
    Failed,
}

macro_rules! words {
    ($type:ident { $($variant:ident $word:literal),* }) => {
        impl $type {
            /// The word for it, as it is stored and told.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            fn parse(text: &str) -> Result<Self, Error> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(Error::corrupt("table sync_runs", std::io::Error::other("an unknown word"))),
                }
            }
        }
    };
}

impl RunScope {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Company => "company",
            Self::Departments => "departments",
        }
    }
}

words!(Phase {
    Listing "listing", VisibleScope "scope", Walk "walk", Names "names", Leavers "leavers", Apply "apply"
});
words!(Outcome { Complete "complete", Held "held", Incomplete "incomplete", Failed "failed" });

/// A run that is to begin.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// The company.
    pub corp_id: &'a CorpId,
    /// The app that looks.
    pub agent_id: &'a AgentId,
    /// The instance by which it is configured.
    pub instance: &'a str,
    /// How much it is about.
    pub extent: RunScope,
    /// Who asked for it: `schedule`, `command`, or an administrator.
    pub started_by: &'a str,
    /// Removals are not held.
    pub forced: bool,
    /// Where it begins.
    pub phase: Phase,
}

/// A run as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// The company.
    pub corp_id: CorpId,
    /// The app that looks.
    pub agent_id: AgentId,
    /// The instance by which it is configured.
    pub instance: String,
    /// Who asked for it.
    pub started_by: String,
    /// Removals are not held.
    pub forced: bool,
    /// Taken before it asked WeCom anything.
    pub number: ReadNumber,
    /// When it began to look.
    pub started_at: Timestamp,
    /// When its last attempt began, or failed.
    pub attempted_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How far it is.
    pub phase: Phase,
    /// Where the list of identifiers goes on.
    pub cursor: Option<String>,
    /// How far it could see.
    pub sight: Coverage,
    /// What an administrator should know although nothing is wrong with the result.
    pub note: String,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it is not complete, or why its last try ended; empty if it is.
    pub problem: String,
    /// Departments that the app sees.
    pub departments: u64,
    /// Members seen.
    pub seen: u64,
    /// New rows.
    pub joined: u64,
    /// Rows that have changed.
    pub changed: u64,
    /// Members who had left and are back.
    pub came_back: u64,
    /// Members marked as having left.
    pub left: u64,
    /// Members whose removal waits for an administrator.
    pub held: u64,
}

const COLUMNS: &str = "id, corp_id, agent_id, instance, started_by, forced, number, started_at, attempted_at, finished_at, \
                       phase, cursor, sight, note, outcome, problem, departments, seen, joined, changed, came_back, gone, held";

impl Store {
    /// Goes on with the app's unfinished run if it has read anything since `not_before`; else begins one. Older
    /// unfinished ones end as failed.
    pub async fn begin_run(
        &self,
        new: &NewRun<'_>,
        under: LeaseGuard<'_>,
        not_before: Timestamp,
        now: Timestamp,
    ) -> Result<Run, Error> {
        let subject = format!("runs/{}", new.corp_id);
        let mut transaction = self.begin_under(&subject, under).await?;
        if new.extent == RunScope::Company {
            if let Some(run) = resumed(&mut transaction, new, (not_before, now)).await? {
                ask_anew(&mut transaction, &run).await?;
                transaction.commit().await?;
                return Ok(run);
            }
            sql("UPDATE sync_runs SET finished_at = $1, outcome = $2
                 WHERE corp_id = $3 AND agent_id = $4 AND finished_at IS NULL AND (kind = $5 OR started_at < $6)")
            .bind(now.as_millis())
            .bind(Outcome::Failed.as_str())
            .bind(new.corp_id.as_str())
            .bind(new.agent_id.as_str())
            .bind(new.extent.as_str())
            .bind(not_before.as_millis())
            .execute(&mut transaction)
            .await?;
        }
        let number = next_number(&mut transaction, &self.database).await?;
        let row = sql(format!(
            "INSERT INTO sync_runs (corp_id, agent_id, instance, kind, started_by, forced, started_at, attempted_at, phase,
                sight, note, problem, departments, seen, joined, changed, came_back, gone, held, number)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, 0, '', '', 0, 0, 0, 0, 0, 0, 0, $9) RETURNING {COLUMNS}"
        ))
        .bind(new.corp_id.as_str())
        .bind(new.agent_id.as_str())
        .bind(new.instance)
        .bind(new.extent.as_str())
        .bind(new.started_by)
        .bind(i64::from(new.forced))
        .bind(now.as_millis())
        .bind(new.phase.as_str())
        .bind(number.0)
        .fetch_one(&mut transaction)
        .await?;
        transaction.commit().await?;
        run(&row)
    }

    /// The run, if there is one of that number.
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, Error> {
        let row = sql(format!("SELECT {COLUMNS} FROM sync_runs WHERE id = $1"))
            .bind(id.0)
            .fetch_optional(self.database.reader())
            .await?;
        row.as_ref().map(run).transpose()
    }

    /// The last runs of whole companies, newest first.
    pub async fn runs(&self, limit: i64) -> Result<Vec<Run>, Error> {
        let text =
            format!("SELECT {COLUMNS} FROM sync_runs WHERE kind = 'company' ORDER BY id DESC LIMIT $1");
        let rows = sql(text).bind(limit).fetch_all(self.database.reader()).await?;
        rows.iter().map(run).collect()
    }

    /// The app's last run, whatever became of it.
    pub async fn last_run(&self, corp_id: &CorpId, agent_id: &AgentId) -> Result<Option<Run>, Error> {
        let row = sql(format!(
            "SELECT {COLUMNS} FROM sync_runs WHERE corp_id = $1 AND agent_id = $2 AND kind = 'company'
             ORDER BY id DESC LIMIT 1"
        ))
        .bind(corp_id.as_str())
        .bind(agent_id.as_str())
        .fetch_optional(self.database.reader())
        .await?;
        row.as_ref().map(run).transpose()
    }

    /// Notes that an attempt of the run has failed now, and why. The run can be resumed.
    pub async fn note_problem(&self, id: RunId, problem: &str, now: Timestamp) -> Result<(), Error> {
        sql("UPDATE sync_runs SET problem = $1, attempted_at = $2 WHERE id = $3 AND finished_at IS NULL")
            .bind(problem)
            .bind(now.as_millis())
            .bind(id.0)
            .execute(self.database.writer())
            .await?;
        Ok(())
    }

    /// Writes to the audit log that a run broke off; the next one may go on with what it has read.
    pub async fn audit_broken_run(&self, run: &Run, problem: &str, now: Timestamp) -> Result<(), Error> {
        self.audit(of_run(run, now).outcome(Outcome::Failed.as_str()).detail("problem", problem)).await
    }

    /// Ends a run that has applied nothing.
    pub async fn abandon_run(&self, id: RunId, now: Timestamp) -> Result<(), Error> {
        let mut transaction = self.database.begin(&staging_of(id)).await?;
        sql("UPDATE sync_runs SET finished_at = $1, outcome = $2 WHERE id = $3 AND finished_at IS NULL")
            .bind(now.as_millis())
            .bind(Outcome::Failed.as_str())
            .bind(id.0)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }
}

/// The audit log's event of a run: by whoever acts, or else by whom the run says that asked for it.
pub(super) fn of_run(run: &Run, now: Timestamp) -> AuditEntry {
    let mut entry = AuditEntry::new(AuditEvent::Sync, now)
        .instance(&run.instance)
        .detail("run", run.id.0)
        .detail("startedBy", run.started_by.as_str())
        .detail("forced", run.forced);
    entry.corp_id = Some(run.corp_id.as_str().to_owned());
    entry
}

/// The phase of a run that has ended and left nothing behind.
pub(super) const CLEARED: &str = "cleared";

/// The app's unfinished run, if it has walked a department or more. Whether removals are held is the present invocation's own
/// business.
async fn resumed(
    transaction: &mut Transaction,
    new: &NewRun<'_>,
    (not_before, now): (Timestamp, Timestamp),
) -> Result<Option<Run>, Error> {
    let row = sql(format!(
        "UPDATE sync_runs SET forced = $1, started_by = $2, problem = '', phase = $7, cursor = NULL, attempted_at = $8
         WHERE corp_id = $3 AND agent_id = $4 AND kind = $5 AND finished_at IS NULL AND started_at >= $6 AND started_at <= $8
            AND EXISTS (SELECT 1 FROM staged_departments AS d WHERE d.run_id = sync_runs.id AND d.walked = 1)
         RETURNING {COLUMNS}"
    ))
    .bind(i64::from(new.forced))
    .bind(new.started_by)
    .bind(new.corp_id.as_str())
    .bind(new.agent_id.as_str())
    .bind(new.extent.as_str())
    .bind(not_before.as_millis())
    .bind(new.phase.as_str())
    .bind(now.as_millis())
    .fetch_optional(transaction)
    .await?;
    row.as_ref().map(run).transpose()
}

/// Forgets what a resumed run cannot rest on: who was gone or refused, the list of all userids, members by name, and
/// departments that WeCom refused. Kept are the departments that were walked, each as of the moment when it was read.
async fn ask_anew(transaction: &mut Transaction, run: &Run) -> Result<(), Error> {
    for text in [
        "DELETE FROM asked_members WHERE run_id = $1",
        "DELETE FROM listed_members WHERE run_id = $1",
        "DELETE FROM seen_members WHERE run_id = $1",
        "DELETE FROM staged_members WHERE run_id = $1 AND source_id = 0",
        "UPDATE staged_departments SET walked = NULL WHERE run_id = $1 AND walked = 0",
    ] {
        sql(text).bind(run.id.0).execute(&mut *transaction).await?;
    }
    Ok(())
}

fn run(row: &Row) -> Result<Run, Error> {
    let count = |column: &str| -> Result<u64, Error> {
        Ok(u64::try_from(row.get::<i64>(column)?).unwrap_or_default())
    };
    let phase: String = row.get("phase")?;
    Ok(Run {
        id: RunId(row.get("id")?),
        corp_id: CorpId::parse(row.get::<String>("corp_id")?)
            .map_err(|error| Error::corrupt("table sync_runs, corp_id", error))?,
        agent_id: AgentId::parse(row.get::<String>("agent_id")?)
            .map_err(|error| Error::corrupt("table sync_runs, agent_id", error))?,
        instance: row.get("instance")?,
        started_by: row.get("started_by")?,
        forced: row.get::<i64>("forced")? == 1,
        number: ReadNumber(row.get("number")?),
        started_at: Timestamp::from_millis(row.get("started_at")?),
        attempted_at: Timestamp::from_millis(row.get("attempted_at")?),
        finished_at: row.get::<Option<i64>>("finished_at")?.map(Timestamp::from_millis),
        phase: if phase == CLEARED { Phase::Apply } else { Phase::parse(&phase)? },
        cursor: row.get("cursor")?,
        sight: match row.get::<i64>("sight")? {
            0 => Coverage::Whole,
            1 => Coverage::ByListing,
            _ => Coverage::Blind,
        },
        note: row.get("note")?,
        outcome: row.get::<Option<String>>("outcome")?.as_deref().map(Outcome::parse).transpose()?,
        problem: row.get("problem")?,
        departments: count("departments")?,
        seen: count("seen")?,
        joined: count("joined")?,
        changed: count("changed")?,
        came_back: count("came_back")?,
        left: count("gone")?,
        held: count("held")?,
    })
}

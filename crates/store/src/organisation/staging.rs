use std::collections::HashSet;

use wecom_login_model::{ContactFields, Department, DepartmentId, MemberStatus, Profile, UserId};

use super::{Coverage, LeaseGuard, Phase, RunId, staging_of};
use crate::database::{Loaded, Transaction, Value, sql};
use crate::members::json;
use crate::row_hash::row_hash;
use crate::visibility::Asked;
use crate::{Error, Store};

/// What a run has found that the app sees.
#[derive(Debug, Clone, Default)]
pub struct VisibleScope {
    /// Departments.
    pub departments: Vec<Department>,
    /// Members who are named one by one, by the app's scope or by a tag in it.
    pub names: Vec<UserId>,
    /// How far the run can see.
    pub sight: Coverage,
    /// Why it cannot see further, and what else an administrator should know.
    pub note: String,
}

/// A member as WeCom has just told.
#[derive(Debug, Clone)]
pub struct Staged {
    /// The member.
    pub user_id: UserId,
    /// What WeCom told.
    pub profile: Profile,
    /// When it was asked.
    pub asked: Asked,
    /// The department whose members were asked for; none for a member by name.
    pub source: Option<DepartmentId>,
}

/// A department that was asked for its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkedDepartment {
    /// The department.
    pub id: DepartmentId,
    /// False when WeCom refused, or when it gave rows that could not be read: somebody may be there unseen.
    pub whole: bool,
}

/// Staged rows in one transaction of [`Store::end_walk`]: a few hundredths of a second on SQLite.
const SEEN_AT_ONCE: i64 = 10_000;

const DEPARTMENTS: Loaded = Loaded {
    table: "staged_departments",
    columns: &["run_id", "department_id", "name", "parent_id", "sort_order", "walked"],
};
const MEMBERS: Loaded = Loaded {
    table: "staged_members",
    columns: &[
        "run_id",
        "user_key",
        "user_id",
        "name",
        "alias",
        "position",
        "mobile",
        "email",
        "biz_mail",
        "avatar",
        "gender",
        "departments",
        "leads",
        "main_department",
        "status",
        "row_hash",
        "read_at",
        "barred",
        "asked",
        "fields",
        "source_id",
    ],
};
const ASKED: Loaded =
    Loaded { table: "asked_members", columns: &["run_id", "user_key", "user_id", "leaver"] };
const LISTED: Loaded =
    Loaded { table: "listed_members", columns: &["run_id", "user_id", "user_key", "department_id"] };

impl Store {
    /// Stages a page of everybody's identifiers; `cursor` leads to the next page, none on to the next phase.
    pub async fn stage_listing(
        &self,
        run: RunId,
        rows: &[(UserId, DepartmentId)],
        cursor: Option<&str>,
        under: LeaseGuard<'_>,
    ) -> Result<(), Error> {
        let mut transaction = self.begin_under(&staging_of(run), under).await?;
        let values = rows.iter().flat_map(|(user_id, department)| {
            [Value::from(run.0), user_id.as_str().into(), user_id.folded().into(), department.0.into()]
        });
        transaction.load(LISTED, values.collect()).await?;
        let phase = if cursor.is_some() { Phase::Listing } else { Phase::VisibleScope };
        sql("UPDATE sync_runs SET cursor = $1, phase = $2 WHERE id = $3")
            .bind(cursor)
            .bind(phase.as_str())
            .bind(run.0)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// How many members the listing tells.
    pub async fn listed(&self, run: RunId) -> Result<u64, Error> {
        let row = sql("SELECT COUNT(DISTINCT user_key) AS n FROM listed_members WHERE run_id = $1")
            .bind(run.0)
            .fetch_one(self.database.reader())
            .await?;
        Ok(u64::try_from(row.get::<i64>("n")?).unwrap_or_default())
    }

    /// Forgets what of the listing is staged, to begin it again or to do without it.
    pub async fn drop_listing(&self, run: RunId, next: Phase, under: LeaseGuard<'_>) -> Result<(), Error> {
        let mut transaction = self.begin_under(&staging_of(run), under).await?;
        sql("DELETE FROM listed_members WHERE run_id = $1").bind(run.0).execute(&mut transaction).await?;
        sql("UPDATE sync_runs SET cursor = NULL, phase = $1 WHERE id = $2")
            .bind(next.as_str())
            .bind(run.0)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// Stages what the app sees; the walk comes next.
    pub async fn stage_scope(
        &self,
        run: RunId,
        scope: &VisibleScope,
        under: LeaseGuard<'_>,
    ) -> Result<(), Error> {
        let mut transaction = self.begin_under(&staging_of(run), under).await?;
        // A run that is resumed keeps the departments that it has walked, if the app still sees them.
        let rows = sql("SELECT department_id FROM staged_departments WHERE run_id = $1 AND walked = 1")
            .bind(run.0)
            .fetch_all(&mut transaction)
            .await?;
        let walked =
            rows.iter().map(|row| row.get("department_id")).collect::<Result<HashSet<i64>, Error>>()?;
        sql("DELETE FROM staged_departments WHERE run_id = $1").bind(run.0).execute(&mut transaction).await?;
        let values = scope.departments.iter().flat_map(|department| {
            [
                Value::from(run.0),
                department.id.0.into(),
                (&department.name).into(),
                department.parent.map(|id| id.0).into(),
                department.order.into(),
                walked.contains(&department.id.0).then_some(1).into(),
            ]
        });
        transaction.load(DEPARTMENTS, values.collect()).await?;
        transaction.analyze(DEPARTMENTS.table).await?;
        if !walked.is_empty() {
            sql("DELETE FROM staged_members WHERE run_id = $1 AND source_id NOT IN
                    (SELECT department_id FROM staged_departments WHERE run_id = $1 AND walked = 1)")
            .bind(run.0)
            .execute(&mut transaction)
            .await?;
        }
        let mut names = HashSet::new();
        let values = scope.names.iter().filter(|user_id| names.insert(*user_id)).flat_map(|user_id| {
            [Value::from(run.0), user_id.folded().into(), user_id.as_str().into(), 0.into()]
        });
        transaction.load(ASKED, values.collect()).await?;
        let sight: i64 = match scope.sight {
            Coverage::Whole => 0,
            Coverage::ByListing => 1,
            Coverage::Blind => 2,
        };
        sql("UPDATE sync_runs SET phase = $1, departments = $2, sight = $3, note = $4, cursor = NULL
             WHERE id = $5")
        .bind(Phase::Walk.as_str())
        .bind(i64::try_from(scope.departments.len()).unwrap_or(i64::MAX))
        .bind(sight)
        .bind(&scope.note)
        .bind(run.0)
        .execute(&mut transaction)
        .await?;
        transaction.commit().await
    }

    /// The departments that the run has not walked yet, and how many it has.
    pub async fn departments_to_walk(&self, run: RunId) -> Result<(Vec<DepartmentId>, u64), Error> {
        let rows = sql("SELECT department_id, walked FROM staged_departments WHERE run_id = $1
             ORDER BY department_id")
        .bind(run.0)
        .fetch_all(self.database.reader())
        .await?;
        let (mut open, mut done) = (Vec::new(), 0);
        for row in rows {
            match row.get::<Option<i64>>("walked")? {
                None => open.push(DepartmentId(row.get("department_id")?)),
                Some(_) => done += 1,
            }
        }
        Ok((open, done))
    }

    /// The departments of the run whose members could not be seen, or not all of them.
    pub async fn unseen_departments(&self, run: RunId) -> Result<Vec<DepartmentId>, Error> {
        let rows = sql("SELECT department_id FROM staged_departments WHERE run_id = $1 AND walked = 0")
            .bind(run.0)
            .fetch_all(self.database.reader())
            .await?;
        rows.iter().map(|row| Ok(DepartmentId(row.get("department_id")?))).collect()
    }

    /// Stages members, and that these departments were walked, all or nothing.
    pub async fn stage_walked(
        &self,
        run: RunId,
        members: Vec<Staged>,
        walked: &[WalkedDepartment],
        under: LeaseGuard<'_>,
    ) -> Result<(), Error> {
        let values = values_of(run, &members)?;
        let mut transaction = self.begin_under(&staging_of(run), under).await?;
        transaction.load(MEMBERS, values).await?;
        for whole in [true, false] {
            let ids: Vec<i64> =
                walked.iter().filter(|walked| walked.whole == whole).map(|walked| walked.id.0).collect();
            for ids in ids.chunks(500) {
                let mut update = sql("UPDATE staged_departments SET walked = $1 WHERE run_id = $2
                     AND department_id IN (")
                .bind(i64::from(whole))
                .bind(run.0)
                .once();
                for (place, id) in ids.iter().enumerate() {
                    update.push(if place == 0 { "" } else { ", " });
                    update.push_bound(*id);
                }
                update.push(")");
                update.execute(&mut transaction).await?;
            }
        }
        sql("UPDATE sync_runs SET seen = seen + $1 WHERE id = $2")
            .bind(i64::try_from(members.len()).unwrap_or(i64::MAX))
            .bind(run.0)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }

    /// Ends the walk, whose departments are all read: of everybody seen, in several departments perhaps, the last row counts from
    /// here on. In several transactions, so that sign-ins do not wait long; when the process dies between them, this is done again.
    pub async fn end_walk(&self, run: RunId, under: LeaseGuard<'_>) -> Result<(), Error> {
        // The last rows first, because the first one of a member that comes stays.
        let mut before = i64::MAX;
        loop {
            let rows = sql("SELECT COUNT(*) AS n, MIN(id) AS first FROM
                 (SELECT id FROM staged_members WHERE id < $1 AND run_id = $2 ORDER BY id DESC LIMIT $3) AS page")
            .bind(before)
            .bind(run.0)
            .bind(SEEN_AT_ONCE)
            .fetch_one(self.database.reader())
            .await?;
            let Some(first) = rows.get::<Option<i64>>("first")? else { break };
            let mut transaction = self.begin_under(&staging_of(run), under).await?;
            transaction.lift_timeouts().await?;
            // In the order of the key, so that the pages of the index are written from left to right.
            sql("INSERT INTO seen_members (run_id, user_key, staged_id, row_hash, read_at, barred, asked, fields)
                 SELECT run_id, user_key, id, row_hash, read_at, barred, asked, fields FROM staged_members
                 WHERE id >= $1 AND id < $2 AND run_id = $3
                 ORDER BY user_key, id DESC
                 ON CONFLICT (run_id, user_key) DO NOTHING")
            .bind(first)
            .bind(before)
            .bind(run.0)
            .long()
            .execute(&mut transaction)
            .await?;
            transaction.commit().await?;
            if rows.get::<i64>("n")? < SEEN_AT_ONCE {
                break;
            }
            self.database.let_others_write().await;
            before = first;
        }
        let mut transaction = self.begin_under(&staging_of(run), under).await?;
        transaction.lift_timeouts().await?;
        transaction.analyze(MEMBERS.table).await?;
        transaction.analyze("seen_members").await?;
        sql("UPDATE sync_runs SET phase = $1,
                seen = (SELECT COUNT(*) FROM seen_members WHERE run_id = $2) WHERE id = $2")
        .bind(Phase::Names.as_str())
        .bind(run.0)
        .long()
        .execute(&mut transaction)
        .await?;
        transaction.commit().await
    }

    /// Moves the run on.
    pub async fn enter_phase(&self, run: RunId, phase: Phase, under: LeaseGuard<'_>) -> Result<(), Error> {
        let mut transaction = self.begin_under(&staging_of(run), under).await?;
        sql("UPDATE sync_runs SET phase = $1 WHERE id = $2")
            .bind(phase.as_str())
            .bind(run.0)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await
    }
}

/// Stages members who answered by name, after the walk.
pub(super) async fn stage_answers(
    transaction: &mut Transaction,
    run: RunId,
    members: &[Staged],
) -> Result<(), Error> {
    transaction.load(MEMBERS, values_of(run, members)?).await?;
    for member in members {
        let added = sql(
            "INSERT INTO seen_members (run_id, user_key, staged_id, row_hash, read_at, barred, asked, fields)
             SELECT run_id, user_key, MAX(id), $3, $4, $5, $6, $7 FROM staged_members
             WHERE run_id = $1 AND user_key = $2 GROUP BY run_id, user_key
             ON CONFLICT (run_id, user_key) DO NOTHING",
        )
        .bind(run.0)
        .bind(member.user_id.folded())
        .bind(row_hash(&member.user_id, &member.profile))
        .bind(member.asked.at.as_millis())
        .bind(i64::from(barred(member)))
        .bind(member.asked.number.0)
        .bind(shown(member).bits())
        .execute(&mut *transaction)
        .await?;
        sql("UPDATE sync_runs SET seen = seen + $1 WHERE id = $2")
            .bind(i64::try_from(added).unwrap_or_default())
            .bind(run.0)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(())
}

fn barred(member: &Staged) -> bool {
    member.profile.status.is_some_and(MemberStatus::is_barred)
}

/// Of members who are barred nothing is kept.
fn shown(member: &Staged) -> ContactFields {
    if barred(member) { ContactFields::default() } else { member.profile.shown_fields() }
}

fn values_of(run: RunId, members: &[Staged]) -> Result<Vec<Value>, Error> {
    let mut values = Vec::with_capacity(members.len() * MEMBERS.columns.len());
    for member in members {
        let profile = &member.profile;
        values.extend([
            Value::from(run.0),
            member.user_id.folded().into(),
            member.user_id.as_str().into(),
            (&profile.name).into(),
            (&profile.alias).into(),
            (&profile.position).into(),
            (&profile.mobile).into(),
            (&profile.email).into(),
            (&profile.biz_mail).into(),
            (&profile.avatar).into(),
            (&profile.gender).into(),
            json(&profile.departments)?.into(),
            json(&profile.leads)?.into(),
            profile.main_department.map(|id| id.0).into(),
            profile.status.map(i64::from).into(),
            row_hash(&member.user_id, profile).into(),
            member.asked.at.as_millis().into(),
            i64::from(barred(member)).into(),
            member.asked.number.0.into(),
            shown(member).bits().into(),
            member.source.map_or(0, |id| id.0).into(),
        ]);
    }
    Ok(values)
}

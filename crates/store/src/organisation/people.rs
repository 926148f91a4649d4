use std::collections::HashSet;

use wecom_login_model::{AgentId, CorpId, DepartmentId, Timestamp, UserId};

use super::staging::{Staged, stage_answers};
use super::{LeaseGuard, Phase, Run, RunId, staging_of};
use crate::database::{Row, sql};
use crate::members::{departments, user_id};
use crate::visibility::{Asked, COUNTED_OUT_AFTER, NOT_COUNTED_OUT, ReadNumber};
use crate::{Error, Store};

/// A member whom the run asks WeCom for by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedMember {
    /// The member.
    pub user_id: UserId,
    /// Where the copy has them; empty for somebody it does not know.
    pub departments: Vec<DepartmentId>,
}

/// Which members to look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupKind {
    /// The people by name.
    Named,
    /// Members of the copy whom nothing has shown, and whose removal an administrator has approved.
    Approved,
    /// Members of the copy whom nothing has shown.
    Leavers,
}

/// What came of asking for some of them by name.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// Who is there.
    pub there: Vec<Staged>,
    /// Who is gone for the app.
    pub gone: Vec<UserId>,
    /// Who is not asked for, because nobody could have seen them.
    pub spared: Vec<UserId>,
    /// Of whom WeCom tells nothing, not even that they are gone.
    pub refused: Vec<UserId>,
}

impl Store {
    /// Adds to the people by name whom the listing tells and the walk has not shown: those of the walked departments, or
    /// `everybody` when it is not known whom the app sees.
    pub async fn ask_for_listed(
        &self,
        run: RunId,
        everybody: bool,
        under: LeaseGuard<'_>,
    ) -> Result<(), Error> {
        let mut transaction = self.begin_under(&staging_of(run), under).await?;
        transaction.lift_timeouts().await?;
        sql("INSERT INTO asked_members (run_id, user_key, user_id, leaver)
             SELECT run_id, user_key, user_id, 0 FROM listed_members AS l
             WHERE run_id = $1 AND ($2 = 1 OR EXISTS
                   (SELECT 1 FROM staged_departments AS d
                    WHERE d.run_id = l.run_id AND d.department_id = l.department_id))
               AND NOT EXISTS
                   (SELECT 1 FROM seen_members AS s WHERE s.run_id = l.run_id AND s.user_key = l.user_key)
             ON CONFLICT (run_id, user_key) DO NOTHING")
        .bind(run.0)
        .bind(i64::from(everybody))
        .long()
        .execute(&mut transaction)
        .await?;
        transaction.commit().await
    }

    /// Finds the members of the copy that the run has not seen and that may have left the app's scope: the app saw them before,
    /// or no app that counts sees them, or they have a session through the app. The leavers' phase begins with it. Returns their
    /// number.
    pub async fn find_leavers(&self, run: &Run, now: Timestamp, under: LeaseGuard<'_>) -> Result<u64, Error> {
        let mut transaction = self.begin_under(&staging_of(run.id), under).await?;
        transaction.lift_timeouts().await?;
        let found = sql(format!(
            "INSERT INTO asked_members (run_id, user_key, user_id, leaver)
             SELECT $1, m.user_key, m.user_id, 1 FROM members AS m
             WHERE m.corp_id = $2 AND m.left_at IS NULL
               AND NOT EXISTS (SELECT 1 FROM seen_members AS s WHERE s.run_id = $1 AND s.user_key = m.user_key)
               AND (EXISTS (SELECT 1 FROM member_visibility AS mine WHERE mine.corp_id = $2
                        AND mine.user_key = m.user_key AND mine.agent_id = $3 AND mine.answer = 1)
                 OR NOT EXISTS (SELECT 1 FROM member_visibility AS v
                        JOIN apps AS x ON x.corp_id = v.corp_id AND x.agent_id = v.agent_id AND {counts}
                        WHERE v.corp_id = $2 AND v.user_key = m.user_key AND v.answer = 1)
                 OR EXISTS (SELECT 1 FROM sessions AS t WHERE t.corp_id = $2 AND t.user_key = m.user_key
                        AND t.ended_at IS NULL AND t.agent_id = $3))
             ORDER BY m.user_key ON CONFLICT (run_id, user_key) DO UPDATE SET leaver = 1",
            counts = NOT_COUNTED_OUT.replace("{0}", "$4"),
        ))
        .bind(run.id.0)
        .bind(run.corp_id.as_str())
        .bind(run.agent_id.as_str())
        .bind((now - COUNTED_OUT_AFTER).as_millis())
        .long()
        .execute(&mut transaction)
        .await?;
        sql("UPDATE sync_runs SET phase = $1 WHERE id = $2")
            .bind(Phase::Leavers.as_str())
            .bind(run.id.0)
            .execute(&mut transaction)
            .await?;
        transaction.commit().await?;
        Ok(found)
    }

    /// The next members after `after`, by key, whom the run's app does not see any more and no other app is known to see, and
    /// about whom `other` has not been asked since the sync began: its answer decides whether they have left.
    pub async fn next_for_other_app(
        &self,
        run: &Run,
        (other, since): (&AgentId, ReadNumber),
        after: Option<&UserId>,
        now: Timestamp,
        limit: i64,
    ) -> Result<Vec<UserId>, Error> {
        let rows = sql(format!(
            "SELECT a.user_id FROM asked_members AS a
             JOIN members AS m ON m.corp_id = $2 AND m.user_key = a.user_key AND m.left_at IS NULL
             WHERE a.run_id = $1 AND a.leaver = 1 AND a.answer = 'gone' AND a.user_key > $6
               AND NOT EXISTS (SELECT 1 FROM seen_members AS s WHERE s.run_id = $1 AND s.user_key = a.user_key)
               AND NOT EXISTS (SELECT 1 FROM member_visibility AS v
                    JOIN apps AS x ON x.corp_id = v.corp_id AND x.agent_id = v.agent_id AND {counts}
                    WHERE v.corp_id = $2 AND v.user_key = a.user_key AND v.answer = 1 AND v.agent_id <> $3)
               AND NOT EXISTS (SELECT 1 FROM member_visibility AS v WHERE v.corp_id = $2
                    AND v.user_key = a.user_key AND v.agent_id = $4 AND v.asked >= $5)
             ORDER BY a.user_key LIMIT $8",
            counts = NOT_COUNTED_OUT.replace("{0}", "$7"),
        ))
        .bind(run.id.0)
        .bind(run.corp_id.as_str())
        .bind(run.agent_id.as_str())
        .bind(other.as_str())
        .bind(since.0)
        .bind(after.map(UserId::folded).unwrap_or_default())
        .bind((now - COUNTED_OUT_AFTER).as_millis())
        .bind(limit)
        .fetch_all(self.database.reader())
        .await?;
        rows.iter().map(user_id).collect()
    }

    /// Adds members whom the copy knows and the walk has missed, to be asked for by name.
    pub async fn ask_for(&self, run: RunId, people: &[UserId], under: LeaseGuard<'_>) -> Result<(), Error> {
        let mut transaction = self.begin_under(&staging_of(run), under).await?;
        for user_id in people {
            sql("INSERT INTO asked_members (run_id, user_key, user_id, leaver) VALUES ($1, $2, $3, 0)
                 ON CONFLICT (run_id, user_key) DO NOTHING")
            .bind(run.0)
            .bind(user_id.folded())
            .bind(user_id.as_str())
            .execute(&mut transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// Those of `people` whom the run has not seen.
    pub async fn unseen_of(&self, run: RunId, people: &[UserId]) -> Result<Vec<UserId>, Error> {
        let mut unseen = Vec::new();
        for people in people.chunks(500) {
            let keys: Vec<String> = people.iter().map(UserId::folded).collect();
            let mut text = sql("SELECT user_key FROM seen_members WHERE run_id = $1 AND user_key IN (")
                .bind(run.0)
                .once();
            text.push_list(&keys);
            text.push(")");
            let rows = text.fetch_all(self.database.reader()).await?;
            let seen = rows.iter().map(|row| row.get("user_key")).collect::<Result<HashSet<String>, _>>()?;
            unseen.extend(people.iter().filter(|user_id| !seen.contains(&user_id.folded())).cloned());
        }
        Ok(unseen)
    }

    /// The next people to ask for, by key.
    pub async fn next_to_ask(
        &self,
        run: RunId,
        whom: LookupKind,
        limit: i64,
    ) -> Result<Vec<AskedMember>, Error> {
        let approved = "AND EXISTS (SELECT 1 FROM held_removals AS h
            WHERE h.corp_id = r.corp_id AND h.agent_id = r.agent_id AND h.user_key = a.user_key
                AND h.approved_by IS NOT NULL)";
        let rows = sql(format!(
            "SELECT a.user_id, COALESCE(m.departments, '[]') AS departments FROM asked_members AS a
             JOIN sync_runs AS r ON r.id = a.run_id
             LEFT JOIN members AS m ON m.corp_id = r.corp_id AND m.user_key = a.user_key
             WHERE a.run_id = $1 AND a.leaver = $2 AND a.answer IS NULL
               AND NOT EXISTS (SELECT 1 FROM seen_members AS s WHERE s.run_id = $1 AND s.user_key = a.user_key)
               {}
             ORDER BY a.user_key LIMIT $3",
            if whom == LookupKind::Approved { approved } else { "" }
        ))
        .bind(run.0)
        .bind(i64::from(whom != LookupKind::Named))
        .bind(limit)
        .fetch_all(self.database.reader())
        .await?;
        rows.iter().map(asked).collect()
    }

    /// Keeps what came of asking.
    pub async fn stage_answers(
        &self,
        run: RunId,
        answers: &Answers,
        asked: Asked,
        under: LeaseGuard<'_>,
    ) -> Result<(), Error> {
        let Answers { there, gone, spared, refused } = answers;
        let mut transaction = self.begin_under(&staging_of(run), under).await?;
        stage_answers(&mut transaction, run, there).await?;
        let there = there.iter().map(|member| &member.user_id).collect::<Vec<_>>();
        let [gone, spared, refused] = [gone, spared, refused].map(|people| people.iter().collect());
        for (answer, people) in [("there", there), ("gone", gone), ("spared", spared), ("refused", refused)] {
            for user_id in people {
                sql("UPDATE asked_members SET answer = $1, asked_at = $2, asked = $5
                     WHERE run_id = $3 AND user_key = $4")
                .bind(answer)
                .bind(asked.at.as_millis())
                .bind(run.0)
                .bind(user_id.folded())
                .bind(asked.number.0)
                .execute(&mut transaction)
                .await?;
            }
        }
        transaction.commit().await
    }

    /// Of how many people WeCom has told the run nothing, with the first of them.
    pub async fn refused_people(&self, run: RunId) -> Result<(u64, Option<UserId>), Error> {
        let row = sql("SELECT COUNT(*) AS n, MIN(user_id) AS user_id FROM asked_members
             WHERE run_id = $1 AND answer = 'refused'")
        .bind(run.0)
        .fetch_one(self.database.reader())
        .await?;
        let first = row.get::<Option<String>>("user_id")?.map(|_| user_id(&row)).transpose()?;
        Ok((u64::try_from(row.get::<i64>("n")?).unwrap_or_default(), first))
    }

    /// How many members would be marked as having left by what the run knows so far, approved removals not counted; and
    /// how many members who have not left the app knows.
    pub async fn leavers_so_far(&self, run: &Run) -> Result<(u64, u64), Error> {
        const NOT_APPROVED: &str = "NOT EXISTS (SELECT 1 FROM held_removals AS h WHERE h.corp_id = $2
            AND h.agent_id = $3 AND h.user_key = m.user_key AND h.approved_by IS NOT NULL)";
        // Everybody seen is looked up once, and the copy is looked up by them (CROSS JOIN is SQLite's word for that order).
        let row = sql(format!(
            "SELECT asked.leaving + seen.leaving AS leaving, asked.known + seen.known AS known FROM
                (SELECT COUNT(*) AS known,
                    COUNT(CASE WHEN m.answer = 'gone' AND {NOT_APPROVED} THEN 1 END) AS leaving
                 FROM asked_members AS m WHERE m.run_id = $1 AND m.leaver = 1) AS asked
             CROSS JOIN
                (SELECT COUNT(*) AS known, COUNT(CASE WHEN s.barred = 1 AND {NOT_APPROVED} THEN 1 END) AS leaving
                 FROM seen_members AS s CROSS JOIN members AS m
                 WHERE s.run_id = $1 AND m.corp_id = $2 AND m.user_key = s.user_key AND m.left_at IS NULL) AS seen"
        ))
        .bind(run.id.0)
        .bind(run.corp_id.as_str())
        .bind(run.agent_id.as_str())
        .fetch_one(self.database.reader())
        .await?;
        let count = |column: &str| -> Result<u64, Error> {
            Ok(u64::try_from(row.get::<i64>(column)?).unwrap_or_default())
        };
        Ok((count("leaving")?, count("known")?))
    }

    /// A page of the company's members who have not left, by key, with the departments that the copy knows them in.
    pub async fn memberships_after(
        &self,
        corp_id: &CorpId,
        after: Option<&UserId>,
        limit: i64,
    ) -> Result<Vec<AskedMember>, Error> {
        let rows = sql("SELECT user_id, departments FROM members
             WHERE corp_id = $1 AND left_at IS NULL AND user_key > $2 ORDER BY user_key LIMIT $3")
        .bind(corp_id.as_str())
        .bind(after.map(UserId::folded).unwrap_or_default())
        .bind(limit)
        .fetch_all(self.database.reader())
        .await?;
        let asked = |row: &Row| {
            Ok(AskedMember { user_id: user_id(row)?, departments: departments(row, "departments")? })
        };
        rows.iter().map(asked).collect()
    }
}

fn asked(row: &Row) -> Result<AskedMember, Error> {
    Ok(AskedMember { user_id: user_id(row)?, departments: departments(row, "departments")? })
}

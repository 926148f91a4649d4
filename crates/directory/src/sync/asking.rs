//! People one by one (user/get): those whom the scope names, and members of the copy whom nothing has shown. Nobody is
//! marked as having left before WeCom was asked for just them and answered 60111 or 60011.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wecom_login_model::{DepartmentId, Timestamp, UserId};
use wecom_login_store::{Answers, Asked, Run, Sight, Staged, Whom};

use super::scope::is_of_the_app;
use super::walk::CALLS_AT_ONCE;
use super::{SyncError, Work, guard};
use crate::profile;

/// People whose answers are kept together.
const AT_ONCE: i64 = 200;

/// What WeCom says of one of them.
enum Answer {
    There(Box<Staged>),
    Gone(UserId),
    /// An unusual number, such as 40058 for a userid that it has given away itself.
    Refused(UserId),
}

impl Work<'_> {
    /// Asks for everybody who is left to ask for, but for those whom the copy has in departments that are `unseen`; how
    /// many of them are gone.
    pub(super) async fn ask(
        &self,
        run: &Run,
        whom: Whom,
        unseen: Option<&[DepartmentId]>,
    ) -> Result<u64, SyncError> {
        let mut gone = 0;
        loop {
            let answered = self.ask_some(run, whom, unseen.unwrap_or_default()).await?;
            match answered {
                None => return Ok(gone),
                Some(more) => gone += more,
            }
        }
    }

    /// Asks for a page of people; how many of them are gone, none when there is nobody left to ask for.
    async fn ask_some(
        &self,
        run: &Run,
        whom: Whom,
        unseen: &[DepartmentId],
    ) -> Result<Option<u64>, SyncError> {
        let people = self.store().next_to_ask(run.id, whom, AT_ONCE).await?;
        if people.is_empty() {
            return Ok(None);
        }
        let asked = people.len() as u64;
        let (hidden, people): (Vec<Asked>, Vec<Asked>) =
            people.into_iter().partition(|one| one.departments.iter().any(|id| unseen.contains(id)));
        let mut answers = stream::iter(people)
            .map(|one| async move {
                let read_at = self.directory.clock.now();
                let answer = self.viewer.app.user(&one.user_id).await;
                match answer {
                    Ok(user) => {
                        // Under the name that was asked for: with another one nobody would find the answer.
                        let user_id =
                            if user.user_id == one.user_id { user.user_id.clone() } else { one.user_id };
                        let there = Staged { profile: profile::of(&user), user_id, read_at };
                        Ok(Answer::There(Box::new(there)))
                    }
                    Err(error) if error.is_outside_scope() => Ok(Answer::Gone(one.user_id)),
                    Err(error) if self.strict || is_of_the_app(&error) => Err(error),
                    Err(error) => {
                        let (instance, user_id) = (&self.viewer.instance, one.user_id);
                        tracing::warn!(instance, %user_id, %error, "not seen");
                        Ok(Answer::Refused(user_id))
                    }
                }
            })
            .buffer_unordered(CALLS_AT_ONCE);
        let mut all =
            Answers { spared: hidden.into_iter().map(|one| one.user_id).collect(), ..Answers::default() };
        // Before they were asked: whoever is read later is there.
        let now = self.directory.clock.now();
        while let Some(answer) = answers.try_next().await? {
            match answer {
                Answer::There(there) => all.there.push(*there),
                Answer::Gone(user_id) => all.gone.push(user_id),
                Answer::Refused(user_id) => all.refused.push(user_id),
            }
        }
        drop(answers);
        self.timed(self.store().stage_answers(run.id, &all, now, self.under)).await?;
        self.tell(|progress| progress.asked += asked);
        Ok(Some(all.gone.len() as u64))
    }

    /// Finds who has left, as far as the run could see; why removals are held, if they are.
    pub(super) async fn find_leavers(
        &self,
        run: &Run,
        unseen: &[DepartmentId],
    ) -> Result<Option<String>, SyncError> {
        if run.sight != Sight::Blind {
            let since = self.others_since().await?;
            let (corp_id, app) = (&self.viewer.corp_id, self.viewer.viewing());
            self.timed(self.store().find_leavers(run.id, corp_id, app, since, self.under)).await?;
            self.ask(run, Whom::Approved, Some(unseen)).await?;
        }
        let (mut leaving, known) = self.timed(self.store().leavers_so_far(run)).await?;
        if !run.forced
            && let Some(hold) = guard::holds_empty(run.seen, known)
        {
            return Ok(Some(hold));
        }
        loop {
            if !run.forced
                && let Some(hold) = guard::holds(leaving, known)
            {
                return Ok(Some(hold));
            }
            if run.sight == Sight::Blind {
                return Ok(None);
            }
            match self.ask_some(run, Whom::Leavers, unseen).await? {
                None => return Ok(None),
                Some(gone) => leaving += gone,
            }
        }
    }

    /// Since when every other app of the company has looked: a row that was read after that, and that no app has seen in
    /// a sync, may be seen by one of them.
    async fn others_since(&self) -> Result<Timestamp, SyncError> {
        let synced = self.store().synced_apps(&self.viewer.corp_id).await?;
        let others = self.viewer.apps.iter().filter(|app| **app != self.viewer.agent_id);
        let since = |app: &wecom_login_model::AgentId| {
            let last = synced.iter().find(|(agent_id, _)| agent_id == app);
            last.map_or(Timestamp::from_millis(i64::MIN), |(_, started_at)| *started_at)
        };
        Ok(others.map(since).min().unwrap_or(Timestamp::from_millis(i64::MAX)))
    }
}

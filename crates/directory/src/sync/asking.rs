//! People one by one (user/get): those whom the scope names, and members of the copy whom nothing has shown. Nobody is
//! marked as having left before WeCom was asked for just them and answered 60111 or 60011.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use wecom::Concern;
use wecom_login_model::{DepartmentId, UserId};
use wecom_login_store::{Answers, AskedMember, Coverage, LookupKind, Run, Staged};

use super::scope::ends_the_run;
use super::walk::CALLS_AT_ONCE;
use super::{OtherApp, SyncError, Work, guard};
use crate::{answers, profile};

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
    pub(super) async fn ask_all(
        &self,
        run: &Run,
        whom: LookupKind,
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
        whom: LookupKind,
        unseen: &[DepartmentId],
    ) -> Result<Option<u64>, SyncError> {
        let people = self.store().next_to_ask(run.id, whom, AT_ONCE).await?;
        if people.is_empty() {
            return Ok(None);
        }
        let total = people.len() as u64;
        let (hidden, people): (Vec<AskedMember>, Vec<AskedMember>) =
            people.into_iter().partition(|one| one.departments.iter().any(|id| unseen.contains(id)));
        // Before they were asked: who is read later is there.
        let asked = self.directory.ask().await?;
        let mut answers = stream::iter(people)
            .map(|one| async move {
                let answer = self.source.app.user(&one.user_id).await;
                match answer {
                    Ok(user) => {
                        // Under the userid of the lookup: the run finds the answer by it.
                        let user_id =
                            if user.user_id == one.user_id { user.user_id.clone() } else { one.user_id };
                        let there = Staged { profile: profile::of(&user), user_id, asked, source: None };
                        Ok(Answer::There(Box::new(there)))
                    }
                    Err(error) if error.concern() == Concern::NotVisible => Ok(Answer::Gone(one.user_id)),
                    Err(error) if self.strict || ends_the_run(&error) => Err(error),
                    Err(error) => {
                        let (instance, user_id) = (&self.source.instance, one.user_id);
                        tracing::warn!(instance, %user_id, %error, "not seen");
                        Ok(Answer::Refused(user_id))
                    }
                }
            })
            .buffer_unordered(CALLS_AT_ONCE);
        let mut all =
            Answers { spared: hidden.into_iter().map(|one| one.user_id).collect(), ..Answers::default() };
        while let Some(answer) = answers.try_next().await? {
            match answer {
                Answer::There(there) => all.there.push(*there),
                Answer::Gone(user_id) => all.gone.push(user_id),
                Answer::Refused(user_id) => all.refused.push(user_id),
            }
        }
        drop(answers);
        self.timed(self.store().stage_answers(run.id, &all, asked, self.under)).await?;
        self.tell(|progress| progress.asked += total);
        Ok(Some(all.gone.len() as u64))
    }

    /// Finds who has left, as far as the run could see; returns why removals are held, if they are.
    pub(super) async fn find_leavers(
        &self,
        run: &Run,
        unseen: &[DepartmentId],
        forced: bool,
    ) -> Result<Option<String>, SyncError> {
        if run.sight != Coverage::Blind {
            let now = self.directory.clock.now();
            self.timed(self.store().find_leavers(run, now, self.under)).await?;
            self.ask_all(run, LookupKind::Approved, Some(unseen)).await?;
        }
        let (mut leaving, known) = self.timed(self.store().leavers_so_far(run)).await?;
        if !forced && let Some(hold) = guard::holds_empty(run.seen, known) {
            return Ok(Some(hold));
        }
        loop {
            if !forced && let Some(hold) = guard::holds(leaving, known) {
                return Ok(Some(hold));
            }
            if run.sight == Coverage::Blind {
                return Ok(None);
            }
            match self.ask_some(run, LookupKind::Leavers, unseen).await? {
                None => break,
                Some(gone) => leaving += gone,
            }
        }
        for other in &self.source.others {
            self.ask_other_app(run, other).await?;
        }
        Ok(None)
    }

    /// Asks another app of the company about members that no app is known to see. An app that cannot answer leaves them as they
    /// are.
    async fn ask_other_app(&self, run: &Run, other: &OtherApp) -> Result<(), SyncError> {
        let (directory, store, corp_id) = (self.directory, self.store(), &self.source.corp_id);
        let mut after = None;
        loop {
            let now = directory.clock.now();
            let wanted = (&other.agent_id, self.since);
            let people = store.next_for_other_app(run, wanted, after.as_ref(), now, AT_ONCE).await?;
            let Some(last) = people.last() else { return Ok(()) };
            after = Some(last.clone());
            let asked = directory.ask().await?;
            let mut all = stream::iter(people)
                .map(|user_id| async move {
                    let answered = answers::ask(&other.app, &other.agent_id, &user_id).await;
                    (user_id, answered)
                })
                .buffer_unordered(CALLS_AT_ONCE);
            while let Some((user_id, answered)) = all.next().await {
                if let Err(error) = &answered.answer
                    && error.concern() != Concern::Request
                {
                    let problem = error.to_string();
                    store.app_is_failing(corp_id, &other.agent_id, &problem, directory.clock.now()).await?;
                    return Ok(());
                }
                directory.record(corp_id, &user_id, asked, &[answered]).await?;
            }
        }
    }
}

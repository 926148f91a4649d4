use futures_util::future::join_all;
use wecom::Concern;
use wecom_login_model::{CorpId, UserId};

use super::Events;
use crate::answers::{self, Answered};
use crate::{Error, SyncSource};

/// What an attempt came to.
#[derive(Debug)]
pub(super) enum Attempt {
    /// The copy is right now.
    Done,
    /// WeCom's API does not say yet what the event said.
    NotYet(&'static str),
    /// Some apps were answered, and that is in the copy. The others are to be asked again.
    InPart(wecom::Error),
}

impl Events {
    /// Reads the member through every app of the company. Each answer counts for its app; an app that cannot answer neither
    /// decides nor keeps the others waiting. The member has left if every app says that it does not see them.
    pub(super) async fn read_again(
        &self,
        apps: &[SyncSource],
        corp_id: &CorpId,
        user_id: &UserId,
    ) -> Result<Attempt, Error> {
        let asked = self.directory.ask().await?;
        let all = self.ask_all(apps, user_id).await;
        if let Some(error) = nobody_answered(&all) {
            return Err(error.into());
        }
        self.directory.record(corp_id, user_id, asked, &all).await?;
        match all.into_iter().find_map(|one| one.answer.err().filter(|error| error.concern() != Concern::App))
        {
            Some(error) => Ok(Attempt::InPart(error)),
            None => Ok(Attempt::Done),
        }
    }

    async fn ask_all<'a>(&self, apps: &'a [SyncSource], user_id: &UserId) -> Vec<Answered<'a>> {
        join_all(apps.iter().map(|app| answers::ask(&app.app, &app.agent_id, user_id))).await
    }

    /// Gives the member the new userid, if WeCom does not know the former one any more: an event that comes late must
    /// not move somebody's account who has the former userid by now.
    pub(super) async fn rename(
        &self,
        apps: &[SyncSource],
        corp_id: &CorpId,
        from: &UserId,
        to: &UserId,
    ) -> Result<Attempt, Error> {
        if from != to {
            let all = self.ask_all(apps, from).await;
            if let Some(error) = nobody_answered(&all) {
                return Err(error.into());
            }
            if all.iter().any(|one| matches!(one.answer, Ok(Some(_)))) {
                return Ok(Attempt::NotYet("WeCom still knows the former userid"));
            }
        }
        self.directory.rename_member(corp_id, from, to).await?;
        self.read_again(apps, corp_id, to).await
    }
}

/// Why no app was answered, if none was.
fn nobody_answered(all: &[Answered<'_>]) -> Option<wecom::Error> {
    let mut errors = Vec::with_capacity(all.len());
    for one in all {
        match &one.answer {
            Ok(_) => return None,
            Err(error) => errors.push(error),
        }
    }
    // What may pass is a reason to wait; what an administrator must change is told otherwise.
    let passing = errors.iter().position(|error| error.concern() == Concern::Moment).unwrap_or(0);
    errors.get(passing).map(|error| (*error).clone())
}

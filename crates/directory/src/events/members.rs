use wecom_login_model::{CorpId, UserId};

use super::Events;
use crate::{Error, Viewer};

/// What an attempt came to.
#[derive(Debug)]
pub(super) enum Attempt {
    /// The copy is right now.
    Done,
    /// WeCom's API does not say yet what the event said.
    NotYet(&'static str),
}

impl Events {
    /// Reads the member with the apps of the company until one sees them; those that were asked before and do not have lost
    /// sight of them. Whom none sees has left.
    pub(super) async fn read_again(
        &self,
        apps: &[Viewer],
        corp_id: &CorpId,
        user_id: &UserId,
    ) -> Result<Attempt, Error> {
        let now = self.directory.clock.now();
        for (place, app) in apps.iter().enumerate() {
            match self.directory.read_member(&app.app, (corp_id, &app.agent_id), user_id).await {
                Ok(_) => {
                    for blind in &apps[..place] {
                        let store = &self.directory.store;
                        store.seen_elsewhere(corp_id, blind.viewing(), user_id, now).await?;
                    }
                    return Ok(Attempt::Done);
                }
                Err(Error::WeCom(error)) if error.is_outside_scope() => {}
                Err(error) => return Err(error),
            }
        }
        self.directory.store.mark_left(corp_id, user_id, self.directory.clock.now()).await?;
        Ok(Attempt::Done)
    }

    /// Gives the member the new userid, if WeCom does not know the former one any more: an event that comes late must
    /// not move somebody's account who has the former userid by now.
    pub(super) async fn rename(
        &self,
        apps: &[Viewer],
        corp_id: &CorpId,
        from: &UserId,
        to: &UserId,
    ) -> Result<Attempt, Error> {
        if from != to {
            for app in apps {
                match app.app.user(from).await {
                    Ok(_) => return Ok(Attempt::NotYet("WeCom still knows the former userid")),
                    Err(error) if error.is_outside_scope() => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.directory.rename_member(corp_id, from, to).await?;
        self.read_again(apps, corp_id, to).await
    }
}

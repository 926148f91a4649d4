//! One member read through an app or several, each answer for its app.

use wecom::{Calls, Concern};
use wecom_login_model::{AgentId, CorpId, UserId};
use wecom_login_store::{AppAnswer, Asked, MemberAnswers, Standing};

use crate::{Directory, Error, profile};

/// What an app was answered about a member.
#[derive(Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) agent_id: &'a AgentId,
    /// The member, or that the app does not see them; an error is no answer.
    pub(crate) answer: Result<Option<Box<wecom::User>>, wecom::Error>,
    /// WeCom's words for "not visible".
    pub(crate) refusal: Option<wecom::Error>,
}

/// Asks through one app (one call, user/get).
pub(crate) async fn ask<'a>(calls: &Calls, agent_id: &'a AgentId, user_id: &UserId) -> Answered<'a> {
    match calls.user(user_id).await {
        Ok(user) => Answered { agent_id, answer: Ok(Some(Box::new(user))), refusal: None },
        Err(error) if error.concern() == Concern::NotVisible => {
            Answered { agent_id, answer: Ok(None), refusal: Some(error) }
        }
        Err(error) => Answered { agent_id, answer: Err(error), refusal: None },
    }
}

impl Directory {
    /// Records the answers of one read, and the apps that WeCom refuses until a setting changes.
    pub(crate) async fn record(
        &self,
        corp_id: &CorpId,
        user_id: &UserId,
        asked: Asked,
        all: &[Answered<'_>],
    ) -> Result<Standing, Error> {
        let now = self.clock.now();
        let profiles: Vec<_> = all
            .iter()
            .filter_map(|one| match &one.answer {
                Ok(user) => {
                    Some((one.agent_id, user.as_deref().map(|user| (&user.user_id, profile::of(user)))))
                }
                Err(_) => None,
            })
            .collect();
        let answers: Vec<_> = profiles
            .iter()
            .map(|(agent_id, seen)| {
                let answer = match seen {
                    Some((user_id, profile)) => AppAnswer::Visible { user_id, profile },
                    None => AppAnswer::NotVisible,
                };
                (*agent_id, answer)
            })
            .collect();
        for one in all {
            if let Err(error) = &one.answer
                && error.concern() == Concern::App
            {
                self.store.app_is_failing(corp_id, one.agent_id, &error.to_string(), now).await?;
            }
        }
        let read = MemberAnswers { corp_id, user_id, asked, answers: &answers };
        Ok(self.store.record_answers(&read, now).await?)
    }
}

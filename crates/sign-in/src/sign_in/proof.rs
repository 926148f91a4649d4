//! Who it is: from a code to the member's row, as WeCom says it.

use wecom::{AuthCode, Calls, Concern, Identity};
use wecom_login_accounts::VerifiedContact;
use wecom_login_model::{AgentId, CorpId, Member, MemberStatus, Secret, UserId};
use wecom_login_store::{Consent, KnownMember};

use crate::error::Terminal;
use crate::{Attempt, Instance, Login, SignInError, UserInfo};

/// The search for the row of a proved member.
pub(super) struct MemberLookup<'a> {
    pub(super) user_id: &'a UserId,
    /// The ticket for what the member consented to.
    pub(super) ticket: Option<&'a Secret>,
    /// The row, if it is fresh.
    pub(super) fresh: Option<KnownMember>,
    /// An account is searched by what WeCom returns now: a sign-in fails if WeCom cannot be asked.
    pub(super) is_search: bool,
}

impl Login {
    /// The owner of a code (one call, auth/getuserinfo). The attempt ends with WeCom's answer.
    pub(super) async fn prove(
        &self,
        calls: &Calls,
        code: &AuthCode,
        attempt: Option<Attempt>,
    ) -> Result<(UserId, Option<Secret>), SignInError> {
        let identified = calls.identify(code).await;
        if let Some(attempt) = attempt {
            match &identified {
                Err(error) if is_wrong_guess(error) => attempt.failed().await,
                _ => attempt.succeeded(),
            }
        }
        match identified {
            Ok(Identity::Member { user_id, user_ticket }) => Ok((user_id, user_ticket)),
            Ok(Identity::NonMember { .. }) => Err(Terminal::NotAMember.into()),
            // What WeCom may name besides is none of ours either.
            Ok(_) => Err(Terminal::MemberOfAnotherCompany.into()),
            Err(error) if error.is_bad_code() => Err(Terminal::BadCode.into()),
            Err(error) => Err(SignInError::of_wecom(error)),
        }
    }

    /// The member's row, read from WeCom unless it is fresh, if they may sign in. With a ticket, what the member has
    /// consented to give away is read at the same time. Contact data is `None` where WeCom was not asked for all of it.
    pub(super) async fn member(
        &self,
        calls: &Calls,
        instance: &Instance,
        lookup: MemberLookup<'_>,
    ) -> Result<(Member, UserInfo, Option<VerifiedContact>), SignInError> {
        let MemberLookup { user_id, ticket, fresh, is_search } = lookup;
        let corp_id = instance.corp_id();
        let row = async {
            match fresh {
                Some(known) => Ok((known.member, known.department_names, None)),
                None => {
                    let app = (corp_id, instance.agent_id());
                    let (member, profile) = self.directory.read_told(calls, app, user_id).await?;
                    let names = self.directory.department_names(corp_id, &member.profile.departments).await?;
                    let contact = VerifiedContact { mobile: profile.mobile, biz_mail: profile.biz_mail };
                    Ok((member, names, Some(contact)))
                }
            }
        };
        let (row, consent) = tokio::join!(row, self.consent(calls, instance, user_id, ticket));
        let (mut member, names, mut contact) = row.map_err(refused)?;
        let consent = match consent {
            Ok(consent) => consent,
            Err(error) if is_search => return Err(refused(error)),
            Err(error) => {
                // It is a gain, not a condition.
                tracing::warn!(instance = instance.full_name(), %error, "what the member consented to was not read");
                contact = None;
                None
            }
        };
        if let Some(consent) = consent {
            let saved = self
                .directory
                .save_consent((corp_id, instance.agent_id()), user_id, &consent)
                .await
                .map_err(refused)?;
            member = saved.unwrap_or(member);
            if let Some(contact) = &mut contact {
                for (known, given) in
                    [(&mut contact.mobile, consent.mobile), (&mut contact.biz_mail, consent.biz_mail)]
                {
                    if !given.is_empty() {
                        *known = given;
                    }
                }
            }
        }
        match member.profile.status {
            Some(MemberStatus::Disabled) => Err(Terminal::Disabled.into()),
            Some(MemberStatus::Left) => Err(Terminal::Left.into()),
            // Since WeCom was asked.
            _ if member.left_at.is_some() => Err(Terminal::Left.into()),
            _ => {
                let user = UserInfo::new(&member, names);
                Ok((member, user, contact))
            }
        }
    }

    /// What the member has consented to give away, if a ticket came.
    async fn consent(
        &self,
        calls: &Calls,
        instance: &Instance,
        user_id: &UserId,
        ticket: Option<&Secret>,
    ) -> Result<Option<Consent>, wecom_login_directory::Error> {
        match ticket {
            Some(ticket) => self.directory.read_consent(calls, instance.corp_id(), user_id, ticket).await,
            None => Ok(None),
        }
    }

    pub(crate) async fn user_info(&self, member: &Member) -> Result<UserInfo, SignInError> {
        let departments = &member.profile.departments;
        let names = self.directory.department_names(&member.corp_id, departments).await.map_err(refused)?;
        Ok(UserInfo::new(member, names))
    }

    /// The value that getLoginCode had for a member of the local copy.
    pub(super) async fn user_info_by_id(
        &self,
        app: (&CorpId, &AgentId),
        user_id: &UserId,
    ) -> Result<UserInfo, SignInError> {
        match self.directory.member_for_app(app, user_id).await.map_err(refused)? {
            Some(member) => self.user_info(&member).await,
            None => Err(SignInError::Unforeseen("a session's member is not in the local copy".to_owned())),
        }
    }
}

/// True if WeCom refused the code itself: the failure concerns neither the app nor the moment.
fn is_wrong_guess(error: &wecom::Error) -> bool {
    let is_about_the_code = matches!(error.concern(), Concern::Request | Concern::NotVisible);
    error.call() == Some("auth/getuserinfo") && error.errcode().is_some() && is_about_the_code
}

pub(crate) fn refused(error: wecom_login_directory::Error) -> SignInError {
    match error {
        wecom_login_directory::Error::WeCom(error) if error.is_outside_scope() => {
            Terminal::OutsideScope { errcode: error.errcode().unwrap_or_default() }.into()
        }
        wecom_login_directory::Error::WeCom(error) => SignInError::of_wecom(error),
        wecom_login_directory::Error::Store(error) => SignInError::Store(error),
        other @ (wecom_login_directory::Error::Vanished(_) | wecom_login_directory::Error::TooLong(_)) => {
            SignInError::Unforeseen(other.to_string())
        }
    }
}

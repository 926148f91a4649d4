//! Who it is: from a code to the member's row, as WeCom tells it.

use wecom::{AuthCode, Calls, Identity};
use wecom_login_accounts::Told;
use wecom_login_model::{Member, MemberStatus, Secret, UserId};
use wecom_login_store::Consent;

use crate::refusal::Settled;
use crate::{Instance, Login, Refusal, UserInfo};

impl Login {
    /// Whose code it is (one call, auth/getuserinfo).
    pub(super) async fn prove(
        &self,
        calls: &Calls,
        code: &AuthCode,
    ) -> Result<(UserId, Option<Secret>), Refusal> {
        match calls.identify(code).await {
            Ok(Identity::Member { user_id, user_ticket }) => Ok((user_id, user_ticket)),
            Ok(Identity::NonMember { .. }) => Err(Settled::NotAMember.into()),
            // What WeCom may name besides is none of ours either.
            Ok(_) => Err(Settled::MemberOfAnotherCompany.into()),
            Err(error) if error.is_bad_code() => Err(Settled::BadCode.into()),
            Err(error) => Err(Refusal::WeCom(error)),
        }
    }

    /// The member's row, read from WeCom unless it is fresh, if they may sign in. With a ticket, what the member has
    /// consented to give away is read at the same time.
    ///
    /// When an account is being `looking` for, WeCom is asked in any case: what it returns now counts, not what the row
    /// remembers; and a sign-in fails if it cannot be asked.
    pub(super) async fn member(
        &self,
        calls: &Calls,
        instance: &Instance,
        user_id: &UserId,
        ticket: Option<&Secret>,
        looking: bool,
    ) -> Result<(Member, Told), Refusal> {
        let corp_id = instance.corp_id();
        let app = (corp_id, instance.agent_id());
        let row = async {
            let fresh_for = instance.user_fresh_for();
            match self.directory.fresh_member(app, user_id, fresh_for).await? {
                Some(member) if !looking => Ok((member, Told::default())),
                _ => {
                    let (member, profile) = self.directory.read_told(calls, app, user_id).await?;
                    Ok((member, Told { mobile: profile.mobile, biz_mail: profile.biz_mail }))
                }
            }
        };
        let (row, consent) = tokio::join!(row, self.consent(calls, instance, user_id, ticket));
        let (mut member, mut told) = row.map_err(refused)?;
        let consent = match consent {
            Ok(consent) => consent,
            Err(error) if looking => return Err(refused(error)),
            Err(error) => {
                // It is a gain, not a condition.
                tracing::warn!(instance = instance.full_name(), %error, "what the member consented to was not read");
                None
            }
        };
        if let Some(consent) = consent {
            let saved = self.directory.save_consent(corp_id, user_id, &consent).await.map_err(refused)?;
            member = saved.unwrap_or(member);
            for (told, given) in [(&mut told.mobile, consent.mobile), (&mut told.biz_mail, consent.biz_mail)]
            {
                if !given.is_empty() {
                    *told = given;
                }
            }
        }
        match member.profile.status {
            Some(MemberStatus::Disabled) => Err(Settled::Disabled.into()),
            Some(MemberStatus::Left) => Err(Settled::Left.into()),
            // Since WeCom was asked.
            _ if member.left_at.is_some() => Err(Settled::Left.into()),
            _ => Ok((member, told)),
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

    pub(crate) async fn user_info(&self, member: &Member) -> Result<UserInfo, Refusal> {
        let departments = &member.profile.departments;
        let names = self.directory.department_names(&member.corp_id, departments).await.map_err(refused)?;
        Ok(UserInfo::new(member, names))
    }
}

pub(crate) fn refused(error: wecom_login_directory::Error) -> Refusal {
    match error {
        wecom_login_directory::Error::WeCom(error) if error.is_outside_scope() => {
            Settled::OutsideScope { errcode: error.errcode().unwrap_or_default() }.into()
        }
        wecom_login_directory::Error::WeCom(error) => Refusal::WeCom(error),
        wecom_login_directory::Error::Store(error) => Refusal::Store(error),
        wecom_login_directory::Error::Vanished(what) => Refusal::Unforeseen(what.to_owned()),
    }
}

//! The functions of an instance that need no browser.

use wecom::Budget;
use wecom_login_model::{DepartmentId, Secret, UserId};
use wecom_login_store::{AuditEntry, AuditEvent, OK};

use crate::sign_in::refused;
use crate::{Instance, Instances, Login, SignInError, UserInfo};

/// Of anything longer, which can be no id, this many characters are kept.
const LONGEST_ID: usize = 64;

impl Login {
    /// getUserInfo: the member as WeCom tells them now (one call, user/get). The row is written.
    pub async fn get_user_info(&self, instance: &Instance, user_id: &str) -> Result<UserInfo, SignInError> {
        let calls = instance.client().within(self.budget().clone());
        let user_id = parse_user_id(user_id)?;
        let app = (instance.corp_id(), instance.agent_id());
        let member = self.directory().read_member(&calls, app, &user_id).await.map_err(refused)?;
        self.user_info(&member).await
    }

    /// getAccessToken: the app's access token, for calls of WeCom that this program does not make. Never give it to a
    /// browser.
    pub async fn get_access_token(&self, instance: &Instance) -> Result<Secret, SignInError> {
        let calls = instance.client().within(self.budget().clone());
        calls.access_token().await.map_err(SignInError::of_wecom)
    }

    /// syncUserInfo, with a row in the audit log: brings the member's row up to date. Without `force_update` a fresh row is left
    /// alone and costs no call. If the app does not see the member, the company's other apps are asked: the member has left, and
    /// is signed out, if none does. `instances` are all that are configured.
    pub async fn sync_user_info(
        &self,
        instance: &Instance,
        instances: &Instances,
        user_id: &str,
        force_update: bool,
    ) -> Result<(), SignInError> {
        let sync = async {
            let (user_id, fresh_for) = (parse_user_id(user_id)?, instance.user_fresh_for());
            let source = instances.source_of(instance, &Budget::background());
            self.directory().sync_member(&source, &user_id, fresh_for, force_update).await.map_err(refused)
        };
        let synced = sync.await;
        self.note_sync(instance, "syncUserInfo", Some(user_id), &synced).await;
        synced
    }

    /// syncDepartmentInfo, with a row in the audit log: brings a department with all below it, or every visible one, up to date, with its members.
    /// It adds and moves; it never marks anyone as having left.
    pub async fn sync_department_info(
        &self,
        instance: &Instance,
        dept_id: Option<&str>,
    ) -> Result<(), SignInError> {
        let sync = async {
            let below = dept_id.map(parse_department_id).transpose()?;
            let source = instance.source(Budget::background(), Vec::new());
            self.directory().sync_departments(&source, below).await.map_err(refused)
        };
        let synced = sync.await;
        self.note_sync(instance, "syncDepartmentInfo", dept_id, &synced).await;
        synced
    }

    /// Writes to the audit log that a member or departments were read on demand, and the outcome. `of` is what was asked
    /// for, as it came.
    async fn note_sync(
        &self,
        instance: &Instance,
        function: &str,
        of: Option<&str>,
        synced: &Result<(), SignInError>,
    ) {
        let outcome = synced.as_ref().map_or_else(SignInError::kind, |()| OK);
        let mut entry = AuditEntry::new(AuditEvent::Sync, self.now())
            .outcome(outcome)
            .instance(instance.full_name())
            .detail("function", function);
        entry.corp_id = Some(instance.corp_id().as_str().to_owned());
        if let Some(of) = of {
            entry = entry.detail("of", of.chars().take(LONGEST_ID).collect::<String>());
        }
        if let Err(error) = self.store().audit(entry).await {
            tracing::error!(%error, function, outcome, "an audit event is not in the database");
        }
    }
}

fn parse_user_id(text: &str) -> Result<UserId, SignInError> {
    UserId::parse(text).map_err(|_| SignInError::InvalidId("the text can be no userId", 40003))
}

fn parse_department_id(text: &str) -> Result<DepartmentId, SignInError> {
    match text.trim().parse::<u32>() {
        Ok(id) if id > 0 => Ok(DepartmentId(id.into())),
        _ => Err(SignInError::InvalidId("the text can be no department", 60123)),
    }
}

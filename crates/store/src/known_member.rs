//! What a sign-in needs to know of a member, in one statement: the row as the app may give it out, who watches over it, the
//! departments' names.

use wecom_login_model::{AgentId, CorpId, Member, Timestamp, UserId};

use crate::database::sql;
use crate::events::MEMBER;
use crate::members::member;
use crate::visibility::{CONFIRMATION, Confirmation, columns_for_app, confirmation};
use crate::{Error, Store};

/// A member's row with what decides whether it is fresh.
#[derive(Debug, Clone)]
pub struct KnownMember {
    /// The row, as the app may give it out.
    pub member: Member,
    /// The names of its departments, in order; `""` for one that the copy does not know.
    pub department_names: Vec<String>,
    /// What the app knows of the member.
    pub confirmation: Confirmation,
    /// When an event of the company was last heard, if no event that concerns the member waits and none is late.
    pub heard_at: Option<Timestamp>,
    /// True if the member is bound to an account.
    pub has_account: bool,
}

impl Store {
    /// The member's row as that app knows it. An event of the company that has waited since `late` counts as late.
    pub async fn known_member(
        &self,
        corp_id: &CorpId,
        agent_id: &AgentId,
        user_id: &UserId,
        late: Timestamp,
    ) -> Result<Option<KnownMember>, Error> {
        let row = sql(format!(
            "SELECT {columns}, {names} AS department_names, {CONFIRMATION},
                (SELECT heard_at FROM event_sources WHERE corp_id = $1 AND NOT EXISTS
                    (SELECT 1 FROM event_tasks WHERE corp_id = $1
                        AND ((kind = $4 AND subject = $2) OR (set_aside_at IS NULL AND since < $5)))) AS heard_at,
                EXISTS (SELECT 1 FROM bindings WHERE corp_id = $1 AND user_key = $2) AS has_account
             FROM members AS m
             LEFT JOIN member_visibility AS v
                ON v.corp_id = m.corp_id AND v.user_key = m.user_key AND v.agent_id = $3
             LEFT JOIN apps AS x ON x.corp_id = v.corp_id AND x.agent_id = v.agent_id
             WHERE m.corp_id = $1 AND m.user_key = $2",
            columns = columns_for_app(),
            names = self.database.department_names(),
        ))
        .bind(corp_id.as_str())
        .bind(user_id.folded())
        .bind(agent_id.as_str())
        .bind(MEMBER)
        .bind(late.as_millis())
        .fetch_optional(self.database.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let names = row.get::<Option<String>>("department_names")?.unwrap_or_else(|| "[]".to_owned());
        Ok(Some(KnownMember {
            member: member(&row)?,
            department_names: serde_json::from_str(&names)
                .map_err(|error| Error::corrupt("table departments, names", error))?,
            confirmation: confirmation(&row)?,
            heard_at: row.get::<Option<i64>>("heard_at")?.map(Timestamp::from_millis),
            has_account: row.get("has_account")?,
        }))
    }
}

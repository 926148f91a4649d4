use wecom_login_model::{
    AgentId, ContactField, ContactFields, CorpId, DepartmentId, Member, MemberStatus, Profile, Timestamp,
    UserId,
};

use crate::database::{PEOPLE, Row, Statement, sql};
use crate::row_hash::row_hash;
use crate::visibility::Asked;
use crate::{Error, Store};

pub(crate) const COLUMNS: &str = "id, corp_id, user_id, name, alias, position, mobile, email, biz_mail, avatar, gender, \
                       departments, leads, main_department, status, read_at, left_at, created_at, updated_at";

impl Store {
    /// The member's row, if there is one.
    pub async fn member(&self, corp_id: &CorpId, user_id: &UserId) -> Result<Option<Member>, Error> {
        let row = sql(format!("SELECT {COLUMNS} FROM members WHERE corp_id = $1 AND user_key = $2"))
            .bind(corp_id.as_str())
            .bind(user_id.folded())
            .fetch_optional(self.database.reader())
            .await?;
        row.as_ref().map(member).transpose()
    }

    /// Writes what the member consented to give to the app, and that they did. `""` was not given.
    pub async fn save_consent(
        &self,
        (corp_id, agent_id): (&CorpId, &AgentId),
        user_id: &UserId,
        given: &Consent,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        let mut fields = ContactFields::default();
        for (field, value) in given.fields() {
            fields = fields.and(ContactFields::from_iter([field]));
            let written = sql(format!(
                "UPDATE members SET {} = $1, updated_at = $2
                 WHERE corp_id = $3 AND user_key = $4 AND left_at IS NULL",
                field.as_str()
            ))
            .bind(value)
            .bind(now.as_millis())
            .bind(corp_id.as_str())
            .bind(user_id.folded())
            .execute(&mut transaction)
            .await?;
            if written == 0 {
                // The member has left since: nothing of theirs is kept.
                return Ok(());
            }
            sql("INSERT INTO consents (corp_id, user_key, field, given_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (corp_id, user_key, field) DO UPDATE SET given_at = excluded.given_at")
            .bind(corp_id.as_str())
            .bind(user_id.folded())
            .bind(field.as_str())
            .bind(now.as_millis())
            .execute(&mut transaction)
            .await?;
        }
        sql("UPDATE member_visibility SET consented = consented | $1
             WHERE corp_id = $2 AND user_key = $3 AND agent_id = $4")
        .bind(fields.bits())
        .bind(corp_id.as_str())
        .bind(user_id.folded())
        .bind(agent_id.as_str())
        .execute(&mut transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Values that the member gave by their own consent; `""` was not given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Consent {
    /// Mobile number.
    pub mobile: String,
    /// E-mail address.
    pub email: String,
    /// The company's own mailbox.
    pub biz_mail: String,
    /// Address of the picture.
    pub avatar: String,
    /// `"1"` male, `"2"` female.
    pub gender: String,
}

impl Consent {
    /// What was given.
    fn fields(&self) -> impl Iterator<Item = (ContactField, &str)> {
        [
            (ContactField::Mobile, self.mobile.as_str()),
            (ContactField::Email, &self.email),
            (ContactField::BizMail, &self.biz_mail),
            (ContactField::Avatar, &self.avatar),
            (ContactField::Gender, &self.gender),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    }
}

/// The values of a field that say nothing, as a list of SQL. Gender "0" is what WeCom says in place of a withheld one (WeCom 95833).
pub(crate) const fn no_value(field: ContactField) -> &'static str {
    match field {
        ContactField::Gender => "'', '0'",
        _ => "''",
    }
}

/// What an answer writes over a row that is there; `app` is the placeholder of the app that WeCom answered.
///
/// An empty contact field erases the known value if WeCom shows the field to the app: it has shown it for this member before,
/// or for any other. Otherwise WeCom withholds it, which says nothing. What the member gave by consent stays. Nothing is kept of
/// members who are disabled or gone (status 2 and 5); to mark them as left is the business of [`crate::leavers`].
pub(crate) fn written(app: &str) -> String {
    let contact = ContactField::ALL.map(|field| {
        let (name, bit) = (field.as_str(), field.bit());
        let none = no_value(field);
        format!(
            "{name} = CASE WHEN excluded.status IN (2, 5) THEN ''
                WHEN excluded.{name} NOT IN ({none}) THEN excluded.{name}
                WHEN EXISTS (SELECT 1 FROM consents AS c WHERE c.corp_id = members.corp_id
                        AND c.user_key = members.user_key AND c.field = '{name}')
                    OR NOT EXISTS (SELECT 1 FROM apps AS x WHERE x.corp_id = members.corp_id AND x.agent_id = {app}
                        AND (x.fields | COALESCE((SELECT v.fields FROM member_visibility AS v
                            WHERE v.corp_id = members.corp_id AND v.user_key = members.user_key
                                AND v.agent_id = {app}), 0)) & {bit} <> 0)
                    THEN members.{name}
                ELSE excluded.{name} END"
        )
    });
    format!(
        "user_id = excluded.user_id, name = excluded.name, alias = excluded.alias, position = excluded.position,
        {contact},
        departments = excluded.departments, leads = excluded.leads, main_department = excluded.main_department,
        status = excluded.status, row_hash = excluded.row_hash,
        left_at = CASE WHEN excluded.status IN (2, 5) THEN members.left_at END,
        left_number = CASE WHEN excluded.status IN (2, 5) THEN members.left_number END,
        left_evidence = CASE WHEN excluded.status IN (2, 5) THEN members.left_evidence END,
        asked = excluded.asked, read_at = excluded.read_at, updated_at = excluded.updated_at",
        contact = contact.join(",\n        ")
    )
}

/// The condition on a row that is there under which an answer is written: no newer answer was, and the member has not left
/// since WeCom was asked.
pub(crate) const NOT_NEWER: &str = "members.asked <= excluded.asked
    AND (members.left_at IS NULL OR COALESCE(members.left_number, 0) < excluded.asked)";

/// Writes an answer to a single read; `None` if a newer one is there. A member whom the copy does not know yet and who is barred
/// has left from the beginning.
pub(crate) fn upsert(
    corp_id: &CorpId,
    agent_id: &AgentId,
    user_id: &UserId,
    profile: &Profile,
    asked: Asked,
    now: Timestamp,
) -> Result<Statement, Error> {
    let barred = is_barred(profile);
    let shown = if barred { ContactFields::default() } else { profile.shown_fields() };
    let kept = profile.clone().only(shown);
    Ok(sql(format!(
        "INSERT INTO members (corp_id, user_key, user_id, name, alias, position, mobile, email, biz_mail, avatar,
            gender, departments, leads, main_department, status, row_hash, read_at, created_at, updated_at, asked,
            left_at, left_number, left_evidence)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19,
            CASE WHEN $15 IN (2, 5) THEN $18 END, CASE WHEN $15 IN (2, 5) THEN $19 END,
            CASE $15 WHEN 2 THEN 'unseen' WHEN 5 THEN 'deleted' END)
         ON CONFLICT (corp_id, user_key) DO UPDATE SET {written} WHERE {NOT_NEWER}
         RETURNING {COLUMNS}",
        written = written("$20"),
    ))
    .bind(corp_id.as_str())
    .bind(user_id.folded())
    .bind(user_id.as_str())
    .bind(&profile.name)
    .bind(&profile.alias)
    .bind(&profile.position)
    .bind(&kept.mobile)
    .bind(&kept.email)
    .bind(&kept.biz_mail)
    .bind(&kept.avatar)
    .bind(if barred { "" } else { &profile.gender })
    .bind(json(&profile.departments)?)
    .bind(json(&profile.leads)?)
    .bind(profile.main_department.map(|id| id.0))
    .bind(profile.status.map(i64::from))
    .bind(row_hash(user_id, profile))
    .bind(asked.at.as_millis())
    .bind(now.as_millis())
    .bind(asked.number.0)
    .bind(agent_id.as_str()))
}

pub(crate) fn is_barred(profile: &Profile) -> bool {
    profile.status.is_some_and(MemberStatus::is_barred)
}

pub(crate) fn json(departments: &[DepartmentId]) -> Result<String, Error> {
    serde_json::to_string(departments).map_err(|error| Error::corrupt("writing departments", error))
}

pub(crate) fn member(row: &Row) -> Result<Member, Error> {
    let moment = |column: &str| row.get(column).map(Timestamp::from_millis);
    Ok(Member {
        id: row.get("id")?,
        corp_id: CorpId::parse(row.get::<String>("corp_id")?)
            .map_err(|error| Error::corrupt("table members, corp_id", error))?,
        user_id: user_id(row)?,
        profile: Profile {
            name: row.get("name")?,
            alias: row.get("alias")?,
            position: row.get("position")?,
            mobile: row.get("mobile")?,
            email: row.get("email")?,
            biz_mail: row.get("biz_mail")?,
            avatar: row.get("avatar")?,
            gender: row.get("gender")?,
            departments: departments(row, "departments")?,
            leads: departments(row, "leads")?,
            main_department: row.get::<Option<i64>>("main_department")?.map(DepartmentId),
            status: row.get::<Option<i64>>("status")?.map(Into::into),
        },
        read_at: moment("read_at")?,
        left_at: row.get::<Option<i64>>("left_at")?.map(Timestamp::from_millis),
        created_at: moment("created_at")?,
        updated_at: moment("updated_at")?,
    })
}

pub(crate) fn user_id(row: &Row) -> Result<UserId, Error> {
    UserId::parse(row.get::<String>("user_id")?)
        .map_err(|error| Error::corrupt("table members, user_id", error))
}

pub(crate) fn departments(row: &Row, column: &str) -> Result<Vec<DepartmentId>, Error> {
    serde_json::from_str(&row.get::<String>(column)?)
        .map_err(|error| Error::corrupt("table members, departments or leads", error))
}

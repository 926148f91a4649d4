use wecom_login_model::{AgentId, CorpId, DepartmentId, Member, MemberStatus, Profile, Timestamp, UserId};

use crate::database::{PEOPLE, Row, Statement, sql};
use crate::leavers::leave;
use crate::row_hash::row_hash;
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

    /// Writes what WeCom told about the member, asked at `now` by that app, and gives the row as it is after that.
    ///
    /// A field that WeCom withheld (`""`) does not erase what is known of it: mobile, email, biz_mail, avatar
    /// and gender. The member is taken to be in the company, so a mark of having left goes, unless they were marked after
    /// WeCom was asked, or WeCom calls them disabled or gone (status 2 and 5): then they are marked, and their sessions end
    /// in the same transaction.
    pub async fn save_member(
        &self,
        corp_id: &CorpId,
        user_id: &UserId,
        profile: &Profile,
        now: Timestamp,
        read_by: &AgentId,
    ) -> Result<Member, Error> {
        let upsert = upsert(corp_id, user_id, profile, now, read_by)?;
        if !is_barred(profile) {
            return member(&upsert.fetch_one(self.database.writer()).await?);
        }
        let mut transaction = self.database.begin(PEOPLE).await?;
        upsert.execute(&mut transaction).await?;
        leave(&mut transaction, corp_id, &[user_id.folded()], now).await?;
        let row = sql(format!("SELECT {COLUMNS} FROM members WHERE corp_id = $1 AND user_key = $2"))
            .bind(corp_id.as_str())
            .bind(user_id.folded())
            .fetch_one(&mut transaction)
            .await?;
        transaction.commit().await?;
        member(&row)
    }

    /// The same for many members, in one transaction.
    pub async fn save_members(
        &self,
        corp_id: &CorpId,
        members: &[(UserId, Profile)],
        now: Timestamp,
        read_by: &AgentId,
    ) -> Result<(), Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        for (user_id, profile) in members {
            upsert(corp_id, user_id, profile, now, read_by)?.execute(&mut transaction).await?;
        }
        let barred = members.iter().filter(|(_, profile)| is_barred(profile));
        let barred: Vec<String> = barred.map(|(user_id, _)| user_id.folded()).collect();
        leave(&mut transaction, corp_id, &barred, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Writes what the member consented to give away, and that they did. `""` was not given.
    pub async fn save_consent(
        &self,
        corp_id: &CorpId,
        user_id: &UserId,
        given: &Consent,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.database.begin(PEOPLE).await?;
        for (field, value) in given.fields() {
            sql(format!(
                "UPDATE members SET {field} = $1, updated_at = $2 WHERE corp_id = $3 AND user_key = $4"
            ))
            .bind(value)
            .bind(now.as_millis())
            .bind(corp_id.as_str())
            .bind(user_id.folded())
            .execute(&mut transaction)
            .await?;
            sql("INSERT INTO consents (corp_id, user_key, field, given_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (corp_id, user_key, field) DO UPDATE SET given_at = excluded.given_at")
            .bind(corp_id.as_str())
            .bind(user_id.folded())
            .bind(field)
            .bind(now.as_millis())
            .execute(&mut transaction)
            .await?;
        }
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
    /// Columns and values of what was given.
    fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("mobile", self.mobile.as_str()),
            ("email", &self.email),
            ("biz_mail", &self.biz_mail),
            ("avatar", &self.avatar),
            ("gender", &self.gender),
        ]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
    }
}

/// What is written over a row that is there. A withheld value does not erase a known one. Whom WeCom calls disabled or gone
/// (status 2 and 5) is not back, and to mark them is the business of [`leave`]. Nor is somebody who left after WeCom was
/// asked: the answer is older than that.
pub(crate) const WRITTEN: &str = "user_id = excluded.user_id, name = excluded.name, alias = excluded.alias,
    position = excluded.position,
    mobile = CASE excluded.mobile WHEN '' THEN members.mobile ELSE excluded.mobile END,
    email = CASE excluded.email WHEN '' THEN members.email ELSE excluded.email END,
    biz_mail = CASE excluded.biz_mail WHEN '' THEN members.biz_mail ELSE excluded.biz_mail END,
    avatar = CASE excluded.avatar WHEN '' THEN members.avatar ELSE excluded.avatar END,
    gender = CASE WHEN excluded.gender IN ('', '0') AND members.gender <> '' THEN members.gender
             ELSE excluded.gender END,
    departments = excluded.departments, leads = excluded.leads,
    main_department = excluded.main_department, status = excluded.status, row_hash = excluded.row_hash,
    left_at = CASE WHEN excluded.status IN (2, 5) OR members.left_at > excluded.read_at THEN members.left_at END,
    read_at = excluded.read_at, read_by = excluded.read_by, updated_at = excluded.updated_at";

fn is_barred(profile: &Profile) -> bool {
    profile.status.is_some_and(MemberStatus::is_barred)
}

fn upsert(
    corp_id: &CorpId,
    user_id: &UserId,
    profile: &Profile,
    now: Timestamp,
    read_by: &AgentId,
) -> Result<Statement, Error> {
    Ok(sql(format!(
        "INSERT INTO members (corp_id, user_key, user_id, name, alias, position, mobile, email, biz_mail, avatar,
            gender, departments, leads, main_department, status, row_hash, left_at, read_at, created_at, updated_at,
            read_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $18, $19)
         ON CONFLICT (corp_id, user_key) DO UPDATE SET {WRITTEN}
         RETURNING {COLUMNS}"
    ))
    .bind(corp_id.as_str())
    .bind(user_id.folded())
    .bind(user_id.as_str())
    .bind(&profile.name)
    .bind(&profile.alias)
    .bind(&profile.position)
    .bind(&profile.mobile)
    .bind(&profile.email)
    .bind(&profile.biz_mail)
    .bind(&profile.avatar)
    .bind(&profile.gender)
    .bind(json(&profile.departments)?)
    .bind(json(&profile.leads)?)
    .bind(profile.main_department.map(|id| id.0))
    .bind(profile.status.map(i64::from))
    .bind(row_hash(user_id, profile))
    .bind(is_barred(profile).then_some(now.as_millis()))
    .bind(now.as_millis())
    .bind(read_by.as_str()))
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

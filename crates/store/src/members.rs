use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use wecom_login_model::{CorpId, DepartmentId, Member, Profile, Timestamp, UserId};

use crate::{Error, Store};

const COLUMNS: &str = "id, corp_id, user_id, name, alias, position, mobile, email, biz_mail, avatar, gender, \
                       departments, leads, main_department, status, read_at, left_at, created_at, updated_at";

impl Store {
    /// The member's row, if there is one.
    pub async fn member(&self, corp_id: &CorpId, user_id: &UserId) -> Result<Option<Member>, Error> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "SELECT {COLUMNS} FROM members WHERE corp_id = $1 AND user_key = $2"
        )))
        .bind(corp_id.as_str())
        .bind(user_id.folded())
        .fetch_optional(self.database.reader())
        .await?;
        row.as_ref().map(member).transpose()
    }

    /// Writes what WeCom told about the member at `now` and gives the row as it is after that.
    ///
    /// A field that WeCom withheld (`""`) does not erase what is known of it: mobile, email, biz_mail, avatar
    /// and gender. The member is taken to be in the company, so a mark of having left goes.
    pub async fn save_member(
        &self,
        corp_id: &CorpId,
        user_id: &UserId,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<Member, Error> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO members (corp_id, user_key, user_id, name, alias, position, mobile, email, biz_mail,
                avatar, gender, departments, leads, main_department, status, read_at, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $16)
             ON CONFLICT (corp_id, user_key) DO UPDATE SET
                user_id = excluded.user_id, name = excluded.name, alias = excluded.alias,
                position = excluded.position,
                mobile = CASE excluded.mobile WHEN '' THEN members.mobile ELSE excluded.mobile END,
                email = CASE excluded.email WHEN '' THEN members.email ELSE excluded.email END,
                biz_mail = CASE excluded.biz_mail WHEN '' THEN members.biz_mail ELSE excluded.biz_mail END,
                avatar = CASE excluded.avatar WHEN '' THEN members.avatar ELSE excluded.avatar END,
                gender = CASE WHEN excluded.gender IN ('', '0') AND members.gender <> '' THEN members.gender
                         ELSE excluded.gender END,
                departments = excluded.departments, leads = excluded.leads,
                main_department = excluded.main_department, status = excluded.status,
                read_at = excluded.read_at, left_at = NULL, updated_at = excluded.updated_at
             RETURNING {COLUMNS}"
        )))
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
        .bind(now.as_millis())
        .fetch_one(self.database.writer())
        .await?;
        member(&row)
    }
}

fn json(departments: &[DepartmentId]) -> Result<String, Error> {
    serde_json::to_string(departments).map_err(|error| Error::corrupt("writing departments", error))
}

fn member(row: &SqliteRow) -> Result<Member, Error> {
    let departments = |column: &str| -> Result<Vec<DepartmentId>, Error> {
        serde_json::from_str(row.try_get(column)?)
            .map_err(|error| Error::corrupt("table members, departments or leads", error))
    };
    let moment = |column: &str| row.try_get(column).map(Timestamp::from_millis);
    Ok(Member {
        id: row.try_get("id")?,
        corp_id: CorpId::parse(row.try_get::<String, _>("corp_id")?)
            .map_err(|error| Error::corrupt("table members, corp_id", error))?,
        user_id: UserId::parse(row.try_get::<String, _>("user_id")?)
            .map_err(|error| Error::corrupt("table members, user_id", error))?,
        profile: Profile {
            name: row.try_get("name")?,
            alias: row.try_get("alias")?,
            position: row.try_get("position")?,
            mobile: row.try_get("mobile")?,
            email: row.try_get("email")?,
            biz_mail: row.try_get("biz_mail")?,
            avatar: row.try_get("avatar")?,
            gender: row.try_get("gender")?,
            departments: departments("departments")?,
            leads: departments("leads")?,
            main_department: row.try_get::<Option<i64>, _>("main_department")?.map(DepartmentId),
            status: row.try_get::<Option<i64>, _>("status")?.map(Into::into),
        },
        read_at: moment("read_at")?,
        left_at: row.try_get::<Option<i64>, _>("left_at")?.map(Timestamp::from_millis),
        created_at: moment("created_at")?,
        updated_at: moment("updated_at")?,
    })
}

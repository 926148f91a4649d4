use wecom_login_auth_model::filter::Filter;
use wecom_login_auth_model::{AuthRow, AuthRows, Order, Page, Query};
use wecom_login_model::{AgentId, CorpId, DepartmentId, Secret, Timestamp, UserId};

use crate::auth_filter::STATUS;
use crate::database::{On, Row, Statement, sql};
use crate::visibility::columns_for_app;
use crate::{Error, Store};

const COLUMNS: &str = "m.id, m.user_id, m.name, m.mobile, m.email, m.avatar, m.departments, m.position, m.gender, \
                       m.leads, m.created_at, m.updated_at, COALESCE(p.access_hash, s.token_hash) AS access_hash, \
                       p.refresh_hash, s.expires_at";

/// The latest live session of each member `m`, if any, and its pair if it has one; `$1` is now. The session is looked up and never copied, so that
/// its end shows at once.
const SESSION: &str = " LEFT JOIN sessions AS s ON s.id = \
                       (SELECT live.id FROM sessions AS live \
                        WHERE live.corp_id = m.corp_id AND live.user_key = m.user_key AND live.ended_at IS NULL \
                        AND live.idle_until > $1 AND live.expires_at > $1 \
                        ORDER BY live.created_at DESC, live.id DESC LIMIT 1) \
                       LEFT JOIN token_pairs AS p ON p.session_id = s.id";

impl Store {
    /// A page of the member model, and how many rows the filter means in all; both as of one moment. With an `app`: the
    /// members that it sees, and those it saw who have left, with what WeCom shows to it. Without one: all members of every
    /// company. `now` tells which sessions live.
    pub async fn auth_rows(
        &self,
        app: Option<(&CorpId, &AgentId)>,
        query: &Query,
        now: Timestamp,
    ) -> Result<AuthRows, Error> {
        // One transaction reads one state of the database.
        let mut transaction = self.database.snapshot().await?;
        let mut count = sql("SELECT COUNT(*) AS total FROM ").once();
        if query.filter.asks_for_tokens() {
            count = count.bind(now.as_millis());
            members_of(&mut count, app);
            count.push(SESSION);
        } else {
            members_of(&mut count, app);
        }
        narrow(&mut count, &query.filter);
        let total: i64 = count.fetch_one(&mut transaction).await?.get("total")?;
        let rows = page(&mut transaction, app, (&query.filter, &query.order, query.page), now).await?;
        transaction.commit().await?;
        let total_count = u64::try_from(total).map_err(|error| Error::corrupt("counting members", error))?;
        Ok(AuthRows { rows, total_count, fields: query.fields.clone() })
    }

    /// The first row of the member model that the filter means, in the given order, ties by id.
    pub async fn auth_row(
        &self,
        app: Option<(&CorpId, &AgentId)>,
        filter: &Filter,
        order: &[Order],
        now: Timestamp,
    ) -> Result<Option<AuthRow>, Error> {
        let rows = page(self.database.reader(), app, (filter, order, Page::ONE), now).await?;
        Ok(rows.into_iter().next())
    }
}

async fn page<'c>(
    on: impl Into<On<'c>>,
    app: Option<(&CorpId, &AgentId)>,
    (filter, order, page): (&Filter, &[Order], Page),
    now: Timestamp,
) -> Result<Vec<AuthRow>, Error> {
    // Not kept prepared: filters have too many shapes.
    let mut select = sql(format!("SELECT {COLUMNS}, {STATUS} AS status FROM ")).once().bind(now.as_millis());
    let cut = |select: &mut Statement| {
        narrow(select, filter);
        select.order(order);
        select.push(" LIMIT ");
        select.push_bound(i64::from(page.size()));
        select.push(" OFFSET ");
        select.push_bound(page.offset());
    };
    if filter.asks_for_tokens() || order.iter().any(|order| order.field().is_token()) {
        members_of(&mut select, app);
        select.push(SESSION);
        cut(&mut select);
    } else {
        // Sessions are looked up for the rows of the page only.
        select.push("(SELECT * FROM ");
        members_of(&mut select, app);
        cut(&mut select);
        select.push(") AS m");
        select.push(SESSION);
        select.order(order);
    }
    let rows = select.fetch_all(on).await?;
    rows.iter().map(auth_row).collect()
}

/// Writes the members of the model, as `m`.
fn members_of(statement: &mut Statement, app: Option<(&CorpId, &AgentId)>) {
    let Some((corp_id, agent_id)) = app else { return statement.push("members AS m") };
    statement.push(&format!(
        "(SELECT m.user_key, {columns} FROM members AS m JOIN member_visibility AS v
            ON v.corp_id = m.corp_id AND v.user_key = m.user_key AND (v.answer = 1 OR m.left_at IS NOT NULL)
            AND v.agent_id = ",
        columns = columns_for_app(),
    ));
    statement.push_bound(agent_id.as_str());
    statement.push(" WHERE m.corp_id = ");
    statement.push_bound(corp_id.as_str());
    statement.push(") AS m");
}

fn narrow(statement: &mut Statement, filter: &Filter) {
    statement.push(" WHERE ");
    statement.filter(filter);
}

fn auth_row(row: &Row) -> Result<AuthRow, Error> {
    let departments = |column: &str| -> Result<Vec<DepartmentId>, Error> {
        serde_json::from_str(&row.get::<String>(column)?)
            .map_err(|error| Error::corrupt("table members, departments or leads", error))
    };
    let moment = |column: &str| row.get(column).map(Timestamp::from_millis);
    let hash =
        |column: &str| row.get::<Option<String>>(column).map(|hash| Secret::new(hash.unwrap_or_default()));
    Ok(AuthRow {
        id: row.get("id")?,
        user_id: UserId::parse(row.get::<String>("user_id")?)
            .map_err(|error| Error::corrupt("table members, user_id", error))?,
        name: row.get("name")?,
        mobile: row.get("mobile")?,
        email: row.get("email")?,
        avatar: row.get("avatar")?,
        department: departments("departments")?,
        position: row.get("position")?,
        gender: row.get("gender")?,
        status: row.get::<Option<i64>>("status")?.map(Into::into),
        is_leader: !departments("leads")?.is_empty(),
        access_token: hash("access_hash")?,
        refresh_token: hash("refresh_hash")?,
        expires_at: row.get::<Option<i64>>("expires_at")?.map(Timestamp::from_millis),
        created_at: moment("created_at")?,
        updated_at: moment("updated_at")?,
    })
}

#[cfg(test)]
mod tests {
    use wecom_login_model::{MemberStatus, Profile};

    use super::*;
    use crate::Asked;

    #[tokio::test]
    async fn whoever_was_seen_to_have_left_has_the_status_of_leavers() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
        let (corp_id, now) = (CorpId::parse("wwA").unwrap(), Timestamp::from_millis(1_800_000_000_000));
        let agent_id = AgentId::parse("7").unwrap();
        let active = Profile { status: Some(MemberStatus::Active), ..Profile::default() };
        for user_id in ["stays", "leaves"] {
            let asked = Asked { number: store.next_number().await.unwrap(), at: now };
            let seen = (&UserId::parse(user_id).unwrap(), &active);
            store.record_visible((&corp_id, &agent_id), seen, asked, now).await.unwrap();
        }
        sql("UPDATE members SET left_at = $1 WHERE user_key = 'leaves'")
            .bind(now.as_millis())
            .execute(store.database.writer())
            .await
            .unwrap();

        let meant = async |filter: &str| {
            let query = Query::of(filter.parse().unwrap());
            let rows = store.auth_rows(Some((&corp_id, &agent_id)), &query, now).await.unwrap().rows;
            rows.iter().map(|row| (row.user_id.to_string(), row.status)).collect::<Vec<_>>()
        };
        let (stays, leaves) = (
            ("stays".to_owned(), Some(MemberStatus::Active)),
            ("leaves".to_owned(), Some(MemberStatus::Left)),
        );
        assert_eq!(meant("Q()").await, [stays.clone(), leaves.clone()]);
        assert_eq!(meant("Q(status=5)").await, [leaves]);
        assert_eq!(meant("Q(status=1)").await, [stays]);
    }
}

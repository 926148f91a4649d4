use std::time::Duration;

use wecom_login_model::{AgentId, ContactFields, CorpId, Timestamp};

use crate::database::{Row, Transaction, sql};
use crate::{Error, Store};

/// An app that WeCom has not answered for so long, or that has not been configured for so long, decides nothing any more:
/// the company's other apps decide without it.
pub const COUNTED_OUT_AFTER: Duration = Duration::from_hours(24);

/// The condition on `apps AS x` that the app still counts; `{0}` is the placeholder of now minus [`COUNTED_OUT_AFTER`].
pub(crate) const NOT_COUNTED_OUT: &str = "(x.failing_since IS NULL OR x.failing_since > {0})";

/// An app of a company that WeCom does not answer, or that is not configured any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppHealth {
    /// The company.
    pub corp_id: CorpId,
    /// The app.
    pub agent_id: AgentId,
    /// Since when.
    pub failing_since: Timestamp,
    /// Why.
    pub problem: String,
}

/// What an app knows of a member's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Confirmation {
    /// When WeCom last showed the member to the app in a read of its own.
    pub read_at: Option<Timestamp>,
    /// When the app's last complete sync began, if it has confirmed the record.
    pub confirmed_at: Option<Timestamp>,
    /// A scheduled sync of the app watches over the member until then.
    pub watched_until: Option<Timestamp>,
}

/// The columns of a [`Confirmation`] from `member_visibility AS v LEFT JOIN apps AS x`.
pub(crate) const CONFIRMATION: &str = "
    CASE WHEN v.answer = 1 THEN v.asked_at END AS app_read_at,
    CASE WHEN v.answer = 1 AND x.run_number >= v.asked AND NOT EXISTS (SELECT 1 FROM held_removals AS h
        WHERE h.corp_id = v.corp_id AND h.agent_id = v.agent_id AND h.user_key = v.user_key)
        THEN x.run_started_at END AS confirmed_at,
    CASE WHEN v.answer = 1 THEN x.watched_until END AS watched_until";

pub(crate) fn confirmation(row: &Row) -> Result<Confirmation, Error> {
    let moment = |column: &str| Ok::<_, Error>(row.get::<Option<i64>>(column)?.map(Timestamp::from_millis));
    Ok(Confirmation {
        read_at: moment("app_read_at")?,
        confirmed_at: moment("confirmed_at")?,
        watched_until: moment("watched_until")?,
    })
}

const NOT_CONFIGURED: &str = "the app is not configured";

impl Store {
    /// Adds apps of a company that are configured.
    pub async fn add_apps(&self, corp_id: &CorpId, apps: &[AgentId]) -> Result<(), Error> {
        let known = self.apps(corp_id).await?;
        for agent_id in apps.iter().filter(|agent_id| !known.contains(agent_id)) {
            sql("INSERT INTO apps (corp_id, agent_id, fields, problem) VALUES ($1, $2, 0, '')
                 ON CONFLICT (corp_id, agent_id) DO NOTHING")
            .bind(corp_id.as_str())
            .bind(agent_id.as_str())
            .execute(self.database.writer())
            .await?;
        }
        Ok(())
    }

    /// The company's apps, configured now or before.
    pub async fn apps(&self, corp_id: &CorpId) -> Result<Vec<AgentId>, Error> {
        let rows = sql("SELECT agent_id FROM apps WHERE corp_id = $1 ORDER BY agent_id")
            .bind(corp_id.as_str())
            .fetch_all(self.database.reader())
            .await?;
        rows.iter().map(agent_id).collect()
    }

    /// Records that the company's other apps are not configured; what only they see stays as it is for
    /// [`COUNTED_OUT_AFTER`].
    pub async fn miss_other_apps(
        &self,
        corp_id: &CorpId,
        configured: &[AgentId],
        now: Timestamp,
    ) -> Result<(), Error> {
        let rows =
            sql("SELECT agent_id FROM apps WHERE corp_id = $1 AND failing_since IS NULL ORDER BY agent_id")
                .bind(corp_id.as_str())
                .fetch_all(self.database.reader())
                .await?;
        for row in rows {
            let agent_id = agent_id(&row)?;
            if !configured.contains(&agent_id) {
                self.app_is_failing(corp_id, &agent_id, NOT_CONFIGURED, now).await?;
            }
        }
        Ok(())
    }

    /// Records that WeCom does not answer the app. The first time counts.
    pub async fn app_is_failing(
        &self,
        corp_id: &CorpId,
        agent_id: &AgentId,
        problem: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let failing = sql("UPDATE apps SET failing_since = $1, problem = $2
             WHERE corp_id = $3 AND agent_id = $4 AND failing_since IS NULL")
        .bind(now.as_millis())
        .bind(problem)
        .bind(corp_id.as_str())
        .bind(agent_id.as_str())
        .execute(self.database.writer())
        .await?;
        if failing == 1 {
            tracing::warn!(%corp_id, %agent_id, problem, "WeCom does not answer the app; its members stay as they are");
        }
        Ok(())
    }

    /// The apps that WeCom does not answer, of every company, the longest first.
    pub async fn failing_apps(&self) -> Result<Vec<AppHealth>, Error> {
        let rows = sql("SELECT corp_id, agent_id, failing_since, problem FROM apps
             WHERE failing_since IS NOT NULL ORDER BY failing_since, corp_id, agent_id")
        .fetch_all(self.database.reader())
        .await?;
        let health = |row: &Row| {
            Ok(AppHealth {
                corp_id: CorpId::parse(row.get::<String>("corp_id")?)
                    .map_err(|error| Error::corrupt("table apps, corp_id", error))?,
                agent_id: agent_id(row)?,
                failing_since: Timestamp::from_millis(row.get("failing_since")?),
                problem: row.get("problem")?,
            })
        };
        rows.iter().map(health).collect()
    }
}

/// Records that WeCom has answered the app, and which contact fields it has shown. It comes before the rows of members, so that
/// all who write take the rows in one order; and it writes only what is new, because sign-ins of one app would wait for each other
/// otherwise.
pub(crate) async fn has_answered(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    agent_id: &AgentId,
    shown: ContactFields,
) -> Result<(), Error> {
    let known = sql("SELECT fields, failing_since FROM apps WHERE corp_id = $1 AND agent_id = $2")
        .bind(corp_id.as_str())
        .bind(agent_id.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
    if let Some(known) = known {
        let fields = ContactFields::of_bits(known.get("fields")?);
        if known.get::<Option<i64>>("failing_since")?.is_none() && fields.and(shown) == fields {
            return Ok(());
        }
    }
    sql("INSERT INTO apps (corp_id, agent_id, fields, problem) VALUES ($1, $2, $3, '')
         ON CONFLICT (corp_id, agent_id) DO UPDATE SET
            fields = apps.fields | excluded.fields, failing_since = NULL, problem = ''
         WHERE apps.failing_since IS NOT NULL OR apps.fields | excluded.fields <> apps.fields")
    .bind(corp_id.as_str())
    .bind(agent_id.as_str())
    .bind(shown.bits())
    .execute(transaction)
    .await?;
    Ok(())
}

/// The app's row stays as it is until the transaction ends.
pub(crate) async fn hold_app(
    transaction: &mut Transaction,
    corp_id: &CorpId,
    agent_id: &AgentId,
) -> Result<(), Error> {
    let text = format!(
        "SELECT x.fields FROM apps AS x WHERE x.corp_id = $1 AND x.agent_id = $2 {}",
        transaction.for_update("x")
    );
    sql(text).bind(corp_id.as_str()).bind(agent_id.as_str()).fetch_optional(transaction).await?;
    Ok(())
}

fn agent_id(row: &Row) -> Result<AgentId, Error> {
    AgentId::parse(row.get::<String>("agent_id")?)
        .map_err(|error| Error::corrupt("table apps, agent_id", error))
}

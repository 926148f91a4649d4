use std::sync::Arc;

use wecom_login_auth_model::filter::Filter;
use wecom_login_auth_model::{AuthRow, AuthRows, Order, Query};
use wecom_login_model::{AgentId, Clock, CorpId};
use wecom_login_store::Store;

use crate::{Directory, Error};

/// `QywxInnerAuthModel`: the members as rows of a model of the platform. Cheap to clone.
///
/// It reads the local copy and makes no call to WeCom. Rows include the three fields that describe a session. Where they
/// must stay secret, write rows with [`AuthRow::without_tokens`] and [`AuthRows::without_tokens`], and reject queries
/// with [`Query::asks_for_tokens`]: a filter would reveal the fields by guesses.
///
/// ```no_run
/// # async fn example(directory: wecom_login_directory::Directory, corp_id: wecom_login_model::CorpId,
/// #     agent_id: wecom_login_model::AgentId)
/// #     -> Result<(), Box<dyn std::error::Error>> {
/// use wecom_login_auth_model::{Order, Page, Query};
///
/// let model = directory.auth_model(corp_id, agent_id);
/// let leaders = Query {
///     order: vec![Order::parse("name", 1)?],
///     page: Page::new(1, 50)?,
///     ..Query::of("Q(isLeader=True, department=2)".parse()?)
/// };
/// let rows = model.query(&leaders).await?;
/// println!("{} of {}", rows.rows.len(), rows.total_count);
///
/// let zhangsan = model.get(&"Q(userId='zhangsan')".parse()?, &[]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct AuthModel {
    store: Store,
    clock: Arc<dyn Clock>,
    app: Option<(CorpId, AgentId)>,
}

impl Directory {
    /// The model of one app: the `QywxInnerAuthModel` of an instance. It holds the members that the app sees, with the values that
    /// WeCom shows to it, and members that it saw and that have left.
    pub fn auth_model(&self, corp_id: CorpId, agent_id: AgentId) -> AuthModel {
        AuthModel { app: Some((corp_id, agent_id)), ..self.auth_model_of_every_company() }
    }

    /// The model of all companies: the `QywxInnerAuthModel` of the Type. There, a userId alone does not
    /// identify a member.
    pub fn auth_model_of_every_company(&self) -> AuthModel {
        AuthModel { store: self.store.clone(), clock: Arc::clone(&self.clock), app: None }
    }
}

impl AuthModel {
    fn app(&self) -> Option<(&CorpId, &AgentId)> {
        self.app.as_ref().map(|(corp_id, agent_id)| (corp_id, agent_id))
    }

    /// The first row that matches the filter, in the given order, then by id; `None` if no row matches.
    pub async fn get(&self, filter: &Filter, order: &[Order]) -> Result<Option<AuthRow>, Error> {
        Ok(self.store.auth_row(self.app(), filter, order, self.clock.now()).await?)
    }

    /// A page of the rows that match the filter, and the total number of rows.
    pub async fn query(&self, query: &Query) -> Result<AuthRows, Error> {
        Ok(self.store.auth_rows(self.app(), query, self.clock.now()).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tempfile::TempDir;
    use wecom_login_model::{Fingerprint, ManualClock, Profile, Timestamp, UserId};
    use wecom_login_store::{Asked, NewSession};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const HOUR: Duration = Duration::from_hours(1);

    struct Company {
        directory: Directory,
        clock: ManualClock,
        model: AuthModel,
        _folder: TempDir,
    }

    /// zhangsan of wwA, signed in for an hour, lisi of wwA, and zhangsan of wwB.
    async fn company() -> Company {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
        let (ww_a, ww_b) = (CorpId::parse("wwA").unwrap(), CorpId::parse("wwB").unwrap());
        let agent_id = AgentId::parse("7").unwrap();
        let (zhangsan, lisi) = (UserId::parse("ZhangSan").unwrap(), UserId::parse("lisi").unwrap());
        for (corp_id, user_id) in [(&ww_a, &zhangsan), (&ww_a, &lisi), (&ww_b, &zhangsan)] {
            let asked = Asked { number: store.next_number().await.unwrap(), at: NOW };
            let seen = (user_id, &Profile::default());
            store.record_visible((corp_id, &agent_id), seen, asked, NOW).await.unwrap();
        }
        let session = NewSession {
            id: "s1",
            token_hash: Fingerprint::of("token"),
            sign_in: None,
            corp_id: &ww_a,
            user_id: &zhangsan,
            instance: "auths.loginTypes.Example",
            agent_id: &agent_id,
            created_at: NOW,
            idle_until: NOW + HOUR,
            expires_at: NOW + HOUR,
            account: wecom_login_store::AccountRule {
                find_by: None,
                barred: &[],
                register: true,
                rehire: wecom_login_store::Rehire::SameName,
            },
            former: None,
        };
        store.begin_session(&session).await.unwrap();
        let clock = ManualClock::at(NOW);
        let directory = Directory::new(store, Arc::new(clock.clone()));
        Company { model: directory.auth_model(ww_a, agent_id), directory, clock, _folder: folder }
    }

    fn filter(text: &str) -> Filter {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_company_s_model_holds_its_members_only() {
        let Company { directory, model, _folder, .. } = company().await;
        assert_eq!(model.query(&Query::of(filter("Q()"))).await.unwrap().total_count, 2);
        assert_eq!(model.get(&filter("Q(userId='ZHANGSAN')"), &[]).await.unwrap().unwrap().id, 1);
        assert_eq!(model.get(&filter("Q(userId='nobody')"), &[]).await.unwrap(), None);
        let every = directory.auth_model_of_every_company();
        assert_eq!(every.query(&Query::of(filter("Q(userId='zhangsan')"))).await.unwrap().total_count, 2);
    }

    #[tokio::test]
    async fn a_session_shows_while_it_lives_and_never_outside() {
        let Company { model, clock, _folder, .. } = company().await;
        let zhangsan = async || model.get(&filter("Q(userId='zhangsan')"), &[]).await.unwrap().unwrap();
        let row = zhangsan().await;
        assert_eq!(row.access_token.expose(), Fingerprint::of("token").to_hex());
        assert_eq!(row.expires_at, Some(NOW + HOUR));

        let rows = model.query(&Query::of(filter("Q()"))).await.unwrap();
        let outside = serde_json::to_string(&rows.without_tokens()).unwrap();
        assert!(!outside.contains(row.access_token.expose()) && !outside.contains("expiresAt"), "{outside}");
        let inside = serde_json::to_string(&rows.whole()).unwrap();
        assert!(inside.contains(row.access_token.expose()));

        clock.advance(HOUR);
        let row = zhangsan().await;
        assert_eq!((row.access_token.expose(), row.expires_at), ("", None));
    }
}

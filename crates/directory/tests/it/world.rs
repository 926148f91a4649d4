//! A company in the simulator and its copy.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;
use wecom::{Budget, Client, Endpoints, Transport};
use wecom_login_directory::{Directory, OtherApp, Progress, Report, SyncError, SyncOptions, SyncSource};
use wecom_login_model::{
    AgentId, Clock as _, CorpId, DepartmentId, Fingerprint, ManualClock, Member, Secret, Timestamp, UserId,
};
use wecom_login_simulator::{Company, Department, Member as Person, Options, Simulator, sample};
use wecom_login_store::{AccountRule, Leaver, NewEvent, NewSession, OutgoingEvent, Rehire, Run, Store};

pub(crate) const START: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// What the copy and the company are compared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) name: String,
    pub(crate) position: String,
    pub(crate) status: i64,
    pub(crate) departments: Vec<i64>,
    pub(crate) leads: Vec<i64>,
}

pub(crate) struct World {
    pub(crate) wecom: Simulator,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) clock: ManualClock,
    folder: TempDir,
}

pub(crate) fn agent() -> AgentId {
    AgentId::parse(sample::AGENT_ID.to_string()).unwrap()
}

pub(crate) fn corp() -> CorpId {
    CorpId::parse(sample::CORP_ID).unwrap()
}

pub(crate) fn user(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

/// A company with `members` people, whose app sees all of them.
pub(crate) async fn world(members: usize, departments: usize) -> World {
    World::of(Company::generated(members, departments, 1)).await
}

impl World {
    pub(crate) async fn of(company: Company) -> Self {
        Self::of_companies(vec![company]).await
    }

    pub(crate) async fn of_companies(companies: Vec<Company>) -> Self {
        let wecom = Simulator::start(Options { companies, ..Options::default() }).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
        let clock = ManualClock::at(START);
        let directory = Directory::new(store.clone(), std::sync::Arc::new(clock.clone()));
        Self { wecom, store, directory, clock, folder }
    }

    /// Does something to the database that the store itself never does.
    pub(crate) async fn meddle(&self, text: &'static str) {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("test.db"));
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        connection.execute(text).await.unwrap();
    }

    pub(crate) fn client(&self, secret: &str) -> Client {
        self.client_of(&corp(), secret)
    }

    pub(crate) fn client_of(&self, corp_id: &CorpId, secret: &str) -> Client {
        Client::builder(corp_id.clone(), Secret::new(secret))
            .endpoints(Endpoints::default().with_api(self.wecom.api_url()).unwrap())
            .transport(Transport::builder().build().unwrap())
            .build()
            .unwrap()
    }

    /// The sample company's newer app.
    pub(crate) fn source(&self) -> SyncSource {
        self.source_of(sample::AGENT_ID, sample::SECRET)
    }

    pub(crate) fn source_of(&self, agent_id: u64, secret: &str) -> SyncSource {
        let budget = Budget::of_a_company()
            .first_pause(Duration::from_millis(1))
            .longest_pause(Duration::from_millis(2));
        let agent_id = AgentId::parse(agent_id.to_string()).unwrap();
        SyncSource {
            instance: format!("auths.loginTypes.Of{agent_id}"),
            corp_id: corp(),
            app: self.client(secret).within(budget),
            contact: None,
            others: Vec::new(),
            agent_id,
        }
    }

    /// Both apps of the sample company, each beside the other.
    pub(crate) fn both(&self) -> [SyncSource; 2] {
        let one = self.source();
        let two = self.source_of(sample::OLD_AGENT_ID, sample::OLD_SECRET);
        let beside = |source: &SyncSource, other: &SyncSource| SyncSource {
            others: vec![OtherApp { agent_id: other.agent_id.clone(), app: other.app.clone() }],
            ..source.clone()
        };
        [beside(&one, &two), beside(&two, &one)]
    }

    /// A sync of the newer app, a minute after whatever was before.
    pub(crate) async fn sync(&self) -> Report {
        self.sync_as(&self.source(), false).await.unwrap()
    }

    pub(crate) async fn sync_as(&self, source: &SyncSource, force: bool) -> Result<Report, SyncError> {
        self.clock.advance(Duration::from_mins(1));
        let options = SyncOptions { started_by: "test".to_owned(), force, every: None };
        self.directory.sync(source, &options, &|_: Progress| ()).await
    }

    pub(crate) fn edit<T>(&self, edit: impl FnOnce(&mut Company) -> T) -> T {
        self.wecom.edit(sample::CORP_ID, edit).unwrap()
    }

    pub(crate) fn narrow(&self, agent_id: u64, departments: &[i64], members: &[&str]) {
        self.edit(|company| {
            company.edit_app(agent_id, |app| {
                app.scope.departments = departments.to_vec();
                app.scope.members = members.iter().map(|member| (*member).to_owned()).collect();
            })
        });
    }

    /// The members of the copy who have not left, by userid.
    pub(crate) async fn copy(&self) -> BTreeMap<String, Seen> {
        let mut copy = BTreeMap::new();
        for one in self.store.memberships_after(&corp(), None, i64::MAX).await.unwrap() {
            let member = self.member(one.user_id.as_str()).await.unwrap();
            let numbers = |ids: &[DepartmentId]| ids.iter().map(|id| id.0).collect();
            let seen = Seen {
                name: member.profile.name,
                position: member.profile.position,
                status: member.profile.status.map_or(0, i64::from),
                departments: numbers(&member.profile.departments),
                leads: numbers(&member.profile.leads),
            };
            copy.insert(one.user_id.to_string(), seen);
        }
        copy
    }

    /// What the app sees of the company, by the rules of a visible scope: who is in a visible department or named, and
    /// is neither disabled nor gone. Departments that are out of sight are not told.
    pub(crate) fn company(&self, agent_id: u64) -> BTreeMap<String, Seen> {
        self.edit(|company| {
            let scope = company.app(agent_id).unwrap().scope.clone();
            let visible = below(company, &scope.departments);
            let named: BTreeSet<String> = scope.members.iter().map(|name| name.to_lowercase()).collect();
            let seen_if_visible = |person: &Person| {
                let here = person.department.iter().any(|id| visible.contains(id));
                let there = here || named.contains(&person.userid.to_lowercase());
                (there && person.status != 2 && person.status != 5)
                    .then(|| (person.userid.clone(), seen(person, &visible)))
            };
            company.members().filter_map(|person| seen_if_visible(&person)).collect()
        })
    }

    pub(crate) fn departments_of(&self, agent_id: u64) -> BTreeSet<i64> {
        self.edit(|company| {
            let roots = company.app(agent_id).unwrap().scope.departments.clone();
            below(company, &roots)
        })
    }

    pub(crate) async fn departments(&self) -> BTreeSet<i64> {
        self.store.departments(&corp()).await.unwrap().iter().map(|department| department.id.0).collect()
    }

    pub(crate) async fn member(&self, user_id: &str) -> Option<Member> {
        self.store.member(&corp(), &user(user_id)).await.unwrap()
    }

    pub(crate) async fn has_left(&self, user_id: &str) -> bool {
        self.member(user_id).await.unwrap().left_at.is_some()
    }

    /// Signs somebody in, through an instance of no app that looks.
    pub(crate) async fn begin_session(&self, user_id: &str, id: &str) {
        self.begin_session_through("auths.loginTypes.Example", user_id, id).await;
    }

    pub(crate) async fn begin_session_through(&self, instance: &str, user_id: &str, id: &str) {
        let of_app = instance.strip_prefix("auths.loginTypes.Of");
        let agent_id = AgentId::parse(of_app.unwrap_or("1")).unwrap();
        let now = self.clock.now();
        let session = NewSession {
            id,
            token_hash: Fingerprint::of(id),
            sign_in: None,
            corp_id: &corp(),
            user_id: &user(user_id),
            instance,
            agent_id: &agent_id,
            created_at: now,
            idle_until: now + Duration::from_hours(1000),
            expires_at: now + Duration::from_hours(1000),
            account: AccountRule { find_by: None, barred: &[], register: true, rehire: Rehire::SameName },
            former: None,
        };
        self.store.begin_session(&session).await.unwrap();
    }

    pub(crate) async fn is_signed_in(&self, id: &str) -> bool {
        self.store.session_by_id(id, self.clock.now()).await.unwrap().is_some()
    }

    /// What was written to be told to others, as `left lisi` and `ended s1`.
    pub(crate) async fn outbox(&self) -> Vec<String> {
        let rows = self.store.outbox(0, 1000).await.unwrap();
        rows.iter()
            .map(|row| match &row.event {
                OutgoingEvent::MemberLeft => format!("left {}", row.user_key),
                OutgoingEvent::MemberReturned => format!("returned {}", row.user_key),
                OutgoingEvent::SessionEnded(session) => format!("ended {session}"),
            })
            .collect()
    }

    pub(crate) async fn last_run(&self) -> Run {
        self.store.runs(1).await.unwrap().remove(0)
    }
}

fn seen(person: &Person, visible: &BTreeSet<i64>) -> Seen {
    let places = person.department.iter().zip(&person.is_leader_in_dept);
    let places: Vec<_> = places.filter(|(id, _)| visible.contains(id)).collect();
    Seen {
        name: person.name.clone(),
        position: person.position.clone(),
        status: i64::from(person.status),
        departments: places.iter().map(|(id, _)| **id).collect(),
        leads: places.iter().filter(|(_, leads)| **leads == 1).map(|(id, _)| **id).collect(),
    }
}

/// Moves the time of the runtime, by which time-outs and pauses end. Nothing else happens meanwhile.
pub(crate) async fn time_passes(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// No wait is longer; what is waited for takes a fraction of it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Looks until it is so.
pub(crate) async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !look().await {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, looking).await.is_ok();
    assert!(in_time, "not within {PATIENCE:?}: {what}");
}

pub(crate) fn below(company: &Company, roots: &[i64]) -> BTreeSet<i64> {
    let all: Vec<&Department> = company.departments().collect();
    let mut found: BTreeSet<i64> =
        roots.iter().copied().filter(|root| all.iter().any(|department| department.id == *root)).collect();
    loop {
        let more: Vec<i64> = all
            .iter()
            .filter(|department| found.contains(&department.parentid) && !found.contains(&department.id))
            .map(|department| department.id)
            .collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// An event says that the member was deleted.
pub(crate) async fn mark_left(store: &Store, corp_id: &CorpId, user_id: &UserId, now: Timestamp) {
    let number = store.next_number().await.unwrap();
    let event = NewEvent {
        fingerprint: Fingerprint::of(format!("{number:?}")),
        corp_id,
        tasks: Vec::new(),
        leaver: Some(Leaver::Company(user_id.clone())),
    };
    store.accept_event(&event, now).await.unwrap();
}

//! Two companies in the simulator, each with two apps, and their copy in a database.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{Connection as _, Executor as _, Row as _};
use wecom::{Budget, Client, Endpoints, Transport};
use wecom_login_directory::events::{Apps, Events};
use wecom_login_directory::{Directory, OtherApp, SyncSource};
use wecom_login_model::{AgentId, Clock as _, CorpId, Fingerprint, ManualClock, Secret, Timestamp, UserId};
use wecom_login_simulator::{Age, App as SimulatedApp, Company, Department, Member, Options, Simulator};
use wecom_login_store::{AccountRule, Begun, NewSession, PostgresOptions, Store};

use crate::model::{APPS, App, Copy, Evidence, PARENTS, Row, Truth, View, When, Who};

pub(crate) const COMPANIES: usize = 2;
const START: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;

pub(crate) fn corp(company: usize) -> CorpId {
    CorpId::parse(format!("wwhistory{company}")).unwrap()
}

pub(crate) fn agent(app: App) -> AgentId {
    AgentId::parse(number_of(app).to_string()).unwrap()
}

pub(crate) fn user(who: Who) -> UserId {
    UserId::parse(name_of(who)).unwrap()
}

fn number_of(app: App) -> u64 {
    1_000_001 + app as u64
}

fn name_of(who: Who) -> String {
    format!("Member{who}")
}

fn secret_of(company: usize, app: App) -> String {
    format!("secret-of-company-{company}-and-of-its-app-{app}-0123456789")
}

/// Where the copy lies, and a connection beside the program's.
#[derive(Clone)]
pub(crate) enum Database {
    Sqlite(Arc<tempfile::TempDir>, SqlitePool),
    /// The address of a database, which is emptied before each history.
    Postgres(String, PgPool),
}

impl Database {
    /// A new file, copied from one that has the tables.
    pub(crate) async fn sqlite(with_tables: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        std::fs::copy(with_tables, &file).unwrap();
        let options = SqlitePoolOptions::new().max_connections(1);
        let pool = options.connect_with(SqliteConnectOptions::new().filename(&file)).await.unwrap();
        Self::Sqlite(Arc::new(folder), pool)
    }

    /// A database of its own on the server that `scripts/with-servers` starts.
    pub(crate) async fn postgres() -> Self {
        let server = std::env::var("WECOM_LOGIN_TEST_POSTGRES")
            .unwrap_or_else(|_| panic!("run this with scripts/with-servers, which starts the servers"));
        let (server, _) = server.rsplit_once('/').unwrap();
        let name = format!("histories{}", std::process::id());
        let mut connection =
            sqlx::PgConnection::connect(&format!("{server}/postgres?sslmode=disable")).await.unwrap();
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        connection.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
        let address = format!("{server}/{name}?sslmode=disable");
        let pool = PgPoolOptions::new().max_connections(1).connect(&address).await.unwrap();
        Self::Postgres(address, pool)
    }

    pub(crate) async fn open(&self) -> Store {
        match self {
            Self::Sqlite(folder, _) => Store::open_sqlite(&folder.path().join("test.db")).await.unwrap(),
            Self::Postgres(address, _) => {
                Store::open_postgres(&PostgresOptions::parse(address, 4).unwrap()).await.unwrap()
            }
        }
    }

    async fn execute(&self, text: &str) {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(_, pool) => drop(pool.execute(text).await.unwrap()),
            Self::Postgres(_, pool) => drop(pool.execute(text).await.unwrap()),
        }
    }

    /// Deletes what an earlier history has left.
    async fn empty(&self) {
        let Self::Postgres(..) = self else { return };
        let tables = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables
            WHERE schemaname = 'public' AND tablename NOT LIKE '\\_sqlx%'";
        let names = self.query(tables).await.remove(0).remove(0);
        self.execute(&format!("TRUNCATE {names}")).await;
    }

    /// The rows of a query, as texts.
    async fn query(&self, text: &'static str) -> Vec<Vec<String>> {
        match self {
            Self::Sqlite(_, pool) => {
                let rows = sqlx::query(text).fetch_all(pool).await.unwrap();
                rows.iter().map(|row| (0..row.len()).map(|at| row.get::<String, _>(at)).collect()).collect()
            }
            Self::Postgres(_, pool) => {
                let rows = sqlx::query(text).fetch_all(pool).await.unwrap();
                rows.iter().map(|row| (0..row.len()).map(|at| row.get::<String, _>(at)).collect()).collect()
            }
        }
    }
}

/// The apps that are configured at present.
#[derive(Debug, Clone)]
struct Configured {
    clients: Arc<Vec<Vec<Client>>>,
    truths: Arc<Mutex<Vec<Truth>>>,
}

impl Configured {
    fn source(&self, company: usize, app: App, budget: &Budget) -> SyncSource {
        let configured = |app: &App| self.truths.lock().unwrap()[company].apps[*app].configured;
        let calls = |app: App| self.clients[company][app].within(budget.clone());
        let others = (0..APPS)
            .filter(|other| *other != app && configured(other))
            .map(|other| OtherApp { agent_id: agent(other), app: calls(other) })
            .collect();
        SyncSource {
            instance: format!("auths.loginTypes.Of{company}x{app}"),
            corp_id: corp(company),
            agent_id: agent(app),
            app: calls(app),
            contact: None,
            others,
        }
    }
}

impl Apps for Configured {
    fn of(&self, corp_id: &CorpId, _budget: &Budget) -> Vec<SyncSource> {
        let company = (0..COMPANIES).find(|company| corp(*company) == *corp_id).unwrap();
        let configured = (0..APPS).filter(|app| self.truths.lock().unwrap()[company].apps[*app].configured);
        let configured: Vec<App> = configured.collect();
        configured.into_iter().map(|app| self.source(company, app, &impatient())).collect()
    }

    fn sync_every(&self) -> Option<Duration> {
        None
    }
}

/// What fails, fails at once.
fn impatient() -> Budget {
    Budget::background().patience(Duration::ZERO).first_pause(Duration::from_millis(1))
}

pub(crate) struct World {
    pub(crate) wecom: Simulator,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) clock: ManualClock,
    pub(crate) database: Database,
    pub(crate) events: Events,
    configured: Configured,
    told: u64,
    sessions: u64,
}

impl World {
    pub(crate) async fn new(database: Database, truths: &[Truth]) -> Self {
        let companies = (0..COMPANIES).map(|company| simulated(company, &truths[company])).collect();
        let wecom = Simulator::start(Options { companies, ..Options::default() }).await.unwrap();
        let store = database.open().await;
        database.empty().await;
        let clock = ManualClock::at(Timestamp::from_millis(START));
        let transport = Transport::builder().build().unwrap();
        let client = |company: usize, app: App| {
            Client::builder(corp(company), Secret::new(secret_of(company, app)))
                .endpoints(Endpoints::default().with_api(wecom.api_url()).unwrap())
                .transport(transport.clone())
                .build()
                .unwrap()
        };
        let clients: Vec<Vec<Client>> =
            (0..COMPANIES).map(|company| (0..APPS).map(|app| client(company, app)).collect()).collect();
        for client in clients.iter().flatten() {
            // An app that is disabled later has a token, as in real life.
            client.within(Budget::background()).access_token().await.unwrap();
        }
        for company in 0..COMPANIES {
            store.add_apps(&corp(company), &[agent(0), agent(1)]).await.unwrap();
        }
        let truths = Arc::new(Mutex::new(truths.to_vec()));
        let configured = Configured { clients: Arc::new(clients), truths };
        let directory = Directory::new(store.clone(), Arc::new(clock.clone()));
        let events = Events::new(directory.clone(), Arc::new(configured.clone()));
        Self { wecom, store, directory, clock, database, events, configured, told: 0, sessions: 0 }
    }

    /// Makes the simulator and the configuration what the truth says.
    pub(crate) fn set(&self, company: usize, truth: &Truth) {
        self.configured.truths.lock().unwrap()[company] = truth.clone();
        self.wecom
            .edit(corp(company).as_str(), |simulated| {
                let before: Vec<String> = simulated.members().map(|member| member.userid.clone()).collect();
                for userid in before {
                    simulated.remove_member(&userid);
                }
                put_people(simulated, truth);
                for app in 0..APPS {
                    simulated.edit_app(number_of(app), |simulated| put_scope(simulated, truth, app));
                }
            })
            .unwrap();
    }

    pub(crate) fn source(&self, company: usize, app: App) -> SyncSource {
        self.configured.source(company, app, &impatient())
    }

    pub(crate) async fn when(&self) -> When {
        let rows = self.database.query(NEXT_NUMBER[self.dialect()]).await;
        let minute = (self.clock.now().as_millis() - START) / MINUTE;
        When { number: rows[0][0].parse().unwrap(), minute }
    }

    fn dialect(&self) -> usize {
        usize::from(matches!(self.database, Database::Postgres(..)))
    }

    /// A process dies here: what follows is another one's, which finds that the holder of the lease is dead.
    pub(crate) async fn restart(&mut self) {
        self.database.execute("DELETE FROM leases").await;
        self.store = self.database.open().await;
        self.directory = Directory::new(self.store.clone(), Arc::new(self.clock.clone()));
        self.events = Events::new(self.directory.clone(), Arc::new(self.configured.clone()));
    }

    /// Lets the time pass until every task is due that failed, or was claimed, before the clock was set back.
    pub(crate) async fn wait_for_tasks(&self) {
        let latest = "SELECT CAST(COALESCE(MAX(CASE WHEN due_at > claimed_until THEN due_at ELSE claimed_until END), 0)
            AS TEXT) FROM event_tasks";
        let rows = self.database.query(latest).await;
        let due_at = Timestamp::from_millis(rows[0][0].parse().unwrap());
        let now = self.clock.now();
        if now < due_at && due_at < now + Duration::from_mins(16) {
            // The model counts whole minutes.
            let minutes = (due_at.as_millis() - START).div_euclid(MINUTE) + 1;
            self.clock.set(Timestamp::from_millis(START + minutes * MINUTE));
        }
    }

    /// An event of contact sync, or of an app's own.
    pub(crate) async fn tell(&mut self, company: usize, app: Option<App>, fields: &str) {
        self.told += 1;
        let text =
            format!("<xml><MsgType>event</MsgType><CreateTime>{}</CreateTime>{fields}</xml>", self.told);
        let (corp_id, agent_id) = (corp(company), agent(app.unwrap_or(0)));
        let received = wecom_login_directory::events::Received {
            corp_id: &corp_id,
            agent_id: &agent_id,
            is_of_contacts: app.is_none(),
            text: text.as_bytes(),
        };
        self.events.accept(&received).await.unwrap();
    }

    /// Begins a session, if one may begin; its id.
    pub(crate) async fn begin_session(&mut self, company: usize, app: App, who: Who) -> Option<String> {
        self.sessions += 1;
        let (id, now) = (format!("s{}", self.sessions), self.clock.now());
        let instance = format!("auths.loginTypes.Of{company}x{app}");
        let (corp_id, agent_id, user_id) = (corp(company), agent(app), user(who));
        let forever = Timestamp::from_millis(START * 2);
        let session = NewSession {
            id: &id,
            token_hash: Fingerprint::of(&id),
            sign_in: None,
            corp_id: &corp_id,
            user_id: &user_id,
            instance: &instance,
            agent_id: &agent_id,
            created_at: now,
            idle_until: forever,
            expires_at: forever,
            account: AccountRule {
                find_by: None,
                barred: &[],
                register: true,
                rehire: wecom_login_store::Rehire::SameName,
            },
            former: None,
        };
        match self.store.begin_session(&session).await.unwrap() {
            Begun::New { session, .. } => Some(session.id),
            Begun::Left => None,
            other => panic!("{other:?}"),
        }
    }

    /// The copies as they are.
    pub(crate) async fn copies(&self) -> Vec<Copy> {
        let of = |row: &[String]| (0..COMPANIES).find(|company| row[0] == corp(*company).as_str()).unwrap();
        let who = |text: &str| -> Who { text.strip_prefix("member").unwrap().parse().unwrap() };
        let place =
            |text: &str| -> App { usize::try_from(text.parse::<u64>().unwrap() - 1_000_001).unwrap() };
        let mut copies = vec![Copy::default(); COMPANIES];
        let members = "SELECT corp_id, user_key, CAST(COALESCE(left_number, -1) AS TEXT),
            COALESCE(left_evidence, ''), CASE WHEN left_at IS NULL THEN 'no' ELSE 'yes' END FROM members";
        for row in self.database.query(members).await {
            let evidence = if row[3] == "deleted" { Evidence::Deleted } else { Evidence::Unseen };
            let left = (row[4] == "yes").then(|| (row[2].parse().unwrap(), evidence));
            copies[of(&row)].rows.insert(who(&row[1]), Row { left });
        }
        let views = "SELECT corp_id, user_key, agent_id, CAST(answer AS TEXT), CAST(asked AS TEXT) FROM member_visibility";
        for row in self.database.query(views).await {
            let (sees, asked) = (row[3] == "1", row[4].parse().unwrap());
            match row[2].as_str() {
                "" => {
                    copies[of(&row)].marks.insert(who(&row[1]), asked);
                }
                agent_id => {
                    let key = (place(agent_id), who(&row[1]));
                    copies[of(&row)].views.insert(key, View { sees, asked });
                }
            }
        }
        let apps = "SELECT corp_id, agent_id, CAST(COALESCE(run_number, -1) AS TEXT),
            CAST(COALESCE(failing_since, -1) AS TEXT) FROM apps";
        for row in self.database.query(apps).await {
            let (app, number) = (place(&row[1]), |text: &str| text.parse::<i64>().unwrap());
            let copy = &mut copies[of(&row)];
            copy.run_numbers[app] = Some(number(&row[2])).filter(|number| *number >= 0);
            let since = Some(number(&row[3])).filter(|since| *since >= 0);
            copy.failing_since[app] = since.map(|since| (since - START).div_euclid(MINUTE));
        }
        let sessions = "SELECT corp_id, id, agent_id, user_key FROM sessions WHERE ended_at IS NULL";
        for row in self.database.query(sessions).await {
            copies[of(&row)].sessions.insert(row[1].clone(), (place(&row[2]), who(&row[3])));
        }
        let tasks = "SELECT corp_id, subject FROM event_tasks WHERE kind = 3";
        for row in self.database.query(tasks).await {
            copies[of(&row)].tasks.insert(who(&row[1]));
        }
        copies
    }

    /// The departments of the copy.
    pub(crate) async fn departments(&self, company: usize) -> Vec<i64> {
        let all = self.store.departments(&corp(company)).await.unwrap();
        all.iter().map(|department| department.id.0).collect()
    }
}

/// The number that is given out next, on SQLite and on PostgreSQL.
const NEXT_NUMBER: [&str; 2] = [
    "SELECT CAST(value + 1 AS TEXT) FROM read_numbers",
    "SELECT CAST(CASE WHEN is_called THEN last_value + 1 ELSE last_value END AS TEXT) FROM read_numbers",
];

fn simulated(company: usize, truth: &Truth) -> Company {
    let mut simulated = Company::new(corp(company).as_str(), "历史");
    for (id, parent) in PARENTS {
        simulated.put_department(Department::new(id, format!("部门{id}"), parent));
    }
    for app in 0..APPS {
        let mut one = SimulatedApp::new(number_of(app), "应用", secret_of(company, app));
        // The first is of before 2022-06-20, and reads every field.
        one.made = if app == 0 { Age::Before } else { Age::After };
        put_scope(&mut one, truth, app);
        simulated.put_app(one);
    }
    put_people(&mut simulated, truth);
    simulated
}

fn put_scope(simulated: &mut SimulatedApp, truth: &Truth, app: App) {
    let scope = &truth.apps[app];
    simulated.enabled = !scope.disabled;
    simulated.scope.departments = scope.departments.iter().copied().collect();
    simulated.scope.members = scope.names.iter().map(|who| name_of(*who)).collect();
}

fn put_people(simulated: &mut Company, truth: &Truth) {
    for (who, person) in &truth.people {
        let departments: Vec<i64> = person.department.into_iter().collect();
        let mut member = Member::new(name_of(*who), format!("名字{}", person.name), &departments);
        member.status = if person.disabled { 2 } else { 1 };
        member.mobile = person.mobile.map_or(String::new(), |mobile| format!("1380000{mobile:04}"));
        simulated.put_member(member);
    }
}

/// Members by place, with what the app is told of them: name, mobile number and departments.
pub(crate) fn told(truth: &Truth, app: App) -> BTreeMap<Who, (String, String, Vec<i64>)> {
    let visible: std::collections::BTreeSet<i64> =
        truth.apps[app].departments.iter().flat_map(|root| crate::model::below(*root)).collect();
    let one = |who: Who| {
        let person = &truth.people[&who];
        let mobile =
            person.mobile.filter(|_| app == 0).map_or(String::new(), |mobile| format!("1380000{mobile:04}"));
        let departments = person.department.filter(|id| visible.contains(id)).into_iter().collect();
        (who, (format!("名字{}", person.name), mobile, departments))
    };
    let visible = truth.people.iter().filter(|(who, person)| truth.sees(app, **who) && !person.disabled);
    visible.map(|(who, _)| one(*who)).collect()
}

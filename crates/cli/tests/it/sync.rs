//! `wecom-login sync` as a program: what it says, how it ends, and what a killed one leaves behind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot::error::TryRecvError;
use wecom_login_model::{CorpId, DepartmentId, UserId};
use wecom_login_simulator::{Company, Department, Fault, FaultKind, Member, Options, Simulator, sample};
use wecom_login_store::{Lease, Phase, Run, Store};
use wecom_login_testkit::wait::until;

use crate::app::write_app;
use crate::program::{Ended, Program, command, output};

struct World {
    wecom: Simulator,
    folder: TempDir,
}

fn corp() -> CorpId {
    CorpId::parse(sample::CORP_ID).unwrap()
}

async fn world(members: usize, departments: usize) -> World {
    let companies = vec![Company::generated(members, departments, 1)];
    let wecom = Simulator::start(Options { companies, ..Options::default() }).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_app(folder.path(), &wecom, "http://127.0.0.1:8000");
    World { wecom, folder }
}

impl World {
    fn command(&self, more: &[&str]) -> Command {
        let path = |name: &str| self.folder.path().join(name).to_str().unwrap().to_owned();
        let mut command = command(&["sync", "--app", &path("app"), "--data", &path("data"), "--json"]);
        command.args(more);
        command
    }

    /// Runs it to its end, while the simulator answers: exit code, and the line of JSON that it prints.
    async fn run(&self, more: &[&str]) -> (Option<i32>, Value) {
        let command = self.command(more);
        let output: Output = tokio::task::spawn_blocking(move || output(command)).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        let line = text.lines().next().unwrap_or_else(|| panic!("it said nothing: {errors}"));
        (output.status.code(), serde_json::from_str(line).unwrap())
    }

    fn edit<T>(&self, edit: impl FnOnce(&mut Company) -> T) -> T {
        self.wecom.edit(sample::CORP_ID, edit).unwrap()
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("data/wecom-login.db")
    }

    async fn store(&self) -> Store {
        Store::open_sqlite(&self.database()).await.unwrap()
    }

    /// Members who have not left: name and departments.
    async fn copy(&self, store: &Store) -> BTreeMap<String, (String, Vec<i64>)> {
        let mut copy = BTreeMap::new();
        for one in store.memberships_after(&corp(), None, i64::MAX).await.unwrap() {
            let member = store.member(&corp(), &one.user_id).await.unwrap().unwrap();
            let departments = one.departments.iter().map(|DepartmentId(id)| *id).collect();
            copy.insert(one.user_id.to_string(), (member.profile.name, departments));
        }
        copy
    }

    fn company(&self) -> BTreeMap<String, (String, Vec<i64>)> {
        let told =
            |member: &Member| (member.userid.clone(), (member.name.clone(), member.department.clone()));
        self.edit(|company| company.members().map(|member| told(&member)).collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_output_is_its_own_even_where_the_server_writes_the_audit_log_to_it() {
    let world = world(10, 2).await;
    let mut command = world.command(&[]);
    command.env("WECOM_LOGIN_AUDIT_LOG", "stdout");
    let output = tokio::task::spawn_blocking(move || output(command)).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["joined"]), (1, &json!(10)), "{text}");
    assert!(!world.store().await.audit_entries(0, 10).await.unwrap().is_empty(), "it is in the table");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_what_came_of_it_and_ends_with_a_code() {
    let world = world(60, 6).await;
    let (code, told) = world.run(&["Example"]).await;
    assert_eq!(
        (code, &told["outcome"], &told["joined"]),
        (Some(0), &json!("complete"), &json!(60)),
        "{told}"
    );
    let (code, told) = world.run(&[]).await;
    assert_eq!((code, &told["rowsWritten"]), (Some(0), &json!(0)), "{told}");

    world.edit(|company| {
        company.edit_app(sample::AGENT_ID, |app| app.scope.departments.clear());
    });
    let (code, told) = world.run(&[]).await;
    assert_eq!((code, &told["outcome"], &told["held"]), (Some(3), &json!("held"), &json!(60)), "{told}");
    let (code, told) = world.run(&["--force"]).await;
    assert_eq!((code, &told["left"]), (Some(0), &json!(60)), "{told}");
    world.edit(|company| {
        company.edit_app(sample::AGENT_ID, |app| app.scope.departments.push(1));
    });
    let (code, told) = world.run(&["auths.loginTypes.Example"]).await;
    assert_eq!((code, &told["cameBack"]), (Some(0), &json!(60)), "{told}");

    world
        .wecom
        .fault(Fault { times: Some(1), ..Fault::new("user/list", FaultKind::Errcode { code: 60_011 }) });
    let (code, told) = world.run(&[]).await;
    assert_eq!((code, &told["outcome"]), (Some(5), &json!("incomplete")), "{told}");
    world
        .wecom
        .fault(Fault { times: Some(1), ..Fault::new("agent/get", FaultKind::Errcode { code: 60_020 }) });
    let (code, told) = world.run(&[]).await;
    assert_eq!((code, &told["outcome"]), (Some(1), &json!("failed")), "{told}");
}

/// O6: the deadline of a call is ten seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_company_whose_wecom_hangs_delays_no_other_one() {
    let folder = tempfile::tempdir().unwrap();
    let wecom = Simulator::start(Options::default()).await.unwrap();
    write_app(folder.path(), &wecom, "http://127.0.0.1:8000");
    let [first, second] =
        ["Example", "Second"].map(|name| folder.path().join("app/auths/loginTypes").join(name));
    std::fs::create_dir(&second).unwrap();
    std::fs::copy(first.join("e.json"), second.join("e.json")).unwrap();
    let mut config: Value =
        serde_json::from_slice(&std::fs::read(first.join("Example.json")).unwrap()).unwrap();
    config["corpId"] = json!(sample::SECOND_CORP_ID);
    config["corpSecret"] = json!(sample::SECOND_SECRET);
    config["agentId"] = json!(sample::SECOND_AGENT_ID);
    std::fs::write(second.join("Second.json"), config.to_string()).unwrap();
    let world = World { wecom, folder };

    world.wecom.fault(Fault::new("*", FaultKind::Hang).of(sample::CORP_ID));
    let command = world.command(&[]);
    let started = tokio::task::spawn_blocking(move || Program::start_json(command));
    let (program, told) = started.await.unwrap();
    assert_eq!(
        (&told["instance"], &told["outcome"]),
        (&json!("auths.loginTypes.Second"), &json!("complete")),
        "{told}"
    );
    assert!(world.wecom.held_now() > 0, "the first company hangs still");
    world.wecom.clear_faults();
    let finished = tokio::task::spawn_blocking(move || program.finish()).await.unwrap();
    assert_eq!(finished.0, Some(0), "{}", finished.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_department_or_one_member_on_demand() {
    let world = world(60, 6).await;
    world.run(&[]).await;
    world.edit(|company| {
        company.put_member(Member::new("newcomer", "新人", &[4]));
        company.edit_member("lisi", |lisi| lisi.name = "李四四".into());
    });
    assert_eq!(world.run(&["--department", "4"]).await.0, Some(0));
    let store = world.store().await;
    assert!(world.copy(&store).await.contains_key("newcomer"));
    assert_eq!(world.run(&["--member", "lisi"]).await.0, Some(0));
    assert_eq!(world.copy(&store).await, world.company());
    let nobody = world.command(&["--member", "nobody"]);
    let nobody = tokio::task::spawn_blocking(move || output(nobody)).await.unwrap();
    assert_eq!(nobody.status.code(), Some(1));
    // O15: each is in the audit log, as when the functions are called.
    let entries = store.audit_entries(0, 100).await.unwrap();
    let told: Vec<_> = entries
        .iter()
        .filter(|(_, entry)| entry.event == "sync" && entry.detail.contains_key("function"))
        .map(|(_, entry)| {
            assert_eq!(entry.actor, "command line");
            let detail = |key: &str| entry.detail[key].as_str().unwrap().to_owned();
            (detail("function"), detail("of"), entry.outcome.clone())
        })
        .collect();
    let row =
        |function: &str, of: &str, outcome: &str| (function.to_owned(), of.to_owned(), outcome.to_owned());
    assert_eq!(
        told,
        [
            row("syncDepartmentInfo", "4", "ok"),
            row("syncUserInfo", "lisi", "ok"),
            row("syncUserInfo", "nobody", "outside_scope"),
        ]
    );
    let both = output(world.command(&["--member", "lisi", "--department", "4"]));
    assert_eq!(both.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_runner_says_who_runs_and_since_when() {
    let world = world(30, 3).await;
    world.run(&[]).await;
    let store = world.store().await;
    let lease = Lease {
        holder: "elsewhere/1/1/1".into(),
        label: "process 7 on web-1 (schedule)".into(),
        since: wecom_login_model::Clock::now(&wecom_login_model::SystemClock),
        beats: 0,
    };
    let name = format!("sync/{}", corp());
    store.take_lease(&name, &lease, None).await.unwrap().unwrap();
    let mut beating = tokio::task::JoinSet::new();
    beating.spawn(async move {
        let mut beats = tokio::time::interval(Duration::from_millis(50));
        while store.renew_lease(&name, &lease.holder).await.unwrap() {
            beats.tick().await;
        }
    });
    let (code, told) = world.run(&[]).await;
    assert_eq!((code, &told["outcome"]), (Some(4), &json!("running")));
    let problem = told["problem"].as_str().unwrap();
    assert!(problem.contains("process 7 on web-1 (schedule) is at it since 20"), "{problem}");
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    /// 0 to `below` - 1 (xorshift64, Marsaglia 2003).
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn something_happens(company: &mut Company, dice: &mut Dice, round: u64) {
    let people: Vec<String> = company.members().map(|member| member.userid.clone()).collect();
    let someone = |dice: &mut Dice| people[usize::try_from(dice.roll(people.len() as u64)).unwrap()].clone();
    let somewhere = |dice: &mut Dice| 1 + i64::try_from(dice.roll(30)).unwrap();
    let (mover, to) = (someone(dice), somewhere(dice));
    company.edit_member(&mover, |member| member.department = vec![to]);
    company.edit_member(&someone(dice), |member| member.name = format!("改名{round}"));
    company.put_member(Member::new(format!("new{round}"), format!("新人{round}"), &[somewhere(dice)]));
    if round.is_multiple_of(2) {
        company.remove_member(&someone(dice));
    }
    let renamed = Department { name: format!("部门{round}"), ..company.department(to).unwrap().clone() };
    company.put_department(renamed);
}

/// True once the process runs no more.
fn is_over(ended: &mut Ended) -> bool {
    !matches!(ended.try_recv(), Err(TryRecvError::Empty))
}

impl World {
    /// Holds WeCom's call after the next `calls` of them, and all that follow.
    fn hold_after(&self, calls: u64) {
        if let Ok(calls @ 1..) = u32::try_from(calls) {
            self.wecom.fault(Fault::new("*", FaultKind::Latency { ms: 0 }).times(calls));
        }
        self.wecom.fault(Fault::new("*", FaultKind::Hang));
    }

    /// Waits until a call is held; or until the process has ended, if it makes fewer calls.
    async fn held(&self, ended: &mut Ended) {
        tokio::select! {
            () = self.wecom.held(1) => {}
            _ = ended => {}
        }
    }
}

/// Waits until everything is read and the rest is the database's; or until the process has ended.
async fn has_read(store: &Store, ended: &mut Ended) {
    let is_read = |run: &Run| run.outcome.is_none() && run.phase > Phase::Walk;
    let reached = async || is_over(ended) || store.runs(1).await.unwrap().iter().any(is_read);
    until("everything is read, or the process has ended", reached).await;
}

/// The process is killed at fifty moments of a sync, from its first call to its last write. Nobody is marked who is there,
/// and the next sync that comes to its end makes the copy the company.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_next_sync_makes_the_copy_the_company() {
    const CALLS: u64 = 3 + 30;
    /// Far more than it takes.
    const ROUNDS: u64 = 500;
    let world = world(150, 30).await;
    let mut dice = Dice(0x5eed_0f5b_ac17);
    let (mut kills, mut round, mut equal) = (0, 0, true);
    world.run(&[]).await;
    let store = world.store().await;
    while kills < 50 || !equal {
        round += 1;
        assert!(round <= ROUNDS, "{kills} kills in {ROUNDS} rounds");
        if equal {
            world.edit(|company| something_happens(company, &mut dice, round));
        }
        let moment = dice.roll(CALLS + 12);
        if moment < CALLS {
            world.hold_after(moment);
        }
        let mut program = Program::start(world.command(&[]));
        let mut ended = program.ended();
        if moment < CALLS {
            world.held(&mut ended).await;
        } else {
            has_read(&store, &mut ended).await;
        }
        // A little later, as the database goes.
        for _ in 0..dice.roll(40) {
            store.runs(1).await.unwrap();
        }
        kills += u32::from(!is_over(&mut ended));
        program.kill();
        world.wecom.clear_faults();

        let there = world.company();
        for user_id in there.keys() {
            let member = store.member(&corp(), &UserId::parse(user_id.as_str()).unwrap()).await.unwrap();
            assert!(
                member.is_none_or(|member| member.left_at.is_none()),
                "{user_id} is there, round {round}"
            );
        }
        equal = dice.roll(3) == 0;
        if equal {
            let (code, told) = world.run(&[]).await;
            assert_eq!((code, &told["outcome"]), (Some(0), &json!("complete")), "round {round}: {told}");
            assert_eq!(world.copy(&store).await, there, "round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_sync_had_kept_is_not_read_again() {
    let world = world(150, 30).await;
    world.hold_after(3 + 29);
    let mut program = Program::start(world.command(&[]));
    let mut ended = program.ended();
    world.held(&mut ended).await;
    let store = world.store().await;
    let kept = async || {
        let runs = store.runs(1).await.unwrap();
        store.departments_to_walk(runs[0].id).await.unwrap().1
    };
    until("a department is kept", async || {
        assert!(!is_over(&mut ended));
        kept().await > 0
    })
    .await;
    program.kill();
    world.wecom.clear_faults();
    let (kept, before) = (kept().await, world.wecom.calls_of("user/list"));
    let (code, told) = world.run(&[]).await;
    assert_eq!((code, &told["outcome"]), (Some(0), &json!("complete")), "{told}");
    assert_eq!(world.wecom.calls_of("user/list") - before, 30 - kept);
    assert_eq!(world.copy(&store).await, world.company());
}

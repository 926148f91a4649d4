//! Running it as a process: signals, sessions from the command line, backup and restore.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use wecom_login_simulator::{Fault, FaultKind, Options, Simulator, sample};
use wecom_login_testkit::wait::{found, until};

use crate::app::App;
use crate::browser::{Browser, session_of};
use crate::program::{Program, command, http, output};

const INTERRUPT: i32 = 2;
const HANGUP: i32 = 1;
const TERMINATE: i32 = 15;

/// Runs a command on the app's data.
async fn on(app: &App, arguments: &[&str]) -> (Option<i32>, String, String) {
    let (data, arguments) = (app.data(), arguments.iter().map(ToString::to_string).collect::<Vec<_>>());
    let run = move || {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = command(&arguments);
        let log = data.parent().unwrap().join("audit.log");
        command.arg("--data").arg(&data).env("WECOM_LOGIN_AUDIT_LOG", log);
        let output = output(command);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

fn audited(path: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(path).unwrap();
    let entry = |line: &str| {
        let entry: Value = serde_json::from_str(line).unwrap();
        (entry["event"].as_str().unwrap().to_owned(), entry["actor"].as_str().unwrap().to_owned())
    };
    text.lines().map(entry).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_finishes_the_sign_in_under_way() {
    let wecom = Simulator::start(Options::default()).await.unwrap();
    let app = App::new(&wecom);
    let program = Program::start_ready(app.command());
    let browser = Browser::new(&http());
    let redirect = browser.redirect(app.url(), &wecom.code_for("zhangsan")).await;
    wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Hang));
    let under_way = tokio::spawn(browser.request(Method::GET, app.url(), &redirect).send());
    wecom.held(1).await;
    program.signal(TERMINATE);
    // From here on the system refuses whoever connects.
    until("nobody listens", async || TcpStream::connect(app.address()).await.is_err()).await;
    wecom.clear_faults();
    let answer = under_way.await.unwrap().unwrap();
    assert_eq!(answer.status(), 303);
    assert!(session_of(&answer).is_some());
    assert_eq!(program.finish().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_that_it_stops_and_a_second_signal_ends_it_at_once() {
    let wecom = Simulator::start(Options::default()).await.unwrap();
    for (first, second, exit) in [(TERMINATE, TERMINATE, 143), (TERMINATE, INTERRUPT, 130)] {
        let app = App::new(&wecom);
        let mut command = app.command();
        command.env("WECOM_LOGIN_SHUTDOWN_DELAY", "10m");
        let program = Program::start_ready(command);
        let http = http();
        let ready = || async {
            let answer = http.get(format!("{}/readyz", app.url())).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["status"].clone())
        };
        assert_eq!(ready().await, (200, json!("ready")));
        program.signal(first);
        let word = found("it is not ready", async || match ready().await {
            (503, word) => Ok(word),
            other => Err(other),
        });
        assert_eq!(word.await, "stopping");
        program.signal(second);
        assert_eq!(program.finish().0, Some(exit));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_revoked_while_it_runs() {
    let wecom = Simulator::start(Options::default()).await.unwrap();
    let app = App::new(&wecom);
    let audit = app.data().parent().unwrap().join("audit.log");
    let mut command = app.command();
    command.env("WECOM_LOGIN_AUDIT_LOG", &audit);
    let (code_of_missing, _, error) = on(&app, &["session", "list"]).await;
    assert_eq!(code_of_missing, Some(3));
    assert!(error.contains("there is no database in the data folder"), "{error}");

    let program = Program::start_ready(command);
    let http = http();
    let signed_in = async |user_id: &str| {
        let browser = Browser::new(&http);
        browser.sign_in(app.url(), &wecom.code_for(user_id)).await;
        browser
    };
    let (zhangsan, phone, laptop) =
        (signed_in("zhangsan").await, signed_in("lisi").await, signed_in("lisi").await);

    let (code, out, _) = on(&app, &["session", "list", "--json"]).await;
    assert_eq!(code, Some(0));
    let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3);
    let (_, out, _) = on(&app, &["session", "list", "--member", "ZhangSan"]).await;
    assert_eq!(out.lines().count(), 1);
    let id = out.split('\t').next().unwrap().to_owned();
    assert!(out.contains(&format!("{}/zhangsan", sample::CORP_ID)), "{out}");

    assert_eq!(on(&app, &["session", "revoke", &id]).await.0, Some(0));
    assert_eq!(zhangsan.me(app.url()).await, None);
    let (code, _, error) = on(&app, &["session", "revoke", &id]).await;
    assert_eq!(code, Some(3));
    assert!(error.contains(&format!("no session {id} lives")), "{error}");
    for wrong in [&["session", "revoke"][..], &["session", "revoke", "x", "--all"]] {
        assert_eq!(on(&app, wrong).await.0, Some(2), "{wrong:?}");
    }

    // The file is rotated; with and without being told, the next lines are in the new one.
    let rotated = audit.with_extension("1");
    std::fs::rename(&audit, &rotated).unwrap();
    program.signal(HANGUP);
    let member = format!("{}/lisi", sample::CORP_ID);
    let (code, out, _) = on(&app, &["session", "revoke", "--member", &member]).await;
    assert_eq!((code, out.as_str()), (Some(0), "2 sessions have ended.\n"));
    assert_eq!((phone.me(app.url()).await, laptop.me(app.url()).await), (None, None));
    let again = signed_in("lisi").await;
    assert_eq!(again.me(app.url()).await.as_deref(), Some("lisi"));
    assert_eq!(on(&app, &["session", "revoke", "--all"]).await.1, "1 sessions have ended.\n");
    assert_eq!(again.me(app.url()).await, None);
    let (code, out, _) = on(&app, &["session", "revoke", "--all"]).await;
    assert_eq!((code, out.as_str()), (Some(0), "0 sessions have ended.\n"));
    program.signal(TERMINATE);
    assert_eq!(program.finish().0, Some(0));

    let entry = |event: &str, actor: &str| (event.to_owned(), actor.to_owned());
    let ended = entry("session_ended", "command line");
    assert_eq!(audited(&rotated).last(), Some(&ended));
    let lisi = format!("member {member}");
    assert_eq!(audited(&audit), [ended.clone(), ended.clone(), entry("sign_in", &lisi), ended]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_taken_while_it_runs_is_restored() {
    let wecom = Simulator::start(Options::default()).await.unwrap();
    let app = App::new(&wecom);
    let program = Program::start_ready(app.command());
    let http = http();
    let (before, after) = (Browser::new(&http), Browser::new(&http));
    before.sign_in(app.url(), &wecom.code_for("zhangsan")).await;
    let copy = app.data().parent().unwrap().join("copy.db");
    let copied = on(&app, &["backup", copy.to_str().unwrap()]).await;
    assert_eq!(copied.0, Some(0), "{}", copied.2);
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&copy).unwrap().permissions()) & 0o777,
        0o600
    );
    let size = std::fs::metadata(&copy).unwrap().len();
    let (code_of_second, _, error) = on(&app, &["backup", copy.to_str().unwrap()]).await;
    assert_eq!(code_of_second, Some(1));
    assert!(error.contains("exists"), "{error}");
    assert_eq!(std::fs::metadata(&copy).unwrap().len(), size, "it stays as it was");
    after.sign_in(app.url(), &wecom.code_for("lisi")).await;
    program.kill();

    // Restored as docs/operations.md has it: the files of the database away, the copy in their place, the key kept.
    let mut gone = 0;
    for file in std::fs::read_dir(app.data()).unwrap() {
        let path = file.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("wecom-login.db") {
            std::fs::remove_file(path).unwrap();
            gone += 1;
        }
    }
    assert!(gone > 0);
    std::fs::rename(&copy, app.data().join("wecom-login.db")).unwrap();
    let _program = Program::start_ready(app.command());
    assert_eq!(before.me(app.url()).await.as_deref(), Some("zhangsan"));
    assert_eq!(after.me(app.url()).await, None, "what came after the copy is lost, no more");
}

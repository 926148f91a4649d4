//! The operating system's limit on open files.

use std::process::Command;

use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use wecom_login_simulator::{Options, Simulator};
use wecom_login_testkit::wait::within;

use crate::app::App;
use crate::browser::Browser;
use crate::program::{Program, http};

/// More than the limit on open files of the test below.
const IDLE: usize = 300;

/// The command in a shell that has set a limit on its open files.
fn limited(command: &Command, ulimit: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit {ulimit} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(std::process::Stdio::null());
    shell.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    shell
}

async fn ready(app: &App) -> (u16, Value) {
    let answer = http().get(format!("{}/readyz", app.url())).send().await.unwrap();
    let status = answer.status().as_u16();
    let json: Value = answer.json().await.unwrap();
    let components = json["components"].as_array().unwrap();
    let connections = components.iter().find(|component| component["name"] == "connections").unwrap();
    (status, connections["status"].clone())
}

/// F6: with 256 files and 300 idle connections, sign-ins were 503 while /readyz said ready.
#[tokio::test(flavor = "multi_thread")]
async fn with_too_few_files_it_warns_and_idle_connections_keep_nobody_from_signing_in() {
    let wecom = Simulator::start(Options::default()).await.unwrap();
    let app = App::new(&wecom);
    let mut program = Program::start(limited(&app.command(), "-n 256"));
    program.is_ready_and_says(&["the limit on open files is 256, and max_connections = 4096 needs 8256"]);
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(within("a connection", TcpStream::connect(app.address())).await.unwrap());
    }
    let mut sign_ins = JoinSet::new();
    let http = http();
    for user_id in ["zhangsan", "lisi"].repeat(30) {
        let (url, code, browser) = (app.url().to_owned(), wecom.code_for(user_id), Browser::new(&http));
        sign_ins.spawn(async move {
            browser.sign_in(&url, &code).await;
            assert_eq!(browser.me(&url).await.as_deref(), Some(user_id));
        });
    }
    within("60 sign-ins", sign_ins.join_all()).await;
    assert_eq!(ready(&app).await, (200, "degraded".into()));
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_soft_limit_that_is_too_low_is_raised() {
    let wecom = Simulator::start(Options::default()).await.unwrap();
    let app = App::new(&wecom);
    let mut command = app.command();
    command.env("WECOM_LOGIN_MAX_CONNECTIONS", "400");
    let mut program = Program::start(limited(&command, "-Sn 64"));
    program.is_ready();
    let mut idle = Vec::new();
    for _ in 0..IDLE {
        idle.push(within("a connection", TcpStream::connect(app.address())).await.unwrap());
    }
    let browser = Browser::new(&http());
    browser.sign_in(app.url(), &wecom.code_for("zhangsan")).await;
    assert_eq!(browser.me(app.url()).await.as_deref(), Some("zhangsan"));
    assert_eq!(ready(&app).await, (200, "ok".into()));
    drop(idle);
}

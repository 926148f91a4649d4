//! Measures how many contact events per second the server accepts, and checks that all are processed.
//!
//! WeCom's callbacks are prepared beforehand and sent over 32 connections, each event once, to a server on SQLite; the
//! simulator holds the company. An event is accepted when its answer is 200, which is after it is on disk. Goals: 1,000
//! accepted events per second; every member is in the local copy when no event waits; no call is refused for its frequency
//! (45009). Exits with status 1 if a goal is missed.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Result;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use wecom::callback::{Channel, EncodingAesKey, Format};
use wecom_login_auth_model::Query;
use wecom_login_model::{Secret, SystemEntropy};
use wecom_login_server::{Dependencies, Server, Settings};
use wecom_login_simulator::{Company, Department, Member, Options, Simulator, sample};
use wecom_login_testkit::wait::PATIENCE;

const EVENTS: usize = 20_000;
const CONNECTIONS: usize = 32;
const GOAL: f64 = 1_000.0;
/// The deadline for processing all events, far longer than it takes.
const AT_LAST: Duration = Duration::from_mins(15);
const TOKEN: &str = "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo";
const AES_KEY: &str = "6qkdMrq68nTKduznJYO1A37W2oEgpkMUvkttRToqhUt";
const INSTANCE: &str = "auths.loginTypes.Bench";

#[tokio::main]
pub(crate) async fn run() -> Result<ExitCode> {
    let mut company = Company::sample();
    for id in 100..120 {
        company.put_department(Department::new(id, format!("部门{id}"), 1));
    }
    for number in 0..EVENTS {
        let department = 100 + i64::try_from(number % 20)?;
        company.put_member(Member::new(user_id(number), format!("成员{number}"), &[department]));
    }
    let wecom = Simulator::start(Options { companies: vec![company], ..Options::default() }).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let folder = tempfile::tempdir()?;
    write_app(&folder.path().join("app"), &format!("http://{address}"), &wecom)?;
    let settings = Settings::local(address, folder.path().join("app"), folder.path().join("data"))?;
    let server = Server::open(settings, Dependencies::default()).await?;
    let running = tokio::spawn(server.clone().run(listener, std::future::pending()));

    let pushes = Arc::new(pushes(&format!("http://{address}/wecom/callback/Bench"))?);
    let begin = Instant::now();
    let refused = send(&pushes).await?;
    let taken_in = begin.elapsed();
    let worked_off = async {
        while server.events().backlog().await?.iter().any(|backlog| backlog.waiting > 0) {
            // A pause, so that the polling does not compete with the server for the machine.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Result::Ok(())
    };
    let in_time = tokio::time::timeout(AT_LAST, worked_off).await;
    in_time.map_err(|_| format!("events still wait after {AT_LAST:?}"))??;
    let worked_in = begin.elapsed();
    let model = server.auth_model(INSTANCE).ok_or("the instance is broken")?;
    let copied = model.query(&Query::of("Q(userId__startswith='m')".parse()?)).await?.total_count;
    running.abort();

    let rate = f64::from(u32::try_from(EVENTS)?) / taken_in.as_secs_f64();
    let (reads, lists) = (wecom.calls_of("user/get"), wecom.calls_of("user/list"));
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "contact events: {rate:.0} taken a second (goal {GOAL:.0}), {refused} refused; all worked on after {:.1} s, {copied} \
         of {EVENTS} members in the copy; {reads} calls of user/get, {lists} of user/list",
        worked_in.as_secs_f64(),
    )?;
    let well = rate >= GOAL && refused == 0 && usize::try_from(copied)? == EVENTS;
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn user_id(number: usize) -> String {
    format!("m{number}")
}

fn write_app(app: &Path, url: &str, wecom: &Simulator) -> Result<()> {
    let folder = app.join("auths/loginTypes/Bench");
    std::fs::create_dir_all(&folder)?;
    let config = json!({
        "corpId": sample::CORP_ID, "corpSecret": sample::SECRET, "agentId": sample::AGENT_ID,
        "redirectUri": format!("{url}/auth/wecom"),
        "apiBase": wecom.api_url(), "loginBase": wecom.url(), "oauthBase": wecom.url(),
        "contactCallbackToken": TOKEN, "contactCallbackAesKey": AES_KEY,
    });
    std::fs::write(folder.join("Bench.json"), config.to_string())?;
    let element = json!({"title": "Bench", "type": "auths.loginTypes.QywxInnerType"});
    std::fs::write(folder.join("e.json"), element.to_string())?;
    Ok(())
}

/// Address and body of each callback.
fn pushes(callback: &str) -> Result<Vec<(String, String)>> {
    let channel = Channel::new(Secret::new(TOKEN), EncodingAesKey::parse(AES_KEY)?, sample::CORP_ID);
    let push = |number: usize| {
        let text = format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
             <CreateTime>1403610513</CreateTime><MsgType><![CDATA[event]]></MsgType>\
             <Event><![CDATA[change_contact]]></Event><ChangeType>create_user</ChangeType>\
             <UserID><![CDATA[{}]]></UserID></xml>",
            sample::CORP_ID,
            user_id(number),
        );
        let (timestamp, nonce) = ("1403610513", number.to_string());
        let sealed = channel.seal(text.as_bytes(), timestamp, &nonce, &SystemEntropy);
        let signature = sealed.msg_signature();
        let url = format!("{callback}?msg_signature={signature}&timestamp={timestamp}&nonce={nonce}");
        (url, sealed.to_envelope(Format::Xml, sample::CORP_ID, None).to_text())
    };
    Ok((0..EVENTS).map(push).collect())
}

/// Sends all callbacks; returns the number of answers other than 200.
async fn send(pushes: &Arc<Vec<(String, String)>>) -> Result<usize> {
    let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let (next, mut senders) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    for _ in 0..CONNECTIONS {
        let (http, pushes, next) = (http.clone(), Arc::clone(pushes), Arc::clone(&next));
        senders.spawn(async move {
            let mut refused = 0;
            while let Some((url, body)) = pushes.get(next.fetch_add(1, Ordering::Relaxed)) {
                let answer = http.post(url).body(body.clone()).send().await;
                refused += usize::from(!answer.is_ok_and(|answer| answer.status() == 200));
            }
            refused
        });
    }
    Ok(senders.join_all().await.into_iter().sum())
}

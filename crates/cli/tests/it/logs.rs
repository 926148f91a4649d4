use std::io::Read as _;

use serde_json::{Value, json};
use wecom_login_simulator::{Fault, FaultKind, Options, Simulator, sample};

use crate::app::App;
use crate::browser::Browser;
use crate::program::{Program, http};

/// Good and bad sign-ins at the most talkative log level; none of their secrets stands in the log.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_reaches_the_log_even_at_trace() {
    let wecom = Simulator::start(Options::default()).await.unwrap();
    let app = App::new(&wecom);
    let mut program = Program::start({
        let mut command = app.command();
        command.env("RUST_LOG", "trace");
        command
    });
    let mut log = program.wait_for_log("ready");
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });

    let http = http();
    let mut secrets = vec![sample::SECRET.to_owned()];
    for fault in [
        None,
        Some(FaultKind::Status { code: 500 }),
        Some(FaultKind::Errcode { code: 40001 }),
        Some(FaultKind::Reset),
    ] {
        let (code, browser) = (wecom.code_for("zhangsan"), Browser::new(&http));
        let redirect = browser.redirect(app.url(), &code).await;
        if let Some(kind) = fault {
            wecom.fault(Fault::new("*", kind));
        }
        browser.get(app.url(), &redirect).await;
        wecom.clear_faults();
        let cookies = browser.cookies();
        secrets.extend(cookies.split("; ").map(|pair| pair.split_once('=').unwrap().1.to_owned()));
        secrets.extend([code, redirect.split_once("&state=").unwrap().1.to_owned()]);
    }
    let token: Value = http
        .get(format!(
            "{}/cgi-bin/gettoken?corpid={}&corpsecret={}",
            wecom.api_url(),
            sample::CORP_ID,
            sample::SECRET
        ))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    // The simulator gives the same token while it lives: it is the one that the server used.
    secrets.push(token["access_token"].as_str().unwrap().to_owned());
    http.post(app.function("getLoginCode")).json(&json!({"authCode": "x"})).send().await.unwrap();

    program.signal(libc::SIGTERM);
    assert_eq!(program.finish().0, Some(0));
    let text = reading.join().unwrap();
    assert!(text.contains("signed in") && text.contains("TRACE"), "the log is there");
    for secret in secrets {
        assert!(secret.len() > 8, "{secret:?} is long enough to be looked for");
        assert!(!text.contains(&secret), "{secret} stands in the log:\n{}", excerpt(&text, &secret));
    }
}

fn excerpt<'a>(text: &'a str, secret: &str) -> &'a str {
    text.lines().find(|line| line.contains(secret)).unwrap_or_default()
}

/// The log of a server that has answered three requests with this X-Forwarded-For.
async fn log_after(trusted_proxies: &str, forwarded: &str) -> String {
    let wecom = Simulator::start(Options::default()).await.unwrap();
    let app = App::new(&wecom);
    let mut command = app.command();
    command.env("WECOM_LOGIN_TRUSTED_PROXIES", trusted_proxies);
    let mut program = Program::start(command);
    let mut log = program.wait_for_log("ready");
    let reading = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).unwrap();
        text
    });
    for _ in 0..3 {
        let request = http().get(format!("{}/healthz", app.url())).header("x-forwarded-for", forwarded);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    program.signal(libc::SIGTERM);
    assert_eq!(program.finish().0, Some(0));
    reading.join().unwrap()
}

/// F6, F8: the operator sees it, and the log is not full of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_set_up_wrongly_is_named_once() {
    let warnings = |log: &str| -> Vec<String> {
        log.lines().filter(|line| line.contains("WARN")).map(str::to_owned).collect()
    };
    let untrusted = warnings(&log_after("", "203.0.113.7").await);
    assert_eq!(untrusted.len(), 1, "{untrusted:?}");
    assert!(untrusted[0].contains("trusted_proxies") && untrusted[0].contains("127.0.0.1"), "{untrusted:?}");
    let unreadable = warnings(&log_after("127.0.0.0/8", "203.0.113.7, unknown").await);
    assert_eq!(unreadable.len(), 1, "{unreadable:?}");
    let names_both = unreadable[0].contains("127.0.0.1") && unreadable[0].contains("unknown");
    assert!(names_both && unreadable[0].contains("X-Forwarded-For"), "{unreadable:?}");
    assert_eq!(warnings(&log_after("127.0.0.0/8", "203.0.113.7:51008").await), [""; 0]);
}

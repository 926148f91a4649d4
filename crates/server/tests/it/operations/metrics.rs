use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;
use wecom_login_simulator::{CodeRequest, Fault, FaultKind, sample};
use wecom_login_testkit::wait::PATIENCE;

use super::{bearer, operated};
use crate::browser::Page;
use crate::world::{ELEMENT, REDIRECT, World, redirect, world};

/// What Prometheus reads, by the rules of its text format 0.0.4: families in one piece, each with its help and its type
/// before its samples, names and labels of the right letters, no series twice. By series, as they are written.
pub(super) fn read(text: &str) -> BTreeMap<String, String> {
    let name_is_good = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|letter: char| letter.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let mut series = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let (mut help, mut family) = (String::new(), (String::new(), String::new()));
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            rest.split_once(' ').unwrap().0.clone_into(&mut help);
            assert!(seen.insert(help.clone()), "{help} comes in two pieces");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(name, help, "a type without its help");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            family = (name.to_owned(), kind.to_owned());
        } else {
            let (key, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) =
                key.split_once('{').map_or((key, None), |(name, labels)| (name, Some(labels)));
            assert!(name_is_good(name), "{line}");
            let suffixes: &[&str] =
                if family.1 == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.iter().any(|suffix| *name == format!("{}{suffix}", family.0)), "{line}");
            if let Some(labels) = labels {
                for label in labels.strip_suffix('}').unwrap().split("\",") {
                    let (label, value) = label.split_once("=\"").unwrap();
                    assert!(name_is_good(label) && !value.contains('\n'), "{line}");
                }
            }
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert_eq!(series.insert(key.to_owned(), value.to_owned()), None, "{key} comes twice");
        }
    }
    series
}

async fn scrape(world: &World, key: &str) -> Page {
    let browser = world.browser();
    browser.send(browser.request(Method::GET, "/metrics").header("authorization", key)).await
}

fn sign_ins(outcome: &str, instance: &str) -> String {
    format!("wecom_login_sign_ins_total{{instance=\"{instance}\",outcome=\"{outcome}\"}}")
}

#[tokio::test]
async fn a_day_of_sign_ins_is_counted_by_outcome_and_names_nobody() {
    let world = world().settings(operated).start().await;
    let (browser, other) = (world.browser(), world.browser());
    let first = world.redirect(&browser, "zhangsan").await;
    browser.get(&first).await;
    browser.get(&first).await;
    world.sign_in(&other, "lisi").await;
    let state = world.state(&other).await;
    let outsider = CodeRequest::outsider(sample::CORP_ID, sample::AGENT_ID, sample::OUTSIDER);
    other.get(&redirect(&world.wecom.issue_code(outsider), &state)).await;
    let state = world.state(&other).await;
    other.get(&format!("{REDIRECT}?state={state}")).await;
    other.get(&redirect("SomeCode", "NoStateOfOurs")).await;
    world.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Status { code: 500 }).times(1));
    world.sign_in(&other, "lisi").await;
    world.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Errcode { code: 60020 }).times(1));
    world.sign_in(&other, "lisi").await;
    // 60020 is remembered for five seconds.
    world.advance(Duration::from_secs(5));
    world.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Errcode { code: 98_765 }).times(1));
    world.sign_in(&other, "lisi").await;

    let key = bearer(&world).await;
    let page = scrape(&world, &key).await;
    assert_eq!(page.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let series = read(&page.text);
    for (outcome, instance, count) in [
        ("ok", ELEMENT, "2"),
        ("told_again", ELEMENT, "1"),
        ("not_a_member", ELEMENT, "1"),
        ("declined", ELEMENT, "1"),
        ("state_unknown", "", "1"),
        ("wecom_unavailable", ELEMENT, "1"),
        ("wecom_refused", ELEMENT, "2"),
    ] {
        assert_eq!(
            series.get(&sign_ins(outcome, instance)).map(String::as_str),
            Some(count),
            "{outcome}\n{}",
            page.text
        );
    }
    let call = |endpoint: &str, errcode: &str| {
        let key = format!("wecom_login_wecom_calls_total{{endpoint=\"{endpoint}\",errcode=\"{errcode}\"}}");
        series.get(&key).map(String::as_str)
    };
    assert_eq!(call("auth/getuserinfo", "0"), Some("3"));
    assert_eq!(call("auth/getuserinfo", "unreachable"), Some("1"));
    assert_eq!(call("auth/getuserinfo", "60020"), Some("1"));
    assert_eq!(call("auth/getuserinfo", "other"), Some("1"), "numbers that nobody knows are one");
    assert_eq!(call("gettoken", "0"), Some("1"));
    let timed = "wecom_login_wecom_call_seconds_count{endpoint=\"gettoken\"}";
    assert_eq!(series[timed], "1");
    for somebody in ["zhangsan", "lisi", sample::OUTSIDER, sample::SECRET, sample::CORP_ID] {
        assert!(!page.text.contains(somebody), "{somebody} in the metrics");
    }
}

#[tokio::test]
async fn what_there_is_now_is_read_when_it_is_asked_for() {
    let world = world().settings(operated).start().await;
    let (first, second) = (world.browser(), world.browser());
    world.sign_in(&first, "zhangsan").await;
    world.sign_in(&second, "lisi").await;
    world.advance(Duration::from_mins(10));
    let key = bearer(&world).await;
    let series = read(&scrape(&world, &key).await.text);
    let age = format!("wecom_login_access_token_age_seconds{{instance=\"{ELEMENT}\"}}");
    assert_eq!(series[&age], "600");
    assert_eq!(series["wecom_login_sessions{state=\"live\"}"], "2");
    assert_eq!(series["wecom_login_rows{table=\"members\"}"], "2");
    assert_eq!(series["wecom_login_rows{table=\"bindings\"}"], "2");
    assert_eq!(series["wecom_login_database_up"], "1");
    assert_ne!(series["wecom_login_connections"], "0");

    // Counting rows costs something: who asks again at once is told the same.
    world.sign_in(&world.browser(), "lisi").await;
    assert_eq!(read(&scrape(&world, &key).await.text)["wecom_login_sessions{state=\"live\"}"], "2");
    world.advance(Duration::from_secs(15));
    assert_eq!(read(&scrape(&world, &key).await.text)["wecom_login_sessions{state=\"live\"}"], "3");
}

#[tokio::test]
async fn only_administrators_read_it_on_the_main_address() {
    let world = world().settings(operated).start().await;
    let (admin, member) = (world.browser(), world.browser());
    assert_eq!(member.get("/metrics").await.status, 401);
    world.sign_in(&member, "lisi").await;
    assert_eq!(member.get("/metrics").await.status, 403);
    assert_eq!(scrape(&world, "Bearer wecom-login-key_wrong").await.status, 403);
    world.sign_in(&admin, "zhangsan").await;
    assert_eq!(admin.get("/metrics").await.status, 200);
    let request = admin.request(Method::GET, "/metrics").header(
        "accept",
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5",
    );
    let page = admin.send(request).await;
    assert!(page.header("content-type").starts_with("application/openmetrics-text"));
    assert!(page.text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn a_listener_of_its_own_on_loopback_asks_for_no_key() {
    let world = world()
        .settings(|settings| {
            // Free now, and nobody else asks for just this one.
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            settings.operations.metrics_listen = Some(free);
        })
        .start()
        .await;
    // It listens there before it answers anywhere.
    assert_eq!(world.browser().get("/healthz").await.status, 200);
    let address = world.server().metrics_address().unwrap();
    let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
    let page = http.get(format!("http://{address}/metrics")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(read(&page.text().await.unwrap())["wecom_login_database_up"], "1");
    for path in ["/", "/login", "/me", "/console/api/sessions"] {
        let page = http.get(format!("http://{address}{path}")).send().await.unwrap();
        assert_eq!(page.status(), 404, "{path}");
    }

    // A database that does not answer leaves the rest to be read, and no old numbers.
    world.server().close().await;
    world.advance(Duration::from_secs(15));
    let page = http.get(format!("http://{address}/metrics")).send().await.unwrap();
    let series = read(&page.text().await.unwrap());
    assert_eq!(series["wecom_login_database_up"], "0");
    assert!(!series.contains_key("wecom_login_sessions{state=\"live\"}"));
}

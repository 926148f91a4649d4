use reqwest::Method;
use serde_json::{Value, json};
use wecom_login_simulator::{CodeRequest, sample};

use super::{bearer, operated};
use crate::world::{API, BROWSER_COOKIE, ELEMENT, REDIRECT, SESSION_COOKIE, World, redirect, world};

/// What an event was, who did it, and what came of it.
fn told(entry: &Value) -> (String, String, String) {
    let text = |key: &str| entry[key].as_str().unwrap().to_owned();
    (text("event"), text("actor"), text("outcome"))
}

async fn rows(world: &World) -> Vec<Value> {
    let rows = world.store().await.audit_entries(0, 1000).await.unwrap();
    rows.into_iter().map(|(_, entry)| json!(entry)).collect()
}

/// The lines of the file, once the server has written them all.
async fn lines(world: &mut World) -> Vec<Value> {
    world.restart().await;
    let text = std::fs::read_to_string(world.data().join("audit.log")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn who_signed_in_and_who_was_refused_is_in_the_table_and_in_the_file() {
    let mut world = world().settings(operated).start().await;
    let (zhangsan, nobody) = (world.browser(), world.browser());
    let redirected = world.redirect(&zhangsan, "ZhangSan").await;
    let page = zhangsan.get(&redirected).await;
    zhangsan.get(&redirected).await;
    let secrets = [
        zhangsan.cookie(SESSION_COOKIE).unwrap(),
        zhangsan.cookie(BROWSER_COOKIE).unwrap(),
        redirected.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned(),
        redirected.split("state=").nth(1).unwrap().to_owned(),
        world.token_of("zhangsan").await,
    ];
    let state = world.state(&nobody).await;
    let disabled = CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, sample::DISABLED);
    nobody.get(&redirect(&world.wecom.issue_code(disabled), &state)).await;
    let bad = json!({"authCode": "NoSuchCode", "state": world.state(&nobody).await});
    nobody.post_json(&format!("{API}/getLoginCode"), &bad).await;
    zhangsan.send(zhangsan.request(Method::POST, "/logout").header("accept", "application/json")).await;

    let (member, out) = (
        format!("member {}/zhangsan", sample::CORP_ID),
        format!("member {}/{}", sample::CORP_ID, sample::DISABLED),
    );
    let rows = rows(&world).await;
    let expected = [
        ("binding_made", member.as_str(), "ok"),
        ("sign_in", &member, "ok"),
        ("sign_in", &out.to_lowercase(), "disabled"),
        ("sign_in", "visitor", "bad_code"),
        ("session_ended", &member, "ok"),
    ]
    .map(|(event, actor, outcome)| (event.to_owned(), actor.to_owned(), outcome.to_owned()));
    assert_eq!(rows.iter().map(told).collect::<Vec<_>>(), expected);

    let signed_in = &rows[1];
    assert_eq!(signed_in["instance"], ELEMENT);
    assert_eq!((&signed_in["corpId"], &signed_in["userId"]), (&json!(sample::CORP_ID), &json!("zhangsan")));
    assert_eq!(signed_in["address"], "127.0.0.1");
    assert_eq!(signed_in["requestId"], page.header("x-request-id"));
    assert_eq!(signed_in["session"], rows[4]["session"]);
    assert_eq!(rows[4]["detail"]["reason"], "logout");
    assert_eq!(rows[2]["detail"]["errcode"], 710_103);

    let lines = lines(&mut world).await;
    assert_eq!(lines, rows);
    let all = json!(lines).to_string();
    for secret in secrets {
        assert!(!secret.is_empty() && !all.contains(&secret), "{secret} in {all}");
    }
}

#[tokio::test]
async fn what_anybody_can_repeat_without_a_code_fills_no_table() {
    let world = world().settings(operated).start().await;
    let browser = world.browser();
    let state = world.state(&browser).await;
    for _ in 0..3 {
        let declined = browser.get(&format!("{REDIRECT}?state={state}")).await;
        assert_eq!(declined.problem(), 710_001);
        let begun_again = world.browser().get(&redirect("any", &state)).await;
        assert_eq!(begun_again.status.as_u16(), 303);
    }
    assert_eq!(rows(&world).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_administrators_do_has_their_name() {
    let mut world = world().settings(operated).start().await;
    let (zhangsan, lisi, program) = (world.browser(), world.browser(), world.browser());
    world.sign_in(&zhangsan, "zhangsan").await;
    world.sign_in(&lisi, "lisi").await;
    let key = bearer(&world).await;
    let post = |path: &str, body: Value| {
        program.send(program.request(Method::POST, path).header("authorization", key.clone()).json(&body))
    };
    let member = json!({"corpId": sample::CORP_ID, "userId": "lisi"});
    assert_eq!(post("/console/api/accounts/unbind", member.clone()).await.status, 200);
    assert_eq!(lisi.me().await, None);
    let admin = format!("member {}/zhangsan", sample::CORP_ID);
    let sync = zhangsan.post_json(&format!("{API}/syncUserInfo"), &json!({"userId": "lisi"})).await;
    assert_eq!(sync.json()["errcode"], 0);
    // One who may not, and a key that is none.
    world.sign_in(&lisi, "lisi").await;
    assert_eq!(lisi.get_json("/console/api/sessions").await.status, 403);
    let all = post("/console/api/sessions/revoke", json!({"all": true})).await.json();
    assert_eq!(all["data"]["revoked"], 2);

    // Refusals are counted, and their rows written when their minute is over.
    world.server().flush_audit_log().await;
    let rows = rows(&world).await;
    let acts: Vec<_> = rows.iter().map(told).collect();
    let act =
        |event: &str, actor: &str, outcome: &str| (event.to_owned(), actor.to_owned(), outcome.to_owned());
    let lisi = format!("member {}/lisi", sample::CORP_ID);
    let made = acts.iter().position(|(event, ..)| event == "api_key_added").unwrap();
    assert_eq!(
        acts[made + 1..],
        [
            act("binding_removed", "API key prometheus", "ok"),
            act("session_ended", "API key prometheus", "ok"),
            act("sync", &admin, "ok"),
            act("binding_made", &lisi, "ok"),
            act("sign_in", &lisi, "ok"),
            act("session_ended", "API key prometheus", "ok"),
            act("session_ended", "API key prometheus", "ok"),
            act("administration_refused", &lisi, "forbidden"),
        ]
    );
    let refused = &rows.last().unwrap()["detail"];
    assert_eq!((&refused["path"], &refused["count"]), (&json!("/console/api/sessions"), &json!(1)));
    assert_eq!(rows[made + 2]["detail"]["reason"], "unbound");
    assert_eq!(rows[rows.len() - 2]["detail"]["reason"], "revoked");
    // The key was made by a command of its own, whose lines are its own affair.
    let written: Vec<Value> = rows.into_iter().filter(|row| row["event"] != "api_key_added").collect();
    assert_eq!(lines(&mut world).await, written);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_keeps_nobody_out_and_is_told() {
    let world = world()
        .settings(|settings| {
            operated(settings);
            let folder = settings.folders.data.parent().unwrap().join("logs");
            std::fs::create_dir_all(&folder).unwrap();
            settings.operations.audit_log =
                Some(wecom_login_server::AuditLog::File(folder.join("audit.log")));
        })
        .start()
        .await;
    let logs = world.data().parent().unwrap().join("logs");
    std::fs::remove_dir_all(&logs).unwrap();
    let browser = world.browser();
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/");
    assert_eq!(rows(&world).await.len(), 2);
    // The line is written behind the sign-in's back: two more that wait for it.
    world.server().flush_audit_log().await;
    let ready = browser.get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.json()["status"], "degraded");
    let metrics = super::metrics::read(&browser.get("/metrics").await.text);
    assert_eq!(metrics["wecom_login_audit_lines_lost"], "2");
    assert_eq!(metrics["wecom_login_audit_events_total{event=\"sign_in\"}"], "1");
}

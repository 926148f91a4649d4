//! User tickets: what a member consented to, for one app and half an hour.

use std::time::Duration;

use serde_json::{Value, json};
use wecom_login_simulator::{CodeRequest, CodeScope, SensitiveField, Simulator, sample};

use crate::browser::{old_token, post, redeem, start, token};

async fn detail(sim: &Simulator, token: &str, ticket: &str) -> Value {
    let body = json!({"user_ticket": ticket}).to_string();
    post(sim, &format!("/cgi-bin/auth/getuserdetail?access_token={token}"), &body).await.json()
}

fn consent(sim: &Simulator, userid: &str, fields: &[SensitiveField]) -> String {
    let scope = CodeScope::PrivateInfo(fields.to_vec());
    sim.issue_code(CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, userid).scope(scope))
}

async fn ticket(sim: &Simulator, userid: &str, fields: &[SensitiveField]) -> String {
    redeem(sim, &consent(sim, userid, fields)).await["user_ticket"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_ticket_gives_what_was_ticked_and_no_more() {
    let sim = start().await;
    let token = token(&sim).await;
    let ticket = ticket(&sim, "zhangsan", &[SensitiveField::Mobile, SensitiveField::Email]).await;
    let answer = detail(&sim, &token, &ticket).await;
    assert_eq!(answer["userid"], "zhangsan");
    assert_eq!(answer["mobile"], "13800000001");
    assert_eq!(answer["email"], "zhangsan@example.com");
    assert_eq!(answer["gender"], "0");
    assert!(answer["avatar"].as_str().unwrap().ends_with("simulated_default/0"));
    for key in ["name", "biz_mail", "qr_code", "address"] {
        assert_eq!(answer.get(key), None, "{key}");
    }
    // A ticket is not used up.
    assert_eq!(detail(&sim, &token, &ticket).await["errcode"], 0);
}

#[tokio::test]
async fn the_administrators_choice_comes_before_the_members() {
    let sim = start().await;
    sim.edit(sample::CORP_ID, |company| {
        company.edit_app(sample::AGENT_ID, |app| app.sensitive_fields = vec![SensitiveField::Gender])
    })
    .unwrap();
    let ticket = ticket(&sim, "zhangsan", &SensitiveField::ALL).await;
    let answer = detail(&sim, &token(&sim).await, &ticket).await;
    assert_eq!((&answer["gender"], answer.get("mobile")), (&json!("1"), None));
}

#[tokio::test]
async fn a_ticket_lives_1800_seconds_in_the_hands_of_its_app() {
    let sim = start().await;
    let ticket = ticket(&sim, "lisi", &[SensitiveField::Mobile]).await;
    let (own, other) = (token(&sim).await, old_token(&sim).await);
    assert_eq!(detail(&sim, &other, &ticket).await["errcode"], 84015);
    assert_eq!(detail(&sim, &own, "never-issued").await["errcode"], 84015);
    assert_eq!(detail(&sim, &own, "").await["errcode"], 84090);
    sim.advance(Duration::from_secs(1700));
    assert_eq!(detail(&sim, &own, &ticket).await["errcode"], 0);
    sim.advance(Duration::from_secs(100));
    assert_eq!(detail(&sim, &own, &ticket).await["errcode"], 84014);
}

#[tokio::test]
async fn only_consent_within_the_scope_gives_a_ticket() {
    let sim = start().await;
    for (code, expected) in [
        (consent(&sim, "zhangsan", &[]), true),
        (consent(&sim, sample::OUT_OF_SCOPE, &[]), false),
        (sim.code_for("zhangsan"), false),
        (
            sim.issue_code(
                CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "zhangsan").scope(CodeScope::Base),
            ),
            false,
        ),
    ] {
        assert_eq!(redeem(&sim, &code).await.get("user_ticket").is_some(), expected);
    }
}

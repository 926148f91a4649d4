//! The example of docs/elements.md, as it is printed there.

mod override_type;
mod own_type;

use serde_json::json;
use wecom_login_element::{
    Arguments, BoxFuture, Call, Caller, Code, Environment, Framework, Next, Outcome, Type,
};

use crate::world::{BASE, EXAMPLE, FRAMEWORK, INSTANCE, META, World};

const DOCUMENT: &str = include_str!("../../../../docs/elements.md");
const OWN_E_JSON: &str = r#"{
  "title": "企业微信登录（带邮箱）",
  "type": "auths.loginTypes.QywxInnerType"
}"#;
const OVERRIDE_E_JSON: &str = r#"{
  "title": "企业微信登录（限部门）",
  "type": "auths.loginTypes.Meta"
}"#;

/// Signs the named member in, who is in the named department.
struct SignsIn;

/// What only the framework can make.
#[derive(Debug, PartialEq)]
struct Proven(String);

impl Type for SignsIn {
    fn call<'a>(&'a self, call: Call<'a>, _: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        Box::pin(async move {
            let department = if call.arguments.text("authCode") == Some("ZhangSan") { 2 } else { 1 };
            let user_id = call.arguments.text("authCode").unwrap_or_default().to_owned();
            let value = json!({"userId": user_id, "department": [department]});
            Ok(Outcome::value(value).with_effect(Proven(user_id)))
        })
    }
}

fn world() -> World {
    let base = format!(
        r#"{{"title": "WeCom", "type": "{META}", "functionList": [
            {{"name": "getLoginCode", "loginRequired": 0, "args": [{{"name": "authCode", "dataType": "Stext"}}]}}]}}"#
    );
    let framework =
        Framework::new(FRAMEWORK).element(META, r#"{"title": "m", "type": ""}"#).element(BASE, base);
    World::new(&[
        ("app/app.json", r#"{"orgId": "acme", "name": "portal"}"#),
        ("app/auths/loginTypes/Example/e.json", INSTANCE),
    ])
    .with(|_| {
        Environment::new(framework)
            .with_type(FRAMEWORK, BASE, SignsIn)
            .with_type("acme.portal", "auths.loginTypes.QywxWithMail", own_type::WithMail)
            .with_type("acme.portal", BASE, override_type::OneDepartment)
    })
}

async fn sign_in(world: &World, user_id: &str) -> Result<Outcome, Code> {
    let app = world.open();
    let element = app.element(EXAMPLE).unwrap();
    element.call("getLoginCode", Arguments::new().with(user_id), &Caller::Library).await
}

#[tokio::test]
async fn an_own_type_adds_to_the_answer_and_keeps_the_proof() {
    let world = world();
    world.write("app/auths/loginTypes/QywxWithMail/e.json", OWN_E_JSON);
    let outcome = sign_in(&world, "ZhangSan").await.unwrap();
    assert!(outcome.value.get("companyMail").is_none(), "the instance does not name it yet");

    let named = r#"{"title": "企业微信登录", "type": "auths.loginTypes.QywxWithMail"}"#;
    world.write("app/auths/loginTypes/Example/e.json", named);
    let outcome = sign_in(&world, "ZhangSan").await.unwrap();
    assert_eq!(outcome.value["companyMail"], "zhangsan@example.com");
    assert_eq!(outcome.effect.unwrap().take::<Proven>().unwrap(), Proven("ZhangSan".into()));
}

#[tokio::test]
async fn an_override_refuses_for_every_instance() {
    let world = world();
    assert!(sign_in(&world, "lisi").await.is_ok(), "without its folder it does not count");
    world.write("app/auths/loginTypes/QywxInnerType/e.json", OVERRIDE_E_JSON);
    assert!(sign_in(&world, "ZhangSan").await.is_ok());
    let error = sign_in(&world, "lisi").await.unwrap_err();
    assert_eq!(error.to_string(), "9000001: only members of department 2 may sign in here");
}

#[test]
fn the_document_prints_what_is_tested() {
    let printed = [
        include_str!("example/own_type.rs"),
        include_str!("example/override_type.rs"),
        OWN_E_JSON,
        OVERRIDE_E_JSON,
    ];
    for text in printed {
        assert!(DOCUMENT.contains(text.trim()), "docs/elements.md does not hold:\n{text}");
    }
}

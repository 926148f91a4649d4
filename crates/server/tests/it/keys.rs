//! Whatever WeCom withholds, the keys are there and of their kind.

use serde_json::{Value, json};
use wecom_login_element::{Arguments, Caller};
use wecom_login_simulator::{CodeRequest, CodeScope, Company, Member, SensitiveField, sample};

use crate::world::{ELEMENT, World, world};

const TEXTS: [&str; 9] =
    ["userId", "name", "mobile", "email", "avatar", "position", "gender", "bizMail", "alias"];

fn check(user: &Value, case: &str) {
    let keys = user.as_object().unwrap();
    assert_eq!(keys.len(), 14, "{case}: {user}");
    for key in TEXTS {
        let text = user[key].as_str().unwrap_or_else(|| panic!("{case}, {key}: {user}"));
        assert!(!["undefined", "null", "None"].contains(&text), "{case}, {key}");
    }
    let departments = user["department"].as_array().unwrap();
    assert!(departments.iter().all(Value::is_i64), "{case}: {user}");
    let names = user["departmentNames"].as_array().unwrap();
    assert_eq!(
        (names.len(), names.iter().all(Value::is_string)),
        (departments.len(), true),
        "{case}: {user}"
    );
    assert!(
        user["status"].is_i64() && user["mainDepartment"].is_i64() && user["isLeader"].is_boolean(),
        "{case}"
    );
    assert!(
        !user["userId"].as_str().unwrap().is_empty() && !user["name"].as_str().unwrap().is_empty(),
        "{case}"
    );
}

async fn call(world: &World, function: &str, arguments: Arguments) -> Value {
    let element = world.app.element(ELEMENT).unwrap();
    element.call(function, arguments, &Caller::Library).await.unwrap().value
}

#[rstest::rstest]
#[case::made_after(sample::SECRET, sample::AGENT_ID)]
#[case::made_before(sample::OLD_SECRET, sample::OLD_AGENT_ID)]
#[tokio::test]
async fn all_keys_are_there_for_every_app_scope_and_member(#[case] secret: &str, #[case] agent_id: u64) {
    let config = json!({"corpSecret": secret, "agentId": agent_id, "userFreshFor": "0s"});
    let world = world().config(config).start().await;
    let old = agent_id == sample::OLD_AGENT_ID;
    let members = if old {
        vec!["zhangsan", "lisi", sample::LEADER_OF_ONE, "qianqi", "Ouyang.Na"]
    } else {
        vec!["zhangsan", "lisi", sample::LEADER_OF_ONE, sample::NOT_ACTIVATED, "wu10", "Ouyang.Na"]
    };
    for user_id in members {
        for scope in [
            CodeScope::WebLogin,
            CodeScope::Base,
            CodeScope::PrivateInfo(vec![]),
            CodeScope::PrivateInfo(vec![SensitiveField::Email]),
            CodeScope::PrivateInfo(SensitiveField::ALL.to_vec()),
        ] {
            let case = format!("app {agent_id}, {user_id}, {scope:?}");
            let request = CodeRequest::member(sample::CORP_ID, agent_id, user_id).scope(scope);
            let code = world.wecom.issue_code(request);
            check(&call(&world, "getLoginCode", Arguments::new().named("authCode", code)).await, &case);
            check(&call(&world, "getUserInfo", Arguments::new().with(user_id)).await, &case);
        }
    }
}

#[tokio::test]
async fn a_profile_with_nothing_in_it_is_still_whole() {
    let world = world().start().await;
    let change = |company: &mut Company| {
        company.put_member(Member::new("bare", "无名", &[]));
        company.edit_app(sample::AGENT_ID, |app| app.scope.members.push("bare".to_owned()))
    };
    assert!(world.wecom.edit(sample::CORP_ID, change).unwrap());
    let user = call(&world, "getUserInfo", Arguments::new().with("bare")).await;
    check(&user, "bare");
    assert_eq!(
        (&user["department"], &user["mainDepartment"], &user["isLeader"]),
        (&json!([]), &json!(0), &json!(false))
    );
}

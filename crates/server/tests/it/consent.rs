use std::collections::BTreeMap;

use serde_json::{Value, json};
use wecom_login_simulator::{CodeRequest, CodeScope, Fault, FaultKind, SensitiveField, sample};

use crate::browser::Browser;
use crate::world::{Builder, World, redirect, world};

fn asking() -> Builder {
    world().config(json!({"scope": "snsapi_privateinfo"}))
}

/// Signs zhangsan in with these fields ticked; what /me tells then.
async fn sign_in(world: &World, browser: &Browser, ticked: &[SensitiveField]) -> Value {
    let state = world.state(browser).await;
    let request = CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, "zhangsan");
    let code = world.wecom.issue_code(request.scope(CodeScope::PrivateInfo(ticked.to_vec())));
    assert_eq!(browser.get(&redirect(&code, &state)).await.location(), "/");
    browser.get_json("/me").await.json()
}

#[tokio::test]
async fn the_link_inside_wecom_asks_for_it() {
    let world = asking().start().await;
    let browser = world.browser();
    let request = browser
        .request(reqwest::Method::GET, "/login")
        .header("user-agent", "wxwork/4.1.30 MicroMessenger/7.0.1");
    let page = browser.send(request).await;
    assert!(page.location().contains("&scope=snsapi_privateinfo&"), "{}", page.location());
}

#[tokio::test]
async fn what_was_ticked_is_known_and_the_name_is_not_lost() {
    let world = asking().start().await;
    let user = sign_in(&world, &world.browser(), &SensitiveField::ALL).await;
    assert_eq!(
        (&user["name"], &user["mobile"], &user["gender"]),
        (&json!("张三"), &json!("13800000001"), &json!("1"))
    );
    for key in ["email", "bizMail", "avatar"] {
        assert_ne!(user[key], "", "{key}");
    }
    let expected: BTreeMap<String, u64> =
        [("gettoken", 1), ("auth/getuserinfo", 1), ("user/get", 1), ("auth/getuserdetail", 1)]
            .map(|(call, count)| (call.to_owned(), count))
            .into();
    assert_eq!(world.wecom.calls(), expected);
}

#[tokio::test]
async fn a_known_member_costs_one_call_more_and_no_profile() {
    let world = asking().start().await;
    sign_in(&world, &world.browser(), &[]).await;
    world.wecom.reset_calls();
    let user = sign_in(&world, &world.browser(), &[SensitiveField::Mobile]).await;
    assert_eq!((&user["mobile"], &user["email"]), (&json!("13800000001"), &json!("")));
    assert_eq!(world.wecom.calls_of("user/get"), 0);
    assert_eq!(world.wecom.calls_of("auth/getuserdetail"), 1);
}

#[tokio::test]
async fn what_is_not_ticked_again_is_not_forgotten() {
    let world = asking().start().await;
    sign_in(&world, &world.browser(), &SensitiveField::ALL).await;
    world.advance(wecom_login_directory::UNWATCHED_FRESH_FOR);
    let user = sign_in(&world, &world.browser(), &[]).await;
    assert_eq!(world.wecom.calls_of("user/get"), 2, "the profile was read again, with everything withheld");
    assert_eq!((&user["mobile"], &user["gender"]), (&json!("13800000001"), &json!("1")));
}

#[rstest::rstest]
#[case(FaultKind::Errcode { code: 84014 })]
#[case(FaultKind::Status { code: 500 })]
#[case(FaultKind::WrongJson)]
#[tokio::test]
async fn without_the_details_the_sign_in_goes_on(#[case] kind: FaultKind) {
    let world = asking().start().await;
    world.wecom.fault(Fault::new("auth/getuserdetail", kind));
    let user = sign_in(&world, &world.browser(), &SensitiveField::ALL).await;
    assert_eq!((&user["name"], &user["mobile"]), (&json!("张三"), &json!("")));
}

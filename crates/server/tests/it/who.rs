use serde_json::json;
use wecom_login_simulator::{CodeRequest, Fault, FaultKind, sample};

use crate::world::{API, World, redirect, world};

/// The page's status and number for a code of this person.
async fn refused(world: &World, request: CodeRequest) -> (u16, i64) {
    let browser = world.browser();
    let state = world.state(&browser).await;
    let page = browser.get(&redirect(&world.wecom.issue_code(request), &state)).await;
    assert_eq!(browser.me().await, None);
    (page.status.as_u16(), page.problem())
}

fn member(user_id: &str) -> CodeRequest {
    CodeRequest::member(sample::CORP_ID, sample::AGENT_ID, user_id)
}

#[tokio::test]
async fn whoever_is_no_member_is_told_so() {
    let world = world().start().await;
    for openid in [sample::OUTSIDER, "oSomebodyElse"] {
        let outsider = CodeRequest::outsider(sample::CORP_ID, sample::AGENT_ID, openid);
        assert_eq!(refused(&world, outsider).await, (403, 710_101));
    }
    assert_eq!(world.wecom.calls_of("user/get"), 0);
}

#[rstest::rstest]
#[case(60_111)]
#[case(60_011)]
#[case(60_021)]
#[case(50_002)]
#[case(40_003)]
#[tokio::test]
async fn a_member_whom_the_app_may_not_see_is_refused_with_wecoms_number(#[case] errcode: i64) {
    let world = world().start().await;
    world.wecom.behave(|behaviour| behaviour.outside_scope = errcode);
    assert_eq!(refused(&world, member(sample::OUT_OF_SCOPE)).await, (403, errcode));
}

#[tokio::test]
async fn the_disabled_and_those_who_left_are_refused_even_when_they_were_let_in_before() {
    let world = world().start().await;
    assert_eq!(refused(&world, member(sample::DISABLED)).await, (403, 710_103));
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    let edit = |status| {
        world
            .wecom
            .edit(sample::CORP_ID, |company| company.edit_member("lisi", |member| member.status = status))
            .unwrap();
        world.advance(wecom_login_directory::UNWATCHED_FRESH_FOR);
    };
    edit(5);
    assert_eq!(refused(&world, member("lisi")).await, (403, 710_104));
    edit(1);
    world.sign_in(&browser, "lisi").await;
    assert_eq!(browser.me().await.as_deref(), Some("lisi"), "let in again at once");
}

#[tokio::test]
async fn who_is_marked_as_left_while_wecom_is_asked_about_them_is_told_so() {
    let world = world().start().await;
    world.sign_in(&world.browser(), "lisi").await;
    world.advance(wecom_login_directory::UNWATCHED_FRESH_FOR);
    world.wecom.fault(Fault::new("user/get", FaultKind::Hang));
    let marked = async {
        world.wecom.held(1).await;
        world.advance(std::time::Duration::from_secs(1));
        let lisi = wecom_login_model::UserId::parse("lisi").unwrap();
        world.deleted(&lisi).await;
        world.wecom.clear_faults();
    };
    let (told, ()) = tokio::join!(refused(&world, member("lisi")), marked);
    assert_eq!(told, (403, 710_104));
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    assert_eq!(
        browser.me().await.as_deref(),
        Some("lisi"),
        "WeCom is asked again, and says that they are there"
    );
}

#[tokio::test]
async fn a_disabled_row_is_read_again_before_anybody_is_turned_away() {
    let world = world().start().await;
    assert_eq!(refused(&world, member(sample::DISABLED)).await, (403, 710_103));
    world
        .wecom
        .edit(sample::CORP_ID, |company| company.edit_member(sample::DISABLED, |member| member.status = 1))
        .unwrap();
    let browser = world.browser();
    world.sign_in(&browser, sample::DISABLED).await;
    assert_eq!(browser.me().await.as_deref(), Some(sample::DISABLED));
}

#[tokio::test]
async fn a_member_who_has_not_activated_the_account_may_sign_in() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, sample::NOT_ACTIVATED).await;
    assert_eq!(browser.me().await.as_deref(), Some(sample::NOT_ACTIVATED));
}

#[tokio::test]
async fn the_same_userid_in_another_company_is_somebody_else() {
    let second = json!({
        "corpId": sample::SECOND_CORP_ID,
        "corpSecret": sample::SECOND_SECRET,
        "agentId": sample::SECOND_AGENT_ID,
    });
    let world = world().instance("Second", second).start().await;
    let (ours, theirs) = (world.browser(), world.browser());
    world.sign_in(&ours, "zhangsan").await;
    let config = theirs
        .post_json(&format!("{}Second/getLoginConfig", API.trim_end_matches("Example")), &json!({}))
        .await;
    let state = config.json()["data"]["state"].as_str().unwrap().to_owned();
    let code = world.wecom.issue_code(CodeRequest::member(
        sample::SECOND_CORP_ID,
        sample::SECOND_AGENT_ID,
        "zhangsan",
    ));
    // Both instances share the redirect path; the state tells them apart.
    theirs.get(&redirect(&code, &state)).await;
    let (ours, theirs) = (ours.get_json("/me").await.json(), theirs.get_json("/me").await.json());
    assert_eq!((&ours["name"], &ours["corpId"]), (&json!("张三"), &json!(sample::CORP_ID)));
    assert_eq!((&theirs["name"], &theirs["corpId"]), (&json!("张山"), &json!(sample::SECOND_CORP_ID)));
    assert_eq!(theirs["element"], "auths.loginTypes.Second");
}

#[tokio::test]
async fn a_state_of_one_instance_does_not_open_another() {
    let world =
        world().instance("Second", json!({"redirectUri": "http://127.0.0.1:9/elsewhere"})).start().await;
    let browser = world.browser();
    let state = world.state(&browser).await;
    let body = json!({"authCode": world.code("zhangsan"), "state": state});
    let path = format!("{}Second/getLoginCode", API.trim_end_matches("Example"));
    assert_eq!(browser.post_json(&path, &body).await.json()["errcode"], 710_003);
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 0);
}

#[tokio::test]
async fn spelling_does_not_make_another_member() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "Ouyang.Na").await;
    world.wecom.reset_calls();
    world.sign_in(&browser, "ouyang.na").await;
    assert_eq!(world.wecom.calls_of("user/get"), 0, "one row, still fresh");
    assert_eq!(browser.me().await.as_deref(), Some("Ouyang.Na"), "in WeCom's spelling");
}

#[tokio::test]
async fn all_keys_are_always_there() {
    let old = json!({"corpSecret": sample::OLD_SECRET, "agentId": sample::OLD_AGENT_ID});
    let world = world().instance("Old", old).start().await;
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let of_new_app = browser.get_json("/me").await.json();
    for key in ["mobile", "email", "avatar", "bizMail"] {
        assert_eq!(of_new_app[key], "", "{key} is withheld from new apps");
    }
    assert_eq!((&of_new_app["department"], &of_new_app["status"]), (&json!([1, 2]), &json!(1)));
    assert_eq!((&of_new_app["isLeader"], &of_new_app["mainDepartment"]), (&json!(true), &json!(1)));
    assert_eq!(of_new_app["gender"], "0");

    // Another app of the same company sees more; the row keeps it.
    world.advance(wecom_login_directory::UNWATCHED_FRESH_FOR);
    let config = browser
        .post_json(&format!("{}Old/getLoginConfig", API.trim_end_matches("Example")), &json!({}))
        .await;
    let state = config.json()["data"]["state"].as_str().unwrap().to_owned();
    let code = world.wecom.issue_code(CodeRequest::member(sample::CORP_ID, sample::OLD_AGENT_ID, "zhangsan"));
    browser.get(&redirect(&code, &state)).await;
    let of_old_app = browser.get_json("/me").await.json();
    assert_eq!(of_old_app["gender"], "1");
    assert_ne!(of_old_app["mobile"], "");
    let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&of_new_app), keys(&of_old_app));
    for value in of_old_app.as_object().unwrap().values().chain(of_new_app.as_object().unwrap().values()) {
        assert!(!value.is_null() && value != "undefined" && value != "null");
    }
}

#[tokio::test]
async fn a_code_of_another_app_is_not_ours() {
    let world = world().start().await;
    let request = CodeRequest::member(sample::CORP_ID, sample::OLD_AGENT_ID, "zhangsan");
    assert_eq!(refused(&world, request).await, (502, 50001));
}

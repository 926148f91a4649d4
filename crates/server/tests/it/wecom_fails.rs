use std::time::Duration;

use wecom_login_simulator::{Fault, FaultKind, Renewal, sample};

use crate::browser::Browser;
use crate::world::{World, state_of, world};

/// Delivers the redirect under the fault; its page's status and number, and how often WeCom was asked.
async fn under(world: &World, fault: Fault, browser: &Browser, redirect: &str) -> (u16, i64, u64) {
    let endpoint = fault.endpoint.clone();
    world.wecom.reset_calls();
    world.wecom.fault(fault);
    let page = browser.get(redirect).await;
    world.wecom.clear_faults();
    assert_eq!(browser.me().await, None);
    (page.status.as_u16(), page.problem(), world.wecom.calls_of(&endpoint))
}

/// A failure that is no outcome: the same browser delivers the same redirect again and is signed in.
#[rstest::rstest]
#[case::server_error(FaultKind::Status { code: 500 }, (502, 710_201, 1))]
#[case::bad_gateway(FaultKind::Status { code: 502 }, (502, 710_201, 1))]
#[case::reset(FaultKind::Reset, (502, 710_201, 1))]
#[case::wrong_json(FaultKind::WrongJson, (502, 710_201, 1))]
#[case::busy_twice(FaultKind::Errcode { code: -1 }, (502, -1, 2))]
#[case::ip_gate(FaultKind::Errcode { code: 60020 }, (502, 60020, 1))]
#[case::too_many_calls(FaultKind::Errcode { code: 45009 }, (502, 45009, 1))]
#[case::too_many_at_once(FaultKind::Errcode { code: 45033 }, (502, 45033, 1))]
#[tokio::test]
async fn what_wecom_did_not_look_at_may_be_tried_again(
    #[case] kind: FaultKind,
    #[case] expected: (u16, i64, u64),
) {
    let world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    let fault = Fault::new("auth/getuserinfo", kind);
    assert_eq!(under(&world, fault, &browser, &redirect).await, expected);

    // 60020 is remembered for five seconds.
    world.advance(Duration::from_secs(5));
    assert_eq!(browser.get(&redirect).await.location(), "/");
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

/// F4: every other refusal is final. The same redirect, however often it comes, costs one call.
#[rstest::rstest]
#[case::a_code_of_another_app(50001)]
#[case::a_wrong_secret_of_the_app(40001)]
#[case::no_right_to_the_interface(48002)]
#[tokio::test]
async fn a_final_refusal_of_wecom_spends_the_state(#[case] errcode: i64) {
    let world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    world.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Errcode { code: errcode }));
    for _ in 0..20 {
        assert_eq!(browser.get(&redirect).await.problem(), errcode);
    }
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
    world.wecom.clear_faults();
    assert_eq!(browser.get(&redirect).await.problem(), errcode, "the outcome stays");
    world.advance(Duration::from_mins(5));
    assert_eq!(browser.get(&redirect).await.problem(), 710_005);
    assert_eq!((browser.me().await, world.wecom.calls_of("auth/getuserinfo")), (None, 1));
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/", "a new sign-in is another one");
}

#[tokio::test]
async fn busy_once_is_not_noticed() {
    let world = world().start().await;
    world.wecom.fault(Fault::new("auth/getuserinfo", FaultKind::Errcode { code: -1 }).times(1));
    let browser = world.browser();
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/");
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 2);
}

#[tokio::test]
async fn an_answer_that_does_not_come_ends_with_the_budget() {
    let world = world().budget(Duration::from_millis(300)).start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    let fault = Fault::new("auth/getuserinfo", FaultKind::Hang).times(1);
    assert_eq!(under(&world, fault, &browser, &redirect).await, (504, 710_201, 1));
}

#[tokio::test]
async fn a_cut_answer_has_burnt_the_code_and_the_next_try_begins_again_by_itself() {
    let world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    let fault = Fault::new("auth/getuserinfo", FaultKind::CutBody);
    assert_eq!(under(&world, fault, &browser, &redirect).await, (502, 710_201, 1));
    for _ in 0..2 {
        let page = browser.get(&redirect).await;
        assert_eq!(page.status.as_u16(), 303);
        assert!(
            page.location().starts_with(&format!("{}/wwlogin/sso/login?", world.wecom.url())),
            "{page:?}"
        );
        let fresh = crate::world::redirect(&world.code("zhangsan"), &state_of(page.location()));
        assert_eq!(browser.get(&fresh).await.location(), "/");
        assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
    }
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 4, "that the code is burnt is remembered");
}

#[tokio::test]
async fn a_sign_in_that_breaks_off_again_and_again_is_explained_in_the_end() {
    let world = world().start().await;
    let browser = world.browser();
    let mut redirect = world.redirect(&browser, "zhangsan").await;
    for restarts in 0..3 {
        let fault = Fault::new("auth/getuserinfo", FaultKind::CutBody);
        assert_eq!(under(&world, fault, &browser, &redirect).await, (502, 710_201, 1));
        let page = browser.get(&redirect).await;
        if restarts == 2 {
            assert_eq!((page.status.as_u16(), page.problem()), (400, 710_203));
            break;
        }
        redirect = crate::world::redirect(&world.code("zhangsan"), &state_of(page.location()));
    }
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/", "a new sign-in works");
}

#[tokio::test]
async fn after_a_failure_another_code_may_come_with_the_same_state() {
    let world = world().start().await;
    let browser = world.browser();
    let state = world.state(&browser).await;
    let first = crate::world::redirect(&world.code("zhangsan"), &state);
    let fault = Fault::new("auth/getuserinfo", FaultKind::CutBody);
    assert_eq!(under(&world, fault, &browser, &first).await, (502, 710_201, 1));
    // Back to WeCom's page, and confirmed once more.
    let second = crate::world::redirect(&world.code("zhangsan"), &state);
    assert_eq!(browser.get(&second).await.location(), "/");
    assert_eq!(browser.get(&first).await.problem(), 710_005, "the state is used");
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn wecom_down_is_told_and_passes() {
    let world = world().config(serde_json::json!({"apiBase": "http://127.0.0.1:9"})).start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    let page = browser.get(&redirect).await;
    assert_eq!((page.status.as_u16(), page.problem()), (502, 710_201));
    assert!(!page.text.contains("127.0.0.1:9"), "no address of ours on the page");
}

#[rstest::rstest]
#[case::expired(|world: &World| world.wecom.expire_tokens())]
#[case::revoked(|world: &World| world.wecom.revoke_tokens())]
#[tokio::test]
async fn a_token_that_wecom_took_back_is_replaced_in_mid_flight(#[case] take_back: fn(&World)) {
    let world = world().start().await;
    world.sign_in(&world.browser(), "zhangsan").await;
    take_back(&world);
    world.wecom.reset_calls();
    let browser = world.browser();
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/");
    let asked = (world.wecom.calls_of("gettoken"), world.wecom.calls_of("auth/getuserinfo"));
    assert_eq!(asked, (1, 2), "one new token, one retry; the code was not burnt");
}

#[rstest::rstest]
#[case(40014)]
#[case(42001)]
#[tokio::test]
async fn a_token_that_is_never_taken_ends_after_one_retry(#[case] errcode: i64) {
    let world = world().start().await;
    world.wecom.behave(|behaviour| behaviour.renewal = Renewal::New);
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    let fault = Fault::new("auth/getuserinfo", FaultKind::Errcode { code: errcode });
    assert_eq!(under(&world, fault, &browser, &redirect).await, (502, errcode, 2));
    assert_eq!(world.wecom.calls_of("gettoken"), 2);
}

#[tokio::test]
async fn who_it_is_was_told_before_the_profile_failed_and_is_not_asked_again() {
    let world = world().start().await;
    let browser = world.browser();
    let redirect = world.redirect(&browser, "zhangsan").await;
    world.wecom.fault(Fault::new("user/get", FaultKind::Status { code: 503 }));
    assert_eq!(browser.get(&redirect).await.problem(), 710_201);
    world.wecom.clear_faults();
    assert_eq!(browser.get(&redirect).await.location(), "/", "the burnt code is not needed any more");
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn the_page_names_the_address_that_the_administrator_must_trust() {
    let world = world().start().await;
    world
        .wecom
        .edit(sample::CORP_ID, |company| {
            company.edit_app(sample::AGENT_ID, |app| app.trusted_ips = Some(vec!["203.0.113.7".into()]))
        })
        .unwrap();
    let browser = world.browser();
    let page = world.sign_in(&browser, "zhangsan").await;
    assert_eq!(page.problem(), 60020);
    assert!(page.text.contains("127.0.0.1"), "{}", page.text);
}

#[rstest::rstest]
#[case::wrong_secret(serde_json::json!({"corpSecret": "not-the-secret"}), 40001)]
#[case::wrong_company(serde_json::json!({"corpId": "wwffffffffffffffff"}), 40013)]
#[tokio::test]
async fn wrong_credentials_are_asked_once_and_remembered(
    #[case] config: serde_json::Value,
    #[case] errcode: i64,
) {
    let world = world().config(config).start().await;
    let browser = world.browser();
    for _ in 0..3 {
        let page = world.sign_in(&browser, "zhangsan").await;
        assert_eq!((page.status.as_u16(), page.problem()), (502, errcode));
        assert!(!page.text.contains("not-the-secret"));
    }
    assert_eq!(world.wecom.calls_of("gettoken"), 1);
}

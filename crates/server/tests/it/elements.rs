//! Own Types and overrides, over the element API and over the redirect.

#[path = "../../../element/tests/it/example/override_type.rs"]
mod override_type;
#[path = "../../../element/tests/it/example/own_type.rs"]
mod own_type;

use serde_json::{Value, json};
use wecom_login_element::{BoxFuture, Call, Code, Environment, Next, Outcome, Type};
use wecom_login_simulator::sample;

use crate::front_end::{FrontEnd, Pair};
use crate::world::{API, Builder, World, redirect, world};

const OWN: &str = "auths/loginTypes/OurType/e.json";
const OVERRIDE: &str = "auths/loginTypes/QywxInnerType/e.json";

/// Names people by their position, and lets nobody in whose position is "人事主管".
struct Titled(&'static str);

impl Type for Titled {
    fn call<'a>(&'a self, call: Call<'a>, next: Next<'a>) -> BoxFuture<'a, Result<Outcome, Code>> {
        Box::pin(async move {
            if call.function != "getLoginCode" {
                return next.call(call).await;
            }
            let mut outcome = next.call(call).await?;
            if outcome.value["position"] == "人事主管" {
                return Err(Code::new(9_000_001, "人事请走内部入口"));
            }
            outcome.value["title"] = json!(self.0);
            // Whatever the value says, the session is that of the proven member.
            outcome.value["userId"] = json!("somebody-else");
            Ok(outcome)
        })
    }
}

fn own_type() -> Builder {
    world().file(OWN, json!({"title": "Ours", "type": "auths.loginTypes.QywxInnerType"})).register(
        |environment: Environment| {
            environment.with_type("acme.portal", "auths.loginTypes.OurType", Titled("own Type"))
        },
    )
}

fn overridden() -> Builder {
    world().file(OVERRIDE, json!({"title": "Ours", "type": "auths.loginTypes.Meta"})).register(
        |environment| {
            environment.with_type("acme.portal", "auths.loginTypes.QywxInnerType", Titled("override"))
        },
    )
}

async fn get_login_code(world: &World, user_id: &str) -> (Value, Option<String>) {
    let browser = world.browser();
    let state = world.state(&browser).await;
    let body = json!({"authCode": world.code(user_id), "state": state});
    let answer = browser.post_json(&format!("{API}/getLoginCode"), &body).await.json();
    (answer, browser.me().await)
}

#[tokio::test]
async fn an_override_takes_effect_for_instances_that_were_not_edited() {
    let world = overridden().start().await;
    let (answer, me) = get_login_code(&world, "zhangsan").await;
    assert_eq!(
        (&answer["data"]["title"], &answer["data"]["userId"]),
        (&json!("override"), &json!("somebody-else"))
    );
    assert_eq!(me.as_deref(), Some("zhangsan"));

    world.remove("auths/loginTypes/QywxInnerType");
    let (answer, _) = get_login_code(&world, "zhangsan").await;
    assert_eq!((answer["data"].get("title"), &answer["data"]["userId"]), (None, &json!("zhangsan")));
}

#[tokio::test]
async fn an_override_decides_about_pairs_too_and_never_whose_they_are() {
    let world = overridden().start().await;
    let program = FrontEnd::program(&world);
    let answer = program.sign_in(&world, "zhangsan").await;
    assert_eq!(
        (&answer["data"]["title"], &answer["data"]["userId"]),
        (&json!("override"), &json!("somebody-else"))
    );
    let pair = Pair::of(&answer["session"]);
    assert_eq!(program.me(&pair.access).await.as_deref(), Some("zhangsan"));

    let refused = json!({"authCode": world.code("lisi"), "state": program.state().await});
    let answer = program.call("getLoginCode", refused.clone()).await.json();
    assert_eq!((&answer["errcode"], answer.get("session")), (&json!(9_000_001), None));
    assert_eq!(world.token_of("lisi").await, "", "what had begun was taken back");
    assert_eq!(program.call("getLoginCode", refused).await.json()["errcode"], 710_005);
}

#[tokio::test]
async fn a_new_type_takes_effect_for_those_that_name_it() {
    let world = own_type().start().await;
    let (answer, _) = get_login_code(&world, "zhangsan").await;
    assert_eq!(answer["data"].get("title"), None);

    let instance = |type_name: &str| json!({"title": "x", "type": format!("auths.loginTypes.{type_name}")});
    world.write("auths/loginTypes/Example/e.json", &instance("OurType"));
    let (answer, me) = get_login_code(&world, "zhangsan").await;
    assert_eq!(answer["data"]["title"], "own Type");
    assert_eq!(me.as_deref(), Some("zhangsan"));

    world.write("auths/loginTypes/Example/e.json", &instance("QywxInnerType"));
    let (answer, _) = get_login_code(&world, "zhangsan").await;
    assert_eq!(answer["data"].get("title"), None);
}

#[tokio::test]
async fn the_redirect_goes_through_the_override_too() {
    let world = overridden().start().await;
    let browser = world.browser();
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/");
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));

    let refused = world.browser();
    let page = world.sign_in(&refused, "lisi").await;
    assert_eq!((page.status.as_u16(), page.problem()), (403, 710_315));
    assert!(page.text.contains("人事请走内部入口") && page.text.contains("9000001"), "{}", page.text);
    assert_eq!(refused.me().await, None);
    let (answer, me) = get_login_code(&world, "lisi").await;
    assert_eq!(
        (&answer["errcode"], &answer["errmsg"], me),
        (&json!(9_000_001), &json!("人事请走内部入口"), None)
    );
    assert_eq!(world.token_of("lisi").await, "", "no session of a refused sign-in is left");
    assert_ne!(world.token_of("zhangsan").await, "");
}

#[tokio::test]
async fn an_instance_may_narrow_what_the_outside_may_call() {
    let world = world().start().await;
    let browser = world.browser();
    let e_json = json!({
        "title": "x", "type": "auths.loginTypes.QywxInnerType",
        "functionList": [{"name": "getLoginConfig", "loginRequired": 1}, {"name": "getAccessToken", "loginRequired": 0}],
    });
    world.write("auths/loginTypes/Example/e.json", &e_json);
    let status = async |function: &str| {
        let page = browser.post_json(&format!("{API}/{function}"), &json!({})).await;
        (page.status.as_u16(), page.json()["errcode"].as_i64().unwrap())
    };
    assert_eq!(status("getLoginConfig").await, (200, 710_301));
    assert_eq!(status("getLoginCode").await.0, 404);
    assert_eq!(status("getAccessToken").await.0, 404, "never over HTTP, whatever a list says");
}

#[tokio::test]
async fn an_edit_takes_effect_and_one_that_breaks_what_worked_takes_none() {
    let world = world().start().await;
    let browser = world.browser();
    let config = "auths/loginTypes/Example/Example.json";
    let good = json!({
        "corpId": sample::CORP_ID, "corpSecret": sample::SECRET, "agentId": "1000003",
        "redirectUri": format!("{}/auth/wecom", world.url), "apiBase": world.wecom.api_url(),
        "loginBase": world.wecom.url(), "oauthBase": world.wecom.url(),
    });
    let agent_id = async || {
        let answer = browser.post_json(&format!("{API}/getLoginConfig"), &json!({})).await.json();
        answer["data"]["agentId"].clone()
    };
    assert_eq!(agent_id().await, "1000002");
    world.write(config, &good);
    assert_eq!(agent_id().await, "1000003");
    world.write(config, &json!({"corpId": 7}));
    assert_eq!(agent_id().await, "1000003", "served as it was");
    world
        .write("auths/loginTypes/Another/e.json", &json!({"title": "x", "type": "auths.loginTypes.Nowhere"}));
    assert_eq!(agent_id().await, "1000003", "a new one that is broken keeps nobody back");
}

#[tokio::test]
async fn a_sign_in_that_began_before_an_edit_goes_on() {
    let world = world().start().await;
    let browser = world.browser();
    let state = world.state(&browser).await;
    world.write(
        "auths/loginTypes/Example/e.json",
        &json!({"title": "New title", "type": "auths.loginTypes.QywxInnerType"}),
    );
    browser.get(&redirect(&world.code("zhangsan"), &state)).await;
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
    assert!(world.browser().get("/login").await.text.contains("New title"));
}

/// The examples that docs/elements.md prints, against the real sign-in.
#[tokio::test]
async fn the_documented_own_type_and_override_work_over_the_api_and_the_redirect() {
    let world = world()
        .file(OVERRIDE, json!({"title": "Ours", "type": "auths.loginTypes.Meta"}))
        .file(
            "auths/loginTypes/WithMail/e.json",
            json!({"title": "Ours", "type": "auths.loginTypes.QywxInnerType"}),
        )
        .register(|environment| {
            environment
                .with_type("acme.portal", "auths.loginTypes.QywxInnerType", override_type::OneDepartment)
                .with_type("acme.portal", "auths.loginTypes.WithMail", own_type::WithMail)
        })
        .start()
        .await;
    world.write(
        "auths/loginTypes/Example/e.json",
        &json!({"title": "x", "type": "auths.loginTypes.WithMail"}),
    );
    let (answer, me) = get_login_code(&world, "zhangsan").await;
    assert_eq!(
        (&answer["data"]["companyMail"], me.as_deref()),
        (&json!("zhangsan@example.com"), Some("zhangsan"))
    );
    let (answer, me) = get_login_code(&world, "wu10").await;
    assert_eq!((&answer["errcode"], me), (&json!(9_000_001), None));

    let browser = world.browser();
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/");
    let refused = world.browser();
    assert_eq!(world.sign_in(&refused, "wu10").await.problem(), 710_315);
    assert_eq!((browser.me().await.as_deref(), refused.me().await), (Some("zhangsan"), None));
}

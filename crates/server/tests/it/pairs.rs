//! Bearer sessions.

use std::sync::Arc;
use std::time::Duration;
use wecom_login_sign_in::Instances;

use reqwest::Method;
use serde_json::{Value, json};
use wecom_login_model::{Clock as _, Fingerprint};
use wecom_login_simulator::sample;

use crate::front_end::{FrontEnd, ORIGIN, Pair, listed};
use crate::world::{API, BROWSER_COOKIE, SESSION_COOKIE, World, world};

#[tokio::test]
async fn a_program_signs_in_with_a_pair_and_no_cookie() {
    let world = world().start().await;
    let program = FrontEnd::program(&world);
    let answer = program.sign_in(&world, "zhangsan").await;
    assert_eq!(program.browser.cookie(SESSION_COOKIE), None);
    assert_eq!(program.browser.cookie(BROWSER_COOKIE), None);

    let pair = Pair::of(&answer["session"]);
    assert_eq!(pair.expires_in, 600);
    assert_eq!(program.me(&pair.access).await.as_deref(), Some("zhangsan"));
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let browser = world.browser();
    let body = json!({"authCode": world.code("zhangsan"), "state": world.state(&browser).await});
    let by_cookie = browser.post_json(&format!("{API}/getLoginCode"), &body).await.json();
    assert_eq!(by_cookie["data"], answer["data"], "what the function gives is the same");
    assert_eq!(by_cookie.get("session"), None, "who did not ask gets no pair");
    assert_eq!(keys(&answer).len(), keys(&by_cookie).len() + 1);
}

#[tokio::test]
async fn an_access_token_is_good_for_ten_minutes() {
    let world = world().start().await;
    let program = FrontEnd::program(&world);
    let first = program.pair(&world, "zhangsan").await;
    world.advance(Duration::from_secs(599));
    assert!(program.me(&first.access).await.is_some());
    let second = program.next(&first.refresh).await.unwrap();
    assert_eq!(second.expires_in, 600);
    assert!(program.me(&first.access).await.is_some(), "another tab may still use it");
    world.advance(Duration::from_secs(1));
    assert_eq!(program.me(&first.access).await, None);
    assert_eq!(program.me(&second.access).await.as_deref(), Some("zhangsan"));
    world.advance(Duration::from_hours(24));
    assert_eq!(program.next(&second.refresh).await, Err((401, 710_301)), "a day without use");
}

#[tokio::test]
async fn a_token_counts_in_its_place_alone() {
    let world = world().start().await;
    let program = FrontEnd::program(&world);
    let Pair { access, refresh, .. } = program.pair(&world, "zhangsan").await;
    for path in [format!("/me?access_token={access}"), format!("/me?accessToken={access}&token={access}")] {
        assert_eq!(program.browser.get_json(&path).await.status.as_u16(), 401);
    }
    for token in [&refresh, &access[..access.len() - 1], ""] {
        assert_eq!(program.me(token).await, None);
    }
    for authorization in [format!("Basic {access}"), access.clone(), format!("Token {access}")] {
        let request = program.request(Method::GET, "/me").header("authorization", authorization);
        assert_eq!(program.browser.send(request).await.status.as_u16(), 401);
    }
    let cookie = world.browser();
    for value in [&access, &refresh] {
        cookie.set_cookie(SESSION_COOKIE, value);
        assert_eq!(cookie.me().await, None);
    }
    assert_eq!(program.next(&access).await, Err((401, 710_301)));
    let query =
        program.request(Method::POST, &format!("/session/refresh?refreshToken={refresh}")).json(&json!({}));
    let page = program.browser.send(query).await;
    assert_eq!((page.status.as_u16(), &page.json()["errcode"]), (400, &json!(710_308)));
    assert!(program.next(&refresh).await.is_ok(), "none of this has spent it");
}

#[tokio::test]
async fn a_token_beside_a_cookie_is_what_counts() {
    let world = world().start().await;
    let both = FrontEnd::program(&world);
    world.sign_in(&both.browser, "lisi").await;
    let pair = both.pair(&world, "zhangsan").await;
    assert_eq!(both.browser.me().await.as_deref(), Some("lisi"), "the cookie's session is left alone");
    assert_eq!(both.me(&pair.access).await.as_deref(), Some("zhangsan"));
    assert_eq!(both.me("nonsense").await, None, "a wrong token is not made good by a cookie");

    assert_eq!(both.with_token(Method::POST, "/logout", "nonsense").await.status.as_u16(), 200);
    assert_eq!(both.browser.me().await.as_deref(), Some("lisi"));
    assert_eq!(both.with_token(Method::POST, "/logout", &pair.access).await.status.as_u16(), 200);
    assert_eq!(both.me(&pair.access).await, None);
    assert_eq!(both.browser.me().await.as_deref(), Some("lisi"));
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_whole_family() {
    let world = world().start().await;
    let (owner, thief) = (FrontEnd::program(&world), FrontEnd::program(&world));
    let stolen = owner.pair(&world, "zhangsan").await;
    let second = owner.next(&stolen.refresh).await.unwrap();
    let third = owner.next(&second.refresh).await.unwrap();
    assert_eq!(thief.next(&stolen.refresh).await, Err((401, 710_317)));
    for pair in [&stolen, &second, &third] {
        assert_eq!(owner.me(&pair.access).await, None);
        assert_eq!(owner.next(&pair.refresh).await, Err((401, 710_301)));
    }
    assert_eq!(world.token_of("zhangsan").await, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_refreshes_at_once_one_wins_and_the_family_ends() {
    let world = world().start().await;
    let program = Arc::new(FrontEnd::program(&world));
    let first = program.pair(&world, "zhangsan").await;
    let refreshes = (0..24).map(|_| {
        let (program, token) = (program.clone(), first.refresh.clone());
        tokio::spawn(async move { program.next(&token).await })
    });
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for refresh in refreshes.collect::<Vec<_>>() {
        match refresh.await.unwrap() {
            Ok(pair) => won.push(pair),
            Err(refusal) => lost.push(refusal),
        }
    }
    assert_eq!((won.len(), lost.len()), (1, 23));
    assert!(lost.contains(&(401, 710_317)), "{lost:?}");
    assert_eq!(program.me(&won[0].access).await, None);
    assert_eq!(program.next(&won[0].refresh).await, Err((401, 710_301)));
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_is_answered_again_to_who_knows_its_key() {
    let world = world().start().await;
    let program = FrontEnd::program(&world);
    let first = program.pair(&world, "zhangsan").await;
    let ask = async |key: &str| {
        program.refresh(&json!({"refreshToken": first.refresh, "retryKey": key})).await.json()
    };
    let (key, other) = ("k".repeat(43), "o".repeat(43));
    let second = Pair::of(&ask(&key).await);
    world.advance(Duration::from_mins(1));
    let again = Pair::of(&ask(&key).await);
    assert_eq!((&again.access, &again.refresh), (&second.access, &second.refresh));
    assert_eq!(again.expires_in, 540, "it was issued a minute ago");
    assert_eq!(program.me(&again.access).await.as_deref(), Some("zhangsan"));
    assert_eq!(ask(&other).await["errcode"], 710_317);
    assert_eq!(program.me(&second.access).await, None);
}

#[tokio::test]
async fn once_the_answer_is_used_its_key_opens_nothing() {
    let world = world().start().await;
    let program = FrontEnd::program(&world);
    let first = program.pair(&world, "zhangsan").await;
    let body = json!({"refreshToken": first.refresh, "retryKey": "k".repeat(43)});
    let second = Pair::of(&program.refresh(&body).await.json());
    program.next(&second.refresh).await.unwrap();
    assert_eq!(program.refresh(&body).await.json()["errcode"], 710_317);
}

#[tokio::test]
async fn what_is_no_refresh_request_is_told_and_ends_nothing() {
    let world = world().start().await;
    let program = FrontEnd::program(&world);
    let pair = program.pair(&world, "zhangsan").await;
    for (body, expected) in [
        (json!({}), (400, 710_308)),
        (json!({"refreshToken": pair.refresh, "retryKey": "short"}), (400, 710_308)),
        (json!({"refreshToken": pair.refresh, "retryKey": 7}), (400, 710_308)),
        (json!({"refreshToken": 7}), (401, 710_301)),
        (json!({"refreshToken": "nonsense"}), (401, 710_301)),
        (json!({"refreshToken": format!("{}x", &pair.refresh[..pair.refresh.len() - 44])}), (401, 710_301)),
    ] {
        let page = program.refresh(&body).await;
        assert_eq!((page.status.as_u16(), page.json()["errcode"].as_i64().unwrap()), expected, "{body}");
    }
    let form =
        program.request(Method::POST, "/session/refresh").body(format!("refreshToken={}", pair.refresh));
    assert_eq!(program.browser.send(form).await.status.as_u16(), 415);
    assert!(program.next(&pair.refresh).await.is_ok());
}

#[tokio::test]
async fn signing_out_ends_the_pair_at_once() {
    let world = world().start().await;
    let program = FrontEnd::program(&world);
    for by_refresh_token in [false, true] {
        let first = program.pair(&world, "zhangsan").await;
        let second = program.next(&first.refresh).await.unwrap();
        if by_refresh_token {
            world.advance(Duration::from_mins(11));
            let request =
                program.request(Method::POST, "/logout").json(&json!({"refreshToken": second.refresh}));
            let page = program.browser.send(request).await;
            assert_eq!((page.status.as_u16(), page.header("set-cookie")), (200, ""));
        } else {
            program.with_token(Method::POST, "/logout", &first.access).await;
        }
        for pair in [first, second] {
            assert_eq!(program.me(&pair.access).await, None);
            assert_eq!(program.next(&pair.refresh).await, Err((401, 710_301)));
        }
    }
}

#[tokio::test]
async fn a_leavers_pair_ends_at_once() {
    let world = world().start().await;
    let program = FrontEnd::program(&world);
    let pair = program.pair(&world, "zhangsan").await;
    world.wecom.edit(sample::CORP_ID, |company| company.remove_member("zhangsan")).unwrap();
    world.login.sync_user_info(&world.instance, &Instances::default(), "zhangsan", true).await.unwrap();
    assert_eq!(program.me(&pair.access).await, None);
    assert_eq!(program.next(&pair.refresh).await, Err((401, 710_301)));
}

#[tokio::test]
async fn the_member_model_and_the_database_hold_hashes_alone() {
    let world = world().start().await;
    let program = FrontEnd::program(&world);
    let first = program.pair(&world, "zhangsan").await;
    let row = async || {
        let filter = "Q(userId='zhangsan')".parse().unwrap();
        let row = world.store().await.auth_row(None, &filter, &[], world.clock.now()).await.unwrap().unwrap();
        (row.access_token.expose().to_owned(), row.refresh_token.expose().to_owned())
    };
    let hashes =
        |pair: &Pair| (Fingerprint::of(&pair.access).to_hex(), Fingerprint::of(&pair.refresh).to_hex());
    assert_eq!(row().await, hashes(&first));
    let body =
        json!({"refreshToken": first.refresh, "retryKey": "key-of-43-characters-0123456789-0123456789-"});
    let second = Pair::of(&program.refresh(&body).await.json());
    assert_eq!(row().await, hashes(&second));
    let secrets =
        [&first, &second].map(|pair| [&pair.access, &pair.refresh].map(|token| token[30..].to_owned()));
    let secrets = secrets.iter().flatten().map(String::as_str).chain(["key-of-43-characters"]);
    for file in std::fs::read_dir(world.data()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for secret in secrets.clone() {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
}

#[tokio::test]
async fn the_same_answer_delivered_twice_gives_the_same_pair_until_it_is_used() {
    let world = world().start().await;
    let program = FrontEnd::program(&world);
    let body = json!({"authCode": world.code("zhangsan"), "state": program.state().await});
    let (first, second) =
        tokio::join!(program.call("getLoginCode", body.clone()), program.call("getLoginCode", body.clone()));
    let (first, second) = (Pair::of(&first.json()["session"]), Pair::of(&second.json()["session"]));
    assert_eq!(first, second);
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 1);
    program.next(&first.refresh).await.unwrap();
    assert_eq!(program.call("getLoginCode", body).await.json()["errcode"], 710_005);
}

#[tokio::test]
async fn a_state_is_bound_to_the_name_that_the_client_gave_its_browser() {
    let world = world().start().await;
    let victim = FrontEnd::program(&world);
    let attacker = FrontEnd::program(&world).named(&"a".repeat(43));
    let planted = json!({"authCode": world.code("lisi"), "state": attacker.state().await});
    assert_eq!(victim.call("getLoginCode", planted.clone()).await.json()["errcode"], 710_006);
    assert_eq!(world.wecom.calls_of("auth/getuserinfo"), 0);
    let nameless = world.browser();
    let answer = nameless.post_json(&format!("{API}/getLoginCode"), &planted).await.json();
    assert_eq!(answer["errcode"], 710_006, "no name at all is another browser");
    assert_eq!(attacker.call("getLoginCode", planted).await.json()["data"]["userId"], "lisi");
}

#[tokio::test]
async fn a_name_by_header_is_never_one_by_cookie() {
    let world = world().start().await;
    let browser = world.browser();
    let state = world.state(&browser).await;
    let cookie = browser.cookie(BROWSER_COOKIE).unwrap();
    let same = FrontEnd::program(&world).named(&cookie);
    let body = json!({"authCode": world.code("zhangsan"), "state": state});
    assert_eq!(same.call("getLoginCode", body).await.json()["errcode"], 710_006);
    let body = json!({"authCode": world.code("zhangsan"), "state": same.state().await});
    let answer = browser.post_json(&format!("{API}/getLoginCode"), &body).await.json();
    assert_eq!(answer["errcode"], 710_006);
}

#[tokio::test]
async fn pairs_are_for_programs_and_configured_origins() {
    let world = world().settings(listed).start().await;
    let config = async |front: FrontEnd| {
        let page = front.call("getLoginConfig", json!({})).await;
        (page.status.as_u16(), page.json()["errcode"].as_i64().unwrap())
    };
    assert_eq!(config(FrontEnd::program(&world)).await, (200, 0));
    assert_eq!(config(FrontEnd::page(&world, ORIGIN, "cross-site")).await, (200, 0));
    assert_eq!(config(FrontEnd::page(&world, &world.url, "same-origin")).await, (403, 710_316));
    assert_eq!(config(FrontEnd::page(&world, "https://evil.example", "cross-site")).await, (403, 710_302));
    for name in ["", "short", &"n".repeat(129), &format!("{} ", "n".repeat(31)), &"=".repeat(43)] {
        let answer = FrontEnd::program(&world).named(name).call("getLoginConfig", json!({})).await.json();
        assert_eq!(answer["errcode"], 710_308, "{name:?}");
        assert!(answer["errmsg"].as_str().unwrap().contains("X-Wecom-Login-Browser"), "{answer}");
    }
}

fn zhangsan_administers(settings: &mut wecom_login_server::Settings) {
    settings.administrators.admins =
        [format!("{}/zhangsan", sample::CORP_ID).parse().unwrap()].into_iter().collect();
}

/// The errcode of a function for administrators.
async fn read_lisi(program: &FrontEnd, access: &str) -> i64 {
    let request =
        program.request(Method::POST, &format!("{API}/getUserInfo")).json(&json!({"userId": "lisi"}));
    let page = program.browser.send(request.header("authorization", format!("Bearer {access}"))).await;
    page.json()["errcode"].as_i64().unwrap()
}

#[tokio::test]
async fn functions_keep_their_rules_for_whoever_comes_with_a_token() {
    let world = world().settings(zhangsan_administers).start().await;
    let program = FrontEnd::program(&world);
    let (admin, member) = (program.pair(&world, "zhangsan").await, program.pair(&world, "lisi").await);
    assert_eq!(read_lisi(&program, &admin.access).await, 0);
    assert_eq!(read_lisi(&program, &member.access).await, 710_314);
    world.advance(Duration::from_mins(10));
    for _ in 0..70 {
        assert_eq!(read_lisi(&program, &admin.access).await, 710_301, "one that has run out is no guess");
    }
    assert_eq!(
        program.with_token(Method::GET, "/console/api/accounts", &admin.access).await.status.as_u16(),
        401
    );
    let next = program.next(&admin.refresh).await.unwrap();
    assert_eq!(read_lisi(&program, &next.access).await, 0);
    let page = program.with_token(Method::GET, "/console/api/accounts", &next.access).await;
    assert_eq!(page.status.as_u16(), 200);
}

#[tokio::test]
async fn a_restart_keeps_pairs() {
    let mut world: World = world().start().await;
    let pair = FrontEnd::program(&world).pair(&world, "zhangsan").await;
    world.restart().await;
    let program = FrontEnd::program(&world);
    assert_eq!(program.me(&pair.access).await.as_deref(), Some("zhangsan"));
    assert!(program.next(&pair.refresh).await.is_ok());
}

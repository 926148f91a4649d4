//! POST /login: the next state of the sign-in whose page is open.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::browser::{Browser, Page};
use crate::world::{ELEMENT, World, redirect, world};

async fn renewed(browser: &Browser, path: &str) -> Value {
    let page = browser.post_json(path, &json!({})).await;
    assert_eq!(page.status.as_u16(), 200, "{}", page.text);
    page.json()
}

async fn finish(world: &World, browser: &Browser, state: &Value) -> Page {
    browser.get(&redirect(&world.code("zhangsan"), state.as_str().unwrap())).await
}

#[tokio::test]
async fn a_page_that_stays_open_gets_states_that_lead_where_it_was_to_lead() {
    let world = world().start().await;
    let browser = world.browser();
    let address = format!("/login?element={ELEMENT}&return_to=/reports?a=1%26b=2");
    browser.get(&address).await;
    let mut states = Vec::new();
    for _ in 0..3 {
        world.advance(Duration::from_mins(8));
        let config = renewed(&browser, &address).await;
        assert_eq!(config["corpId"], world.instance.corp_id().as_str());
        assert_eq!(config["redirectUri"], world.instance.redirect_uri());
        let link = config["loginUrl"].as_str().unwrap();
        assert!(
            link.starts_with(world.wecom.url()) && link.contains(config["state"].as_str().unwrap()),
            "{link}"
        );
        states.push(config["state"].clone());
    }
    // The one before is still good for two minutes: somebody may be confirming it.
    let page = finish(&world, &browser, &states[1]).await;
    assert_eq!(page.location(), format!("{}/reports?a=1&b=2", world.url));
    assert_eq!(browser.me().await.as_deref(), Some("zhangsan"));
}

#[tokio::test]
async fn whoever_has_signed_in_meanwhile_goes_on() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    assert_eq!(renewed(&browser, "/login").await, json!({"location": "/"}));
    let address = format!("/login?element={ELEMENT}&return_to=/reports");
    assert_eq!(renewed(&browser, &address).await, json!({"location": format!("{}/reports", world.url)}));
}

#[tokio::test]
async fn what_cannot_be_renewed_is_told_with_its_number() {
    let world = world().instance("Second", json!({})).start().await;
    let browser = world.browser();
    for (path, status, number) in [
        ("/login?element=auths.loginTypes.Nobody", 404, 710_311),
        ("/login", 400, 710_311),
        ("/login?return_to=https://evil.example/", 400, 710_309),
        ("/login?bind=1", 401, 710_301),
    ] {
        let page = browser.post_json(path, &json!({})).await;
        assert_eq!((page.status.as_u16(), &page.json()["errcode"]), (status, &json!(number)), "{path}");
        assert_eq!(page.json()["requestId"], page.header("x-request-id"));
    }
    let foreign = browser.request(Method::POST, "/login").header("sec-fetch-site", "cross-site");
    assert_eq!(browser.send(foreign).await.status.as_u16(), 403);
}

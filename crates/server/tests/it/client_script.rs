use reqwest::Method;
use serde_json::json;

use crate::world::{API, world};

#[tokio::test]
async fn both_scripts_know_their_server_and_are_asked_for_once() {
    let world = world().start().await;
    let browser = world.browser();
    let site = json!({"app": "portal", "base": world.url, "org": "acme"});
    let (mut tags, mut texts) = (Vec::new(), Vec::new());
    for path in ["/client.js", "/client.global.js"] {
        let page = browser.get(path).await;
        assert_eq!(page.status.as_u16(), 200);
        assert_eq!(page.header("content-type"), "text/javascript; charset=utf-8");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("cache-control"), "public, no-cache");
        assert_eq!(page.text.matches(&format!("const WECOM_LOGIN_SITE = {site};")).count(), 1, "{path}");

        let tag = page.header("etag").to_owned();
        for (known, status) in [
            (tag.clone(), 304),
            (format!("\"other\", W/{tag}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
            (tag.trim_matches('"').to_owned(), 200),
        ] {
            let again =
                browser.send(browser.request(Method::GET, path).header("if-none-match", &known)).await;
            assert_eq!((again.status.as_u16(), again.text.is_empty()), (status, status == 304), "{known}");
            assert_eq!(again.header("etag"), tag);
        }
        tags.push(tag);
        texts.push(page.text);
        assert_eq!(browser.send(browser.request(Method::POST, path)).await.status.as_u16(), 405);
    }
    assert_ne!(tags[0], tags[1]);
    assert!(texts[0].contains("export {") && !texts[1].contains("export {"));
}

#[tokio::test]
async fn a_config_comes_with_where_its_wecom_is_beside_it() {
    let world = world().config(json!({"scope": "snsapi_privateinfo"})).start().await;
    let page = world.browser().post_json(&format!("{API}/getLoginConfig"), &json!({})).await;
    let hosts: serde_json::Value = serde_json::from_str(page.header("x-wecom-login-hosts")).unwrap();
    let wecom = world.wecom.url();
    assert_eq!(hosts, json!({"login": wecom, "oauth": wecom, "scope": "snsapi_privateinfo"}));
    assert_eq!(page.json()["data"].as_object().unwrap().len(), 4, "the config's keys are the platform's");
}

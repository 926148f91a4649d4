//! The address: who is let in with what, and what everybody else is told.

use reqwest::Method;
use serde_json::json;
use wecom::callback::Format;
use wecom_login_model::SystemEntropy;
use wecom_login_simulator::sample;

use super::{APP_KEY, CONTACTS_KEY, CONTACTS_TOKEN, Sender, change, channel, keys, member};
use crate::world::world;

#[tokio::test]
async fn whoever_has_not_the_keys_can_do_nothing() {
    let world = world().config(keys()).start().await;
    let event = change(&member("delete_user", "lisi"), 1);
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;

    let other_token = Sender::new(&world, channel("another", CONTACTS_KEY, sample::CORP_ID), "Example");
    assert_eq!(other_token.send(&event).await.status, 403);
    let other_key = Sender::new(&world, channel(CONTACTS_TOKEN, APP_KEY, sample::CORP_ID), "Example");
    assert_eq!(other_key.send(&event).await.status, 400);
    let sender = Sender::contacts(&world);
    assert_eq!(sender.post("", event.clone()).await.status, 400, "in the clear");
    assert_eq!(sender.post("", "<xml><Encrypt>YQ==</Encrypt></xml>".to_owned()).await.status, 403);
    assert_eq!(sender.post("", String::new()).await.status, 400);
    assert_eq!(sender.post("", "x".repeat(64 * 1024 + 1)).await.status, 413);
    assert_eq!(browser.me().await.as_deref(), Some("lisi"));
    assert_eq!(world.waiting().await, 0);

    sender.tell(&event).await;
    assert_eq!(browser.me().await, None, "the same with the keys");
}

#[tokio::test]
async fn what_is_for_another_company_is_taken_from_wecom_and_left_alone() {
    let world = world().config(keys()).start().await;
    let elsewhere =
        Sender::new(&world, channel(CONTACTS_TOKEN, CONTACTS_KEY, "ww0000000000000000"), "Example");
    elsewhere.tell(&change(&member("create_user", "lisi"), 1)).await;
    assert_eq!(world.waiting().await, 0);
    // While the address is being set up, a wrong corpId must not pass.
    let sealed = elsewhere.channel.seal(b"1288432023552776189", "1", "2", &SystemEntropy);
    let query = format!("msg_signature={}&timestamp=1&nonce=2", sealed.msg_signature());
    let echo = sealed.encrypt().replace('+', "%2B");
    let page = world.browser().get(&format!("{}?{query}&echostr={echo}", elsewhere.path)).await;
    assert_eq!(page.status, 400);
}

#[tokio::test]
async fn a_captured_event_is_not_decrypted_for_whoever_shows_it_as_a_check() {
    let world = world().config(keys()).start().await;
    let sender = Sender::contacts(&world);
    let event = change(&member("create_user", "lisi"), 1);
    for text in [event.as_str(), &event[..event.len() - 1]] {
        let sealed = sender.channel.seal(text.as_bytes(), "1", "2", &SystemEntropy);
        let query = format!("msg_signature={}&timestamp=1&nonce=2", sealed.msg_signature());
        let echo = sealed.encrypt().replace('+', "%2B");
        let page = world.browser().get(&format!("{}?{query}&echostr={echo}", sender.path)).await;
        assert_eq!(page.status, 400);
        assert!(!page.text.contains("lisi"), "{}", page.text);
    }
}

#[tokio::test]
async fn other_events_and_messages_are_taken_and_ask_for_nothing() {
    let world = world().config(keys()).start().await;
    let sender = Sender::app(&world);
    sender.tell("<xml><MsgType>text</MsgType><Content>hello</Content></xml>").await;
    sender
        .tell(
            "<xml><MsgType>event</MsgType><Event>enter_agent</Event><FromUserName>lisi</FromUserName></xml>",
        )
        .await;
    assert_eq!(world.waiting().await, 0);
}

#[tokio::test]
async fn two_settings_with_the_same_token_are_told_apart_by_the_key() {
    let mut config = keys();
    config["callbackToken"] = CONTACTS_TOKEN.into();
    let world = world().config(config).start().await;
    let app = Sender::new(&world, channel(CONTACTS_TOKEN, APP_KEY, sample::CORP_ID), "Example");
    app.scope("subscribe", "lisi").await;
    Sender::contacts(&world).change(&member("create_user", "zhangsan")).await;
    world.settle().await;
    let members: Vec<String> = world.members().await.into_iter().map(|(user_id, _)| user_id).collect();
    assert_eq!(members, ["lisi", "zhangsan"]);
}

#[tokio::test]
async fn the_name_is_the_last_segment_or_the_full_name() {
    let world = world().config(keys()).instance("Plain", json!({})).start().await;
    let browser = world.browser();
    for (name, status) in [
        ("Example", 403),
        ("auths.loginTypes.Example", 403),
        ("Plain", 404),
        ("Nobody", 404),
        ("example", 404),
    ] {
        let path = format!("/wecom/callback/{name}?msg_signature=0&timestamp=1&nonce=2&echostr=YQ%3D%3D");
        assert_eq!(browser.get(&path).await.status, status, "{name}");
    }
    let page = browser.send(browser.request(Method::PUT, "/wecom/callback/Example")).await;
    assert_eq!(page.status, 405);
}

#[tokio::test]
async fn without_the_database_wecom_is_asked_to_send_the_event_again() {
    let mut world = world().config(keys()).start().await;
    let event = change(&member("delete_user", "lisi"), 1);
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    world.lose_database().await;
    assert_eq!(Sender::contacts(&world).send(&event).await.status, 503);

    world.restart().await;
    Sender::contacts(&world).tell(&event).await;
    let page = world.browser();
    page.set_cookie(crate::world::SESSION_COOKIE, &browser.cookie(crate::world::SESSION_COOKIE).unwrap());
    assert_eq!(page.me().await, None);
}

#[tokio::test]
async fn an_event_in_json_is_read_too() {
    let world = world().config(keys()).start().await;
    let sender = Sender::contacts(&world);
    let text = json!({
        "MsgType": "event", "Event": "change_contact", "ChangeType": "create_user", "UserID": "lisi",
    });
    let sealed = sender.channel.seal(text.to_string().as_bytes(), "1", "2", &SystemEntropy);
    let query = format!("msg_signature={}&timestamp=1&nonce=2", sealed.msg_signature());
    let body = sealed.to_envelope(Format::Json, sample::CORP_ID, Some("218")).to_text();
    assert_eq!(sender.post(&query, body).await.status, 200);
    world.settle().await;
    assert_eq!(world.members().await.len(), 1);
}

//! F10: events with white space, bytes of another encoding and faults in their XML.

use std::time::Duration;

use wecom::callback::Format;
use wecom_login_model::SystemEntropy;
use wecom_login_simulator::sample;

use super::{CONTACTS_KEY, CONTACTS_TOKEN, LocalCopy as _, Sender, channel, keys};
use crate::world::{World, world};

async fn company() -> World {
    let world = world().config(keys()).start().await;
    world.copied().await;
    world
}

/// An event about lisi, as a receiver that prints XML anew passes it on.
fn printed_anew(change: &str) -> String {
    let element = |name: &str, text: &str| format!("  <{name}>\r\n    <![CDATA[{text}]]>\r\n  </{name}>\n");
    let fields = [
        element("ToUserName", sample::CORP_ID),
        element("FromUserName", "sys"),
        element("MsgType", "event"),
        element("Event", "change_contact"),
        element("ChangeType", change),
        element("UserID", "lisi"),
    ];
    format!("<xml>\n{}</xml>\n", fields.concat())
}

/// An event about lisi with this name in it.
fn with_name(change: &str, name: &[u8]) -> Vec<u8> {
    let head = format!(
        "<xml><MsgType>event</MsgType><Event>change_contact</Event><ChangeType>{change}</ChangeType>\
         <UserID>lisi</UserID><Name>"
    );
    [head.as_bytes(), name, b"</Name></xml>"].concat()
}

#[rstest::rstest]
#[case::white_space(printed_anew("delete_user").into_bytes())]
#[case::gbk(with_name("delete_user", b"\xd5\xc5"))]
#[case::bare_ampersand(with_name("delete_user", b"R&D"))]
#[case::unknown_entity(with_name("delete_user", b"&nbsp;"))]
#[tokio::test]
async fn a_leaver_is_signed_out_at_once_by_a_damaged_event(#[case] event: Vec<u8>) {
    let world = company().await;
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    world.company(|company| drop(company.remove_member("lisi")));
    Sender::contacts(&world).tell(&event).await;
    assert_eq!(browser.me().await, None);
    world.settle().await;
    world.assert_copy().await;
}

#[rstest::rstest]
#[case::no_document("no document at all")]
#[case::nothing("")]
#[case::cut("<xml><MsgType>event</MsgType><Event>change_contact</Event><ChangeType>delete_us")]
#[case::mismatched("<xml><Event>change_contact</Event><Name>a<b</Name><UserID>lisi</UserID></xml>")]
#[case::no_identifier("<xml><Event>change_contact</Event><ChangeType>delete_user</ChangeType></xml>")]
#[case::damaged_identifier(
    "<xml><Event>change_contact</Event><ChangeType>delete_user</ChangeType><UserID>li\u{fffd}</UserID></xml>"
)]
#[case::unknown_change("<xml><Event>change_contact</Event><ChangeType>new</ChangeType></xml>")]
#[tokio::test]
async fn what_cannot_be_understood_puts_the_company_down_for_a_sync(#[case] event: &str) {
    let world = company().await;
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    world.company(|company| drop(company.remove_member("lisi")));
    let sender = Sender::contacts(&world);
    for _ in 0..3 {
        sender.tell(event).await;
    }
    assert_eq!(world.waiting().await, 1, "once, however many there are");
    assert!(browser.me().await.is_some());
    world.advance(Duration::from_secs(10));
    world.settle().await;
    assert_eq!(browser.me().await, None);
    world.assert_copy().await;
}

#[tokio::test]
async fn white_space_in_the_envelope_is_not_blamed_on_the_token() {
    let world = company().await;
    let sender = Sender::contacts(&world);
    let sealed = sender.channel.seal(printed_anew("update_user").as_bytes(), "1", "2", &SystemEntropy);
    let query = format!("msg_signature={}&timestamp=1&nonce=2", sealed.msg_signature());
    let (first, rest) = sealed.encrypt().split_at(60);
    let body = format!("<xml>\n <Encrypt>\n  <![CDATA[{first}\n  {rest}]]>\n </Encrypt>\n</xml>\n");
    assert_eq!(sender.post(&query, body).await.status, 200);
    assert_eq!(world.waiting().await, 1);
}

#[tokio::test]
async fn a_corpid_in_another_case_is_the_company() {
    let world = company().await;
    let upper = sample::CORP_ID.to_uppercase();
    assert_ne!(upper, sample::CORP_ID);
    let sender = Sender::new(&world, channel(CONTACTS_TOKEN, CONTACTS_KEY, &upper), "Example");
    let sealed = sender.channel.seal(printed_anew("update_user").as_bytes(), "1", "2", &SystemEntropy);
    let query = format!("msg_signature={}&timestamp=1&nonce=2", sealed.msg_signature());
    let body = sealed.to_envelope(Format::Xml, &upper, None).to_text();
    assert_eq!(sender.post(&query, body).await.status, 200);
    assert_eq!(world.waiting().await, 1);
}

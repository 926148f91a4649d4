//! The official samples of WeCom, sent as they are printed to instances of those companies, Tokens and keys.

use serde_json::json;

use super::{APP_KEY, APP_TOKEN, CONTACTS_KEY, CONTACTS_TOKEN};
use crate::world::{World, world};

const A1: &str = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==";
const A2: &str = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==";
const B1: &str = "fsi1xnbH4yQh0+PJxcOdhhK6TDXkjMyhEPA7xB2TGz6b+g7xyAbEkRxN/3cNXW9qdqjnoVzEtpbhnFyq6SVHyA==";
const B2: &str = "Kl7kjoSf6DMD1zh7rtrHjFaDapSCkaOnwu3bqLc5tAybhhMl9pFeK8NslNPVdMwmBQTNoW4mY7AIjeLvEl3NyeTkAgGzBhzTtRLNshw2AEew+kkYcD+Fq72Kt00fT0WnN87hGrW8SqGc+NcT3mu87Ha3dz1pSDi6GaUA6A0sqfde0VJPQbZ9U+3JWcoD4Z5jaU0y9GSh010wsHF8KZD24YhmZH4ch4Ka7ilEbjbfvhKkNL65HHL0J6EYJIZUC2pFrdkJ7MhmEbU2qARR4iQHE7wy24qy0cRX3Mfp6iELcDNfSsPGjUQVDGxQDCWjayJOpcwocugux082f49HKYg84EpHSGXAyh+/oxwaWbvL6aSDPOYuPDGOCI8jmnKiypE+";

async fn companies() -> World {
    let a = json!({
        "corpId": "wx5823bf96d3bd56c7", "callbackToken": APP_TOKEN, "callbackAesKey": APP_KEY,
    });
    let b = json!({
        "corpId": "ww1436e0e65a779aee",
        "contactCallbackToken": CONTACTS_TOKEN,
        "contactCallbackAesKey": CONTACTS_KEY,
    });
    world().config(a).instance("Second", b).start().await
}

fn percent(text: &str) -> String {
    text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

#[rstest::rstest]
#[case::a1(
    "Example",
    "msg_signature=5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3&timestamp=1409659589&nonce=263014780",
    A1,
    "1616140317555161061"
)]
#[case::b1(
    "Second",
    "msg_signature=012bc692d0a58dd4b10f8dfe5c4ac00ae211ebeb&timestamp=1476416373&nonce=47744683",
    B1,
    "1288432023552776189"
)]
#[tokio::test]
async fn the_check_of_an_address_is_answered_to_the_byte(
    #[case] name: &str,
    #[case] query: &str,
    #[case] echo: &str,
    #[case] expected: &str,
) {
    let world = companies().await;
    for echo in [percent(echo), echo.to_owned(), echo.replace('+', "%20")] {
        let page = world.browser().get(&format!("/wecom/callback/{name}?{query}&echostr={echo}")).await;
        assert_eq!((page.status.as_u16(), page.text.as_str()), (200, expected), "{echo}");
        assert_eq!(page.header("content-length"), expected.len().to_string());
        assert!(page.header("content-type").starts_with("text/plain"));
    }
}

#[rstest::rstest]
#[case::a2(
    "Example",
    "msg_signature=477715d11cdb4164915debcba66cb864d751f3e6&timestamp=1409659813&nonce=1372623149",
    A2
)]
#[case::b2(
    "Second",
    "msg_signature=0c3914025cb4b4d68103f6bfc8db550f79dcf48e&timestamp=1476422779&nonce=1597212914",
    B2
)]
#[tokio::test]
async fn a_text_message_is_taken_and_asks_for_nothing(
    #[case] name: &str,
    #[case] query: &str,
    #[case] encrypt: &str,
) {
    let world = companies().await;
    let browser = world.browser();
    let post = async |query: &str, body: String| {
        let path = format!("/wecom/callback/{name}?{query}");
        browser.send(browser.request(reqwest::Method::POST, &path).body(body)).await
    };
    let envelope = |encrypt: &str| {
        format!(
            "<xml><ToUserName><![CDATA[x]]></ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt>\
             <AgentID><![CDATA[218]]></AgentID></xml>"
        )
    };
    for body in [envelope(encrypt), json!({"encrypt": encrypt}).to_string()] {
        let page = post(query, body).await;
        assert_eq!((page.status.as_u16(), page.text.as_str()), (200, ""));
    }
    assert_eq!(world.waiting().await, 0);
    // One bit of the signature, of the time, of the message.
    assert_eq!(post(&query.replace("=0c", "=1c").replace("=47", "=57"), envelope(encrypt)).await.status, 403);
    assert_eq!(post(&query.replace("timestamp=1", "timestamp=2"), envelope(encrypt)).await.status, 403);
    assert_eq!(post(query, envelope(&encrypt.replacen('K', "L", 1))).await.status, 403);
}

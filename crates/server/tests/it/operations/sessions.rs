use serde_json::{Value, json};
use wecom_login_simulator::sample;

use super::operated;
use crate::browser::Page;
use crate::world::{ELEMENT, world};

const SESSIONS: &str = "/console/api/sessions";

fn answer(page: &Page) -> (u16, i64) {
    (page.status.as_u16(), page.json()["errcode"].as_i64().unwrap())
}

#[tokio::test]
async fn administrators_see_who_is_signed_in_and_sign_them_out() {
    let world = world().settings(operated).start().await;
    let (admin, phone, laptop) = (world.browser(), world.browser(), world.browser());
    assert_eq!(answer(&admin.get_json(SESSIONS).await), (401, 710_301));
    world.sign_in(&phone, "lisi").await;
    assert_eq!(answer(&phone.get_json(SESSIONS).await), (403, 710_314));
    world.advance(std::time::Duration::from_secs(1));
    world.sign_in(&laptop, "lisi").await;
    world.sign_in(&admin, "zhangsan").await;

    let all = admin.get_json(SESSIONS).await.json();
    assert_eq!(all["data"]["totalCount"], 3);
    let of_lisi = admin.get_json(&format!("{SESSIONS}?userId=LiSi&size=1&page=2")).await.json();
    assert_eq!((&of_lisi["data"]["totalCount"], &of_lisi["data"]["size"]), (&json!(2), &json!(1)));
    let row = &of_lisi["data"]["rowDatas"][0];
    assert_eq!((&row["userId"], &row["corpId"]), (&json!("lisi"), &json!(sample::CORP_ID)));
    assert_eq!(row["element"], ELEMENT);
    let other = admin.get_json(&format!("{SESSIONS}?corpId=wwOther&userId=lisi")).await.json();
    assert_eq!(other["data"]["totalCount"], 0);
    assert_eq!(answer(&admin.get_json(&format!("{SESSIONS}?userId=")).await), (400, 710_308));

    let revoke = |body: Value| {
        let admin = &admin;
        async move { admin.post_json(&format!("{SESSIONS}/revoke"), &body).await }
    };
    let id = row["id"].clone();
    assert_eq!(revoke(json!({"id": id})).await.json()["data"]["revoked"], 1);
    assert_eq!(answer(&revoke(json!({"id": id})).await), (404, 710_408), "it has ended");
    assert_eq!((phone.me().await, laptop.me().await.as_deref()), (None, Some("lisi")), "the older one");
    for bad in [
        json!({}),
        json!({"userId": "lisi"}),
        json!({"all": false}),
        json!({"all": true, "id": "x"}),
        json!({"everybody": true}),
    ] {
        assert_eq!(answer(&revoke(bad.clone()).await), (400, 710_308), "{bad}");
    }
    assert_eq!(answer(&phone.post_json(&format!("{SESSIONS}/revoke"), &json!({"all": true})).await).0, 401);
    let member = json!({"corpId": sample::CORP_ID, "userId": "LISI"});
    assert_eq!(revoke(member.clone()).await.json()["data"]["revoked"], 1);
    assert_eq!(revoke(member).await.json()["data"]["revoked"], 0);
    assert_eq!((laptop.me().await, admin.me().await.as_deref()), (None, Some("zhangsan")));
    assert_eq!(revoke(json!({"all": true})).await.json()["data"]["revoked"], 1);
    assert_eq!(admin.me().await, None);
}

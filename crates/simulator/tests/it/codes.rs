//! Authorization codes: five minutes, one use, bound to company, app and host.





use crate::browser::{get, start, token};

#[tokio::test]
async fn a_code_names_the_member_once() {
    let sim = start().await;
    let (token, code) = (token(&sim).await, sim.code_for("ZHANGSAN"));
    let path = format!("/cgi-bin/auth/getuserinfo?access_token={token}&code={code}");
    let answer = get(&sim, &path).await.json();
    assert_eq!(answer, serde_json::json!({"errcode": 0, "errmsg": "ok", "userid": "zhangsan"}));
    assert_eq!(get(&sim, &path).await.errcode(), 40029);
    assert_eq!(sim.calls_of("auth/getuserinfo"), 2);
    assert_eq!(sim.calls_of("gettoken"), 1);
}

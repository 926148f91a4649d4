use reqwest::StatusCode;

use super::World;
use crate::app::share;
use crate::browser::location;
use crate::servers::OwnRedis;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Redis: scripts/with-servers cargo test -p wecom-login --test it outages -- --include-ignored"]
async fn redis_gone_stops_new_sign_ins_and_nothing_else() {
    let mut redis = OwnRedis::start();
    let world = World::start(|_, command| share(command, None, Some(&redis.url("redis")))).await;
    let browser = world.browser();
    let redirect = browser.redirect(world.app.url(), &world.wecom.code_for("wu10")).await;
    redis.stop();
    world.lacks(&["redis"]).await;
    world.sign_ins_are_unavailable(&browser, &redirect).await;
    world.lisi_leaves();
    world.wecom.events_settled().await;
    let url = world.app.url();
    assert_eq!(world.lisi.me(url).await, None, "events are in the database, and so are sessions");
    assert_eq!(world.zhangsan.me(url).await.as_deref(), Some("zhangsan"));

    // It kept nothing: a sign-in that was under way starts again by itself.
    redis.start_again();
    world.ready_says("ready", &[]).await;
    let answer = browser.get(url, &redirect).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let state = location(&answer).split_once("&state=").unwrap().1.split(['&', '#']).next().unwrap();
    let redirect = format!("/auth/wecom?code={}&state={state}", world.wecom.code_for("wu10"));
    world.everything_is_as_it_should(&browser, &redirect).await;
}

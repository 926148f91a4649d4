use super::World;
use crate::app::share;
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

    // It kept nothing: whoever was on the way begins again.
    redis.start_again();
    let redirect = browser.redirect(url, &world.wecom.code_for("wu10")).await;
    world.everything_is_as_it_should(&browser, &redirect).await;
}

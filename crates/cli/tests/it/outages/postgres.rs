use super::World;
use crate::app::share;
use crate::servers::OwnPostgres;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: scripts/with-servers cargo test -p wecom-login --test it outages -- --include-ignored"]
async fn a_stopped_postgres_signs_nobody_out_and_loses_no_event() {
    let mut postgres = OwnPostgres::start();
    let world = World::start(|_, command| share(command, Some(&postgres.url("sslmode=disable")), None)).await;
    let browser = world.browser();
    let redirect = browser.redirect(world.app.url(), &world.wecom.code_for("wu10")).await;
    postgres.stop();
    world.lacks(&["database", "migrations"]).await;
    world.me_is_unknown().await;
    world.sign_ins_are_unavailable(&browser, &redirect).await;
    world.lisi_leaves();
    world.event_is_tried().await;

    postgres.start_again();
    world.everything_is_as_it_should(&browser, &redirect).await;
}

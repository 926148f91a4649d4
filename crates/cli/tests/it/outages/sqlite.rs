use sqlx::{Connection as _, Executor as _, SqliteConnection};

use super::World;

/// Held for longer than anybody waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_process_holds_stops_what_writes_and_nothing_else() {
    let world = World::start(|_, _| ()).await;
    let browser = world.browser();
    let redirect = browser.redirect(world.app.url(), &world.wecom.code_for("wu10")).await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(world.app.data().join("wecom-login.db"));
    let mut another = SqliteConnection::connect_with(&options).await.unwrap();
    another.execute("BEGIN IMMEDIATE").await.unwrap();
    world.lacks(&["database"]).await;
    assert_eq!(
        world.zhangsan.me(world.app.url()).await.as_deref(),
        Some("zhangsan"),
        "readers wait for nobody"
    );
    world.sign_ins_are_unavailable(&browser, &redirect).await;
    world.lisi_leaves();
    world.event_is_tried().await;

    another.execute("ROLLBACK").await.unwrap();
    world.everything_is_as_it_should(&browser, &redirect).await;
}

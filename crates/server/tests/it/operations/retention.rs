use std::time::Duration;

use wecom_login_model::Clock as _;

use super::operated;
use crate::world::{World, world};

/// What is kept: sessions, key-values, audit events.
async fn kept(world: &World) -> (i64, i64, i64) {
    let rows = world.store().await.rows(world.clock.now()).await.unwrap();
    (rows.sessions, rows.key_values, rows.audit_events)
}

#[tokio::test]
async fn what_is_old_goes_when_the_settings_say_so_and_not_before() {
    let world = world()
        .settings(|settings| {
            operated(settings);
            settings.retention.sessions = Duration::from_hours(48);
            settings.retention.audit = Duration::from_hours(24 * 60);
        })
        .start()
        .await;
    world.sign_in(&world.browser(), "zhangsan").await;
    // It runs out after a day without use, and is kept for two.
    world.advance(Duration::from_hours(72) - Duration::from_mins(1));
    world.server().tidy().await.unwrap();
    let (sessions, key_values, audit) = kept(&world).await;
    assert_eq!((sessions, audit), (1, 2));
    assert_eq!(key_values, 2, "claims have gone; the epoch stays, and who tidies up is written down");

    world.advance(Duration::from_mins(2));
    world.server().tidy().await.unwrap();
    assert_eq!(kept(&world).await.0, 0);

    world.advance(Duration::from_hours(24 * 57));
    world.server().tidy().await.unwrap();
    assert_eq!(kept(&world).await.2, 0);
}

#[tokio::test]
async fn of_many_replicas_one_tidies_up_a_minute() {
    let world = world()
        .settings(|settings| {
            operated(settings);
            settings.retention.sessions = Duration::from_hours(1);
        })
        .start()
        .await;
    world.sign_in(&world.browser(), "zhangsan").await;
    world.advance(Duration::from_hours(30));
    // Another one has just taken its turn.
    let values = world.store().await.key_value();
    let now = world.clock.now();
    assert!(values.insert("janitor/turn", "", now, now + Duration::from_secs(54)).await.unwrap());
    world.server().tidy().await.unwrap();
    assert_eq!(kept(&world).await.0, 1);
    world.advance(Duration::from_secs(54));
    world.server().tidy().await.unwrap();
    assert_eq!(kept(&world).await.0, 0);
}

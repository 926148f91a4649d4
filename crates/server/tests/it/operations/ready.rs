use std::time::Duration;

use serde_json::{Value, json};
use wecom_login_simulator::{Fault, FaultKind};

use super::operated;
use crate::world::{World, world};

async fn ready(world: &World) -> (u16, Value, Value) {
    // An answer serves for a second.
    world.advance(Duration::from_secs(1));
    let page = world.browser().get("/readyz").await;
    let json = page.json();
    let named =
        |component: &Value| (component["name"].as_str().unwrap().to_owned(), component["status"].clone());
    let components = json["components"].as_array().unwrap().iter().map(named);
    (page.status.as_u16(), json["status"].clone(), components.collect::<serde_json::Map<_, _>>().into())
}

#[tokio::test]
async fn ready_while_all_works_and_degraded_while_wecom_is_out_of_reach() {
    let world = world().settings(operated).start().await;
    let fine = json!({
        "database": "ok", "migrations": "ok", "app": "ok", "wecom": "ok", "audit_log": "ok", "connections": "ok",
    });
    assert_eq!(ready(&world).await, (200, json!("ready"), fine.clone()));

    world.wecom.fault(Fault::new("*", FaultKind::Reset));
    let browser = world.browser();
    world.sign_in(&browser, "zhangsan").await;
    let (status, word, components) = ready(&world).await;
    assert_eq!((status, word), (200, json!("degraded")), "no other replica would do better");
    assert_eq!(components["wecom"], "degraded");

    world.wecom.clear_faults();
    assert_eq!(world.sign_in(&browser, "zhangsan").await.location(), "/");
    assert_eq!(ready(&world).await, (200, json!("ready"), fine));
}

#[tokio::test]
async fn a_database_that_is_gone_makes_it_unready_and_not_dead() {
    let world = world().settings(operated).start().await;
    assert_eq!(ready(&world).await.0, 200);
    world.server().close().await;
    // Within the second the former answer serves.
    assert_eq!(world.browser().get("/readyz").await.status, 200);
    let (status, word, components) = ready(&world).await;
    assert_eq!((status, word), (503, json!("unready")));
    assert_eq!((&components["database"], &components["migrations"]), (&json!("failed"), &json!("failed")));
    assert_eq!(components["app"], "ok");
    assert_eq!(world.browser().get("/healthz").await.text, "ok");

    let text = world.browser().get("/readyz").await.text;
    let data = world.data();
    for inside in [data.to_str().unwrap(), "wecom-login.db", "sqlite", "127.0.0.1"] {
        assert!(!text.contains(inside), "{inside} in {text}");
    }
}

#[tokio::test]
async fn an_app_without_an_instance_that_works_is_not_ready() {
    let world = world().start().await;
    assert_eq!(ready(&world).await.0, 200);
    world.remove("auths/loginTypes/Example");
    let (status, _, components) = ready(&world).await;
    assert_eq!((status, &components["app"]), (503, &json!("failed")));
}

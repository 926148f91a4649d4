//! What happens while WeCom answers: an answer is of the moment at which WeCom was asked.

use std::time::Duration;

use wecom_login_model::Clock as _;
use wecom_login_simulator::{Fault, FaultKind, sample};

use crate::world::{World, agent, corp, mark_left, user, world};

const MINUTE: Duration = Duration::from_mins(1);

/// Marks lisi as having left while a call is held, lets the call go on a minute later and gives lisi's row.
async fn leaves_while_held(world: &World) {
    world.wecom.held(1).await;
    world.clock.advance(MINUTE);
    mark_left(&world.store, &corp(), &user("lisi"), world.clock.now()).await;
    world.clock.advance(MINUTE);
    world.wecom.clear_faults();
}

#[tokio::test]
async fn who_leaves_while_a_department_is_read_has_left() {
    let world = world(5, 1).await;
    world.sync().await;
    world.wecom.fault(Fault::new("user/list", FaultKind::Hang));
    let (report, ()) = tokio::join!(world.sync(), leaves_while_held(&world));
    assert_eq!(report.applied.came_back, 0);
    assert!(world.has_left("lisi").await);
    assert_eq!(world.sync().await.applied.came_back, 1, "WeCom was asked since");
}

#[tokio::test]
async fn who_leaves_while_one_is_asked_for_by_name_has_left() {
    let world = world(5, 1).await;
    world.narrow(sample::AGENT_ID, &[], &["lisi"]);
    world.sync().await;
    world.wecom.fault(Fault::new("user/get", FaultKind::Hang));
    let (report, ()) = tokio::join!(world.sync(), leaves_while_held(&world));
    assert_eq!(report.applied.came_back, 0);
    assert!(world.has_left("lisi").await);
}

#[tokio::test]
async fn who_leaves_while_a_sign_in_reads_them_has_left() {
    let world = world(5, 1).await;
    world.sync().await;
    world.wecom.fault(Fault::new("user/get", FaultKind::Hang));
    let (calls, corp_id, agent_id, lisi) = (world.source().app, corp(), agent(), user("lisi"));
    let reading = world.directory.read_member(&calls, (&corp_id, &agent_id), &lisi);
    let (member, ()) = tokio::join!(reading, leaves_while_held(&world));
    assert!(member.unwrap().left_at.is_some(), "the sign-in is told so");
    assert!(world.has_left("lisi").await);
}

//! F9: WeCom's answers with texts that no JSON may hold.

use wecom_login_simulator::{Damage, DamagedField, Fault, FaultKind, sample};
use wecom_login_store::Outcome;

use crate::world::{corp, user, world};

fn damaged(endpoint: &str, field: DamagedField, by: Damage) -> Fault {
    Fault::new(endpoint, FaultKind::Damaged { field, by })
}

const ALL: [Damage; 3] = [Damage::CutUtf8, Damage::LoneSurrogate, Damage::ControlCharacter];

#[tokio::test]
async fn f9_a_damaged_name_stops_no_sync_and_leavers_leave() {
    for by in ALL {
        leavers_leave_beside_a_name_damaged(by).await;
    }
}

async fn leavers_leave_beside_a_name_damaged(by: Damage) {
    let world = world(40, 3).await;
    world.sync().await;
    world.edit(|company| company.remove_member("lisi"));
    for endpoint in ["user/list", "department/list", "agent/get"] {
        world.wecom.fault(damaged(endpoint, DamagedField::Name, by));
    }
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Complete), "{}", report.run.problem);
    assert!(world.has_left("lisi").await);
    let (copy, company) = (world.copy().await, world.company(sample::AGENT_ID));
    assert!(copy.keys().eq(company.keys()), "nobody is lost");
    let names: Vec<_> = copy.iter().filter(|(id, one)| one.name != company[*id].name).collect();
    assert!(!names.is_empty(), "the fault must have hit");
    for (id, one) in names {
        assert!(one.name.starts_with(&company[id].name), "{id}: {:?}", one.name);
    }
}

#[tokio::test]
async fn a_member_with_a_damaged_name_can_be_read_alone() {
    let world = world(5, 1).await;
    for by in ALL {
        world.wecom.clear_faults();
        world.wecom.fault(damaged("user/get", DamagedField::Name, by));
        let calls = world.client(sample::SECRET).within(wecom::Budget::sign_in());
        let name = calls.user(&user("lisi")).await.unwrap().name.unwrap();
        assert!(name.starts_with("李四") && name != "李四", "{by:?}: {name:?}");
    }
}

#[tokio::test]
async fn a_row_without_a_readable_userid_is_lost_alone_and_named_by_the_run() {
    let world = world(40, 2).await;
    world.sync().await;
    world.edit(|company| {
        company.remove_member("lisi");
        company.edit_member("m000010", |one| one.position = "new".to_owned());
    });
    let hit = damaged("user/list", DamagedField::Userid, Damage::LoneSurrogate).times(1);
    world.wecom.fault(hit);
    let report = world.sync().await;
    assert_eq!(report.run.outcome, Some(Outcome::Incomplete));
    let problem = &report.run.problem;
    let (_, lost) = problem.split_once("rows that could not be read: ").expect(problem);
    assert!(lost.ends_with('\u{fffd}'), "{problem}");
    let lost = lost.trim_end_matches('\u{fffd}');
    assert!(!world.has_left(lost).await, "whose row is lost is not gone");
    let changed = world.store.member(&corp(), &user("m000010")).await.unwrap().unwrap();
    assert!(changed.profile.position == "new" || lost == "m000010", "everything else is applied");
    world.sync().await;
    assert_eq!(world.copy().await, world.company(sample::AGENT_ID));
}

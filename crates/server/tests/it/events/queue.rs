//! The queue: nothing is lost, whatever fails, and nobody is asked too much.

use std::time::Duration;

use wecom_login_simulator::{Fault, FaultKind, Member, sample};
use wecom_login_testkit::wait::until;

use super::LocalCopy as _;
use super::{Sender, change, keys, member};
use crate::world::{World, world};

async fn company() -> World {
    let world = world().config(keys()).start().await;
    world.copied().await;
    world
}

/// Waits until the queue has tried and failed at least once.
async fn tried(world: &World) {
    until("user/get is called", async || {
        world.events().work().await.unwrap();
        world.wecom.calls_of("user/get") > 0
    })
    .await;
}

#[rstest::rstest]
#[case::busy(FaultKind::Errcode { code: -1 })]
#[case::too_many_calls(FaultKind::Errcode { code: 45009 })]
#[case::too_many_at_once(FaultKind::Errcode { code: 45033 })]
#[case::ip_gate(FaultKind::Errcode { code: 60020 })]
#[case::server_error(FaultKind::Status { code: 500 })]
#[case::reset(FaultKind::Reset)]
#[case::no_json(FaultKind::WrongJson)]
#[tokio::test]
async fn what_wecom_does_not_answer_now_is_asked_again_later(#[case] kind: FaultKind) {
    let world = company().await;
    world.company(|company| company.put_member(Member::new("new1", "新人", &[3])));
    world.wecom.fault(Fault::new("user/get", kind));
    Sender::contacts(&world).change(&member("create_user", "new1")).await;
    tried(&world).await;
    for _ in 0..30 {
        world.advance(Duration::from_mins(1));
        world.events().work().await.unwrap();
    }
    let calls = world.wecom.calls_of("user/get");
    assert!((5..=30).contains(&calls), "{calls} calls within half an hour");
    assert_eq!(world.events().set_aside(10).await.unwrap(), [], "an outage is no fault of the event");

    world.wecom.clear_faults();
    world.advance(Duration::from_mins(5));
    world.settle().await;
    world.assert_copy().await;
}

#[tokio::test]
async fn an_event_that_cannot_be_worked_on_is_set_aside_and_shown() {
    let world = company().await;
    world.wecom.fault(Fault::new("user/get", FaultKind::Errcode { code: 40058 }));
    let sender = Sender::contacts(&world);
    sender.change(&member("update_user", "lisi")).await;
    for _ in 0..10 {
        world.events().work().await.unwrap();
        world.advance(Duration::from_mins(6));
    }
    world.settle().await;
    let backlog = world.events().backlog().await.unwrap();
    assert_eq!((backlog[0].waiting, backlog[0].set_aside), (0, 1));
    let set_aside = world.events().set_aside(10).await.unwrap();
    assert!(set_aside[0].problem.contains("40058"), "{set_aside:?}");

    world.wecom.clear_faults();
    sender.tell(&change(&member("update_user", "lisi"), 1_403_699_999)).await;
    world.settle().await;
    assert_eq!(world.events().backlog().await.unwrap(), [], "the next event tries again");
}

#[tokio::test]
async fn what_was_accepted_outlives_the_server() {
    let mut world = company().await;
    world.wecom.fault(Fault::new("*", FaultKind::Reset));
    let names: Vec<String> = (0..40).map(|number| format!("new{number}")).collect();
    for name in &names {
        world.company(|company| company.put_member(Member::new(name, "新人", &[3])));
        Sender::contacts(&world).change(&member("create_user", name)).await;
    }
    world.restart().await;
    world.wecom.clear_faults();
    world.advance(Duration::from_mins(15));
    world.settle().await;
    world.assert_copy().await;
}

#[tokio::test]
async fn of_thousands_of_events_none_is_lost() {
    let world = company().await;
    let names: Vec<String> = (0..1_500).map(|number| format!("new{number}")).collect();
    world.company(|company| {
        for name in &names {
            company.put_member(Member::new(name, "新人", &[3]));
        }
    });
    let sender = Sender::contacts(&world);
    // Each twice, sixteen at a time, in two orders.
    let one_way = names.iter().map(String::as_str);
    let sent: Vec<&str> = one_way.clone().chain(one_way.rev()).collect();
    let shares: Vec<Vec<&str>> =
        (0..16).map(|share| sent.iter().skip(share).step_by(16).copied().collect()).collect();
    futures_util::future::join_all(shares.into_iter().map(|share| {
        let sender = &sender;
        async move {
            for name in share {
                sender.change(&member("create_user", name)).await;
            }
        }
    }))
    .await;
    world.settle().await;
    world.assert_copy().await;
    let calls = world.wecom.calls_of("user/get");
    assert!((1_500..=3_000).contains(&calls), "{calls} calls for 1,500 members");
}

#[tokio::test]
async fn above_five_thousand_one_sync_takes_their_place() {
    let world = company().await;
    world.wecom.fault(Fault::new("user/get", FaultKind::Errcode { code: -1 }));
    let names: Vec<String> = (0..5_001).map(|number| format!("m{number}")).collect();
    let fields = format!(
        "<ChangeType>update_tag</ChangeType><TagId>1</TagId><AddUserItems>{}</AddUserItems>",
        names.join(",")
    );
    world.company(|company| {
        for name in &names {
            company.put_member(Member::new(name, "新人", &[3]));
        }
    });
    Sender::contacts(&world).change(&fields).await;
    // Whatever the first round did, the sync reads a later moment than the event's.
    world.advance(Duration::from_mins(15));
    world.wecom.reset_calls();
    world.settle().await;
    world.assert_copy().await;
    let calls = world.wecom.calls();
    assert!(calls.get("user/get").copied().unwrap_or(0) < 100, "{calls:?}");
    assert!(calls["user/list"] >= 7, "{calls:?}");
}

fn more_than_are_worked_on_one_by_one() -> String {
    let names: Vec<String> = (0..5_001).map(|number| format!("m{number}")).collect();
    format!(
        "<ChangeType>update_tag</ChangeType><TagId>1</TagId><AddUserItems>{}</AddUserItems>",
        names.join(",")
    )
}

#[tokio::test]
async fn a_server_that_stops_leaves_the_sync_that_takes_their_place() {
    let mut world = company().await;
    world.wecom.fault(Fault::new("user/get", FaultKind::Errcode { code: -1 }));
    world.wecom.fault(Fault::new("user/list", FaultKind::Hang));
    Sender::contacts(&world).change(&more_than_are_worked_on_one_by_one()).await;
    world.wecom.held(1).await;
    world.stop();
    world.stopped().await;
    assert_eq!(world.store().await.lease(&format!("sync/{}", sample::CORP_ID)).await.unwrap(), None);
}

#[tokio::test]
async fn a_leaver_among_thousands_of_events_is_found_by_the_sync() {
    let world = company().await;
    let browser = world.browser();
    world.sign_in(&browser, "wu10").await;
    world.company(|company| company.remove_member("wu10"));
    world.wecom.fault(Fault::new("user/get", FaultKind::Errcode { code: -1 }));
    // That wu10 has left, nobody told.
    Sender::contacts(&world).change(&more_than_are_worked_on_one_by_one()).await;
    world.wecom.clear_faults();
    world.advance(Duration::from_mins(15));
    world.settle().await;
    world.assert_copy().await;
    assert_eq!(browser.me().await, None);
}

//! Members come, change, get another userid and go.

use std::time::Duration;

use wecom_login_simulator::{Fault, FaultKind, Member, sample};
use wecom_login_testkit::wait::until;

use super::LocalCopy as _;
use super::{Sender, keys, member};
use crate::world::{World, world};

async fn company() -> World {
    let world = world().config(keys()).start().await;
    world.copied().await;
    world
}

#[tokio::test]
async fn a_leaver_s_session_ends_although_only_the_event_gets_through() {
    let world = company().await;
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    world.company(|company| company.remove_member("lisi"));
    world.wecom.fault(Fault::new("*", FaultKind::Status { code: 502 }));

    Sender::contacts(&world).change(&member("delete_user", "LISI")).await;
    assert_eq!(browser.me().await, None, "when WeCom has its answer, nobody is signed in");
    world.assert_copy().await;

    world.wecom.clear_faults();
    world.advance(Duration::from_mins(10));
    world.settle().await;
    world.assert_copy().await;
}

/// O15: the visitor of the callback is WeCom.
#[tokio::test]
async fn what_an_event_causes_has_the_event_as_its_actor() {
    let world = company().await;
    for user_id in ["lisi", "wangwu"] {
        world.sign_in(&world.browser(), user_id).await;
        world.company(|company| company.remove_member(user_id));
    }
    let sender = Sender::contacts(&world);
    // At once by the deletion, and by the worker, which finds that the member is not there any more.
    sender.change(&member("delete_user", "lisi")).await;
    sender.change(&member("update_user", "wangwu")).await;
    world.settle().await;
    let entries = world.store().await.audit_entries(0, 100).await.unwrap();
    let mut told: Vec<_> = entries
        .iter()
        .filter(|(_, entry)| entry.event == "member_left" || entry.event == "session_ended")
        .map(|(_, entry)| (entry.event.as_str(), entry.user_key.as_deref().unwrap(), entry.actor.as_str()))
        .collect();
    told.sort_unstable();
    let expected = ["member_left", "session_ended"]
        .map(|event| ["lisi", "wangwu"].map(|user_key| (event, user_key, "wecom event")))
        .concat();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn whoever_is_there_after_all_may_sign_in_again() {
    let world = company().await;
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    let before = world.store().await.member(world.instance.corp_id(), &"lisi".parse_user()).await.unwrap();
    // An old event, or one that overtook the creation.
    Sender::contacts(&world).change(&member("delete_user", "lisi")).await;
    assert_eq!(browser.me().await, None);
    world.settle().await;
    world.assert_copy().await;
    let after = world.store().await.member(world.instance.corp_id(), &"lisi".parse_user()).await.unwrap();
    assert_eq!(before.unwrap().id, after.unwrap().id, "the same row");
    world.sign_in(&browser, "lisi").await;
    assert_eq!(browser.me().await.as_deref(), Some("lisi"));
}

#[tokio::test]
async fn a_captured_event_that_is_sent_again_ends_no_session() {
    let world = company().await;
    let sender = Sender::contacts(&world);
    sender.change(&member("delete_user", "lisi")).await;
    world.settle().await;
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    for _ in 0..3 {
        sender.change(&member("delete_user", "lisi")).await;
    }
    world.settle().await;
    assert_eq!(browser.me().await.as_deref(), Some("lisi"));

    world.advance(Duration::from_mins(2));
    world.wecom.reset_calls();
    sender.change(&member("delete_user", "lisi")).await;
    assert_eq!((world.waiting().await, world.wecom.calls_of("user/get")), (0, 0), "and later costs nothing");
    assert_eq!(browser.me().await.as_deref(), Some("lisi"));
}

#[tokio::test]
async fn who_is_deleted_and_created_again_has_the_same_account() {
    let world = company().await;
    let browser = world.browser();
    world.sign_in(&browser, "wu10").await;
    let account = browser.account().await;
    let sender = Sender::contacts(&world);
    let gone = world.company(|company| company.remove_member("wu10")).unwrap();
    sender.change(&member("delete_user", "wu10")).await;
    world.settle().await;
    world.assert_copy().await;

    world.company(|company| company.put_member(gone));
    sender.change(&member("create_user", "wu10")).await;
    world.settle().await;
    world.assert_copy().await;
    assert_eq!(browser.me().await, None);
    world.sign_in(&browser, "wu10").await;
    assert_eq!(browser.account().await, account);
}

#[tokio::test]
async fn many_events_about_one_member_are_one_question() {
    let world = company().await;
    world.company(|company| company.put_member(Member::new("new1", "新人", &[3])));
    world.wecom.fault(Fault::new("user/get", FaultKind::Hang));
    let sender = Sender::contacts(&world);
    sender.change(&member("create_user", "new1")).await;
    world.wecom.held(1).await;
    for department in 1..40 {
        let fields = format!("{}<Department>{department}</Department>", member("update_user", "New1"));
        sender.change(&fields).await;
    }
    assert_eq!(world.waiting().await, 1);
    world.company(|company| company.edit_member("new1", |member| member.department = vec![4]));
    world.wecom.clear_faults();
    world.settle().await;
    assert_eq!(world.wecom.calls_of("user/get"), 2, "what came while it was being read is read once more");
    world.assert_copy().await;
}

#[tokio::test]
async fn a_new_userid_takes_everything_along() {
    let world = company().await;
    let browser = world.browser();
    world.sign_in(&browser, "wu10").await;
    let account = browser.account().await;
    world.company(|company| {
        let member = company.remove_member("wu10").unwrap();
        company.put_member(Member { userid: "wushi".to_owned(), ..member });
    });
    let renamed = format!("{}<NewUserID>wushi</NewUserID>", member("update_user", "wu10"));
    Sender::contacts(&world).change(&renamed).await;
    world.settle().await;
    world.assert_copy().await;
    assert_eq!(browser.me().await.as_deref(), Some("wushi"), "the session goes on");
    assert_eq!(browser.account().await, account);
}

#[tokio::test]
async fn a_new_userid_that_wecom_does_not_confirm_moves_nobody() {
    let world = company().await;
    let browser = world.browser();
    world.sign_in(&browser, "wu10").await;
    let renamed = format!("{}<NewUserID>zhangsan</NewUserID>", member("update_user", "wu10"));
    Sender::contacts(&world).change(&renamed).await;
    for _ in 0..12 {
        world.events().work().await.unwrap();
        world.advance(Duration::from_mins(6));
    }
    world.settle().await;
    world.assert_copy().await;
    let set_aside = world.events().set_aside(10).await.unwrap();
    assert_eq!(set_aside.len(), 1);
    assert_eq!(set_aside[0].problem, "WeCom still knows the former userid");
    assert_eq!(browser.me().await.as_deref(), Some("wu10"));
}

#[tokio::test]
async fn the_visible_scope_is_entered_and_left() {
    let world = company().await;
    let sender = Sender::app(&world);
    world.company(|company| {
        company.edit_app(sample::AGENT_ID, |app| app.scope.members.push(sample::OUT_OF_SCOPE.to_owned()))
    });
    sender.scope("subscribe", sample::OUT_OF_SCOPE).await;
    world.settle().await;
    world.assert_copy().await;
    let browser = world.browser();
    world.sign_in(&browser, sample::OUT_OF_SCOPE).await;
    assert_eq!(browser.me().await.as_deref(), Some(sample::OUT_OF_SCOPE));

    world.company(|company| company.edit_app(sample::AGENT_ID, |app| app.scope.members.clear()));
    world.wecom.fault(Fault::new("*", FaultKind::Reset));
    sender.scope("unsubscribe", sample::OUT_OF_SCOPE).await;
    assert_eq!(browser.me().await, None);
    world.assert_copy().await;
}

#[tokio::test]
async fn a_tag_s_members_are_read_again() {
    let world = company().await;
    world.company(|company| {
        company.edit_app(sample::AGENT_ID, |app| {
            app.scope.departments = vec![2];
            app.scope.members = vec![sample::OUT_OF_SCOPE.to_owned()];
        })
    });
    let fields = format!(
        "<ChangeType>update_tag</ChangeType><TagId>1</TagId><AddUserItems>{}</AddUserItems>\
         <DelPartyItems>5,6,7,1</DelPartyItems>",
        sample::OUT_OF_SCOPE
    );
    Sender::contacts(&world).change(&fields).await;
    world.settle().await;
    world.assert_copy().await;
}

/// The row is an hour old. With contact sync heard from, WeCom is asked for the code and for nothing else.
#[rstest::rstest]
#[case::nobody_would_tell(false, 1)]
#[case::an_event_would_have_come(true, 0)]
#[tokio::test]
async fn a_row_is_good_for_longer_while_events_come(#[case] heard: bool, #[case] reads: u64) {
    let world = company().await;
    world.advance(Duration::from_mins(55));
    if heard {
        Sender::contacts(&world).change(&member("update_user", "zhangsan")).await;
    }
    world.settle().await;
    world.advance(Duration::from_mins(5));
    world.wecom.reset_calls();
    world.sign_in(&world.browser(), "lisi").await;
    assert_eq!(world.wecom.calls_of("user/get"), reads);
}

#[tokio::test]
async fn a_row_that_an_event_asks_about_is_not_good() {
    let world = company().await;
    world.advance(Duration::from_mins(55));
    world.wecom.fault(Fault::new("user/get", FaultKind::Status { code: 500 }));
    Sender::contacts(&world).change(&member("update_user", "lisi")).await;
    // Each attempt asks twice.
    until("user/get is called twice", async || {
        world.events().work().await.unwrap();
        world.wecom.calls_of("user/get") >= 2
    })
    .await;
    world.wecom.clear_faults();
    world.wecom.reset_calls();
    world.sign_in(&world.browser(), "lisi").await;
    assert_eq!(world.wecom.calls_of("user/get"), 1);
}

trait ParseUser {
    fn parse_user(&self) -> wecom_login_model::UserId;
}

impl ParseUser for str {
    fn parse_user(&self) -> wecom_login_model::UserId {
        wecom_login_model::UserId::parse(self).unwrap()
    }
}

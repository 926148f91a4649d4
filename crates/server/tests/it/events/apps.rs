//! Several apps of one company: whoever one of them sees no more is signed out of that one.

use serde_json::json;
use wecom_login_directory::SyncOptions;
use wecom_login_simulator::{CodeRequest, sample};

use super::LocalCopy as _;
use super::{Sender, keys, member};
use crate::browser::Browser;
use crate::world::{World, redirect, world};

/// Two apps that both see lisi, who is signed in through each.
async fn seen_by_two() -> (World, Browser, Browser) {
    let old = json!({"corpSecret": sample::OLD_SECRET, "agentId": sample::OLD_AGENT_ID});
    let world = world().config(keys()).instance("Old", old).start().await;
    see(&world, sample::OLD_AGENT_ID, &[], &["zhangsan", "lisi"]);
    for agent_id in [sample::AGENT_ID, sample::OLD_AGENT_ID] {
        sync(&world, agent_id).await;
    }
    let through_new = world.browser();
    world.sign_in(&through_new, "lisi").await;
    let through_old = through_old_app(&world, "lisi").await;
    (world, through_new, through_old)
}

async fn through_old_app(world: &World, user_id: &str) -> Browser {
    let browser = world.browser();
    let state = world.state_of(&browser, "Old").await;
    let code = CodeRequest::member(sample::CORP_ID, sample::OLD_AGENT_ID, user_id);
    browser.get(&redirect(&world.wecom.issue_code(code), &state)).await;
    assert_eq!(browser.me().await.as_deref(), Some(user_id));
    browser
}

fn see(world: &World, agent_id: u64, departments: &[i64], members: &[&str]) {
    world.company(|company| {
        company.edit_app(agent_id, |app| {
            app.scope.departments = departments.to_vec();
            app.scope.members = members.iter().map(|member| (*member).to_owned()).collect();
        })
    });
}

async fn sync(world: &World, agent_id: u64) {
    let sources = world.server().sources();
    let source = sources.iter().find(|source| source.agent_id.as_str() == agent_id.to_string()).unwrap();
    let options = SyncOptions { started_by: "test".to_owned(), force: true, every: None };
    world.advance(std::time::Duration::from_mins(1));
    world.server().directory().sync(source, &options, &|_| ()).await.unwrap();
}

#[tokio::test]
async fn whoever_leaves_one_app_s_scope_is_signed_out_of_that_app_alone() {
    let (world, through_new, through_old) = seen_by_two().await;
    see(&world, sample::AGENT_ID, &[], &["zhangsan"]);
    Sender::app(&world).scope("unsubscribe", "lisi").await;
    for _ in 0..2 {
        assert_eq!(through_new.me().await, None);
        // Their row is fresh, but not for the app that sees them no more.
        assert_eq!(world.sign_in(&through_new, "lisi").await.problem(), 60111);
        assert_eq!(through_old.me().await.as_deref(), Some("lisi"));
        world.settle().await;
    }
    see(&world, sample::OLD_AGENT_ID, &[], &["zhangsan"]);
    sync(&world, sample::OLD_AGENT_ID).await;
    assert_eq!(through_old.me().await, None, "nobody sees them any more");
}

#[tokio::test]
async fn a_sync_signs_out_of_the_app_that_sees_a_member_no_more() {
    let (world, through_new, through_old) = seen_by_two().await;
    see(&world, sample::OLD_AGENT_ID, &[], &["zhangsan"]);
    sync(&world, sample::AGENT_ID).await;
    assert_eq!(through_old.me().await.as_deref(), Some("lisi"), "the other app cannot know");
    sync(&world, sample::OLD_AGENT_ID).await;
    assert_eq!((through_new.me().await.as_deref(), through_old.me().await), (Some("lisi"), None));
    see(&world, sample::OLD_AGENT_ID, &[], &["zhangsan", "lisi"]);
    let again = through_old_app(&world, "lisi").await;

    // Before the app's next sync has seen them.
    see(&world, sample::OLD_AGENT_ID, &[], &["zhangsan"]);
    sync(&world, sample::OLD_AGENT_ID).await;
    assert_eq!((through_new.me().await.as_deref(), again.me().await), (Some("lisi"), None));
}

#[tokio::test]
async fn an_event_of_contact_sync_does_the_same() {
    let (world, through_new, through_old) = seen_by_two().await;
    see(&world, sample::OLD_AGENT_ID, &[], &["zhangsan"]);
    Sender::contacts(&world).change(&member("update_user", "lisi")).await;
    world.settle().await;
    assert_eq!((through_new.me().await.as_deref(), through_old.me().await), (Some("lisi"), None));
}

/// What one app knows of a member lets nobody in through another.
#[tokio::test]
async fn whom_another_app_has_read_is_read_again_through_this_one() {
    let old = json!({"corpSecret": sample::OLD_SECRET, "agentId": sample::OLD_AGENT_ID});
    let world = world().config(keys()).instance("Old", old).start().await;
    see(&world, sample::OLD_AGENT_ID, &[], &["zhangsan"]);
    let outside = async || {
        let browser = world.browser();
        let state = world.state_of(&browser, "Old").await;
        let code = CodeRequest::member(sample::CORP_ID, sample::OLD_AGENT_ID, "lisi");
        let page = browser.get(&redirect(&world.wecom.issue_code(code), &state)).await;
        (page.status.as_u16(), page.problem(), browser.me().await)
    };
    // Read by a sign-in, and seen by a sync, through the other app.
    world.sign_in(&world.browser(), "lisi").await;
    assert_eq!(outside().await, (403, 60111, None));
    sync(&world, sample::AGENT_ID).await;
    assert_eq!(outside().await, (403, 60111, None));

    // Whom both see costs one call more the first time through the second, and no more after that.
    world.sign_in(&world.browser(), "zhangsan").await;
    for (through_old, reads) in [(true, 1), (true, 0), (false, 0)] {
        world.wecom.reset_calls();
        if through_old {
            through_old_app(&world, "zhangsan").await;
        } else {
            world.sign_in(&world.browser(), "zhangsan").await;
        }
        assert_eq!(world.wecom.calls_of("user/get"), reads);
    }
}

//! O7: WeCom counts the calls of all replicas together.

use std::time::Duration;

use wecom_login_simulator::Member;
use wecom_login_testkit::wait::within;

use super::LocalCopy as _;
use super::{Sender, keys};
use crate::world::{World, world};

const CHANGED: u64 = 12_500;
/// So many events are told at once. With more than 5,000 waiting, a sync would take their place.
const AT_ONCE: usize = 1_500;
/// Four fifths of WeCom's limit.
const OF_BACKGROUND: u64 = 8_000;
/// A little longer than calls of the last minute count.
const NEXT_MINUTE: Duration = Duration::from_secs(70);

/// Works until no event waits, or until they wait for the next minute; tells how many wait.
async fn worked(world: &World) -> i64 {
    let (mut waiting, mut unchanged) = (world.waiting().await, 0);
    let working = async {
        while waiting > 0 && unchanged < 500 {
            tokio::task::yield_now().await;
            let now = world.waiting().await;
            unchanged = if now == waiting { unchanged + 1 } else { 0 };
            waiting = now;
        }
        waiting
    };
    within("the events are worked on or wait", working).await
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: scripts/test-more"]
async fn three_replicas_with_12_500_changed_members_never_exceed_a_minute_and_sign_ins_go_on() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().to_owned();
    let one_database = move |settings: &mut wecom_login_server::Settings| {
        settings.folders.data.clone_from(&folder);
    };
    let world = world().config(keys()).settings(one_database).start().await;
    let (_second, _third) = (world.replica().await, world.replica().await);
    let changed: Vec<String> = (0..CHANGED).map(|number| format!("m{number:05}")).collect();
    world.company(|company| {
        for user_id in &changed {
            company.put_member(Member::new(user_id, "改过", &[3]));
        }
    });
    let calls = || world.wecom.calls_of("user/get");
    let (mut events, mut before, mut minutes) = (changed.chunks(AT_ONCE), calls(), 1);
    loop {
        let waiting = worked(&world).await;
        // The clock stands still: these calls lie within one minute.
        let made = calls() - before;
        assert!(made <= OF_BACKGROUND + minutes, "{made} calls in minute {minutes}");
        if waiting == 0 {
            let Some(next) = events.next() else { break };
            let list = next.join(",");
            let tag = "<ChangeType>update_tag</ChangeType><TagId>1</TagId>";
            Sender::contacts(&world).change(&format!("{tag}<AddUserItems>{list}</AddUserItems>")).await;
        } else {
            // Background work has used up its part, and a sign-in finds room.
            let browser = world.browser();
            world.sign_in(&browser, "lisi").await;
            assert_eq!(browser.me().await.as_deref(), Some("lisi"), "minute {minutes}");
            before = calls();
            minutes += 1;
            world.advance(NEXT_MINUTE);
        }
    }
    assert!(minutes > 1, "the changes are more than one minute holds");
    assert!(calls() >= CHANGED);
    assert_eq!(world.events().set_aside(10).await.unwrap(), []);
}

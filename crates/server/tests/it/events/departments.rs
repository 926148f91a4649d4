//! Departments come, move and go, and their members with them.

use wecom_login_simulator::{Company, Department, Member, sample};

use super::LocalCopy as _;
use super::{Sender, keys, party};
use crate::world::{World, world};

async fn company() -> World {
    let world = world().config(keys()).start().await;
    world.copied().await;
    world
}

fn reparent(company: &mut Company, id: i64, parentid: i64) {
    let department = company.department(id).unwrap().clone();
    company.put_department(Department { parentid, ..department });
}

#[tokio::test]
async fn a_department_comes_and_goes() {
    let world = company().await;
    let sender = Sender::contacts(&world);
    world.company(|company| {
        company.put_department(Department::new(8, "法务部", 1));
        company.put_department(Department::new(9, "合规组", 8));
        company.put_member(Member::new("fawu", "法务", &[9]));
    });
    sender.change(&party("create_party", 8)).await;
    world.settle().await;
    world.assert_copy().await;

    world.company(|company| {
        company.remove_member("fawu");
        company.remove_department(9);
        company.remove_department(8);
    });
    sender.change(&party("delete_party", 8)).await;
    world.settle().await;
    world.assert_copy().await;
}

#[tokio::test]
async fn a_department_moves_within_the_scope_and_only_departments_are_read() {
    let world = company().await;
    world.company(|company| reparent(company, 4, 5));
    Sender::contacts(&world).change(&party("update_party", 4)).await;
    world.settle().await;
    world.assert_copy().await;
    assert_eq!((world.wecom.calls_of("user/list"), world.wecom.calls_of("user/get")), (0, 0));
}

#[tokio::test]
async fn a_department_leaves_the_scope_and_comes_back() {
    let world = world().config(keys()).start().await;
    world.company(|company| {
        company.edit_app(sample::AGENT_ID, |app| app.scope.departments = vec![2]);
        company.put_department(Department::new(31, "移动组", 3));
        company.put_member(Member::new("yidong", "移动", &[31]));
        company.put_member(Member::new("both", "两边", &[2, 31]));
    });
    world.copied().await;
    let browser = world.browser();
    world.sign_in(&browser, "yidong").await;

    world.company(|company| reparent(company, 3, 5));
    let sender = Sender::contacts(&world);
    sender.change(&party("update_party", 3)).await;
    world.settle().await;
    world.assert_copy().await;
    assert_eq!(browser.me().await, None, "whom the app sees no more is signed out");

    world.company(|company| reparent(company, 3, 2));
    sender.tell(&super::change(&party("update_party", 3), 1_403_610_600)).await;
    world.settle().await;
    world.assert_copy().await;
}

#[tokio::test]
async fn a_department_that_moved_out_from_under_another_is_found_where_it_is() {
    let world = company().await;
    world.company(|company| {
        reparent(company, 3, 7);
        let two = company.department(2).unwrap().clone();
        company.put_department(Department { name: "研发与产品".to_owned(), ..two });
    });
    // Only the event of the one above comes through.
    Sender::contacts(&world).change(&party("update_party", 2)).await;
    world.settle().await;
    world.assert_copy().await;
}

use serde_json::json;
use wecom_login_sign_in::Instances;
use wecom_login_simulator::{Company, Department, Fault, FaultKind, Member, sample};

use crate::world::{World, world};

fn edit<T>(world: &World, edit: impl FnOnce(&mut Company) -> T) -> T {
    world.wecom.edit(sample::CORP_ID, edit).unwrap()
}

async fn departments(world: &World, user_id: &str) -> Vec<i64> {
    let members = world.members().await;
    members.into_iter().find(|(id, _)| id == user_id).map(|(_, departments)| departments).unwrap_or_default()
}

#[tokio::test]
async fn get_user_info_tells_what_wecom_says_now() {
    let world = world().start().await;
    let name = async || world.login.get_user_info(&world.instance, "zhangsan").await.unwrap().name;
    assert_eq!(name().await, "张三");
    edit(&world, |company| company.edit_member("zhangsan", |member| member.name = "张三丰".into()));
    assert_eq!(name().await, "张三丰");
    let user = json!(world.login.get_user_info(&world.instance, "ZhangSan").await.unwrap());
    assert_eq!(
        (&user["userId"], &user["department"], &user["position"]),
        (&json!("zhangsan"), &json!([1, 2]), &json!("后台工程师"))
    );
    let code =
        async |user_id: &str| world.login.get_user_info(&world.instance, user_id).await.unwrap_err().code();
    assert_eq!(code("nobody").await, 60111);
    assert_eq!(code(sample::OUT_OF_SCOPE).await, 60111);
    assert_eq!(code("张三").await, 40003);
    assert_eq!(code("").await, 40003);
}

#[tokio::test]
async fn get_access_token_is_the_apps_own_and_cached() {
    let world = world().start().await;
    let first = world.login.get_access_token(&world.instance).await.unwrap();
    assert_eq!(world.login.get_access_token(&world.instance).await.unwrap(), first);
    assert_eq!(world.wecom.calls_of("gettoken"), 1);
    world.wecom.expire_tokens();
    world.login.get_user_info(&world.instance, "zhangsan").await.unwrap();
    assert_ne!(world.login.get_access_token(&world.instance).await.unwrap(), first);
}

#[tokio::test]
async fn sync_user_info_leaves_a_fresh_row_alone_unless_forced() {
    let world = world().start().await;
    let sync = async |force| {
        world.wecom.reset_calls();
        world.login.sync_user_info(&world.instance, &Instances::default(), "zhangsan", force).await.unwrap();
        world.wecom.calls_of("user/get")
    };
    assert_eq!(sync(false).await, 1, "there was no row");
    assert_eq!(sync(false).await, 0);
    assert_eq!(sync(true).await, 1);
    world.advance(wecom_login_directory::UNWATCHED_FRESH_FOR);
    assert_eq!(sync(false).await, 1, "the row was stale");
}

#[tokio::test]
async fn a_member_who_is_gone_is_marked_and_signed_out() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    let other = world.browser();
    world.sign_in(&other, "zhangsan").await;
    edit(&world, |company| company.remove_member("lisi"));
    world.login.sync_user_info(&world.instance, &Instances::default(), "lisi", false).await.unwrap();
    assert!(browser.me().await.is_some(), "a fresh row is left alone");
    world.login.sync_user_info(&world.instance, &Instances::default(), "lisi", true).await.unwrap();
    assert_eq!((browser.me().await, other.me().await.as_deref()), (None, Some("zhangsan")));

    edit(&world, |company| company.put_member(Member::new("lisi", "李四", &[2])));
    world.sign_in(&browser, "lisi").await;
    assert_eq!(browser.me().await.as_deref(), Some("lisi"), "whoever comes back is let in again");
    let nobody = world.login.sync_user_info(&world.instance, &Instances::default(), "nobody", false).await;
    assert_eq!(nobody.unwrap_err().code(), 60111, "there is no row that could be marked");
}

#[tokio::test]
async fn wecom_down_marks_nobody() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "lisi").await;
    world.wecom.fault(Fault::new("user/get", FaultKind::Status { code: 500 }));
    assert!(world.login.sync_user_info(&world.instance, &Instances::default(), "lisi", true).await.is_err());
    assert!(browser.me().await.is_some());
}

#[tokio::test]
async fn sync_department_info_brings_departments_and_their_members() {
    let world = world().start().await;
    world.login.sync_department_info(&world.instance, None).await.unwrap();
    let mut members: Vec<String> = world.members().await.into_iter().map(|(id, _)| id).collect();
    members.sort();
    assert_eq!(members, ["Ouyang.Na", "lisi", "qianqi", "sunba", "wangwu", "wu10", "zhangsan", "zhaoliu"]);
    assert_eq!(world.departments().await, [(1, 0), (2, 1), (3, 2), (4, 2), (5, 1), (6, 1), (7, 1)]);
    assert_eq!(world.wecom.calls_of("user/list"), 7);
    assert_eq!(world.wecom.calls_of("user/get"), 0);
}

#[tokio::test]
async fn one_department_comes_with_all_below_it() {
    let world = world().start().await;
    world.login.sync_department_info(&world.instance, Some("2")).await.unwrap();
    assert_eq!(world.departments().await, [(2, 1), (3, 2), (4, 2)]);
    let mut members: Vec<String> = world.members().await.into_iter().map(|(id, _)| id).collect();
    members.sort();
    assert_eq!(members, ["Ouyang.Na", "lisi", "wangwu", "zhangsan"]);
    let code = async |department: &str| {
        world.login.sync_department_info(&world.instance, Some(department)).await.unwrap_err().code()
    };
    assert_eq!(code("999").await, 60003);
    for text in ["", "two", "-1", "0", "2.5", "99999999999"] {
        assert_eq!(code(text).await, 60123, "{text:?}");
    }
}

#[tokio::test]
async fn whoever_moved_is_moved_and_nobody_is_marked_as_having_left() {
    let world = world().start().await;
    let browser = world.browser();
    world.sign_in(&browser, "qianqi").await;
    world.login.sync_department_info(&world.instance, None).await.unwrap();
    edit(&world, |company| {
        company.edit_member("lisi", |member| member.department = vec![7]);
        company.remove_member("qianqi");
    });
    // Of department 2 alone one would not see where lisi went.
    world.login.sync_department_info(&world.instance, Some("2")).await.unwrap();
    assert_eq!(departments(&world, "lisi").await, [7]);
    world.login.sync_department_info(&world.instance, None).await.unwrap();
    assert_eq!(departments(&world, "qianqi").await, [5], "a walk marks nobody");
    assert_eq!(browser.me().await.as_deref(), Some("qianqi"));
}

#[tokio::test]
async fn a_department_that_is_gone_goes_and_an_empty_answer_takes_nothing() {
    let world = world().start().await;
    world.login.sync_department_info(&world.instance, None).await.unwrap();
    edit(&world, |company| {
        company.put_department(Department::new(8, "新部门", 2));
        company.edit_member("wangwu", |member| member.department = vec![8]);
        company.edit_member("Ouyang.Na", |member| member.department = vec![8]);
        company.remove_department(3);
    });
    world.login.sync_department_info(&world.instance, Some("2")).await.unwrap();
    assert_eq!(world.departments().await, [(1, 0), (2, 1), (4, 2), (5, 1), (6, 1), (7, 1), (8, 2)]);
    assert_eq!(departments(&world, "wangwu").await, [8]);

    edit(&world, |company| company.edit_app(sample::AGENT_ID, |app| app.scope.departments.clear()));
    world.login.sync_department_info(&world.instance, None).await.unwrap();
    assert_eq!(world.departments().await.len(), 7);
}

#[tokio::test]
async fn a_scope_whose_parents_are_missing_gives_the_right_tree() {
    let old = json!({"corpSecret": sample::OLD_SECRET, "agentId": sample::OLD_AGENT_ID});
    let world = world().config(old).start().await;
    world.login.sync_department_info(&world.instance, None).await.unwrap();
    assert_eq!(world.departments().await, [(2, 1), (3, 2), (4, 2)], "2 stays below 1, which cannot be seen");
}

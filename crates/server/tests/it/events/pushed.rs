//! What the company's administrator does, pushed as WeCom pushes it: checked when the setting is saved, encrypted anew at
//! each try, in either rule of fields.

use wecom_login_simulator::{
    By, Callback, CallbackRefused, Change, Department, EventState, Member, Receiver, Rule, Tag, sample,
};

use super::{APP_KEY, APP_TOKEN, CONTACTS_KEY, CONTACTS_TOKEN, LocalCopy as _, keys};
use crate::world::{World, world};

pub(super) const APP: Receiver = Receiver::App(sample::AGENT_ID);

fn setting(world: &World, token: &str, key: &str, rule: Rule) -> Callback {
    Callback {
        url: format!("{}/wecom/callback/Example", world.url),
        token: token.to_owned(),
        aes_key: key.to_owned(),
        rule,
    }
}

/// Both settings are saved in WeCom's console, and the copy is the company.
pub(super) async fn subscribed(rule: Rule, scope: &[i64]) -> World {
    let world = world().config(keys()).start().await;
    world.company(|company| {
        company.edit_app(sample::AGENT_ID, |app| app.scope.departments = scope.to_vec());
    });
    let wecom = &world.wecom;
    let contacts = setting(&world, CONTACTS_TOKEN, CONTACTS_KEY, rule);
    wecom.save_callback(sample::CORP_ID, Receiver::ContactSync, contacts).await.unwrap();
    let app = setting(&world, APP_TOKEN, APP_KEY, rule);
    wecom.save_callback(sample::CORP_ID, APP, app).await.unwrap();
    world.copied().await;
    world
}

/// What the company's administrator does in WeCom's console.
pub(super) trait Console {
    fn administrator(&self, change: Change);
    fn member_now(&self, user_id: &str) -> Box<Member>;
    fn edit_member(&self, user_id: &str, edit: impl FnOnce(&mut Member));
    fn edit_department(&self, id: i64, edit: impl FnOnce(&mut Department));
    async fn arrived(&self);
}

impl Console for World {
    fn administrator(&self, change: Change) {
        self.wecom.change(sample::CORP_ID, change, By::Console).unwrap();
    }

    fn member_now(&self, user_id: &str) -> Box<Member> {
        self.company(|company| Box::new(company.member(user_id).unwrap().into_owned()))
    }

    fn edit_member(&self, user_id: &str, edit: impl FnOnce(&mut Member)) {
        let mut member = self.member_now(user_id);
        edit(&mut member);
        self.administrator(Change::EditMember { userid: user_id.to_owned(), member });
    }

    fn edit_department(&self, id: i64, edit: impl FnOnce(&mut Department)) {
        let mut department = self.company(|company| company.department(id).unwrap().clone());
        edit(&mut department);
        self.administrator(Change::EditDepartment(department));
    }

    /// Every event has come and is worked on; the copy is the company.
    async fn arrived(&self) {
        self.wecom.events_settled().await;
        let events = self.wecom.events();
        let lost: Vec<_> = events.iter().filter(|event| event.state != EventState::Delivered).collect();
        assert!(lost.is_empty(), "{lost:#?}");
        self.settle().await;
        self.assert_copy().await;
    }
}

#[tokio::test]
async fn the_console_takes_the_address_and_no_other_keys() {
    let world = subscribed(Rule::New, &[1]).await;
    for (token, key) in [("wrong", CONTACTS_KEY), (CONTACTS_TOKEN, APP_KEY)] {
        let wrong = setting(&world, token, key, Rule::New);
        let refused = world.wecom.save_callback(sample::CORP_ID, Receiver::ContactSync, wrong).await;
        assert!(matches!(refused, Err(CallbackRefused::NotVerified(_))), "{refused:?}");
    }
}

#[rstest::rstest]
#[case::as_it_happens(Rule::New, 1)]
#[case::of_old_settings(Rule::Old, 1)]
#[case::three_times(Rule::New, 3)]
#[tokio::test]
async fn a_day_in_the_company(#[case] rule: Rule, #[case] copies: u32) {
    let world = subscribed(rule, &[2, 5]).await;
    world.wecom.behave(|behaviour| behaviour.callback_copies = copies);
    let browser = world.browser();

    world.administrator(Change::AddMember(Box::new(Member::new("xinren", "新人", &[3]))));
    world.arrived().await;
    world.sign_in(&browser, "xinren").await;
    let account = browser.account().await;

    world.edit_member("xinren", |member| member.department = vec![4, 7]);
    world.arrived().await;
    world.edit_member("xinren", |member| member.userid = "xin.ren".to_owned());
    world.arrived().await;
    assert_eq!(browser.me().await.as_deref(), Some("xin.ren"), "the session goes on");

    world.administrator(Change::RemoveMember("xin.ren".to_owned()));
    world.arrived().await;
    assert_eq!(browser.me().await, None);
    world.administrator(Change::AddMember(Box::new(Member::new("Xin.Ren", "新人", &[5]))));
    world.arrived().await;
    world.sign_in(&browser, "xin.ren").await;
    assert_eq!(browser.account().await, account, "the same account as before");

    world.administrator(Change::AddDepartment(Department::new(20, "新部门", 2)));
    world.administrator(Change::AddDepartment(Department::new(21, "新小组", 20)));
    world.edit_member("xin.ren", |member| member.department = vec![21]);
    world.arrived().await;
    world.edit_department(20, |department| department.parentid = 6);
    world.arrived().await;
    assert_eq!(browser.me().await, None, "out of sight with the department");
    world.edit_department(20, |department| department.parentid = 5);
    world.arrived().await;
    world.edit_member("xin.ren", |member| member.department = vec![5]);
    world.administrator(Change::RemoveDepartment(21));
    world.administrator(Change::RemoveDepartment(20));
    world.arrived().await;
}

#[tokio::test]
async fn a_scope_that_is_widened_and_narrowed() {
    let world = subscribed(Rule::New, &[2]).await;
    let scope = |departments: &[i64], members: &[&str]| {
        let mut app = world.company(|company| Box::new(company.app(sample::AGENT_ID).unwrap().clone()));
        app.scope.departments = departments.to_vec();
        app.scope.members = members.iter().map(|user_id| (*user_id).to_owned()).collect();
        Change::EditApp(app)
    };
    let browser = world.browser();
    world.administrator(scope(&[2], &[sample::OUT_OF_SCOPE]));
    world.arrived().await;
    world.sign_in(&browser, sample::OUT_OF_SCOPE).await;
    world.administrator(scope(&[2], &[]));
    world.wecom.events_settled().await;
    assert_eq!(browser.me().await, None);
    world.settle().await;
    world.assert_copy().await;
}

#[tokio::test]
async fn a_tag_in_the_scope_brings_members_and_departments() {
    let world = subscribed(Rule::New, &[2]).await;
    world.administrator(Change::AddTag(Tag { tagid: 7, tagname: "访客".to_owned(), ..Tag::default() }));
    let mut app = world.company(|company| Box::new(company.app(sample::AGENT_ID).unwrap().clone()));
    app.scope.tags = vec![7];
    world.administrator(Change::EditApp(app));
    world.arrived().await;

    let tag = |members: &[&str], departments: &[i64]| {
        Change::EditTag(Tag {
            tagid: 7,
            tagname: "访客".to_owned(),
            members: members.iter().map(|user_id| (*user_id).to_owned()).collect(),
            departments: departments.to_vec(),
        })
    };
    world.administrator(tag(&[sample::OUT_OF_SCOPE], &[7]));
    world.arrived().await;
    world.administrator(tag(&[], &[7, 5]));
    world.arrived().await;
    world.administrator(tag(&[], &[]));
    world.arrived().await;
}

#[tokio::test]
async fn what_the_database_did_not_take_is_taken_when_it_comes_again() {
    let mut world = subscribed(Rule::New, &[1]).await;
    world.wecom.behave(|behaviour| behaviour.callback_retries_status = true);
    world.lose_database().await;
    world.administrator(Change::RemoveMember("lisi".to_owned()));
    world.wecom.events_settled().await;
    let events = world.wecom.events();
    assert_eq!(events.len(), 2, "contact sync and the app were told");
    for event in &events {
        assert_eq!((event.state, event.tries.join(" ").as_str()), (EventState::GivenUp, "503 503 503"));
    }

    world.restart().await;
    assert!(events.iter().all(|event| world.wecom.send_event(event.id)));
    world.arrived().await;
}

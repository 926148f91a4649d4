use std::time::Duration;

use wecom_login_model::{AgentId, CorpId, Department, DepartmentId, MemberStatus, Profile, UserId};
use wecom_login_store::{
    AppAnswer, Asked, Consent, DepartmentAnswer, DepartmentAnswers, MemberAnswers, Standing,
};

use crate::NOW;
use crate::backends::{Fresh, mark_left, on_every_database, save_member};
use crate::organisation::agent;

on_every_database![
    spelling_does_not_make_another_member_but_another_company_does,
    o8_a_value_that_wecom_has_emptied_goes,
    o13_what_one_app_may_not_read_it_neither_erases_nor_gives_out,
    o13_a_late_answer_still_brings_what_wecom_withholds_from_another_app,
    who_left_while_wecom_answered_has_left,
    f20_who_was_unknown_and_deleted_while_wecom_answered_has_left,
    departments_are_known_by_name,
];

fn corp(text: &str) -> CorpId {
    CorpId::parse(text).unwrap()
}

fn user(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

fn profile(name: &str) -> Profile {
    Profile {
        name: name.into(),
        departments: vec![DepartmentId(1), DepartmentId(2)],
        leads: vec![DepartmentId(2)],
        main_department: Some(DepartmentId(1)),
        status: Some(MemberStatus::Active),
        ..Profile::default()
    }
}

async fn spelling_does_not_make_another_member_but_another_company_does(fresh: Fresh) {
    let (store, app) = (&fresh.store, agent("7"));
    let first = save_member(store, &corp("wwA"), &user("ZhangSan"), &profile("张三"), NOW, &app).await;
    let again = save_member(store, &corp("wwA"), &user("zhangsan"), &profile("张三"), NOW, &app).await;
    let other = save_member(store, &corp("wwB"), &user("zhangsan"), &profile("张三丰"), NOW, &app).await;
    assert_eq!(first.id, again.id);
    assert_ne!(first.id, other.id);
    let read = store.member(&corp("wwA"), &user("ZHANGSAN")).await.unwrap().unwrap();
    assert_eq!(read, again);
    assert_eq!(read.profile, profile("张三"));
    assert_eq!(store.member(&corp("wwC"), &user("zhangsan")).await.unwrap(), None);
}

fn with_contact(mobile: &str, gender: &str) -> Profile {
    Profile { mobile: mobile.into(), gender: gender.into(), ..profile("张三") }
}

/// O8: a value that WeCom has emptied goes, for an app that may read the field.
async fn o8_a_value_that_wecom_has_emptied_goes(fresh: Fresh) {
    let (store, app) = (&fresh.store, agent("7"));
    let later = NOW + Duration::from_mins(1);
    let zhangsan = user("zhangsan");
    save_member(store, &corp("wwA"), &zhangsan, &with_contact("13800000000", "1"), NOW, &app).await;
    let row = save_member(store, &corp("wwA"), &zhangsan, &with_contact("", "0"), later, &app).await;
    assert_eq!((row.profile.mobile.as_str(), row.profile.gender.as_str()), ("", "0"));
    assert_eq!((row.created_at, row.read_at), (NOW, later));

    // The app has shown the field for somebody else: so it may read this one's.
    let (lisi, other) = (user("lisi"), agent("8"));
    save_member(store, &corp("wwA"), &lisi, &with_contact("13900000000", ""), NOW, &app).await;
    save_member(store, &corp("wwA"), &zhangsan, &with_contact("13700000000", ""), later, &other).await;
    save_member(store, &corp("wwA"), &lisi, &with_contact("", ""), later, &other).await;
    let row = store.member(&corp("wwA"), &lisi).await.unwrap().unwrap();
    assert_eq!(row.profile.mobile, "");
}

/// O8, O13: what WeCom withholds from an app erases nothing, and the app gives out nothing that it was not told.
async fn o13_what_one_app_may_not_read_it_neither_erases_nor_gives_out(fresh: Fresh) {
    let (store, one, other) = (&fresh.store, agent("7"), agent("8"));
    let (corp_id, zhangsan) = (corp("wwA"), user("zhangsan"));
    save_member(store, &corp_id, &zhangsan, &with_contact("13800000000", "1"), NOW, &one).await;
    let narrow = Profile { departments: vec![DepartmentId(9)], ..with_contact("", "") };
    let row = save_member(store, &corp_id, &zhangsan, &narrow, NOW, &other).await;
    assert_eq!((row.profile.mobile.as_str(), row.profile.departments), ("", vec![DepartmentId(9)]));
    let as_seen_by = async |app: &AgentId| {
        let known = store.known_member(&corp_id, app, &zhangsan, NOW).await.unwrap().unwrap();
        known.member.profile
    };
    let seen = as_seen_by(&one).await;
    assert_eq!((seen.mobile.as_str(), seen.gender.as_str()), ("13800000000", "1"));
    assert_eq!(seen.departments, profile("张三").departments);
    assert_eq!(
        (as_seen_by(&other).await.mobile.as_str(), as_seen_by(&agent("9")).await.mobile),
        ("", String::new())
    );

    // What the member gave to the other app by consent is that app's to give out, and no empty answer erases it.
    let given = Consent { mobile: "13900000000".into(), ..Consent::default() };
    store.save_consent((&corp_id, &other), &zhangsan, &given, NOW).await.unwrap();
    save_member(store, &corp_id, &zhangsan, &with_contact("", ""), NOW, &one).await;
    assert_eq!(as_seen_by(&other).await.mobile, "13900000000");
    assert_eq!(as_seen_by(&one).await.mobile, "", "withheld from it now");
}

/// The answer to an app that may read the field arrives after a newer one to an app that may not.
async fn o13_a_late_answer_still_brings_what_wecom_withholds_from_another_app(fresh: Fresh) {
    let (store, one, other) = (&fresh.store, agent("7"), agent("8"));
    let (corp_id, zhangsan) = (corp("wwA"), user("zhangsan"));
    let asked = Asked { number: store.next_number().await.unwrap(), at: NOW };
    save_member(store, &corp_id, &zhangsan, &with_contact("", "0"), NOW, &other).await;
    let late = with_contact("13800000000", "1");
    let row = store.record_visible((&corp_id, &one), (&zhangsan, &late), asked, NOW).await.unwrap();
    assert_eq!((row.profile.mobile.as_str(), row.profile.gender.as_str()), ("13800000000", "1"));
    let known = store.known_member(&corp_id, &other, &zhangsan, NOW).await.unwrap().unwrap();
    assert_eq!(known.member.profile.mobile, "");
}

async fn who_left_while_wecom_answered_has_left(fresh: Fresh) {
    let (store, app) = (&fresh.store, agent("7"));
    let (corp_id, lisi) = (corp("wwA"), user("lisi"));
    let left_at = async || store.member(&corp_id, &lisi).await.unwrap().unwrap().left_at;
    save_member(store, &corp_id, &lisi, &profile("李四"), NOW, &app).await;
    // The clock that asked is ahead by a day: the order of the numbers decides.
    let asked = Asked { number: store.next_number().await.unwrap(), at: NOW + Duration::from_hours(24) };
    mark_left(store, &corp_id, &lisi, NOW).await;
    let late = profile("李四四");
    let row = store.record_visible((&corp_id, &app), (&lisi, &late), asked, NOW).await.unwrap();
    assert_eq!((row.left_at, row.profile.name.as_str()), (Some(NOW), "李四"));
    store.record_all_visible((&corp_id, &app), &[(lisi.clone(), late)], asked, NOW).await.unwrap();
    assert_eq!(left_at().await, Some(NOW));

    save_member(store, &corp_id, &lisi, &profile("李四"), NOW, &app).await;
    assert_eq!(left_at().await, None, "asked since");
}

/// F20: user/get answers before the member is deleted, and arrives after it; the copy has never heard of them.
async fn f20_who_was_unknown_and_deleted_while_wecom_answered_has_left(fresh: Fresh) {
    let (store, app) = (&fresh.store, agent("7"));
    let (corp_id, lisi) = (corp("wwA"), user("lisi"));
    let asked = Asked { number: store.next_number().await.unwrap(), at: NOW };
    mark_left(store, &corp_id, &lisi, NOW).await;
    let row = store.record_visible((&corp_id, &app), (&lisi, &profile("李四")), asked, NOW).await.unwrap();
    assert_eq!(row.left_at, Some(NOW));
    let row = save_member(store, &corp_id, &lisi, &profile("李四"), NOW, &app).await;
    assert_eq!(row.left_at, None, "asked since");

    // The same by an answer to another read.
    let wangwu = user("wangwu");
    let asked = Asked { number: store.next_number().await.unwrap(), at: NOW };
    let later = Asked { number: store.next_number().await.unwrap(), at: NOW };
    let answers = [(&app, AppAnswer::NotVisible)];
    let read = MemberAnswers { corp_id: &corp_id, user_id: &wangwu, asked: later, answers: &answers };
    assert_eq!(store.record_answers(&read, NOW).await.unwrap(), Standing::Unknown);
    let row = store.record_visible((&corp_id, &app), (&wangwu, &profile("王五")), asked, NOW).await.unwrap();
    assert_eq!(row.left_at, Some(NOW));

    // Of people whom the copy never came to know, marks go after a day.
    mark_left(store, &corp_id, &user("nobody"), NOW).await;
    let day = Duration::from_hours(24);
    assert_eq!(store.purge_visibility_marks(NOW + day, 10).await.unwrap(), 0);
    assert_eq!(store.purge_visibility_marks(NOW + day * 2, 10).await.unwrap(), 1);
}

async fn departments_are_known_by_name(fresh: Fresh) {
    let store = &fresh.store;
    let department =
        |id, name: &str| Department { id: DepartmentId(id), name: name.into(), parent: None, order: 0 };
    let (app, corp_id) = (agent("7"), corp("wwA"));
    let record = async |id: i64, answer: DepartmentAnswer| {
        let asked = Asked { number: store.next_number().await.unwrap(), at: NOW };
        let answers = vec![(&app, answer)];
        let read = DepartmentAnswers { corp_id: &corp_id, id: DepartmentId(id), asked, answers };
        store.record_department_answers(&read).await.unwrap();
    };
    let all = vec![department(1, "总部"), department(2, "研发"), department(3, "旧")];
    record(1, DepartmentAnswer::Visible(all)).await;
    record(2, DepartmentAnswer::Visible(vec![department(2, "研发中心")])).await;
    record(3, DepartmentAnswer::NotVisible).await;
    let ids = [2, 3, 1, 2].map(DepartmentId);
    let names = store.department_names(&corp("wwA"), &ids).await.unwrap();
    assert_eq!(names, ["研发中心", "", "总部", "研发中心"]);
    assert_eq!(store.department_names(&corp("wwB"), &ids).await.unwrap(), [""; 4]);
    assert_eq!(store.department_names(&corp("wwA"), &[]).await.unwrap(), [""; 0]);
    let who = user("zhangsan");
    let profile = Profile { departments: ids.to_vec(), ..Profile::default() };
    save_member(store, &corp("wwA"), &who, &profile, NOW, &agent("7")).await;
    let known = store.known_member(&corp("wwA"), &agent("7"), &who, NOW).await.unwrap().unwrap();
    assert_eq!(known.department_names, names);
    assert_eq!((known.member.profile.departments, known.has_account), (ids.to_vec(), false));
    assert_eq!(known.confirmation.read_at, Some(NOW));
    save_member(store, &corp("wwA"), &who, &Profile::default(), NOW, &agent("7")).await;
    let known = store.known_member(&corp("wwA"), &agent("8"), &who, NOW).await.unwrap().unwrap();
    assert_eq!((known.department_names, known.confirmation.read_at), (Vec::<String>::new(), None));
}

use std::time::Duration;

use wecom_login_model::{CorpId, Department, DepartmentId, MemberStatus, Profile, UserId};

use crate::NOW;
use crate::backends::{Fresh, on_every_database};
use crate::organisation::agent;

on_every_database![
    spelling_does_not_make_another_member_but_another_company_does,
    what_is_withheld_later_does_not_erase_what_is_known,
    who_left_while_wecom_answered_has_left,
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
    let store = &fresh.store;
    let first =
        store.save_member(&corp("wwA"), &user("ZhangSan"), &profile("张三"), NOW, &agent("7")).await.unwrap();
    let again =
        store.save_member(&corp("wwA"), &user("zhangsan"), &profile("张三"), NOW, &agent("7")).await.unwrap();
    let other = store
        .save_member(&corp("wwB"), &user("zhangsan"), &profile("张三丰"), NOW, &agent("7"))
        .await
        .unwrap();
    assert_eq!(first.id, again.id);
    assert_ne!(first.id, other.id);
    let read = store.member(&corp("wwA"), &user("ZHANGSAN")).await.unwrap().unwrap();
    assert_eq!(read, again);
    assert_eq!(read.profile, profile("张三"));
    assert_eq!(store.member(&corp("wwC"), &user("zhangsan")).await.unwrap(), None);
}

async fn what_is_withheld_later_does_not_erase_what_is_known(fresh: Fresh) {
    let store = &fresh.store;
    let told = Profile {
        mobile: "13800000000".into(),
        gender: "1".into(),
        position: "工程师".into(),
        ..profile("张三")
    };
    store.save_member(&corp("wwA"), &user("zhangsan"), &told, NOW, &agent("7")).await.unwrap();
    let later = NOW + Duration::from_mins(1);
    let withheld = Profile { gender: "0".into(), ..profile("张三") };
    let row =
        store.save_member(&corp("wwA"), &user("zhangsan"), &withheld, later, &agent("7")).await.unwrap();
    assert_eq!((row.profile.mobile.as_str(), row.profile.gender.as_str()), ("13800000000", "1"));
    assert_eq!(row.profile.position, "", "what is not withheld is taken as told");
    assert_eq!((row.created_at, row.read_at), (NOW, later));
}

async fn who_left_while_wecom_answered_has_left(fresh: Fresh) {
    let store = &fresh.store;
    let (corp_id, lisi) = (corp("wwA"), user("lisi"));
    let left_at = async || store.member(&corp_id, &lisi).await.unwrap().unwrap().left_at;
    store.save_member(&corp_id, &lisi, &profile("李四"), NOW, &agent("7")).await.unwrap();
    let minute = Duration::from_mins(1);
    store.mark_left(&corp_id, &lisi, NOW + minute * 2).await.unwrap();

    // WeCom was asked a minute before, and its answer is written now.
    let row =
        store.save_member(&corp_id, &lisi, &profile("李四四"), NOW + minute, &agent("7")).await.unwrap();
    assert_eq!((row.left_at, row.profile.name.as_str()), (Some(NOW + minute * 2), "李四四"));
    store
        .save_members(&corp_id, &[(lisi.clone(), profile("李四"))], NOW + minute, &agent("7"))
        .await
        .unwrap();
    assert_eq!(left_at().await, Some(NOW + minute * 2));

    store.save_member(&corp_id, &lisi, &profile("李四"), NOW + minute * 3, &agent("7")).await.unwrap();
    assert_eq!(left_at().await, None, "asked since");
}

async fn departments_are_known_by_name(fresh: Fresh) {
    let store = &fresh.store;
    let department =
        |id, name: &str| Department { id: DepartmentId(id), name: name.into(), parent: None, order: 0 };
    store
        .save_departments(
            &corp("wwA"),
            &[department(1, "总部"), department(2, "研发"), department(3, "旧")],
            &[],
        )
        .await
        .unwrap();
    store.save_departments(&corp("wwA"), &[department(2, "研发中心")], &[DepartmentId(3)]).await.unwrap();
    let ids = [2, 3, 1, 2].map(DepartmentId);
    let names = store.department_names(&corp("wwA"), &ids).await.unwrap();
    assert_eq!(names, ["研发中心", "", "总部", "研发中心"]);
    assert_eq!(store.department_names(&corp("wwB"), &ids).await.unwrap(), [""; 4]);
    assert_eq!(store.department_names(&corp("wwA"), &[]).await.unwrap(), [""; 0]);
    let who = user("zhangsan");
    let profile = Profile { departments: ids.to_vec(), ..Profile::default() };
    store.save_member(&corp("wwA"), &who, &profile, NOW, &agent("7")).await.unwrap();
    let known = store.known_member(&corp("wwA"), &agent("7"), &who, NOW).await.unwrap().unwrap();
    assert_eq!(known.department_names, names);
    assert_eq!((known.member.profile.departments, known.has_account), (ids.to_vec(), false));
    assert_eq!(known.confirmation.read_at, Some(NOW));
    store.save_member(&corp("wwA"), &who, &Profile::default(), NOW, &agent("7")).await.unwrap();
    let known = store.known_member(&corp("wwA"), &agent("8"), &who, NOW).await.unwrap().unwrap();
    assert_eq!((known.department_names, known.confirmation.read_at), (Vec::<String>::new(), None));
}

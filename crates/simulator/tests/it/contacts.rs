//! Members and departments as an app receives them: by its age and its visible scope.

use serde_json::{Value, json};
use wecom_login_simulator::{Department, Member, Scope, Simulator, sample};

use crate::browser::{get, old_token, post, start, token};

const WITHHELD: [&str; 7] = ["mobile", "email", "biz_mail", "avatar", "thumb_avatar", "qr_code", "address"];

async fn call(sim: &Simulator, token: &str, path: &str) -> Value {
    let join = if path.contains('?') { '&' } else { '?' };
    get(sim, &format!("/cgi-bin/{path}{join}access_token={token}")).await.json()
}

fn ids(list: &Value) -> Vec<i64> {
    let mut ids: Vec<i64> = list.as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_new_app_does_not_get_the_seven_fields() {
    let sim = start().await;
    let (new, old) = (token(&sim).await, old_token(&sim).await);
    let (new, old) =
        (call(&sim, &new, "user/get?userid=lisi").await, call(&sim, &old, "user/get?userid=lisi").await);
    assert_eq!((&new["errcode"], &old["errcode"]), (&json!(0), &json!(0)));
    for field in WITHHELD {
        assert_eq!(new.get(field), None, "{field}");
        assert_ne!(old[field], json!(""), "{field}");
        assert!(old[field].is_string(), "{field}");
    }
    assert_eq!((&new["gender"], &old["gender"]), (&json!("0"), &json!("2")));
    for (field, value) in [
        ("userid", json!("lisi")),
        ("name", json!("李四")),
        ("position", json!("人事主管")),
        ("status", json!(1)),
        ("telephone", json!("020-100002")),
    ] {
        assert_eq!((&new[field], &old[field]), (&value, &value), "{field}");
    }
}

#[tokio::test]
async fn only_visible_departments_stand_in_a_member() {
    let sim = start().await;
    let (new, old) = (token(&sim).await, old_token(&sim).await);
    let seen = call(&sim, &new, "user/get?userid=LISI").await;
    assert_eq!((&seen["department"], &seen["is_leader_in_dept"]), (&json!([2, 6]), &json!([0, 1])));
    let seen = call(&sim, &old, "user/get?userid=zhangsan").await;
    assert_eq!((&seen["department"], &seen["order"]), (&json!([2]), &json!([2])));
    assert_eq!((&seen["is_leader_in_dept"], seen.get("main_department")), (&json!([1]), None));
    // Visible by name alone.
    let seen = call(&sim, &old, "user/get?userid=qianqi").await;
    assert_eq!((&seen["errcode"], &seen["department"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn a_member_who_cannot_be_read_says_why() {
    let sim = start().await;
    let token = token(&sim).await;
    let errcode = async |userid: &str| {
        call(&sim, &token, &format!("user/get?userid={userid}")).await["errcode"].clone()
    };
    assert_eq!(errcode("nobody").await, 60111);
    assert_eq!(errcode("%E5%BC%A0").await, 40003);
    assert_eq!(errcode(sample::OUT_OF_SCOPE).await, 60111);
    sim.behave(|behaviour| behaviour.outside_scope = 60011);
    assert_eq!(errcode(sample::OUT_OF_SCOPE).await, 60011);
    assert_eq!(errcode("nobody").await, 60111);
    assert_eq!(errcode(sample::DISABLED).await, 0);
    sim.edit(sample::CORP_ID, |company| company.remove_member("lisi")).unwrap();
    assert_eq!(errcode("lisi").await, 60111);
}

#[tokio::test]
async fn departments_are_limited_to_the_scope_and_parents_may_be_missing() {
    let sim = start().await;
    let (new, old) = (token(&sim).await, old_token(&sim).await);
    let all = call(&sim, &new, "department/list").await;
    assert_eq!(ids(&all["department"]), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(all["department"][1]["name"], "研发中心");
    assert_eq!(ids(&call(&sim, &new, "department/list?id=2").await["department"]), [2, 3, 4]);
    let seen = call(&sim, &old, "department/list").await;
    assert_eq!(ids(&seen["department"]), [2, 3, 4]);
    assert_eq!(seen["department"][0]["parentid"], 1);
    let simple = call(&sim, &old, "department/simplelist").await;
    assert_eq!(simple["department_id"][0], json!({"id": 2, "parentid": 1, "order": 90}));

    for (path, errcode) in [
        ("department/list?id=1", 60011),
        ("department/simplelist?id=5", 60011),
        ("department/get?id=1", 60011),
        ("department/get?id=99", 60003),
        ("department/get?id=x", 60123),
        ("user/list?department_id=5", 60011),
        ("user/simplelist?department_id=99", 60003),
        ("department/get?id=4", 0),
    ] {
        assert_eq!(call(&sim, &old, path).await["errcode"], errcode, "{path}");
    }
}

#[tokio::test]
async fn a_scope_of_members_alone_has_no_departments() {
    let sim = start().await;
    sim.edit(sample::CORP_ID, |company| {
        company.edit_app(sample::AGENT_ID, |app| {
            app.scope = Scope { members: vec!["ZhangSan".to_owned()], ..Scope::default() };
        })
    })
    .unwrap();
    let token = token(&sim).await;
    assert_eq!(call(&sim, &token, "department/list").await["department"], json!([]));
    assert_eq!(call(&sim, &token, "user/get?userid=zhangsan").await["department"], json!([]));
    assert_eq!(call(&sim, &token, "user/get?userid=lisi").await["errcode"], 60111);
}

#[tokio::test]
async fn a_member_of_several_departments_stands_in_each() {
    let sim = start().await;
    let token = token(&sim).await;
    for department in [3, 4] {
        let list = call(&sim, &token, &format!("user/list?department_id={department}")).await;
        let member =
            list["userlist"].as_array().unwrap().iter().find(|one| one["userid"] == sample::LEADER_OF_ONE);
        let member = member.unwrap_or_else(|| panic!("{list}"));
        assert_eq!((&member["department"], &member["is_leader_in_dept"]), (&json!([3, 4]), &json!([0, 1])));
        assert_eq!(member.get("mobile"), None);
    }
    let simple = call(&sim, &token, "user/simplelist?department_id=4").await;
    assert_eq!(
        simple["userlist"][0],
        json!({"userid": "wangwu", "name": "王五", "department": [3, 4], "open_userid": ""})
    );
}

#[tokio::test]
async fn people_are_found_by_mobile_and_by_mail_within_the_scope() {
    let sim = start().await;
    let token = old_token(&sim).await;
    let find = async |path: &str, body: Value| {
        post(&sim, &format!("/cgi-bin/user/{path}?access_token={token}"), &body.to_string()).await.json()
    };
    assert_eq!(find("getuserid", json!({"mobile": "13800000002"})).await["userid"], "lisi");
    assert_eq!(find("getuserid", json!({"mobile": "13800000004"})).await["errcode"], 46004);
    assert_eq!(find("getuserid", json!({"mobile": "1"})).await["errcode"], 46004);
    let by_mail = "get_userid_by_email";
    for (email, kind, expected) in [
        ("lisi@yunfan.example.com", json!(1), json!("lisi")),
        ("LISI@example.com", json!(2), json!("lisi")),
        ("lisi@example.com", json!(1), Value::Null),
        ("lisi@yunfan.example.com", Value::Null, json!("lisi")),
    ] {
        let answer = find(by_mail, json!({"email": email, "email_type": kind})).await;
        assert_eq!(answer.get("userid").cloned().unwrap_or_default(), expected, "{email} {kind}");
    }
}

#[tokio::test]
async fn edits_are_seen_at_once() {
    let sim = start().await;
    let token = token(&sim).await;
    sim.edit(sample::CORP_ID, |company| {
        company.put_department(Department::new(20, "新部门", 1));
        company.put_member(Member::new("new.one", "新人", &[20]));
        company.edit_member("lisi", |member| member.status = 5);
    })
    .unwrap();
    assert_eq!(call(&sim, &token, "user/list?department_id=20").await["userlist"][0]["name"], "新人");
    assert_eq!(call(&sim, &token, "user/get?userid=lisi").await["status"], 5);
    sim.reset();
    let token = crate::browser::token(&sim).await;
    assert_eq!(call(&sim, &token, "department/get?id=20").await["errcode"], 60003);
    assert_eq!(call(&sim, &token, "user/get?userid=lisi").await["status"], 1);
}

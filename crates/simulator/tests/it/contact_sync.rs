//! Contact sync's own secret, tags, and what an app sees through each kind of scope.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wecom_login_simulator::{Company, Options, Scope, Simulator, sample};

use crate::browser::{get, old_token, post, send, start, token, token_of};

async fn sync_token(sim: &Simulator) -> String {
    token_of(sim, sample::CORP_ID, sample::CONTACT_SECRET).await
}

async fn call(sim: &Simulator, token: &str, path: &str) -> Value {
    let mark = if path.contains('?') { '&' } else { '?' };
    get(sim, &format!("/cgi-bin/{path}{mark}access_token={token}")).await.json()
}

async fn page(sim: &Simulator, token: &str, body: Value) -> Value {
    post(sim, &format!("/cgi-bin/user/list_id?access_token={token}"), &body.to_string()).await.json()
}

/// Every row, read in pages of that size.
async fn rows(sim: &Simulator, token: &str, limit: usize) -> Vec<(String, i64)> {
    let (mut rows, mut cursor) = (Vec::new(), json!(""));
    loop {
        let page = page(sim, token, json!({"cursor": cursor, "limit": limit})).await;
        assert_eq!(page["errcode"], 0, "{page}");
        let list = page["dept_user"].as_array().unwrap();
        assert!(list.len() <= limit);
        assert!(!list.is_empty(), "a page brings rows, or reading never ends");
        rows.extend(
            list.iter()
                .map(|row| (row["userid"].as_str().unwrap().to_owned(), row["department"].as_i64().unwrap())),
        );
        cursor = page["next_cursor"].clone();
        if cursor == "" {
            return rows;
        }
    }
}

fn scope(sim: &Simulator, scope: Scope) {
    let edit = |app: &mut wecom_login_simulator::App| app.scope = scope;
    assert!(sim.edit(sample::CORP_ID, |company| company.edit_app(sample::AGENT_ID, edit)).unwrap());
}

#[tokio::test]
async fn everybodys_ids_come_a_page_at_a_time_one_row_per_department() {
    let company = Company::generated(500, 30, 3);
    let expected: Vec<(String, i64)> = company
        .members()
        .flat_map(|member| {
            member.department.iter().map(|id| (member.userid.clone(), *id)).collect::<Vec<_>>()
        })
        .collect();
    assert!(expected.len() > 520);
    let sim = Simulator::start(Options { companies: vec![company], ..Options::default() }).await.unwrap();
    let token = sync_token(&sim).await;
    // A page of one ends in the middle of whoever has two departments.
    for limit in [1, 7, 499, 10_000] {
        assert_eq!(rows(&sim, &token, limit).await, expected, "{limit}");
    }
    assert_eq!(page(&sim, &token, json!({})).await["dept_user"].as_array().unwrap().len(), expected.len());
    // The last page is full, and there is none after it.
    assert_eq!(page(&sim, &token, json!({"limit": expected.len()})).await["next_cursor"], "");
}

#[tokio::test]
async fn paging_goes_on_where_it_was_while_people_come_and_go() {
    let sim = start().await;
    let token = sync_token(&sim).await;
    let first = page(&sim, &token, json!({"limit": 3})).await;
    sim.edit(sample::CORP_ID, |company| {
        company.remove_member("zhangsan");
        company.remove_member("wangwu");
        company.put_member(wecom_login_simulator::Member::new("neu", "新", &[7]));
    })
    .unwrap();
    let rest = page(&sim, &token, json!({"cursor": first["next_cursor"]})).await;
    let names: BTreeSet<&str> =
        rest["dept_user"].as_array().unwrap().iter().map(|row| row["userid"].as_str().unwrap()).collect();
    assert!(names.contains("neu") && names.contains("qianqi") && !names.contains("wangwu"), "{rest}");
}

#[tokio::test]
async fn what_a_page_is_asked_for_is_checked() {
    let sim = start().await;
    let token = sync_token(&sim).await;
    for body in [
        json!({"limit": 0}),
        json!({"limit": 10_001}),
        json!({"limit": -1}),
        json!({"limit": "x"}),
        json!({"cursor": "x"}),
        json!({"cursor": "000000000000"}),
        json!({"cursor": "00000000000g0000"}),
        json!({"cursor": "一二三四五六七八"}),
    ] {
        let refused = page(&sim, &token, body.clone()).await;
        assert_eq!((&refused["errcode"], &refused["dept_user"]), (&json!(40058), &json!([])), "{body}");
    }
}

#[tokio::test]
async fn each_secret_opens_its_own() {
    let sim = start().await;
    let (app, sync) = (token(&sim).await, sync_token(&sim).await);
    assert_eq!(page(&sim, &app, json!({})).await["errcode"], 48002);
    // The whole company, whatever the apps see.
    let departments = call(&sim, &sync, "department/simplelist").await;
    assert_eq!(departments["department_id"].as_array().unwrap().len(), 7);
    for path in [
        "user/get?userid=zhangsan",
        "user/simplelist?department_id=2",
        "user/list?department_id=2",
        "department/list",
        "department/get?id=2",
    ] {
        assert_eq!(call(&sim, &sync, path).await["errcode"], 48009, "{path}");
    }
    let code = sim.code_for("zhangsan");
    assert_eq!(call(&sim, &sync, &format!("auth/getuserinfo?code={code}")).await["errcode"], 50001);
    assert_eq!(call(&sim, &app, &format!("auth/getuserinfo?code={code}")).await["userid"], "zhangsan");
    assert_eq!(call(&sim, &sync, "agent/get?agentid=1000002").await["errcode"], 301_002);
    let other = token_of(&sim, sample::SECOND_CORP_ID, sample::SECOND_CONTACT_SECRET).await;
    assert_eq!(rows(&sim, &other, 10).await, [("zhangsan".to_owned(), 2), ("heshui".to_owned(), 1)]);
}

#[tokio::test]
async fn from_an_address_of_old_contact_sync_reads_every_field() {
    let sim = start().await;
    let sync = sync_token(&sim).await;
    let edit = async |body: Value| {
        send(&sim, "PATCH", "/_sim/contact-sync", &[], &body.to_string()).await.unwrap().json()
    };
    let shown = edit(json!({"reads_details": true})).await;
    assert_eq!((&shown["reads_details"], shown.get("secret")), (&json!(true), None));
    let member = call(&sim, &sync, "user/get?userid=chenjiu").await;
    assert_eq!((&member["mobile"], &member["gender"]), (&json!("13800000007"), &json!("1")));
    edit(json!({"trusted_ips": ["192.0.2.1"]})).await;
    assert_eq!(call(&sim, &sync, "department/simplelist").await["errcode"], 60020);
}

#[tokio::test]
async fn a_scope_may_be_made_of_tags() {
    let sim = start().await;
    let token = token(&sim).await;
    scope(&sim, Scope { tags: vec![sample::TAG_OF_PEOPLE, sample::TAG_OF_DEPARTMENT], ..Scope::default() });
    let departments = call(&sim, &token, "department/list").await;
    // Its parent is not visible.
    let list: Vec<_> = departments["department"].as_array().unwrap().iter().collect();
    assert_eq!(list.len(), 1);
    assert_eq!((&list[0]["id"], &list[0]["parentid"]), (&json!(5), &json!(1)));
    for (userid, errcode) in
        [("zhangsan", 0), ("wangwu", 0), ("wu10", 0), ("qianqi", 0), ("lisi", 60111), ("chenjiu", 60111)]
    {
        assert_eq!(
            call(&sim, &token, &format!("user/get?userid={userid}")).await["errcode"],
            errcode,
            "{userid}"
        );
    }
    let app = call(&sim, &token, "agent/get?agentid=1000002").await;
    assert_eq!(app["allow_tags"], json!({"tagid": [1, 2]}));
    assert_eq!(app["allow_partys"], json!({"partyid": []}));
    assert_eq!(call(&sim, &token, "agent/get?agentid=1000001").await["errcode"], 301_002);
}

#[tokio::test]
async fn every_tag_is_named_but_only_visible_people_are_in_it() {
    let sim = start().await;
    let (new, old) = (token(&sim).await, old_token(&sim).await);
    for token in [&new, &old] {
        let tags = call(&sim, token, "tag/list").await;
        assert_eq!(tags["taglist"].as_array().unwrap().len(), 2);
    }
    let tag = call(&sim, &new, "tag/get?tagid=2").await;
    assert_eq!(tag["userlist"], json!([{"userid": "wu10", "name": "吴十"}]));
    assert_eq!((&tag["partylist"], &tag["tagname"]), (&json!([5]), &json!("年会筹备")));
    let tag = call(&sim, &old, "tag/get?tagid=2").await;
    assert_eq!((&tag["userlist"], &tag["partylist"]), (&json!([]), &json!([])));
    for path in ["tag/get", "tag/get?tagid=x", "tag/get?tagid=9"] {
        assert_eq!(call(&sim, &new, path).await["errcode"], 40068, "{path}");
    }
}

#[tokio::test]
async fn tags_are_edited_over_http() {
    let sim = start().await;
    let token = token(&sim).await;
    let tag = json!({"tagid": 3, "tagname": "新", "members": ["lisi"], "departments": []});
    assert_eq!(post(&sim, "/_sim/tags", &tag.to_string()).await.status, 200);
    assert_eq!(post(&sim, "/_sim/tags", &tag.to_string()).await.status, 409);
    let edit = send(&sim, "PATCH", "/_sim/tags/3", &[], r#"{"departments": [5]}"#).await.unwrap();
    assert_eq!(edit.json()["departments"], json!([5]));
    assert_eq!(call(&sim, &token, "tag/get?tagid=3").await["partylist"], json!([5]));
    assert_eq!(send(&sim, "DELETE", "/_sim/tags/3", &[], "").await.unwrap().status, 200);
    assert_eq!(send(&sim, "DELETE", "/_sim/tags/3", &[], "").await.unwrap().status, 404);
}

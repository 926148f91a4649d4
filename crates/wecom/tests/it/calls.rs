//! How answers are read, and the form of the requests.

use wecom::{AgentId, CorpId, DepartmentId, Secret, UserId};
use wecom::{AuthCode, Budget, Calls, Identity};

use crate::script::{Reply, WeCom, json};

async fn calls(answer: &'static str) -> (WeCom, Calls) {
    let wecom = WeCom::with_tokens(move |_| json(answer)).await;
    let calls = wecom.client().within(Budget::background());
    (wecom, calls)
}

async fn identify(answer: &'static str) -> Result<Identity, wecom::Error> {
    let (_, calls) = calls(answer).await;
    calls.identify(&AuthCode::parse("CODE").unwrap()).await
}

fn user_id(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

#[rstest::rstest]
#[case(r#"{"errcode":0,"errmsg":"ok","userid":"zhangsan"}"#)]
#[case(r#"{"UserId":"zhangsan","DeviceId":"D","errcode":0}"#)]
#[case(r#"{"errcode":"0","userid":"zhangsan","openid":null,"user_ticket":"","new_field":[{}]}"#)]
#[case(r#"{"errcode":0,"userid":"","UserId":"zhangsan"}"#)]
#[tokio::test]
async fn a_member_in_both_spellings(#[case] answer: &'static str) {
    let identity = identify(answer).await.unwrap();
    assert_eq!(identity, Identity::Member { user_id: user_id("zhangsan"), user_ticket: None });
}

#[rstest::rstest]
#[case(r#"{"errcode":0,"openid":"O1","external_userid":"E1"}"#, Some("E1"))]
#[case(r#"{"OpenId":"O1","DeviceId":"D","errcode":0}"#, None)]
#[tokio::test]
async fn a_non_member_in_both_spellings(#[case] answer: &'static str, #[case] external: Option<&str>) {
    let expected =
        Identity::NonMember { open_id: "O1".to_owned(), external_user_id: external.map(str::to_owned) };
    assert_eq!(identify(answer).await.unwrap(), expected);
}

#[tokio::test]
async fn a_member_of_a_linked_company_is_a_case_of_its_own() {
    let identity = identify(r#"{"errcode":0,"userid":"ww2/lisi"}"#).await.unwrap();
    let expected =
        Identity::LinkedMember { corp_id: CorpId::parse("ww2").unwrap(), user_id: user_id("lisi") };
    assert_eq!(identity, expected);
}

#[rstest::rstest]
#[case(r#"{"errcode":0}"#)]
#[case(r#"{"errcode":0,"userid":null,"openid":""}"#)]
#[case(r#"{"errcode":0,"userid":"../../x"}"#)]
#[case(r#"{"errcode":0,"userid":["zhangsan"]}"#)]
#[tokio::test]
async fn an_answer_that_names_nobody_is_an_error(#[case] answer: &'static str) {
    let error = identify(answer).await.unwrap_err();
    assert!(error.errcode().is_none() && !error.is_transient(), "{error}");
}

#[tokio::test]
async fn a_ticket_gives_details_that_may_all_be_missing() {
    let (wecom, calls) = calls(r#"{"errcode":0,"userid":"lisi","gender":1,"mobile":"","avatar":null}"#).await;
    let detail = calls.user_detail(&Secret::new("TICKET\"")).await.unwrap();
    assert_eq!((detail.user_id, detail.gender.as_deref()), (user_id("lisi"), Some("1")));
    assert_eq!((detail.mobile, detail.avatar, detail.email), (None, None, None));
    let request = wecom.requests().pop().unwrap();
    assert!(
        request.head.starts_with("POST /cgi-bin/auth/getuserdetail?access_token=T1 "),
        "{}",
        request.head
    );
    assert_eq!(request.body, r#"{"user_ticket":"TICKET\""}"#);
}

#[tokio::test]
async fn a_member_with_every_field() {
    let (wecom, calls) = calls(
        r#"{"errcode":0,"errmsg":"ok","userid":"zhangsan","name":"张三","department":[1,"2"],"order":[1,2],
        "position":"后台工程师","mobile":"13800000000","gender":"1","email":"zhangsan@qq.com","biz_mail":"z@t.com",
        "is_leader_in_dept":[1,0],"direct_leader":["lisi",null,7],"avatar":"http://a/0","thumb_avatar":"http://a/100",
        "telephone":"020-123456","alias":"jackzhang","address":"广州","open_userid":"xx","main_department":"1",
        "extattr":{"attrs":[]},"status":"1","qr_code":"https://q","external_position":"产品经理","english_name":"Z",
        "external_profile":{"external_corp_name":"x"}}"#,
    )
    .await;
    let user = calls.user(&user_id("zhangsan")).await.unwrap();
    assert_eq!(user.department, [DepartmentId(1), DepartmentId(2)]);
    assert_eq!(user.order, [1, 2]);
    assert_eq!(user.is_leader_in_dept, [true, false]);
    assert_eq!(user.direct_leader, [user_id("lisi"), user_id("7")]);
    assert_eq!((user.main_department, user.status), (Some(DepartmentId(1)), Some(1)));
    assert_eq!(user.gender.as_deref(), Some("1"));
    let texts = [&user.name, &user.alias, &user.english_name, &user.position, &user.mobile, &user.email];
    assert!(texts.iter().all(|text| text.is_some()));
    let texts =
        [&user.biz_mail, &user.avatar, &user.thumb_avatar, &user.telephone, &user.address, &user.qr_code];
    assert!(texts.iter().all(|text| text.is_some()));
    assert!(user.is_leader() && user.open_userid.is_some() && user.external_position.is_some());
    let request = wecom.requests().pop().unwrap();
    assert!(request.head.starts_with("GET /cgi-bin/user/get?access_token=T1&userid=zhangsan "));
    let head = request.head.to_ascii_lowercase();
    assert!(
        !head.contains("cookie") && !head.contains("referer") && !head.contains("authorization"),
        "{head}"
    );
}

#[rstest::rstest]
#[case(r#"{"errcode":0,"userid":"a"}"#)]
#[case(
    r#"{"errcode":0,"userid":"a","name":null,"department":null,"order":null,"is_leader_in_dept":null,"status":null,
    "gender":null,"direct_leader":null,"main_department":null,"mobile":{}}"#
)]
#[case(r#"{"errcode":0,"userid":"a","name":"","department":[],"order":[],"status":"","main_department":0}"#)]
#[tokio::test]
async fn a_member_with_nothing_but_the_identifier(#[case] answer: &'static str) {
    let (_wecom, calls) = calls(answer).await;
    let user = calls.user(&user_id("a")).await.unwrap();
    assert_eq!(
        (user.name.clone(), user.mobile.clone(), user.gender.clone(), user.status),
        (None, None, None, None)
    );
    assert!(user.department.is_empty() && user.direct_leader.is_empty() && !user.is_leader());
    assert_eq!(user.main_department, None);
}

#[tokio::test]
async fn an_odd_row_is_counted_and_the_others_are_kept() {
    let (_wecom, calls) = calls(
        r#"{"errcode":0,"userlist":[{"userid":"a","name":"A"},{"name":"nobody"},null,7,{"userid":"-"},{"userid":"b"}]}"#,
    )
    .await;
    let users = calls.users_in(DepartmentId(2)).await.unwrap();
    let names: Vec<_> = users.iter().map(|user| user.user_id.as_str()).collect();
    assert_eq!((names, users.skipped()), (vec!["a", "b"], 4));
    assert_eq!(users.lost(), ["row 2", "row 3", "row 4", "-"]);
    let simple = calls.simple_users_in(DepartmentId(2)).await.unwrap();
    assert_eq!((simple.len(), simple.skipped()), (2, 4));
}

/// F9: one malformed character must not hide the members of a whole department.
#[rstest::rstest]
#[case::cut_utf8(b"\xe5\xbc\xa0\xe4\xb8", "张\u{fffd}")]
#[case::lone_surrogate(b"\xe5\xbc\xa0\\ud83d", "张\u{fffd}")]
#[case::control_character(b"\xe5\xbc\xa0\x08\n", "张\u{8}\n")]
#[tokio::test]
async fn a_damaged_name_costs_nothing_but_its_character(#[case] damaged: &[u8], #[case] name: &str) {
    let row = |id: &str| [format!(r#""userid":"{id}","id":7,"name":""#).as_bytes(), damaged, b"\""].concat();
    let rows =
        [b"{", &row("lisi")[..], b"},{", &row("li\u{fffd}")[..], b"},{\"userid\":\"b\",\"id\":8}"].concat();
    let lists: Vec<u8> = [b"\"userlist\":[", &rows[..], b"],\"department\":[", &rows, b"],"].concat();
    let one = [b"{\"errcode\":0,", &row("lisi")[..], b"}"].concat();
    let all = [b"{\"errcode\":0,", &lists[..], b"\"errmsg\":\"ok\"}"].concat();
    let wecom = WeCom::with_tokens(move |seen| {
        Reply::Body(if seen.path == "user/get" { one.clone() } else { all.clone() })
    })
    .await;
    let calls = wecom.client().within(Budget::background());
    assert_eq!(calls.user(&user_id("lisi")).await.unwrap().name.as_deref(), Some(name));
    let users = calls.users_in(DepartmentId(1)).await.unwrap();
    assert_eq!((users[0].name.as_deref(), users[1].user_id.as_str()), (Some(name), "b"));
    assert_eq!((users.len(), users.skipped(), users.lost()), (2, 1, &["li\u{fffd}".to_owned()][..]));
    let departments = calls.departments(None).await.unwrap();
    assert_eq!(
        (departments.len(), departments[0].name.as_deref(), departments.skipped()),
        (3, Some(name), 0)
    );
}

#[rstest::rstest]
#[case(r#"{"errcode":0}"#)]
#[case(r#"{"errcode":0,"userlist":null,"department":null,"department_id":null}"#)]
#[case(r#"{"errcode":0,"userlist":[],"department":[],"department_id":[]}"#)]
#[tokio::test]
async fn an_absent_list_is_an_empty_one(#[case] answer: &'static str) {
    let (_wecom, calls) = calls(answer).await;
    assert!(calls.users_in(DepartmentId(1)).await.unwrap().is_empty());
    assert!(calls.departments(None).await.unwrap().is_empty());
    assert!(calls.department_ids(None).await.unwrap().is_empty());
}

#[tokio::test]
async fn departments_and_their_tree() {
    let wecom = WeCom::with_tokens(|seen| {
        json(match seen.path.as_str() {
            "department/list" => {
                r#"{"errcode":0,"department":[{"id":2,"name":"广州","name_en":"GZ","parentid":1,"order":10,
                "department_leader":["zhangsan"]},{"id":"1","name":"","parentid":0}]}"#
            }
            "department/simplelist" => r#"{"errcode":0,"department_id":[{"id":2,"parentid":1,"order":10}]}"#,
            _ => r#"{"errcode":0,"department":{"id":2,"name":"广州","parentid":1}}"#,
        })
    })
    .await;
    let calls = wecom.client().within(Budget::background());
    let departments = calls.departments(None).await.unwrap();
    assert_eq!(departments[0].leaders, [user_id("zhangsan")]);
    assert_eq!((departments[0].parent_id, departments[0].order), (Some(DepartmentId(1)), Some(10)));
    assert_eq!((departments[1].id, departments[1].parent_id), (DepartmentId(1), None));
    assert_eq!(departments[1].name, None);
    assert_eq!(
        calls.department_ids(Some(DepartmentId(2))).await.unwrap()[0].parent_id,
        Some(DepartmentId(1))
    );
    assert_eq!(calls.department(DepartmentId(2)).await.unwrap().name.as_deref(), Some("广州"));
    let queries: Vec<_> = wecom.requests().iter().map(|seen| seen.get("id").to_owned()).collect();
    assert_eq!(queries, ["", "", "2", "2"]);
}

#[tokio::test]
async fn an_app_shows_its_visible_scope() {
    let (_wecom, calls) = calls(
        r#"{"errcode":0,"agentid":1000002,"name":"登录","close":0,"redirect_domain":"app.example.com","home_url":"",
        "allow_userinfos":{"user":[{"userid":"zhangsan"},{}]},"allow_partys":{"partyid":[1,2]},"allow_tags":{"tagid":[3]}}"#,
    )
    .await;
    let agent = calls.agent(&AgentId::parse("1000002").unwrap()).await.unwrap();
    assert_eq!(agent.agent_id, Some(AgentId::parse("1000002").unwrap()));
    assert_eq!(agent.visible_users, [user_id("zhangsan")]);
    assert_eq!(agent.visible_departments, [DepartmentId(1), DepartmentId(2)]);
    assert_eq!(agent.visible_tags, [3]);
    assert!(!agent.closed && agent.home_url.is_none());
}

#[tokio::test]
async fn hard_values_arrive_as_they_are() {
    let (wecom, calls) = calls(r#"{"errcode":0,"userid":"a"}"#).await;
    let code = "a&b=c+d%20#?/~";
    calls.identify(&AuthCode::parse(code).unwrap()).await.unwrap();
    assert_eq!(wecom.requests().pop().unwrap().get("code"), code);
}

#[tokio::test]
async fn an_answer_beyond_the_cap_is_not_taken() {
    let wecom = WeCom::with_tokens(|_| {
        Reply::Body(format!(r#"{{"errcode":0,"userid":"a","x":"{}"}}"#, " ".repeat(70_000)).into_bytes())
    })
    .await;
    let calls = wecom.client().within(Budget::sign_in());
    let error = calls.identify(&AuthCode::parse("CODE").unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("larger than 65536 bytes"), "{error}");
    calls.user(&user_id("a")).await.unwrap();
}

#[tokio::test]
async fn everybody_comes_page_by_page() {
    let wecom = WeCom::with_tokens(|seen| {
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        assert_eq!(body["limit"], 10_000);
        json(match body["cursor"].as_str().unwrap() {
            "" => r#"{"errcode":0,"next_cursor":"c1","dept_user":[{"userid":"zhangsan","department":1},{"userid":"ZhangSan","department":"2"},{"department":1}]}"#,
            "c1" => r#"{"errcode":0,"next_cursor":"","dept_user":[{"userid":"lisi","department":2}]}"#,
            other => panic!("{other}"),
        })
    })
    .await;
    let calls = wecom.client().within(Budget::background());
    let first = calls.memberships(None).await.unwrap();
    assert_eq!((first.rows.len(), first.rows.skipped()), (2, 1));
    assert_eq!((&first.rows[1].user_id, first.rows[1].department), (&user_id("zhangsan"), DepartmentId(2)));
    let last = calls.memberships(first.next_cursor.as_deref()).await.unwrap();
    assert_eq!((last.rows[0].user_id.clone(), last.next_cursor), (user_id("lisi"), None));
}

#[tokio::test]
async fn a_tag_names_members_and_departments() {
    let answer = r#"{"errcode":0,"tagname":"值班","userlist":[{"userid":"zhangsan","name":"张三"},{"name":"?"}],"partylist":[2,"3"]}"#;
    let (wecom, calls) = calls(answer).await;
    let tag = calls.tag(7).await.unwrap();
    assert_eq!(wecom.requests().last().unwrap().get("tagid"), "7");
    assert_eq!(tag.name.as_deref(), Some("值班"));
    assert_eq!((&tag.users[..], tag.users.skipped()), (&[user_id("zhangsan")][..], 1));
    assert_eq!(tag.departments, [DepartmentId(2), DepartmentId(3)]);
}

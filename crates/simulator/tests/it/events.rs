//! What is pushed, to whom, and how often.

use std::time::Duration;

use serde_json::{Value, json};
use wecom::callback::Message;
use wecom_login_simulator::{
    App, By, Callback, CallbackRefused, Change, Department, EventState, Member, Receiver, Rule, Scope,
    Simulator, Tag, sample,
};

use crate::browser::{get, post, send, start};
use crate::inbox::{AES_KEY, Inbox, TOKEN};

const APP: Receiver = Receiver::App(sample::AGENT_ID);

fn change(sim: &Simulator, change: Change) {
    sim.change(sample::CORP_ID, change, By::Console).unwrap();
}

fn edited(sim: &Simulator, userid: &str, edit: impl FnOnce(&mut Member)) -> Change {
    let mut member =
        sim.edit(sample::CORP_ID, |company| company.member(userid).unwrap().into_owned()).unwrap();
    edit(&mut member);
    Change::EditMember { userid: userid.to_owned(), member: Box::new(member) }
}

fn scoped(sim: &Simulator, scope: Scope) -> Change {
    let app: App =
        sim.edit(sample::CORP_ID, |company| company.app(sample::AGENT_ID).unwrap().clone()).unwrap();
    Change::EditApp(Box::new(App { scope, ..app }))
}

/// The event's fields after those that all have.
fn fields(event: &Message) -> Vec<(&str, &str)> {
    let all: Vec<_> = event.fields().collect();
    assert_eq!((event.get("ToUserName"), event.get("MsgType")), (Some(sample::CORP_ID), Some("event")));
    all.into_iter().skip(5).collect()
}

#[tokio::test]
async fn a_setting_is_saved_only_when_the_text_comes_back_to_the_byte() {
    let sim = start().await;
    let mut inbox = Inbox::open().await;
    let too_late = Duration::from_secs(1);
    for (status, before, after, why) in [
        (200, "\"", "\"", "quotes"),
        (200, "\u{feff}", "", "byte order mark"),
        (200, "", "\n", "line end"),
        (200, "x", "", "not the decrypted"),
        (500, "", "", "500"),
        (0, "", "", "1 second"),
    ] {
        let save = sim.save_callback(sample::CORP_ID, APP, inbox.setting(Rule::New));
        let check = async {
            let check = inbox.next().await;
            let echo = format!("{before}{}{after}", check.echo());
            assert!(check.echo().parse::<u64>().is_ok());
            if status == 0 {
                sim.advance(too_late);
                return Some(check);
            }
            check.answer(status, &echo);
            None
        };
        let (refused, _held) = tokio::join!(save, check);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    change(&sim, Change::RemoveMember("lisi".to_owned()));
    sim.events_settled().await;
    assert!(sim.events().is_empty());
}

#[tokio::test]
async fn a_setting_that_the_console_would_not_take_asks_nobody() {
    let sim = start().await;
    let good = Callback {
        url: "http://127.0.0.1:1/cb".to_owned(),
        token: TOKEN.to_owned(),
        aes_key: AES_KEY.to_owned(),
        rule: Rule::New,
    };
    for bad in [
        Callback { url: "http://198.51.100.1/cb".to_owned(), ..good.clone() },
        Callback { url: "http://portal.example.com/cb".to_owned(), ..good.clone() },
        Callback { token: String::new(), ..good.clone() },
        Callback { token: "x".repeat(33), ..good.clone() },
        Callback { token: "a-b".to_owned(), ..good.clone() },
        Callback { aes_key: AES_KEY[1..].to_owned(), ..good.clone() },
        Callback { aes_key: format!("{}=", &AES_KEY[1..]), ..good.clone() },
    ] {
        let refused = sim.save_callback(sample::CORP_ID, APP, bad).await.unwrap_err();
        assert!(matches!(refused, CallbackRefused::Invalid(_)), "{refused}");
    }
    let unreachable = sim.save_callback(sample::CORP_ID, APP, good).await.unwrap_err();
    assert!(matches!(unreachable, CallbackRefused::NotVerified(_)), "{unreachable}");
}

#[tokio::test]
async fn contact_sync_is_told_ids_and_departments_alone() {
    let sim = start().await;
    let mut inbox = Inbox::saved(&sim, Receiver::ContactSync, Rule::New).await;
    let mut told = async |make: Change| {
        change(&sim, make);
        let request = inbox.next().await;
        let event = request.event();
        assert_eq!((event.get("FromUserName"), event.get("Event")), (Some("sys"), Some("change_contact")));
        assert_eq!(request.agentid(), "");
        request.answer(200, "");
        fields(&event)
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        told(Change::AddMember(Box::new(Member {
            mobile: "1".to_owned(),
            ..Member::new("neu", "新", &[2, 3])
        })))
        .await,
        "ChangeType=create_user UserID=neu Department=2,3"
    );
    assert_eq!(
        told(edited(&sim, "neu", |member| member.department = vec![5])).await,
        "ChangeType=update_user UserID=neu Department=5"
    );
    assert_eq!(
        told(edited(&sim, "NEU", |member| member.userid = "alt".to_owned())).await,
        "ChangeType=update_user UserID=neu NewUserID=alt"
    );
    assert_eq!(told(Change::RemoveMember("alt".to_owned())).await, "ChangeType=delete_user UserID=alt");
    let department = Department { order: 9, ..Department::new(8, "八部", 2) };
    assert_eq!(
        told(Change::AddDepartment(department.clone())).await,
        "ChangeType=create_party Id=8 ParentId=2"
    );
    let department = Department { parentid: 3, ..department };
    assert_eq!(told(Change::EditDepartment(department)).await, "ChangeType=update_party Id=8 ParentId=3");
    assert_eq!(told(Change::RemoveDepartment(8)).await, "ChangeType=delete_party Id=8");
    let tag = Tag {
        tagid: 1,
        tagname: "改".to_owned(),
        members: vec!["zhangsan".to_owned(), "lisi".to_owned()],
        departments: vec![5, 6],
    };
    assert_eq!(
        told(Change::EditTag(tag)).await,
        "ChangeType=update_tag TagId=1 AddUserItems=lisi DelUserItems=wangwu AddPartyItems=5,6"
    );
    // Since 2022-08-15 nothing else is an event.
    change(&sim, edited(&sim, "zhangsan", |member| member.name = "张三丰".to_owned()));
    change(&sim, Change::EditDepartment(Department::new(5, "改名", 1)));
    sim.events_settled().await;
    inbox.assert_empty();
    assert!(sim.events().iter().all(|event| event.state == EventState::Delivered));
}

#[tokio::test]
async fn a_setting_of_old_is_told_every_field() {
    let sim = start().await;
    let mut inbox = Inbox::saved(&sim, Receiver::ContactSync, Rule::Old).await;
    let zhangsan = sim.edit(sample::CORP_ID, |company| company.remove_member("zhangsan").unwrap()).unwrap();
    change(&sim, Change::AddMember(Box::new(zhangsan)));
    let event = inbox.event().await;
    for (name, value) in [
        ("UserID", "zhangsan"),
        ("Name", "张三"),
        ("Department", "1,2"),
        ("MainDepartment", "1"),
        ("IsLeaderInDept", "0,1"),
        ("DirectLeader", "lisi"),
        ("Mobile", "13800000001"),
        ("Gender", "1"),
        ("Status", "1"),
        ("Alias", "jack"),
        ("ExtAttr/Item/Name", "工号"),
        ("ExtAttr/Item/Text/Value", "YF0001"),
    ] {
        assert_eq!(event.get(name), Some(value), "{name}");
    }
    change(&sim, edited(&sim, "zhangsan", |member| member.position = "架构师".to_owned()));
    let event = inbox.event().await;
    assert_eq!(
        fields(&event),
        [("ChangeType", "update_user"), ("UserID", "zhangsan"), ("Position", "架构师")]
    );
    change(&sim, Change::AddDepartment(Department { order: 9, ..Department::new(8, "八部", 2) }));
    let event = inbox.event().await;
    let expected =
        [("ChangeType", "create_party"), ("Id", "8"), ("Name", "八部"), ("ParentId", "2"), ("Order", "9")];
    assert_eq!(fields(&event), expected);
    change(&sim, Change::EditDepartment(Department::new(8, "改名", 2)));
    assert_eq!(fields(&inbox.event().await), [("ChangeType", "update_party"), ("Id", "8"), ("Name", "改名")]);
}

#[tokio::test]
async fn an_app_is_told_who_enters_and_leaves_its_scope() {
    let sim = start().await;
    let mut inbox = Inbox::saved(&sim, APP, Rule::New).await;
    let mut told = async |make: Change, count: usize| {
        change(&sim, make);
        let mut events = Vec::new();
        for _ in 0..count {
            let request = inbox.next().await;
            let event = request.event();
            assert_eq!(event.get("AgentID"), Some("1000002"));
            assert_eq!(request.agentid(), "1000002");
            request.answer(200, "");
            events.push(format!("{} {}", event.get("Event").unwrap(), event.get("FromUserName").unwrap()));
        }
        sim.events_settled().await;
        inbox.assert_empty();
        events.sort_unstable();
        events
    };
    let moved = edited(&sim, "chenjiu", |member| member.department = vec![3]);
    assert_eq!(told(moved, 1).await, ["subscribe chenjiu"]);
    assert_eq!(told(Change::RemoveMember("lisi".to_owned()), 1).await, ["unsubscribe lisi"]);
    let renamed = edited(&sim, "chenjiu", |member| member.name = "陈久".to_owned());
    assert_eq!(told(renamed, 0).await, Vec::<String>::new());
    let narrow =
        scoped(&sim, Scope { departments: vec![2], members: vec!["wu10".to_owned()], tags: vec![2] });
    assert_eq!(told(narrow, 1).await, ["unsubscribe sunba"]);
    // Department 4 leaves the tree of department 2; who is in 3 as well stays.
    let cut = Change::EditDepartment(Department::new(3, "前端组", 1));
    assert_eq!(told(cut, 2).await, ["unsubscribe Ouyang.Na", "unsubscribe chenjiu"]);
    let tag = Tag {
        tagid: 2,
        tagname: "年会筹备".to_owned(),
        members: vec!["sunba".to_owned()],
        departments: vec![],
    };
    let expected = ["subscribe sunba", "unsubscribe qianqi", "unsubscribe zhaoliu"];
    assert_eq!(told(Change::EditTag(tag), 3).await, expected);
}

#[tokio::test]
async fn contact_sync_is_not_told_what_it_did_itself() {
    let sim = start().await;
    let mut sync = Inbox::saved(&sim, Receiver::ContactSync, Rule::New).await;
    let mut app = Inbox::saved(&sim, APP, Rule::New).await;
    sim.change(sample::CORP_ID, Change::RemoveMember("lisi".to_owned()), By::ContactSync).unwrap();
    assert_eq!(app.event().await.get("Event"), Some("unsubscribe"));
    let answer = send(&sim, "DELETE", "/_sim/members/wangwu?by=contact_sync", &[], "").await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(app.event().await.get("FromUserName"), Some("wangwu"));
    sim.events_settled().await;
    sync.assert_empty();
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_is_asked_three_times() {
    let sim = start().await;
    let mut inbox = Inbox::saved(&sim, Receiver::ContactSync, Rule::New).await;
    change(&sim, Change::RemoveMember("lisi".to_owned()));
    let mut held = Vec::new();
    for _ in 0..3 {
        let request = inbox.next().await;
        assert_eq!(request.event().get("UserID"), Some("lisi"));
        // Each try is encrypted anew.
        assert!(
            held.iter()
                .all(|other: &crate::inbox::Request| other.parameter("nonce") != request.parameter("nonce"))
        );
        held.push(request);
        sim.advance(Duration::from_secs(5));
    }
    sim.events_settled().await;
    inbox.assert_empty();
    let event = sim.events().pop().unwrap();
    assert_eq!(
        (event.state, event.tries),
        (EventState::GivenUp, vec!["no answer within 5 seconds".to_owned(); 3])
    );
}

#[tokio::test]
async fn whether_a_bad_status_is_tried_again_is_a_switch() {
    let sim = start().await;
    let mut inbox = Inbox::saved(&sim, Receiver::ContactSync, Rule::New).await;
    change(&sim, Change::RemoveMember("lisi".to_owned()));
    inbox.next().await.answer(500, "");
    sim.events_settled().await;
    inbox.assert_empty();
    assert_eq!(sim.events().pop().unwrap().tries, ["500"]);

    sim.behave(|behaviour| behaviour.callback_retries_status = true);
    change(&sim, Change::RemoveMember("wangwu".to_owned()));
    inbox.next().await.answer(503, "");
    inbox.next().await.answer(200, "");
    sim.events_settled().await;
    let event = sim.events().pop().unwrap();
    assert_eq!((event.state, event.tries), (EventState::Delivered, vec!["503".to_owned(), "200".to_owned()]));
}

#[tokio::test]
async fn events_come_twice_and_out_of_order_when_asked_to() {
    let sim = start().await;
    let mut inbox = Inbox::saved(&sim, Receiver::ContactSync, Rule::New).await;
    sim.hold_events();
    for userid in ["lisi", "wangwu", "qianqi"] {
        change(&sim, Change::RemoveMember(userid.to_owned()));
    }
    let ids: Vec<u64> = sim.events().iter().map(|event| event.id).collect();
    assert!(sim.events().iter().all(|event| event.state == EventState::Held));
    let order = json!({"ids": [ids[2], ids[0], ids[2]]}).to_string();
    assert_eq!(post(&sim, "/_sim/events/release", &order).await.status, 200);
    for userid in ["qianqi", "lisi", "qianqi"] {
        assert_eq!(inbox.event().await.get("UserID"), Some(userid));
    }
    sim.release_events();
    assert_eq!(inbox.event().await.get("UserID"), Some("wangwu"));
    sim.behave(|behaviour| behaviour.callback_copies = 2);
    change(&sim, Change::RemoveMember("zhangsan".to_owned()));
    let (one, two) = (inbox.next().await, async { inbox.next().await });
    let text = one.text();
    one.answer(200, "");
    assert_eq!(two.await.text(), text);
}

#[tokio::test]
async fn one_receiver_that_hangs_does_not_hold_up_another() {
    let sim = start().await;
    let mut sync = Inbox::saved(&sim, Receiver::ContactSync, Rule::New).await;
    let mut app = Inbox::saved(&sim, APP, Rule::New).await;
    change(&sim, Change::RemoveMember("lisi".to_owned()));
    let _held = sync.next().await;
    assert_eq!(app.event().await.get("FromUserName"), Some("lisi"));
    // A reset ends what is under way.
    sim.reset();
    sim.events_settled().await;
    assert!(sim.events().is_empty());
}

#[tokio::test]
async fn settings_and_events_are_controlled_over_http() {
    let sim = start().await;
    let mut inbox = Inbox::open().await;
    let setting = json!({"url": inbox.url, "token": TOKEN, "aes_key": AES_KEY}).to_string();
    for path in ["/_sim/contact-sync/callback", "/_sim/apps/1000002/callback"] {
        let check = async |good: bool| {
            let check = inbox.next().await;
            let echo = if good { check.echo() } else { String::new() };
            check.answer(200, &echo);
        };
        let save = async || send(&sim, "PUT", path, &[], &setting).await.unwrap().json();
        let mut check = check;
        let (refused, ()) = tokio::join!(save(), check(false));
        assert_eq!((&refused["saved"], &refused["errcode"]), (&json!(false), &json!(40057)), "{refused}");
        assert_eq!(get(&sim, path).await.status, 404);
        let (saved, ()) = tokio::join!(save(), check(true));
        assert_eq!(saved, json!({"saved": true}));
        assert_eq!(get(&sim, path).await.json(), json!({"url": inbox.url, "rule": "new"}));
    }
    // What a change of the contacts does by itself.
    assert_eq!(
        send(&sim, "PATCH", "/_sim/members/lisi", &[], r#"{"department": []}"#).await.unwrap().status,
        200
    );
    let mut events =
        [inbox.event().await, inbox.event().await].map(|event| event.get("Event").unwrap().to_owned());
    events.sort_unstable();
    assert_eq!(events, ["change_contact", "unsubscribe"]);
    // Any text at all.
    let own = json!({"xml": "<xml><Event>own</Event></xml>"}).to_string();
    assert_eq!(post(&sim, "/_sim/events", &own).await.status, 200);
    assert_eq!(inbox.event().await.get("Event"), Some("own"));
    let settled = post(&sim, "/_sim/events/settle", "").await.json();
    let states: Vec<&Value> =
        settled["events"].as_array().unwrap().iter().map(|event| &event["state"]).collect();
    assert_eq!(states, ["delivered", "delivered", "delivered"]);
    assert_eq!(send(&sim, "DELETE", "/_sim/contact-sync/callback", &[], "").await.unwrap().status, 200);
    assert_eq!(post(&sim, "/_sim/events", &own).await.status, 409);
    assert_eq!(post(&sim, "/_sim/events/release", r#"{"ids": [99]}"#).await.status, 404);
    assert_eq!(send(&sim, "PUT", "/_sim/apps/7/callback", &[], &setting).await.unwrap().status, 404);
    let elsewhere = setting.replace("127.0.0.1", "198.51.100.1");
    let refused = send(&sim, "PUT", "/_sim/contact-sync/callback", &[], &elsewhere).await.unwrap();
    assert!(refused.status == 400 && refused.body.contains("198.51.100.1"), "{refused:?}");
}

#[tokio::test]
async fn of_several_changes_all_are_made_or_none() {
    let sim = start().await;
    let list = json!([{"userid": "neu", "department": [1]}, {"userid": "lisi", "department": [1]}]);
    assert_eq!(post(&sim, "/_sim/members", &list.to_string()).await.status, 409);
    assert_eq!(get(&sim, "/_sim/members/neu").await.status, 404);
}

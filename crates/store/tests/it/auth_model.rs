//! The member model: what each operator means, what a session shows, and that nothing from outside becomes SQL.

use std::time::Duration;

use wecom_login_auth_model::filter::{Filter, MAX_DEPTH, MAX_VALUES};
use wecom_login_auth_model::{AuthRow, AuthRows, Order, Page, Query};
use wecom_login_model::{CorpId, DepartmentId, Fingerprint, MemberStatus, Profile, Timestamp, UserId};
use wecom_login_store::{EndReason, NewSession, Store};

use crate::NOW;
use crate::backends::{Fresh, REGISTERS, begin_session, on_every_database, save_member};
use crate::organisation::agent;

on_every_database![
    every_operator_finds_the_rows_it_means_in_both_grammars,
    and_or_and_parentheses_reach_the_database,
    rows_come_in_order_and_in_pages,
    get_gives_the_first_row_or_none,
    companies_are_apart_unless_every_one_is_asked_for,
    the_latest_live_session_shows_until_it_ends,
    sessions_can_be_asked_for_and_ordered_by,
    the_largest_filters_are_answered,
    texts_that_look_like_sql_are_texts,
];

const HOUR: Duration = Duration::from_hours(1);

fn corp(text: &str) -> CorpId {
    CorpId::parse(text).unwrap()
}

fn user(text: &str) -> UserId {
    UserId::parse(text).unwrap()
}

fn query(filter: &str) -> Query {
    Query::of(filter.parse().unwrap())
}

/// Three members of wwA, ids 1 to 3, and their namesake in wwB.
async fn company(store: &Store) {
    let save = async |corp_id: &str, user_id: &str, profile: Profile, now: Timestamp| {
        save_member(store, &corp(corp_id), &user(user_id), &profile, now, &agent("7")).await;
    };
    let zhangsan = Profile {
        name: "张三".into(),
        mobile: "13800000000".into(),
        email: "z_s@example.com".into(),
        position: "100% 工程师".into(),
        gender: "1".into(),
        departments: vec![DepartmentId(2), DepartmentId(13)],
        leads: vec![DepartmentId(13)],
        status: Some(MemberStatus::Active),
        ..Profile::default()
    };
    let lisi = Profile {
        name: "李四".into(),
        departments: vec![DepartmentId(1)],
        status: Some(MemberStatus::NotActivated),
        ..Profile::default()
    };
    let outside = Profile { name: "O'Brien".into(), ..Profile::default() };
    save("wwA", "ZhangSan", zhangsan.clone(), NOW).await;
    save("wwA", "lisi", lisi, NOW + HOUR).await;
    save("wwA", "obrien", outside, NOW + HOUR * 2).await;
    save("wwB", "zhangsan", zhangsan, NOW + HOUR * 3).await;
}

async fn begin(store: &Store, id: &str, corp_id: &str, user_id: &str, at: Timestamp) {
    let session = NewSession {
        id,
        token_hash: Fingerprint::of(id),
        sign_in: None,
        corp_id: &corp(corp_id),
        user_id: &user(user_id),
        instance: "auths.loginTypes.Example",
        agent_id: &agent("7"),
        created_at: at,
        idle_until: at + HOUR * 2,
        expires_at: at + HOUR * 24,
        account: REGISTERS,
        former: None,
    };
    begin_session(store, &session).await.unwrap();
}

async fn rows(store: &Store, query: &Query) -> AuthRows {
    store.auth_rows(Some((&corp("wwA"), &agent("7"))), query, NOW).await.unwrap()
}

/// Who of wwA is meant, in order.
async fn who(store: &Store, query: &Query) -> Vec<String> {
    let found = rows(store, query).await;
    found.rows.iter().map(|row| row.user_id.as_str().to_owned()).collect()
}

const ALL: [&str; 3] = ["ZhangSan", "lisi", "obrien"];
const NONE: [&str; 0] = [];

async fn every_operator_finds_the_rows_it_means_in_both_grammars(fresh: Fresh) {
    let store = &fresh.store;
    company(store).await;
    let cases: [(&str, &str, &[&str]); 41] = [
        ("Q(userId='zhangsan')", "Q('userId', '=', 'ZHANGSAN')", &["ZhangSan"]),
        ("Q(userId__ne='zhangsan')", "Q('userId', '!=', 'zhangSan')", &["lisi", "obrien"]),
        ("Q(userId__lt='OBRIEN')", "Q('userId', '<', 'OBRIEN')", &["lisi"]),
        ("Q(userId__in=['LISI', 'x'])", "Q('userId', 'in', ['LISI', 'x'])", &["lisi"]),
        ("Q(userId__like='SA')", "Q('userId', 'like', 'SA')", &["ZhangSan"]),
        ("Q(userId__startswith='zHANG')", "Q('userId', 'startswith', 'zHANG')", &["ZhangSan"]),
        ("Q(id=2)", "Q('id', '=', 2)", &["lisi"]),
        ("Q(id__ne=2)", "Q('id', '!=', 2)", &["ZhangSan", "obrien"]),
        ("Q(id__lt=2)", "Q('id', '<', 2)", &["ZhangSan"]),
        ("Q(id__lte=2)", "Q('id', '<=', 2)", &["ZhangSan", "lisi"]),
        ("Q(id__gt=2)", "Q('id', '>', 2)", &["obrien"]),
        ("Q(id__gte=2)", "Q('id', '>=', 2)", &["lisi", "obrien"]),
        ("Q(id__in=[1, 3, 99])", "Q('id', 'in', [1, 3, 99])", &["ZhangSan", "obrien"]),
        ("Q(id__in=[])", "Q('id', 'in', [])", &NONE),
        ("Q(id__nin=[1, 3, 99])", "Q('id', 'nin', [1, 3, 99])", &["lisi"]),
        ("Q(id__nin=[])", "Q('id', 'nin', [])", &ALL),
        ("Q(id__isnull=True)", "Q('id', 'isnull', 1)", &NONE),
        ("Q(name='张三')", "Q('name', '=', '张三')", &["ZhangSan"]),
        ("Q(name=\"O'Brien\")", "Q('name', '=', 'O\\'Brien')", &["obrien"]),
        ("Q(name__like='三')", "Q('name', 'like', '%三')", &["ZhangSan"]),
        ("Q(name__like='o\\'b')", "Q('name', 'like', 'o%n')", &["obrien"]),
        ("Q(name__startswith='李')", "Q('name', 'like', '李%')", &["lisi"]),
        ("Q(name__startswith='三')", "Q('name', 'like', '三%')", &NONE),
        ("Q(position__like='100\\\\%')", "Q('position', 'like', '100\\\\%')", &["ZhangSan"]),
        ("Q(email__like='z_s')", "Q('email', 'like', 'z_s')", &["ZhangSan"]),
        ("Q(mobile__like='13_000')", "Q('email', 'like', 'z!s')", &NONE),
        ("Q(mobile__isnull=True)", "Q('mobile', '=', None)", &["lisi", "obrien"]),
        ("Q(mobile__isnull=False)", "Q('mobile', '!=', '')", &["ZhangSan"]),
        ("Q(gender='1')", "Q('gender', '>', '0')", &["ZhangSan"]),
        ("Q(status=4)", "Q('status', '>', 1)", &["lisi"]),
        ("Q(status__ne=4)", "Q('status', 'nin', [4])", &["ZhangSan", "obrien"]),
        ("Q(status__isnull=1)", "Q('status', '=', None)", &["obrien"]),
        ("Q(status__in=[1, None])", "Q('status', '!=', 4)", &["ZhangSan", "obrien"]),
        ("Q(status__nin=[1, None])", "Q('status', 'nin', [None, 1])", &["lisi"]),
        ("Q(isLeader=True)", "Q('isLeader', '=', 1)", &["ZhangSan"]),
        ("Q(isLeader=None)", "Q('isLeader', 'isnull', True)", &["lisi", "obrien"]),
        ("Q(department=1)", "Q('department', 'in', [1, 3])", &["lisi"]),
        ("Q(department__ne=13)", "Q('department', 'nin', [13])", &["lisi", "obrien"]),
        ("Q(department__isnull=True)", "Q('department', '=', None)", &["obrien"]),
        ("Q(createdAt__gt=1800000000000)", "Q('updatedAt', '>', 1800000000000)", &["lisi", "obrien"]),
        ("Q()", "Q('refreshToken', 'isnull', 1)", &ALL),
    ];
    for (keywords, list, expected) in cases {
        assert_eq!(who(store, &query(keywords)).await, expected, "{keywords}");
        assert_eq!(who(store, &query(&format!("Q({list})"))).await, expected, "{list}");
    }
}

async fn and_or_and_parentheses_reach_the_database(fresh: Fresh) {
    let store = &fresh.store;
    company(store).await;
    for (filter, expected) in [
        ("Q(status=1, isLeader=True)", &["ZhangSan"][..]),
        ("Q(Q(id=1), Q.OR, Q(id=2), Q.AND, Q(status=1))", &["ZhangSan"]),
        ("Q(Q(Q(id=1), Q.OR, Q(id=2)), Q.AND, Q(status=4))", &["lisi"]),
        ("Q(Q(id=3), Q.OR, Q('name', 'startswith', '李'))", &["lisi", "obrien"]),
    ] {
        assert_eq!(who(store, &query(filter)).await, expected, "{filter}");
    }
}

async fn rows_come_in_order_and_in_pages(fresh: Fresh) {
    let store = &fresh.store;
    company(store).await;
    let ordered = |orders: &[(&str, i64)]| Query {
        order: orders.iter().map(|(name, direction)| Order::parse(name, *direction).unwrap()).collect(),
        ..query("Q()")
    };
    let by = async |orders: &[(&str, i64)]| who(store, &ordered(orders)).await;
    assert_eq!(by(&[]).await, ALL);
    assert_eq!(by(&[("id", -1)]).await, ["obrien", "lisi", "ZhangSan"]);
    assert_eq!(by(&[("userId", 1)]).await, ["lisi", "obrien", "ZhangSan"], "without case");
    assert_eq!(by(&[("status", 1)]).await, ["obrien", "ZhangSan", "lisi"], "null first");
    assert_eq!(by(&[("status", -1)]).await, ["lisi", "ZhangSan", "obrien"], "null last");
    assert_eq!(by(&[("gender", 1)]).await, ["lisi", "obrien", "ZhangSan"], "ties by id");
    assert_eq!(by(&[("gender", 1), ("name", 1), ("gender", -1)]).await, ["obrien", "lisi", "ZhangSan"]);
    assert_eq!(by(&[("isLeader", -1), ("refreshToken", -1)]).await, ALL);

    let page = async |number, size| {
        let found = rows(store, &Query { page: Page::new(number, size).unwrap(), ..query("Q()") }).await;
        (found.rows.iter().map(|row| row.id).collect::<Vec<_>>(), found.total_count)
    };
    assert_eq!(page(1, 2).await, (vec![1, 2], 3));
    assert_eq!(page(2, 2).await, (vec![3], 3));
    assert_eq!(page(3, 2).await, (vec![], 3), "the count stays beyond the end");
    assert_eq!(page(i64::from(u32::MAX), 1000).await, (vec![], 3));
}

async fn get_gives_the_first_row_or_none(fresh: Fresh) {
    let store = &fresh.store;
    company(store).await;
    let first = async |filter: &str, order: &[Order]| {
        let filter: Filter = filter.parse().unwrap();
        store
            .auth_row(Some((&corp("wwA"), &agent("7"))), &filter, order, NOW)
            .await
            .unwrap()
            .map(|row: AuthRow| row.id)
    };
    assert_eq!(first("Q()", &[]).await, Some(1));
    assert_eq!(first("Q()", &[Order::parse("id", -1).unwrap()]).await, Some(3));
    assert_eq!(first("Q(id=99)", &[]).await, None);
    assert_eq!(first("Q(name='张三')", &[]).await, Some(1), "never the other company's");
}

async fn companies_are_apart_unless_every_one_is_asked_for(fresh: Fresh) {
    let store = &fresh.store;
    company(store).await;
    begin(store, "s1", "wwB", "zhangsan", NOW).await;
    let everything = query("Q(Q(userId='zhangsan'), Q.OR, Q(id__gt=0))");
    let app = agent("7");
    let found = async |company: Option<&CorpId>| {
        let found = store.auth_rows(company.map(|company| (company, &app)), &everything, NOW).await.unwrap();
        found.rows.iter().map(|row| (row.id, row.expires_at.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(found(Some(&corp("wwA"))).await, [(1, false), (2, false), (3, false)]);
    assert_eq!(found(Some(&corp("wwB"))).await, [(4, true)]);
    assert_eq!(found(Some(&corp("wwC"))).await, []);
    assert_eq!(found(None).await.len(), 4);
}

async fn the_latest_live_session_shows_until_it_ends(fresh: Fresh) {
    let store = &fresh.store;
    company(store).await;
    let shown = async |now| {
        let rows = store
            .auth_rows(Some((&corp("wwA"), &agent("7"))), &query("Q(userId='zhangsan')"), now)
            .await
            .unwrap();
        let [row] = rows.rows.try_into().unwrap();
        assert_eq!(row.refresh_token.expose(), "");
        (row.access_token.expose().to_owned(), row.expires_at)
    };
    let nothing = (String::new(), None);
    let session = |id: &str, at: Timestamp| (Fingerprint::of(id).to_hex(), Some(at + HOUR * 24));
    assert_eq!(shown(NOW).await, nothing);

    begin(store, "older", "wwA", "zhangsan", NOW).await;
    begin(store, "newer", "wwA", "ZHANGSAN", NOW + HOUR).await;
    begin(store, "another's", "wwA", "lisi", NOW + HOUR).await;
    assert_eq!(shown(NOW + HOUR).await, session("newer", NOW + HOUR), "the latest of two");
    store.touch_session("older", NOW + HOUR * 100).await.unwrap();
    assert_eq!(shown(NOW + HOUR * 2).await, session("newer", NOW + HOUR), "use does not make it the latest");
    assert_eq!(shown(NOW + HOUR * 3).await, session("older", NOW), "the newer one has idled out");
    assert_eq!(shown(NOW + HOUR * 24).await, nothing, "the older one has expired");

    assert!(store.end_session("newer", NOW, EndReason::Logout).await.unwrap());
    assert_eq!(shown(NOW + HOUR).await, session("older", NOW));
    assert!(store.end_session("older", NOW, EndReason::Logout).await.unwrap());
    assert_eq!(shown(NOW + HOUR).await, nothing);
}

async fn sessions_can_be_asked_for_and_ordered_by(fresh: Fresh) {
    let store = &fresh.store;
    company(store).await;
    begin(store, "s1", "wwA", "lisi", NOW).await;
    begin(store, "s2", "wwA", "obrien", NOW + HOUR).await;
    let hash = Fingerprint::of("s1").to_hex();
    for (filter, expected) in [
        (format!("Q(accessToken='{hash}')"), &["lisi"][..]),
        ("Q(accessToken__isnull=True)".into(), &["ZhangSan"]),
        ("Q(expiresAt__isnull=True)".into(), &["ZhangSan"]),
        ("Q(expiresAt__isnull=False)".into(), &["lisi", "obrien"]),
        (format!("Q(expiresAt__lte={})", (NOW + HOUR * 24).as_millis()), &["lisi"]),
        (format!("Q(expiresAt__ne={})", (NOW + HOUR * 24).as_millis()), &["ZhangSan", "obrien"]),
    ] {
        assert_eq!(who(store, &query(&filter)).await, expected, "{filter}");
    }
    let latest_first = Query { order: vec![Order::parse("expiresAt", -1).unwrap()], ..query("Q()") };
    assert_eq!(who(store, &latest_first).await, ["obrien", "lisi", "ZhangSan"]);
}

async fn the_largest_filters_are_answered(fresh: Fresh) {
    let store = &fresh.store;
    company(store).await;
    let numbers = (1..=MAX_VALUES).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(who(store, &query(&format!("Q(department__in=[{numbers}])"))).await, ["ZhangSan", "lisi"]);
    assert_eq!(who(store, &query(&format!("Q(department__nin=[{numbers}])"))).await, ["obrien"]);
    assert_eq!(who(store, &query(&format!("Q(id__in=[{numbers}])"))).await, ALL);
    let many = vec!["Q(id=3)"; 255].join(", Q.OR, ");
    assert_eq!(who(store, &query(&format!("Q({many}, Q.OR, Q(id=1))"))).await, ["ZhangSan", "obrien"]);

    let mut deepest: Filter = "Q(id=2)".parse().unwrap();
    for level in 0..MAX_DEPTH {
        deepest = if level % 2 == 0 {
            Filter::all([deepest, "Q(id__gt=0)".parse().unwrap()]).unwrap()
        } else {
            Filter::any([deepest, "Q(id__lt=0)".parse().unwrap()]).unwrap()
        };
    }
    assert_eq!(who(store, &Query::of(deepest)).await, ["lisi"]);
}

const INJECTIONS: [&str; 14] = [
    "'",
    "''",
    "\"",
    "\\",
    "\\'",
    "' OR '1'='1",
    "x' OR 1=1 --",
    "x'; DROP TABLE members; --",
    "\"; DROP TABLE members; --",
    "%' ESCAPE '!' OR '1'='1",
    "') OR 1=1 --",
    "1 OR 1=1",
    "$1",
    "?1 /* :x @y */ \u{2019}; SELECT token_hash FROM sessions",
];

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

async fn texts_that_look_like_sql_are_texts(fresh: Fresh) {
    let store = &fresh.store;
    company(store).await;
    for text in INJECTIONS {
        let named = Profile { name: text.into(), position: format!("a{text}b"), ..Profile::default() };
        let id = save_member(store, &corp("wwA"), &user("named"), &named, NOW, &agent("7")).await.id;
        let value = quoted(text);
        let found = async |filter: String| {
            let rows = rows(store, &query(&filter)).await.rows;
            rows.iter().map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(found(format!("Q(name={value})")).await, [id], "{text}");
        assert_eq!(found(format!("Q(name__in=[{value}, 'x'])")).await, [id], "{text}");
        assert_eq!(found(format!("Q(name__startswith={value}, id={id})")).await, [id], "{text}");
        assert_eq!(found(format!("Q(name__gte={value}, name__lte={value})")).await, [id], "{text}");
        assert_eq!(
            found(format!("Q(Q('position', 'startswith', {}))", quoted(&format!("a{text}b")))).await,
            [id]
        );
        for field in ["userId", "mobile", "email", "avatar", "gender", "accessToken", "refreshToken"] {
            for operator in ["=", "in", "like", "startswith"] {
                let value = if operator == "in" { format!("[{value}]") } else { value.clone() };
                assert_eq!(
                    found(format!("Q('{field}', '{operator}', {value})")).await,
                    [0; 0],
                    "{field} {text}"
                );
            }
            assert_eq!(
                found(format!("Q({field}__ne={value}, id__lte=3)")).await,
                [1, 2, 3],
                "{field} {text}"
            );
        }
        for field in ["id", "status", "isLeader", "department", "expiresAt", "createdAt", "updatedAt"] {
            assert!(format!("Q({field}={value})").parse::<Filter>().is_err(), "{field} {text}");
            assert!(format!("Q({field}__in=[{value}])").parse::<Filter>().is_err(), "{field} {text}");
        }
    }
    assert_eq!(rows(store, &query("Q()")).await.total_count, 4, "the table is still there");
}

#[test]
fn what_is_no_field_or_operator_never_gets_as_far() {
    for text in INJECTIONS {
        for filter in [
            format!("Q({text}=1)"),
            format!("Q(id__{text}=1)"),
            format!("Q(id=1{text})"),
            format!("Q(id=1){text}"),
            format!("Q({}, '=', 1)", quoted(text)),
            format!("Q({}, '=', 1)", quoted(&format!("id{text}"))),
            format!("Q('id', {}, 1)", quoted(text)),
            format!("Q('id', {}, 1)", quoted(&format!("={text}"))),
            format!("Q(Q(id=1), Q.AND{text}, Q(id=2))"),
        ] {
            assert!(filter.parse::<Filter>().is_err(), "{filter}");
        }
        assert!(Order::parse(text, 1).is_err());
        assert!(Order::parse(&format!("id{text}"), 1).is_err());
        assert!(Query::fields_of([text]).is_err());
    }
}

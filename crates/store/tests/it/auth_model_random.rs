//! Random members, sessions and queries: the database gives what a plain reading of the filter over the rows in
//! memory gives.

use std::cmp::Ordering;
use std::time::Duration;

use proptest::prelude::*;
use wecom_login_auth_model::filter::{Condition, Filter, Operator, Relation, Scalar, Shape, Test, Value};
use wecom_login_auth_model::{AuthRow, Field, FieldKind, Order, Page, Query};
use wecom_login_model::{
    ContactFields, CorpId, DepartmentId, Fingerprint, MemberStatus, Profile, Secret, Timestamp, UserId,
};
use wecom_login_store::{EndReason, NewSession, Store};

use crate::backends::{REGISTERS, begin_session, save_member};

use crate::NOW;
use crate::backends::Backend;
use crate::organisation::agent;

const TEXTS: [&str; 16] =
    ["", "a", "A", "ab", "aB", "b%a", "%", "_", "a_b", "!", "\\", "'", "张", "张三", "三张", "É"];
const USER_IDS: [&str; 7] = ["a", "Ab", "aB1", "b.a", "C_d", "c-D", "Zz"];
const CORPS: [&str; 2] = ["wwA", "wwB"];
const NUMBERS: [i64; 9] = [-1, 0, 1, 2, 3, 4, 5, 12, i64::MAX];
const MINUTE: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
struct Someone {
    corp: &'static str,
    user: &'static str,
    profile: Profile,
    created: u32,
}

#[derive(Debug, Clone)]
struct Session {
    corp: &'static str,
    user: &'static str,
    created: u32,
    idle: u32,
    expires: u32,
    ended: bool,
}

#[derive(Debug, Clone, PartialEq)]
struct Expected {
    ids: Vec<i64>,
    total_count: u64,
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned)
}

fn departments() -> impl Strategy<Value = Vec<DepartmentId>> {
    let numbers = prop::sample::select(vec![1, 2, 3, 12, 22, -1]).prop_map(DepartmentId);
    prop::collection::vec(numbers, 0..4)
}

fn someone() -> impl Strategy<Value = Someone> {
    let texts = (text(), text(), text(), text(), text(), text());
    let status = prop::option::of(prop::sample::select(vec![1, 2, 4, 5, 12]).prop_map(MemberStatus::from));
    let who = (prop::sample::select(CORPS.to_vec()), prop::sample::select(USER_IDS.to_vec()));
    (who, texts, departments(), departments(), status, 0_u32..4).prop_map(
        |((corp, user), texts, departments, leads, status, created)| {
            let (name, position, mobile, email, avatar, gender) = texts;
            let profile = Profile {
                name,
                position,
                mobile,
                email,
                avatar,
                gender,
                departments,
                leads,
                status,
                ..Profile::default()
            };
            Someone { corp, user, profile, created }
        },
    )
}

fn session() -> impl Strategy<Value = Session> {
    let who = (prop::sample::select(CORPS.to_vec()), prop::sample::select(USER_IDS.to_vec()));
    // Now is minute 10: some have idled out or expired, and some end this very moment.
    (who, 0_u32..6, 8_u32..13, 8_u32..13, prop::bool::weighted(0.2)).prop_map(
        |((corp, user), created, idle, expires, ended)| Session { corp, user, created, idle, expires, ended },
    )
}

fn moment(minute: u32) -> Timestamp {
    NOW + MINUTE * minute
}

fn now() -> Timestamp {
    moment(10)
}

fn condition() -> impl Strategy<Value = Filter> {
    use Operator::{AtLeast, AtMost, Equal, Greater, In, IsNull, Less, Like, NotEqual, NotIn, StartsWith};
    let field = prop::sample::select(Field::ALL.to_vec());
    let asked = field.prop_flat_map(|field| {
        let mut operators = vec![Equal, NotEqual, In, NotIn, IsNull];
        if matches!(field.kind(), FieldKind::Text | FieldKind::Integer) {
            operators.extend([Less, AtMost, Greater, AtLeast]);
        }
        if field.kind() == FieldKind::Text {
            operators.extend([Like, StartsWith]);
        }
        (Just(field), prop::sample::select(operators))
    });
    asked.prop_flat_map(|(field, operator)| {
        let one = match field {
            _ if operator == IsNull => any::<bool>().prop_map(Value::Boolean).boxed(),
            Field::UserId => prop::sample::select(vec!["A", "ab", "AB1", "b.", "c_", "zz", "q", ""])
                .prop_map(|text| Value::Text(text.into()))
                .boxed(),
            Field::AccessToken => (0_usize..4)
                .prop_map(|session| {
                    let hash = Fingerprint::of(session.to_string()).to_hex();
                    Value::Text(hash[..if session == 3 { 1 } else { 64 }].into())
                })
                .boxed(),
            Field::ExpiresAt | Field::CreatedAt | Field::UpdatedAt => {
                (0_u32..13).prop_map(|minute| Value::Integer(moment(minute).as_millis())).boxed()
            }
            _ => match field.kind() {
                FieldKind::Text => {
                    let piece = prop::sample::select(TEXTS.to_vec());
                    prop_oneof![
                        2 => piece.clone().prop_map(str::to_owned),
                        1 => (piece.clone(), piece).prop_map(|(a, b)| format!("{a}%{b}")),
                    ]
                    .prop_map(Value::Text)
                    .boxed()
                }
                FieldKind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
                FieldKind::Integer | FieldKind::Departments => {
                    prop::sample::select(NUMBERS.to_vec()).prop_map(Value::Integer).boxed()
                }
            },
        };
        let nulls = u32::from(matches!(operator, Equal | NotEqual | In | NotIn));
        let one = prop_oneof![7 => one, nulls => Just(Value::Null)];
        let value = match operator {
            In | NotIn => prop::collection::vec(one, 0..4).prop_map(Value::List).boxed(),
            _ => one.boxed(),
        };
        value.prop_map(move |value| Condition::new(field, operator, value).unwrap().into())
    })
}

fn filter() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![12 => condition(), 1 => Just(Filter::everything())];
    leaf.prop_recursive(3, 12, 3, |inner| {
        (prop::collection::vec(inner, 1..4), any::<bool>()).prop_map(|(parts, all)| {
            if all { Filter::all(parts).unwrap() } else { Filter::any(parts).unwrap() }
        })
    })
}

fn query() -> impl Strategy<Value = Query> {
    let orders = Field::ALL.into_iter().flat_map(|field| [false, true].map(|way| Order::by(field, way).ok()));
    let order = prop::sample::select(orders.flatten().collect::<Vec<_>>());
    let page = (1_i64..4, prop_oneof![1_i64..4, Just(20)]);
    (filter(), prop::collection::vec(order, 0..4), page).prop_map(|(filter, order, (number, size))| Query {
        order,
        page: Page::new(number, size).unwrap(),
        ..Query::of(filter)
    })
}

// ---- the plain reading -------------------------------------------------------------------------------------------

/// A field's value in memory, as the model's page of meanings has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Datum {
    Null,
    Number(i64),
    Text(String),
    Truth(bool),
    Numbers(Vec<i64>),
}

fn datum(row: &AuthRow, field: Field) -> Datum {
    let number = |number: Option<i64>| number.map_or(Datum::Null, Datum::Number);
    match field {
        Field::Id => Datum::Number(row.id),
        Field::UserId => Datum::Text(row.user_id.as_str().to_lowercase()),
        Field::Name => Datum::Text(row.name.clone()),
        Field::Mobile => Datum::Text(row.mobile.clone()),
        Field::Email => Datum::Text(row.email.clone()),
        Field::Avatar => Datum::Text(row.avatar.clone()),
        Field::Department => Datum::Numbers(row.department.iter().map(|id| id.0).collect()),
        Field::Position => Datum::Text(row.position.clone()),
        Field::Gender => Datum::Text(row.gender.clone()),
        Field::Status => number(row.status.map(i64::from)),
        Field::IsLeader => Datum::Truth(row.is_leader),
        Field::AccessToken => Datum::Text(row.access_token.expose().into()),
        Field::RefreshToken => Datum::Text(row.refresh_token.expose().into()),
        Field::ExpiresAt => number(row.expires_at.map(Timestamp::as_millis)),
        Field::CreatedAt => Datum::Number(row.created_at.as_millis()),
        Field::UpdatedAt => Datum::Number(row.updated_at.as_millis()),
    }
}

fn holds(filter: &Filter, row: &AuthRow) -> bool {
    match filter.shape() {
        Shape::All(parts) => parts.iter().all(|part| holds(part, row)),
        Shape::Any(parts) => parts.iter().any(|part| holds(part, row)),
        Shape::Is(condition) => condition_holds(condition, row),
    }
}

fn condition_holds(condition: &Condition, row: &AuthRow) -> bool {
    let folds = condition.field() == Field::UserId;
    let wanted = |scalar: &Scalar| match scalar {
        Scalar::Text(text) if folds => Datum::Text(text.to_lowercase()),
        Scalar::Text(text) => Datum::Text(text.clone()),
        Scalar::Integer(number) => Datum::Number(*number),
        Scalar::Boolean(truth) => Datum::Truth(*truth),
        Scalar::Null => Datum::Null,
    };
    let found = datum(row, condition.field());
    match condition.test() {
        Test::OneOf { values, negated } => {
            let any = values.iter().map(wanted).any(|wanted| match (&found, &wanted) {
                (Datum::Numbers(numbers), Datum::Null) => numbers.is_empty(),
                (Datum::Numbers(numbers), Datum::Number(number)) => numbers.contains(number),
                (found, wanted) => found == wanted,
            });
            any != *negated
        }
        Test::Ordered { relation, bound } => {
            let way = found.cmp(&wanted(bound));
            let lies = match relation {
                Relation::Less => way.is_lt(),
                Relation::AtMost => way.is_le(),
                Relation::Greater => way.is_gt(),
                Relation::AtLeast => way.is_ge(),
            };
            found != Datum::Null && lies
        }
        Test::Like(pattern) => {
            let Datum::Text(text) = found else { panic!("like asks texts only") };
            let pieces: Vec<String> =
                pattern.pieces().iter().map(|piece| piece.to_ascii_lowercase()).collect();
            fits(&text.to_ascii_lowercase(), &pieces)
        }
    }
}

/// The first piece begins the text and, after some characters, the others fit the rest.
fn fits(text: &str, pieces: &[String]) -> bool {
    let Some((first, others)) = pieces.split_first() else { return text.is_empty() };
    let Some(rest) = text.strip_prefix(first.as_str()) else { return false };
    if others.is_empty() {
        return rest.is_empty();
    }
    let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.into_iter().any(|at| fits(&rest[at..], others))
}

fn answer(rows: &[AuthRow], query: &Query) -> Expected {
    let mut meant: Vec<&AuthRow> = rows.iter().filter(|row| holds(&query.filter, row)).collect();
    meant.sort_by(|a, b| {
        let by_orders = query.order.iter().map(|order| {
            let way = datum(a, order.field()).cmp(&datum(b, order.field()));
            if order.is_descending() { way.reverse() } else { way }
        });
        by_orders.fold(Ordering::Equal, Ordering::then).then(a.id.cmp(&b.id))
    });
    let offset = usize::try_from(query.page.offset()).unwrap();
    let page = meant.iter().skip(offset).take(query.page.size() as usize);
    Expected { ids: page.map(|row| row.id).collect(), total_count: meant.len() as u64 }
}

/// Whose session is shown: the latest of those that live.
fn shown<'a>(sessions: &'a [Session], corp: &str, user: &str) -> Option<(usize, &'a Session)> {
    let theirs = |session: &Session| session.corp == corp && session.user.eq_ignore_ascii_case(user);
    let lives = |session: &Session| !session.ended && session.idle > 10 && session.expires > 10;
    let living = sessions.iter().enumerate().filter(|(_, session)| theirs(session) && lives(session));
    living.max_by_key(|(number, session)| (session.created, number.to_string()))
}

// ---- the database ------------------------------------------------------------------------------------------------

async fn fill(store: &Store, people: &[Someone], sessions: &[Session]) -> Vec<(&'static str, AuthRow)> {
    let mut rows: Vec<(&'static str, AuthRow)> = Vec::new();
    for someone in people {
        let (corp, user) = (CorpId::parse(someone.corp).unwrap(), UserId::parse(someone.user).unwrap());
        if rows.iter().any(|(corp, row)| *corp == someone.corp && row.user_id == user) {
            continue;
        }
        let created = moment(someone.created);
        let member = save_member(store, &corp, &user, &someone.profile, created, &agent("7")).await;
        let session = shown(sessions, someone.corp, someone.user).filter(|_| member.left_at.is_none());
        let hash = session.map(|(number, _)| Fingerprint::of(number.to_string()).to_hex());
        // Of members who are barred no contact data is kept.
        let kept = if member.left_at.is_some() {
            ContactFields::default()
        } else {
            ContactFields::of_bits(i64::MAX)
        };
        let Profile { name, mobile, email, avatar, position, gender, departments, leads, status, .. } =
            someone.profile.clone().only(kept);
        let row = AuthRow {
            id: member.id,
            user_id: user,
            name,
            mobile,
            email,
            avatar,
            department: departments,
            position,
            gender,
            status,
            is_leader: !leads.is_empty(),
            access_token: Secret::new(hash.unwrap_or_default()),
            refresh_token: Secret::new(""),
            expires_at: session.map(|(_, session)| moment(session.expires)),
            created_at: created,
            updated_at: created,
        };
        rows.push((someone.corp, row));
    }
    for (number, session) in sessions.iter().enumerate() {
        let id = number.to_string();
        let new = NewSession {
            id: &id,
            token_hash: Fingerprint::of(&id),
            sign_in: None,
            corp_id: &CorpId::parse(session.corp).unwrap(),
            user_id: &UserId::parse(session.user).unwrap(),
            instance: "auths.loginTypes.Example",
            agent_id: &agent("7"),
            created_at: moment(session.created),
            idle_until: moment(session.idle),
            expires_at: moment(session.expires),
            account: REGISTERS,
            former: None,
        };
        // For somebody who has left none begins.
        let barred = |row: &AuthRow| row.status.is_some_and(MemberStatus::is_barred);
        let theirs = |corp: &str, row: &AuthRow| corp == session.corp && row.user_id == *new.user_id;
        let left = rows.iter().any(|(corp, row)| theirs(corp, row) && barred(row));
        assert_eq!(begin_session(store, &new).await.is_none(), left);
        if session.ended && !left {
            assert!(store.end_session(&id, now(), EndReason::Logout).await.unwrap());
        }
    }
    rows
}

async fn check(
    backend: Backend,
    people: &[Someone],
    sessions: &[Session],
    queries: &[Query],
) -> Result<(), TestCaseError> {
    let fresh = backend.fresh().await;
    let store = &fresh.store;
    let all = fill(store, people, sessions).await;
    let app = agent("7");
    for company in [Some("wwA"), None] {
        let meant = all.iter().filter(|(corp, _)| company.is_none_or(|company| company == *corp));
        let rows: Vec<AuthRow> = meant.map(|(_, row)| row.clone()).collect();
        let company = company.map(|text| CorpId::parse(text).unwrap());
        for query in queries {
            let found =
                store.auth_rows(company.as_ref().map(|company| (company, &app)), query, now()).await.unwrap();
            let ids = found.rows.iter().map(|row| row.id).collect();
            let got = Expected { ids, total_count: found.total_count };
            prop_assert_eq!(got, answer(&rows, query), "{} {:?}", query.filter, query.order);
            for row in &found.rows {
                prop_assert_eq!(Some(row), rows.iter().find(|known| known.id == row.id), "every field");
            }
            let first = store
                .auth_row(company.as_ref().map(|company| (company, &app)), &query.filter, &query.order, now())
                .await
                .unwrap();
            let first_page = Query { page: Page::new(1, 1).unwrap(), ..query.clone() };
            prop_assert_eq!(first.map(|row| row.id), answer(&rows, &first_page).ids.first().copied());
        }
    }
    store.close().await;
    Ok(())
}

proptest! {
    // A quarter of the usual cases: each one makes a database and asks it many times. PROPTEST_CASES raises both.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 4,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn sqlite_answers_as_a_plain_reading_does(
        people in prop::collection::vec(someone(), 0..10),
        sessions in prop::collection::vec(session(), 0..8),
        queries in prop::collection::vec(query(), 1..12),
    ) {
        run(Backend::Sqlite, &people, &sessions, &queries)?;
    }

    #[test]
    #[ignore = "needs PostgreSQL: scripts/with-servers cargo test … -- --include-ignored"]
    fn postgres_answers_as_a_plain_reading_does(
        people in prop::collection::vec(someone(), 0..10),
        sessions in prop::collection::vec(session(), 0..8),
        queries in prop::collection::vec(query(), 1..12),
    ) {
        run(Backend::Postgres, &people, &sessions, &queries)?;
    }
}

fn run(
    backend: Backend,
    people: &[Someone],
    sessions: &[Session],
    queries: &[Query],
) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(check(backend, people, sessions, queries))
}

use std::collections::BTreeSet;
use std::time::Duration;

use wecom_login_model::{CorpId, Fingerprint, MemberRef, Profile, UserId};
use wecom_login_store::{
    AccountRule, Bound, BoundBy, Consent, Imported, MatchOn, NewAccount, NewSession, NoAccount, Store,
};

use crate::NOW;
use crate::backends::{Fresh, REGISTERS, begin_session, on_every_database, register, save_member};
use crate::organisation::agent;

on_every_database![
    of_many_registrations_at_once_one_makes_the_account,
    of_many_members_who_match_one_account_one_gets_it,
    a_match_is_exact_and_unique_and_never_of_nothing,
    an_import_completes_and_binds_all_or_nothing,
    f19_a_search_finds_accounts_of_the_members_company_only,
    unbinding_ends_the_sessions_and_a_session_keeps_its_account,
    a_rename_moves_everything_once,
];

fn member(text: &str) -> MemberRef {
    text.parse().unwrap()
}

fn new(username: &str, mobile: &str, of: Option<&str>) -> NewAccount {
    let username = username.parse().unwrap();
    NewAccount {
        username,
        mobile: mobile.into(),
        email: String::new(),
        company: None,
        member: of.map(member),
    }
}

fn by_mobile<'a>(value: &'a str, barred: &'a [String]) -> AccountRule<'a> {
    AccountRule { find_by: Some((MatchOn::Mobile, Some(value))), barred, register: false, ..REGISTERS }
}

async fn import(store: &Store, account: NewAccount) -> Imported {
    store.import_account(&account, NOW, false).await.unwrap()
}

async fn of_many_registrations_at_once_one_makes_the_account(fresh: Fresh) {
    let store = &fresh.store;
    let mut people = tokio::task::JoinSet::new();
    for number in 0..64 {
        let store = store.clone();
        let who = member(if number % 2 == 0 { "wwA/ZhangSan" } else { "wwA/zhangsan" });
        people.spawn(async move { register(&store, &who).await.unwrap().id });
    }
    let ids: BTreeSet<_> = people.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(store.accounts(0, 10).await.unwrap().1, 1);
}

async fn of_many_members_who_match_one_account_one_gets_it(fresh: Fresh) {
    let store = &fresh.store;
    import(store, new("boss", "13800000001", None)).await;
    let mut people = tokio::task::JoinSet::new();
    for number in 0..16 {
        let store = store.clone();
        let who = member(&format!("wwA/user{number}"));
        people.spawn(
            async move { store.account_for(&who, &by_mobile("13800000001", &[]), NOW).await.unwrap() },
        );
    }
    let found = people.join_all().await;
    assert_eq!(found.iter().filter(|found| found.is_ok()).count(), 1);
    assert_eq!(found.iter().filter(|found| **found == Err(NoAccount::Taken)).count(), 15);
}

async fn a_match_is_exact_and_unique_and_never_of_nothing(fresh: Fresh) {
    let store = &fresh.store;
    import(store, new("one", "13800000001", None)).await;
    import(store, new("two", "13800000002", None)).await;
    import(store, new("three", "13800000002", None)).await;
    import(store, new("four", "", None)).await;
    let who = member("wwA/zhangsan");
    let attach = async |value: &str, barred: &[String]| {
        store.account_for(&who, &by_mobile(value, barred), NOW).await.unwrap()
    };
    assert_eq!(
        attach("", &[]).await,
        Err(NoAccount::NoMatch),
        "a mobile that is not known matches none that is not known"
    );
    assert_eq!(attach("1380000000", &[]).await, Err(NoAccount::NoMatch));
    assert_eq!(attach("13800000002", &[]).await, Err(NoAccount::Several));
    assert_eq!(attach("13800000001", &["one".to_owned()]).await, Err(NoAccount::Administrators));
    assert!(attach("13800000001", &[]).await.is_ok());
    assert!(attach("13800000002", &[]).await.is_ok_and(|found| found.account.username.as_str() == "one"));
}

async fn an_import_completes_and_binds_all_or_nothing(fresh: Fresh) {
    let store = &fresh.store;
    assert_eq!(import(store, new("boss", "", Some("wwA/zhangsan"))).await, Imported::Created);
    assert_eq!(import(store, new("BOSS", "", Some("wwA/ZhangSan"))).await, Imported::Unchanged);
    assert_eq!(import(store, new("boss", "13800000001", None)).await, Imported::Updated);
    assert_eq!(import(store, new("boss", "", Some("wwB/zhangsan"))).await, Imported::Updated);
    let elsewhere = import(store, new("clerk", "", Some("wwA/zhangsan"))).await;
    assert_eq!(elsewhere, Imported::BoundElsewhere("boss".parse().unwrap()));
    let dry = store.import_account(&new("dry", "", None), NOW, true).await.unwrap();
    assert_eq!(dry, Imported::Created);
    let (rows, total) = store.accounts(0, 10).await.unwrap();
    assert_eq!((total, rows[0].members.len()), (1, 2), "neither clerk nor dry was made");
}

async fn f19_a_search_finds_accounts_of_the_members_company_only(fresh: Fresh) {
    let store = &fresh.store;
    let of = |company: &str| NewAccount {
        company: CorpId::parse(company).ok(),
        ..new("boss", "13800000001", None)
    };
    import(store, of("wwA")).await;
    let rule = by_mobile("13800000001", &[]);
    let found = store.account_for(&member("wwB/zhangsan"), &rule, NOW).await.unwrap();
    assert_eq!(found, Err(NoAccount::NoMatch));
    assert_eq!(import(store, of("wwA")).await, Imported::Unchanged);
    assert_eq!(import(store, of("wwB")).await, Imported::Updated);
    assert_eq!(store.accounts(0, 1).await.unwrap().0[0].company.as_ref().unwrap().as_str(), "wwB");
    assert!(store.account_for(&member("wwB/zhangsan"), &rule, NOW).await.unwrap().is_ok());
}

async fn unbinding_ends_the_sessions_and_a_session_keeps_its_account(fresh: Fresh) {
    let store = &fresh.store;
    let who = member("wwA/zhangsan");
    let account = register(store, &who).await.unwrap();
    let begin = async |id: &str| {
        let session = NewSession {
            id,
            token_hash: Fingerprint::of(id),
            sign_in: None,
            corp_id: &who.corp_id,
            user_id: &who.user_id,
            instance: "x",
            agent_id: &agent("7"),
            created_at: NOW,
            idle_until: NOW + Duration::from_hours(1),
            expires_at: NOW + Duration::from_hours(1),
            account: REGISTERS,
            former: None,
        };
        begin_session(store, &session).await.unwrap()
    };
    assert_eq!(begin("one").await.account_id, Some(account.id));
    assert!(store.unbind_member(&who, NOW).await.unwrap() && !store.unbind_member(&who, NOW).await.unwrap());
    assert_eq!(store.session_by_id("one", NOW).await.unwrap(), None);
    let again = begin("two").await.account_id;
    assert!(again.is_some_and(|again| again != account.id), "F18: no session is without an account");
    let nowhere = wecom_login_model::AccountId(99);
    let bound = store.bind_member(&who, nowhere, BoundBy::Administrator, NOW).await.unwrap();
    assert_eq!(bound, Bound::NoAccount);
}

async fn a_rename_moves_everything_once(fresh: Fresh) {
    let store = &fresh.store;
    let (old, fresh) = (member("wwA/zhangsan"), UserId::parse("Zhang.San").unwrap());
    let profile = |name: &str| Profile { name: name.into(), ..Profile::default() };
    let row = save_member(store, &old.corp_id, &old.user_id, &profile("张三"), NOW, &agent("7")).await;
    let given = Consent { mobile: "13800000001".into(), ..Consent::default() };
    store.save_consent((&old.corp_id, &agent("7")), &old.user_id, &given, NOW).await.unwrap();
    let account = register(store, &old).await.unwrap();
    // A sync was faster with the new userid.
    save_member(store, &old.corp_id, &fresh, &profile("张三"), NOW, &agent("7")).await;

    assert!(store.rename_member(&old.corp_id, &old.user_id, &fresh, NOW).await.unwrap());
    assert!(!store.rename_member(&old.corp_id, &old.user_id, &fresh, NOW).await.unwrap());
    let moved = store.member(&old.corp_id, &fresh).await.unwrap().unwrap();
    assert_eq!((moved.id, moved.user_id.as_str(), moved.left_at), (row.id, "Zhang.San", None));
    assert_eq!(moved.profile.mobile, "13800000001");
    assert_eq!(moved.read_at.as_millis(), 0, "to be read again");
    assert_eq!(store.member(&old.corp_id, &old.user_id).await.unwrap(), None);
    assert_eq!(store.account_of_member(&old.corp_id, &fresh).await.unwrap().unwrap().id, account.id);
    assert_eq!(store.account_of_member(&old.corp_id, &old.user_id).await.unwrap(), None);

    let shouted = UserId::parse("ZHANG.SAN").unwrap();
    assert!(store.rename_member(&old.corp_id, &fresh, &shouted, NOW).await.unwrap(), "another spelling");
    let (rows, _) = store.accounts(0, 1).await.unwrap();
    assert_eq!(rows[0].members[0].user_id.as_str(), "ZHANG.SAN");
}

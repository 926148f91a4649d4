//! Many at once, half of them in another process: one wins.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wecom_login_model::{CorpId, Fingerprint, MemberRef, UserId};
use wecom_login_store::{
    AccountRule, Bound, BoundBy, Imported, MatchOn, NewAccount, NewPair, NewSession, NoAccount, Rotation,
    Store,
};

use crate::NOW;
use crate::backends::{Fresh, REGISTERS, begin_session, mark_left, on_every_database, outcome, register};
use crate::organisation::agent;

const MANY: usize = 24;
const HOUR: Duration = Duration::from_hours(1);

on_every_database![
    one_redirect_makes_one_session_with_one_token,
    one_refresh_wins,
    one_account_is_made_of_many_first_sign_ins,
    one_member_gets_the_account_that_many_match,
    one_account_gets_the_member_that_many_are_bound_to,
    one_import_makes_the_account,
    one_api_key_has_the_name,
    a_session_is_ended_once,
    a_member_is_renamed_once,
    bindings_that_come_and_go_leave_no_session_of_nobody,
];

/// What everybody's try came to, in no order. Number and store are given; odd numbers have another process's store.
pub(crate) async fn race<T, F>(fresh: &Fresh, attempt: impl Fn(usize, Store) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let stores = [fresh.store.clone(), fresh.another().await];
    let start = Arc::new(Barrier::new(MANY));
    let mut tries = JoinSet::new();
    for number in 0..MANY {
        let attempt = attempt(number, stores[number % 2].clone());
        let start = start.clone();
        tries.spawn(async move {
            start.wait().await;
            attempt.await
        });
    }
    tries.join_all().await
}

pub(crate) fn count<T>(outcomes: &[T], meant: impl Fn(&T) -> bool) -> usize {
    outcomes.iter().filter(|outcome| meant(outcome)).count()
}

fn member(text: &str) -> MemberRef {
    text.parse().unwrap()
}

fn print(text: impl Into<String>) -> Fingerprint {
    Fingerprint::of(text.into())
}

async fn begin(store: &Store, id: &str, token: Fingerprint, sign_in: Option<Fingerprint>) -> Option<String> {
    let session = NewSession {
        id,
        token_hash: token,
        sign_in: sign_in.map(outcome),
        corp_id: &CorpId::parse("wwA").unwrap(),
        user_id: &UserId::parse("zhangsan").unwrap(),
        instance: "auths.loginTypes.Example",
        agent_id: &agent("7"),
        created_at: NOW,
        idle_until: NOW + HOUR,
        expires_at: NOW + HOUR,
        account: REGISTERS,
        former: None,
    };
    begin_session(store, &session).await.map(|row| row.id)
}

async fn one_redirect_makes_one_session_with_one_token(fresh: Fresh) {
    let begun = race(&fresh, |number, store| async move {
        begin(&store, &format!("s{number}"), print(format!("token {number}")), Some(print("redirect"))).await
    });
    let ids: BTreeSet<_> = begun.await.into_iter().map(Option::unwrap).collect();
    assert_eq!(ids.len(), 1);
    let mut open = 0;
    for number in 0..MANY {
        let token = print(format!("token {number}"));
        open += usize::from(fresh.store.session_by_token(token, NOW).await.unwrap().is_some());
    }
    assert_eq!(open, 1);
}

async fn one_refresh_wins(fresh: Fresh) {
    begin(&fresh.store, "s1", print("token"), None).await.unwrap();
    let first = NewPair {
        session_id: "s1",
        family: print("f"),
        refresh: print("r0"),
        access: print("a0"),
        issued_at: NOW,
        access_until: NOW + HOUR,
    };
    fresh.store.begin_pair(&first).await.unwrap().unwrap();
    let rotated = race(&fresh, |number, store| async move {
        let rotation = Rotation {
            family: print("f"),
            spent: print("r0"),
            refresh: print(format!("r{}", number + 1)),
            access: print(format!("a{}", number + 1)),
            retry: None,
            issued_at: NOW,
            access_until: NOW + HOUR,
        };
        let won = store.rotate_pair(&rotation).await.unwrap().is_some();
        // Whoever lost sees who won.
        let spent = store.pair_of_family(print("f"), NOW).await.unwrap().unwrap().spent_hash;
        (number, won, spent)
    });
    let rotated = rotated.await;
    assert_eq!(count(&rotated, |(_, won, _)| *won), 1);
    assert_eq!(count(&rotated, |(_, _, spent)| *spent == print("r0").to_hex()), MANY);
    for (number, won, _) in rotated {
        let access = print(format!("a{}", number + 1));
        assert_eq!(fresh.store.session_by_access(access, NOW).await.unwrap().is_some(), won);
    }
}

async fn one_account_is_made_of_many_first_sign_ins(fresh: Fresh) {
    let made = race(&fresh, |number, store| async move {
        let who = member(["wwA/ZhangSan", "wwA/zhangsan", "wwB/zhangsan"][number % 3]);
        let account = register(&store, &who).await.unwrap();
        (who.corp_id.as_str().to_owned(), account.id, account.username.as_str().to_owned())
    });
    let accounts: BTreeSet<_> = made.await.into_iter().collect();
    assert_eq!(accounts.len(), 2, "one a company: {accounts:?}");
    assert_eq!(fresh.store.accounts(0, 10).await.unwrap().1, 2, "none is left over");
}

async fn one_member_gets_the_account_that_many_match(fresh: Fresh) {
    let new = NewAccount {
        username: "boss".parse().unwrap(),
        mobile: "13800000001".into(),
        email: String::new(),
        company: None,
        member: None,
    };
    fresh.store.import_account(&new, NOW, false).await.unwrap();
    let found = race(&fresh, |number, store| async move {
        let who = member(&format!("ww{number}/user{number}"));
        let rule = AccountRule {
            find_by: Some((MatchOn::Mobile, Some("13800000001"))),
            register: false,
            ..REGISTERS
        };
        store.account_for(&who, &rule, NOW).await.unwrap()
    });
    let found = found.await;
    assert_eq!(count(&found, Result::is_ok), 1);
    assert_eq!(count(&found, |found| *found == Err(NoAccount::Taken)), MANY - 1);
    assert_eq!(fresh.store.accounts(0, 1).await.unwrap().0[0].members.len(), 1);
}

async fn one_account_gets_the_member_that_many_are_bound_to(fresh: Fresh) {
    let mut accounts = Vec::new();
    for number in 0..MANY {
        accounts.push(register(&fresh.store, &member(&format!("wwA/user{number}"))).await.unwrap().id);
    }
    let bound = race(&fresh, |number, store| {
        let account = accounts[number];
        async move { store.bind_member(&member("wwB/zhangsan"), account, BoundBy::Member, NOW).await.unwrap() }
    });
    let bound = bound.await;
    assert_eq!(count(&bound, |bound| *bound == Bound::Done), 1);
    assert_eq!(count(&bound, |bound| matches!(bound, Bound::Elsewhere(_))), MANY - 1);
}

async fn one_import_makes_the_account(fresh: Fresh) {
    let imported = race(&fresh, |_, store| async move {
        let new = NewAccount {
            username: "Boss".parse().unwrap(),
            mobile: "13800000001".into(),
            email: String::new(),
            company: None,
            member: Some(member("wwA/zhangsan")),
        };
        store.import_account(&new, NOW, false).await.unwrap()
    });
    let imported = imported.await;
    assert_eq!(count(&imported, |imported| *imported == Imported::Created), 1);
    assert_eq!(count(&imported, |imported| *imported == Imported::Unchanged), MANY - 1);
}

async fn one_api_key_has_the_name(fresh: Fresh) {
    let added = race(&fresh, |number, store| async move {
        store.add_api_key("backup", print(format!("key {number}")), NOW).await.unwrap()
    });
    assert_eq!(count(&added.await, |added| *added), 1);
}

async fn a_session_is_ended_once(fresh: Fresh) {
    begin(&fresh.store, "s1", print("token"), None).await.unwrap();
    let ended = race(&fresh, |_, store| async move {
        store.end_session("s1", NOW, wecom_login_store::EndReason::Logout).await.unwrap()
    });
    assert_eq!(count(&ended.await, |ended| *ended), 1);
}

async fn a_member_is_renamed_once(fresh: Fresh) {
    let account = register(&fresh.store, &member("wwA/old")).await.unwrap();
    let (corp_id, new) = (CorpId::parse("wwA").unwrap(), UserId::parse("new").unwrap());
    let renamed = race(&fresh, |_, store| {
        let (corp_id, old, new) = (corp_id.clone(), UserId::parse("old").unwrap(), new.clone());
        async move { store.rename_member(&corp_id, &old, &new, NOW).await.unwrap() }
    });
    assert_eq!(count(&renamed.await, |renamed| *renamed), 1);
    assert_eq!(fresh.store.account_of_member(&corp_id, &new).await.unwrap(), Some(account));
}

/// Members are bound, unbound, marked and written in every order: whatever waits for whom, nothing fails.
async fn bindings_that_come_and_go_leave_no_session_of_nobody(fresh: Fresh) {
    let account = register(&fresh.store, &member("wwA/zhangsan")).await.unwrap().id;
    let done = race(&fresh, |number, store| async move {
        let who = member("wwA/zhangsan");
        let (corp_id, user_id) = (&who.corp_id, &who.user_id);
        match number % 4 {
            0 => drop(store.unbind_member(&who, NOW).await.unwrap()),
            1 => drop(store.bind_member(&who, account, BoundBy::Administrator, NOW).await.unwrap()),
            2 => mark_left(&store, corp_id, user_id, NOW).await,
            _ => drop(begin(&store, &format!("s{number}"), print(format!("token {number}")), None).await),
        }
    });
    assert_eq!(done.await.len(), MANY);
    fresh.store.unbind_member(&member("wwA/zhangsan"), NOW).await.unwrap();
    for number in 0..MANY {
        assert_eq!(fresh.store.session_by_id(&format!("s{number}"), NOW).await.unwrap(), None);
    }
}

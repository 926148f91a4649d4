//! F14, F19, F20: members leave and come back, userids are given to other people, and administrators bind and unbind.

use std::time::Duration;

use wecom_login_model::{AccountId, AgentId, Fingerprint, MemberRef, Profile, Timestamp, UserId};
use wecom_login_store::{
    AccountRule, AppAnswer, Asked, Begun, BindingEnd, Bound, BoundBy, Confirmed, Consent, Imported, MatchOn,
    MemberAnswers, NewAccount, NewSession, NoAccount, Rehire, Standing, Store,
};

use crate::NOW;
use crate::backends::{Fresh, REGISTERS, mark_left, on_every_database, register, save_member};

const DAY: Duration = Duration::from_hours(24);

on_every_database![
    f14_the_binding_of_a_leaver_gives_no_account_and_their_contact_data_is_gone,
    f14_the_account_of_a_leaver_is_found_by_nobody,
    f14_the_same_person_has_the_former_account_again,
    f14_another_person_with_the_userid_has_another_account,
    f14_a_deletion_that_is_told_later_counts,
    f14_an_administrator_decides_about_each_return_if_the_setting_says_so,
    f14_a_rename_takes_what_is_undecided_along,
    f14_of_many_sign_ins_of_a_returned_member_one_wakes_the_binding,
    f14_members_leave_while_their_sessions_begin,
    f14_an_administrators_entry_stands_for_an_account,
    f14_an_entry_takes_hold_of_a_leavers_account_at_the_first_start,
    f14_the_first_account_of_an_entry_may_come_by_a_rename,
    f19_no_search_and_no_import_undoes_an_unbind,
    f19_a_member_who_was_unbound_during_the_sign_in_is_not_registered_without_a_search,
    f20_nothing_is_bound_or_written_for_somebody_who_has_left_meanwhile,
];

fn member(text: &str) -> MemberRef {
    text.parse().unwrap()
}

fn app() -> AgentId {
    AgentId::parse("7").unwrap()
}

async fn is_there(store: &Store, who: &MemberRef, name: &str, now: Timestamp) {
    let profile = Profile { name: name.to_owned(), ..Profile::default() };
    save_member(store, &who.corp_id, &who.user_id, &profile, now, &app()).await;
}

async fn is_deleted(store: &Store, who: &MemberRef, now: Timestamp) {
    mark_left(store, &who.corp_id, &who.user_id, now).await;
}

async fn is_unseen(store: &Store, who: &MemberRef, now: Timestamp) {
    let asked = Asked { number: store.next_number().await.unwrap(), at: now };
    let (agent_id, answer) = (app(), AppAnswer::NotVisible);
    let answers = [(&agent_id, answer)];
    let read = MemberAnswers { corp_id: &who.corp_id, user_id: &who.user_id, asked, answers: &answers };
    assert_eq!(store.record_answers(&read, now).await.unwrap(), Standing::Left);
}

/// A sign-in of the member at that time.
async fn sign_in(
    store: &Store,
    who: &MemberRef,
    rule: AccountRule<'_>,
    now: Timestamp,
) -> Result<(AccountId, bool), NoAccount> {
    let id = format!("{}-{}-{}", who.user_id, now.as_millis(), uuid());
    let session = NewSession {
        id: &id,
        token_hash: Fingerprint::of(&id),
        sign_in: None,
        corp_id: &who.corp_id,
        user_id: &who.user_id,
        instance: "x",
        agent_id: &app(),
        created_at: now,
        idle_until: now + DAY,
        expires_at: now + DAY,
        account: rule,
        former: None,
    };
    match store.begin_session(&session).await.unwrap() {
        Begun::New { session, registered } => Ok((session.account_id.unwrap(), registered)),
        Begun::NoAccount(reason) => Err(reason),
        other => panic!("{other:?}"),
    }
}

fn uuid() -> u32 {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

fn by_username(value: &str) -> AccountRule<'_> {
    AccountRule { find_by: Some((MatchOn::Username, Some(value))), ..REGISTERS }
}

async fn f14_the_binding_of_a_leaver_gives_no_account_and_their_contact_data_is_gone(fresh: Fresh) {
    let (store, who) = (&fresh.store, member("wwA/zhangsan"));
    is_there(store, &who, "张三", NOW).await;
    let given = Consent {
        mobile: "13800000001".into(),
        email: "z@example.com".into(),
        biz_mail: "z@corp.example".into(),
        avatar: "https://example.com/z.png".into(),
        gender: "1".into(),
    };
    store.save_consent((&who.corp_id, &app()), &who.user_id, &given, NOW).await.unwrap();
    let account = register(store, &who).await.unwrap();

    is_deleted(store, &who, NOW + DAY).await;
    assert_eq!(store.account_of_member(&who.corp_id, &who.user_id).await.unwrap(), None);
    assert!(!store.is_bound(account.id).await.unwrap());
    let (rows, _) = store.accounts(0, 10).await.unwrap();
    let [former] = &rows[0].former_members[..] else { panic!("{rows:?}") };
    assert_eq!((&rows[0].members[..], &former.member, former.name.as_str()), (&[][..], &who, "张三"));
    assert_eq!((former.reason, former.ended_at, former.is_undecided), (BindingEnd::Deleted, NOW + DAY, true));

    // The next person with the userid withholds everything.
    is_there(store, &who, "李四", NOW + DAY * 2).await;
    let row = store.member(&who.corp_id, &who.user_id).await.unwrap().unwrap();
    let Profile { mobile, email, biz_mail, avatar, gender, .. } = row.profile;
    assert_eq!([mobile, email, biz_mail, avatar, gender], [""; 5]);
}

async fn f14_the_account_of_a_leaver_is_found_by_nobody(fresh: Fresh) {
    let (store, who) = (&fresh.store, member("wwA/boss"));
    let account = NewAccount {
        username: "boss".parse().unwrap(),
        mobile: "13800000001".into(),
        email: String::new(),
        company: None,
        member: Some(who.clone()),
    };
    store.import_account(&account, NOW, false).await.unwrap();
    is_there(store, &who, "张三", NOW).await;
    is_deleted(store, &who, NOW).await;
    let rule =
        AccountRule { find_by: Some((MatchOn::Mobile, Some("13800000001"))), register: false, ..REGISTERS };
    assert_eq!(sign_in(store, &member("wwA/lisi"), rule, NOW).await, Err(NoAccount::Taken));

    // Nor by the next person with the userid, before and after they have an account.
    is_there(store, &who, "李四", NOW + DAY).await;
    for rule in [rule, AccountRule { register: false, ..by_username("boss") }] {
        assert_eq!(sign_in(store, &who, rule, NOW + DAY).await, Err(NoAccount::Taken));
    }
    assert!(sign_in(store, &who, by_username("boss"), NOW + DAY).await.unwrap().1);
    assert_eq!(sign_in(store, &member("wwA/lisi"), rule, NOW + DAY).await, Err(NoAccount::Taken));
}

async fn f14_the_same_person_has_the_former_account_again(fresh: Fresh) {
    let (store, who) = (&fresh.store, member("wwA/zhangsan"));
    is_there(store, &who, "Zhang San", NOW).await;
    let account = register(store, &who).await.unwrap().id;
    let mut now = NOW;
    for (is_seen, days, name) in
        [(false, 400, "ＺＨＡＮＧ　ｓａｎ"), (true, 30, "zhangsan"), (true, 0, "Zhang San")]
    {
        if is_seen {
            is_deleted(store, &who, now).await;
        } else {
            is_unseen(store, &who, now).await;
        }
        now = now + DAY * days;
        is_there(store, &who, name, now).await;
        assert_eq!(sign_in(store, &who, REGISTERS, now).await, Ok((account, false)), "{days} {name}");
    }
    let (rows, total) = store.accounts(0, 10).await.unwrap();
    assert_eq!((total, rows[0].members.len(), rows[0].former_members.len()), (1, 1, 0));
}

async fn f14_another_person_with_the_userid_has_another_account(fresh: Fresh) {
    let (store, who) = (&fresh.store, member("wwA/zhangsan"));
    is_there(store, &who, "张三", NOW).await;
    let first = register(store, &who).await.unwrap().id;
    let mut accounts = vec![first];
    let mut now = NOW;
    for (is_seen, days, name, rehire) in [
        (false, 0, "李四", Rehire::SameName),
        (true, 0, "王五", Rehire::SameName),
        (true, 31, "王五", Rehire::SameName),
        (false, 0, "", Rehire::SameName),
        (false, 0, "", Rehire::SameName),
        (false, 0, "", Rehire::AlwaysNew),
    ] {
        if is_seen {
            is_deleted(store, &who, now).await;
        } else {
            is_unseen(store, &who, now).await;
        }
        now = now + DAY * days;
        is_there(store, &who, name, now).await;
        let rule = AccountRule { rehire, ..REGISTERS };
        let (account, is_new) = sign_in(store, &who, rule, now).await.unwrap();
        assert!(is_new && !accounts.contains(&account), "{days} {name}");
        accounts.push(account);
        assert_eq!(sign_in(store, &who, rule, now).await, Ok((account, false)), "once");
    }
    let made = store.audit_entries(0, 100).await.unwrap();
    let made = made.iter().filter(|(_, entry)| entry.event == "binding_made").nth(1).unwrap();
    assert_eq!(
        made.1.detail["formerAccounts"],
        serde_json::json!([first.0]),
        "administrators see whose it was"
    );

    // By hand, whoever has had it since.
    assert!(store.unbind_member(&who, now).await.unwrap());
    let bound = store.bind_member(&who, first, BoundBy::Administrator, now).await.unwrap();
    assert_eq!((bound, sign_in(store, &who, REGISTERS, now).await), (Bound::Done, Ok((first, false))));
    let (rows, _) = store.accounts(0, 10).await.unwrap();
    assert!(rows[0].former_members.is_empty() && rows[1..].iter().all(|row| row.former_members.len() == 1));
    assert!(rows.iter().flat_map(|row| &row.former_members).all(|former| !former.is_undecided));
}

async fn f14_a_deletion_that_is_told_later_counts(fresh: Fresh) {
    let (store, who) = (&fresh.store, member("wwA/zhangsan"));
    is_there(store, &who, "张三", NOW).await;
    let account = register(store, &who).await.unwrap().id;
    is_unseen(store, &who, NOW).await;
    is_deleted(store, &who, NOW + DAY).await;
    is_there(store, &who, "张三", NOW + DAY * 31).await;
    let (another, is_new) = sign_in(store, &who, REGISTERS, NOW + DAY * 31).await.unwrap();
    assert!(is_new && another != account);
}

async fn f14_an_administrator_decides_about_each_return_if_the_setting_says_so(fresh: Fresh) {
    let store = &fresh.store;
    let rule = AccountRule { rehire: Rehire::Confirm, ..REGISTERS };
    for (same, who) in [(true, member("wwA/zhangsan")), (false, member("wwA/lisi"))] {
        is_there(store, &who, "张三", NOW).await;
        let (account, is_new) = sign_in(store, &who, rule, NOW).await.unwrap();
        assert!(is_new, "nobody asks about a new member");
        is_unseen(store, &who, NOW).await;
        is_there(store, &who, "张三", NOW).await;
        for _ in 0..2 {
            assert_eq!(sign_in(store, &who, rule, NOW).await, Err(NoAccount::Unconfirmed));
        }
        if same {
            let bound = store.bind_member(&who, account, BoundBy::Administrator, NOW).await.unwrap();
            assert_eq!((bound, sign_in(store, &who, rule, NOW).await), (Bound::Done, Ok((account, false))));
        } else {
            assert!(store.unbind_member(&who, NOW).await.unwrap());
            let (another, is_new) = sign_in(store, &who, rule, NOW).await.unwrap();
            assert!(is_new && another != account);
        }
    }
}

async fn f14_a_rename_takes_what_is_undecided_along(fresh: Fresh) {
    let (store, old, new) = (&fresh.store, member("wwA/old"), member("wwA/new"));
    // The former owner of the new userid has left.
    is_there(store, &new, "李四", NOW).await;
    let theirs = register(store, &new).await.unwrap().id;
    is_deleted(store, &new, NOW).await;
    is_there(store, &old, "张三", NOW).await;
    let account = register(store, &old).await.unwrap().id;
    // A sync was faster than the event.
    is_deleted(store, &old, NOW).await;
    assert!(store.rename_member(&old.corp_id, &old.user_id, &new.user_id, NOW).await.unwrap());
    // The row was not read under the new userid, so it tells no name: a sign-in reads it before it comes here.
    is_there(store, &new, "张三", NOW + DAY).await;
    assert_eq!(sign_in(store, &new, REGISTERS, NOW + DAY).await, Ok((account, false)));

    // The next owner of the old userid has nothing of it, nor of the new one's former owner.
    is_there(store, &old, "张三", NOW + DAY).await;
    let (another, is_new) = sign_in(store, &old, REGISTERS, NOW + DAY).await.unwrap();
    assert!(is_new && ![theirs, account].contains(&another));
    let (rows, _) = store.accounts(0, 10).await.unwrap();
    let row = rows.iter().find(|row| row.account.id == theirs).unwrap();
    assert!(!row.former_members[0].is_undecided, "administrators see who had the userid");
}

async fn f14_of_many_sign_ins_of_a_returned_member_one_wakes_the_binding(fresh: Fresh) {
    let (store, who) = (&fresh.store, member("wwA/zhangsan"));
    is_there(store, &who, "张三", NOW).await;
    let account = register(store, &who).await.unwrap().id;
    is_unseen(store, &who, NOW).await;
    is_there(store, &who, "张三", NOW).await;
    let mut signing_in = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (store, who) = (store.clone(), who.clone());
        signing_in.spawn(async move { sign_in(&store, &who, REGISTERS, NOW).await });
    }
    assert!(signing_in.join_all().await.into_iter().all(|signed_in| signed_in == Ok((account, false))));
    let entries = store.audit_entries(0, 1_000).await.unwrap();
    let woken = entries.iter().filter(|(_, entry)| entry.detail.get("by") == Some(&"returned".into()));
    assert_eq!((woken.count(), store.accounts(0, 10).await.unwrap().1), (1, 1));
}

/// Rows are locked in one order: nobody waits for a session that waits for them.
async fn f14_members_leave_while_their_sessions_begin(fresh: Fresh) {
    let (store, who) = (&fresh.store, member("wwA/zhangsan"));
    is_there(store, &who, "张三", NOW).await;
    register(store, &who).await.unwrap();
    let mut racing = tokio::task::JoinSet::new();
    for number in 0..48_u32 {
        let (store, who) = (store.clone(), who.clone());
        racing.spawn(async move {
            match number % 3 {
                0 => is_deleted(&store, &who, NOW).await,
                1 => is_there(&store, &who, "张三", NOW + Duration::from_millis(1)).await,
                _ => {
                    let id = format!("s{number}");
                    let session = NewSession {
                        id: &id,
                        token_hash: Fingerprint::of(&id),
                        sign_in: None,
                        corp_id: &who.corp_id,
                        user_id: &who.user_id,
                        instance: "x",
                        agent_id: &app(),
                        created_at: NOW,
                        idle_until: NOW + DAY,
                        expires_at: NOW + DAY,
                        account: REGISTERS,
                        former: None,
                    };
                    let begun = store.begin_session(&session).await.unwrap();
                    assert!(matches!(begun, Begun::New { .. } | Begun::Left | Begun::Ended), "{begun:?}");
                }
            }
        });
    }
    racing.join_all().await;
    is_deleted(store, &who, NOW).await;
    for number in 0..48 {
        assert_eq!(store.session_by_id(&format!("s{number}"), NOW).await.unwrap(), None);
    }
    assert_eq!(store.account_of_member(&who.corp_id, &who.user_id).await.unwrap(), None);
    assert_eq!(store.accounts(0, 10).await.unwrap().1, 1, "always the same person");
}

async fn administers(store: &Store, who: &MemberRef, account: AccountId) -> bool {
    store.is_administrators_account(who, account).await.unwrap()
}

async fn f14_an_administrators_entry_stands_for_an_account(fresh: Fresh) {
    let (store, boss, new) = (&fresh.store, member("wwA/Boss"), member("wwA/new"));
    is_there(store, &boss, "张三", NOW).await;
    let account = register(store, &boss).await.unwrap().id;
    store.hold_administrators(&[boss.clone(), new.clone()], NOW).await.unwrap();
    assert!(administers(store, &member("wwA/boss"), account).await);

    // The first account of a member who had none.
    let theirs = register(store, &new).await.unwrap().id;
    assert!(administers(store, &new, theirs).await && !administers(store, &boss, theirs).await);
    let other = store.account_for(&member("wwA/x"), &by_username("new"), NOW).await.unwrap().unwrap();
    assert!(other.is_new, "no search finds an administrator's account");

    // Unseen for a while: the same person.
    is_unseen(store, &boss, NOW).await;
    is_there(store, &boss, "张三", NOW).await;
    assert_eq!(sign_in(store, &boss, REGISTERS, NOW).await, Ok((account, false)));
    assert!(administers(store, &boss, account).await);

    // The next person with the userid.
    is_unseen(store, &boss, NOW).await;
    is_there(store, &boss, "李四", NOW).await;
    let (another, _) = sign_in(store, &boss, REGISTERS, NOW).await.unwrap();
    store.hold_administrators(std::slice::from_ref(&boss), NOW).await.unwrap();
    assert!(!administers(store, &boss, another).await, "another person");
    let confirmed = store.confirm_administrator(&boss, NOW).await.unwrap();
    assert!(matches!(confirmed, Confirmed::Done(name) if name.as_str() == "Boss-2"));
    assert!(administers(store, &boss, another).await && !administers(store, &boss, account).await);

    // Deleted: even the woken binding needs to be confirmed.
    is_deleted(store, &boss, NOW).await;
    assert_eq!(store.confirm_administrator(&boss, NOW).await.unwrap(), Confirmed::NotBound);
    is_there(store, &boss, "李四", NOW).await;
    assert_eq!(sign_in(store, &boss, REGISTERS, NOW).await, Ok((another, false)));
    assert!(!administers(store, &boss, another).await);
    let listed = store.administrators().await.unwrap();
    assert_eq!(
        listed.iter().map(|row| (row.suspended_at.is_some(), row.is_in_force())).collect::<Vec<_>>(),
        [(true, false), (false, true)]
    );
    store.confirm_administrator(&boss, NOW).await.unwrap();
    assert!(administers(store, &boss, another).await);
}

async fn f14_an_entry_takes_hold_of_a_leavers_account_at_the_first_start(fresh: Fresh) {
    let (store, boss) = (&fresh.store, member("wwA/boss"));
    is_there(store, &boss, "张三", NOW).await;
    let account = register(store, &boss).await.unwrap().id;
    is_unseen(store, &boss, NOW).await;
    store.hold_administrators(std::slice::from_ref(&boss), NOW).await.unwrap();
    is_there(store, &boss, "李四", NOW).await;
    let (another, _) = sign_in(store, &boss, REGISTERS, NOW).await.unwrap();
    assert!(another != account && !administers(store, &boss, another).await);
    let (rows, _) = store.accounts(0, 10).await.unwrap();
    assert_eq!(rows[0].account.id, account);
}

async fn f14_the_first_account_of_an_entry_may_come_by_a_rename(fresh: Fresh) {
    let (store, old, new) = (&fresh.store, member("wwA/old"), member("wwA/new"));
    is_there(store, &old, "张三", NOW).await;
    let account = register(store, &old).await.unwrap().id;
    store.hold_administrators(std::slice::from_ref(&new), NOW).await.unwrap();
    assert!(!administers(store, &new, account).await);
    store.rename_member(&old.corp_id, &old.user_id, &new.user_id, NOW).await.unwrap();
    assert!(administers(store, &new, account).await);
}

async fn f19_no_search_and_no_import_undoes_an_unbind(fresh: Fresh) {
    let (store, who) = (&fresh.store, member("wwA/zhangsan"));
    let import = NewAccount {
        username: "zhangsan".parse().unwrap(),
        mobile: String::new(),
        email: String::new(),
        company: None,
        member: Some(who.clone()),
    };
    let unbound = NewAccount { member: None, ..import.clone() };
    assert_eq!(store.import_account(&unbound, NOW, false).await.unwrap(), Imported::Created);
    let (account, is_new) = sign_in(store, &who, by_username("zhangsan"), NOW).await.unwrap();
    assert!(!is_new);
    assert!(store.unbind_member(&who, NOW).await.unwrap());

    let finds_only = AccountRule { register: false, ..by_username("zhangsan") };
    assert_eq!(sign_in(store, &who, finds_only, NOW).await, Err(NoAccount::Unbound));
    assert_eq!(store.import_account(&import, NOW, false).await.unwrap(), Imported::Unbound);
    // Another member may match it: that may have been the purpose.
    let other = member("wwB/zhangsan");
    assert_eq!(sign_in(store, &other, finds_only, NOW).await, Ok((account, false)));
    assert!(store.unbind_member(&other, NOW).await.unwrap());

    let (another, is_new) = sign_in(store, &who, by_username("zhangsan"), NOW).await.unwrap();
    assert!(is_new && another != account, "a new account, as the instance creates them");
    assert!(store.unbind_member(&who, NOW).await.unwrap());
    let bound = store.bind_member(&who, account, BoundBy::Administrator, NOW).await.unwrap();
    assert_eq!((bound, sign_in(store, &who, finds_only, NOW).await), (Bound::Done, Ok((account, false))));
    assert_eq!(store.import_account(&import, NOW, false).await.unwrap(), Imported::Unchanged);
}

async fn f19_a_member_who_was_unbound_during_the_sign_in_is_not_registered_without_a_search(fresh: Fresh) {
    let (store, who) = (&fresh.store, member("wwA/zhangsan"));
    register(store, &who).await.unwrap();
    assert!(store.unbind_member(&who, NOW).await.unwrap());
    let not_asked = AccountRule { find_by: Some((MatchOn::Mobile, None)), ..REGISTERS };
    assert_eq!(sign_in(store, &who, not_asked, NOW).await, Err(NoAccount::NotAsked));
    assert_eq!(store.accounts(0, 10).await.unwrap().1, 1);
}

async fn f20_nothing_is_bound_or_written_for_somebody_who_has_left_meanwhile(fresh: Fresh) {
    let (store, boss, who) = (&fresh.store, member("wwA/boss"), member("wwA/zhangsan"));
    let account = register(store, &boss).await.unwrap().id;
    let id = "boss";
    let session = NewSession {
        id,
        token_hash: Fingerprint::of(id),
        sign_in: None,
        corp_id: &boss.corp_id,
        user_id: &boss.user_id,
        instance: "x",
        agent_id: &app(),
        created_at: NOW,
        idle_until: NOW + DAY,
        expires_at: NOW + DAY,
        account: REGISTERS,
        former: None,
    };
    store.begin_session(&session).await.unwrap();
    is_there(store, &who, "张三", NOW).await;
    is_deleted(store, &who, NOW).await;

    let bound = store.bind_in_session(&who, account, id, NOW).await.unwrap();
    assert_eq!(bound.map(|(bound, _)| bound), Some(Bound::Left));
    let bound = store.bind_member(&who, account, BoundBy::Administrator, NOW).await.unwrap();
    assert_eq!(bound, Bound::Left, "it would be the next person's");
    let import = NewAccount {
        username: "boss".parse().unwrap(),
        mobile: String::new(),
        email: String::new(),
        company: None,
        member: Some(who.clone()),
    };
    assert_eq!(store.import_account(&import, NOW, false).await.unwrap(), Imported::Left);
    let given = Consent { mobile: "13800000001".into(), ..Consent::default() };
    store.save_consent((&who.corp_id, &app()), &who.user_id, &given, NOW).await.unwrap();
    let row = store.member(&who.corp_id, &who.user_id).await.unwrap().unwrap();
    assert_eq!((row.profile.mobile.as_str(), row.left_at), ("", Some(NOW)));
    assert_eq!(store.account_of_member(&who.corp_id, &who.user_id).await.unwrap(), None);
    let user_id = UserId::parse("zhangsan").unwrap();
    assert!(
        !store.rename_member(&who.corp_id, &UserId::parse("nobody").unwrap(), &user_id, NOW).await.unwrap()
    );
}

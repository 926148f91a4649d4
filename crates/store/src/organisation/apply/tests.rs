use std::time::Duration;

use wecom_login_model::{AgentId, CorpId, Profile, UserId};

use super::super::{Answers, LookupKind, NewRun, Phase, Staged, VisibleScope};
use super::*;
use crate::Asked;

struct Company {
    store: Store,
    corp_id: CorpId,
    agent_id: AgentId,
}

impl Company {
    /// A run that has seen these members at this moment, and has nobody left to ask for.
    async fn seen(&self, people: &[(&str, &str)], now: Timestamp) -> Run {
        let new = NewRun {
            corp_id: &self.corp_id,
            agent_id: &self.agent_id,
            instance: "Example",
            extent: RunScope::Company,
            started_by: "test",
            forced: false,
            phase: Phase::VisibleScope,
        };
        let (store, under) = (&self.store, LeaseGuard::NOTHING);
        let run = store.begin_run(&new, under, now, now).await.unwrap().id;
        let number = store.next_number().await.unwrap();
        let members = people.iter().map(|(user_id, name)| Staged {
            user_id: UserId::parse(*user_id).unwrap(),
            profile: Profile { name: (*name).to_owned(), ..Profile::default() },
            asked: Asked { number, at: now },
            source: None,
        });
        store.stage_scope(run, &VisibleScope::default(), under).await.unwrap();
        store.stage_walked(run, members.collect(), &[], under).await.unwrap();
        store.end_walk(run, under).await.unwrap();
        let run_row = store.run(run).await.unwrap().unwrap();
        store.find_leavers(&run_row, now, under).await.unwrap();
        let unseen = store.next_to_ask(run, LookupKind::Leavers, 10).await.unwrap();
        let asked = Asked { number: store.next_number().await.unwrap(), at: now };
        let gone = unseen.into_iter().map(|one| one.user_id).collect();
        store.stage_answers(run, &Answers { gone, ..Answers::default() }, asked, under).await.unwrap();
        store.run(run).await.unwrap().unwrap()
    }
}

fn when(now: Timestamp) -> ApplyParams {
    ApplyParams {
        now,
        extent: RunScope::Company,
        hold: None,
        blind: None,
        since: ReadNumber(0),
        gone: Vec::new(),
        watched_until: None,
    }
}

#[tokio::test]
async fn a_large_company_comes_in_steps_and_a_run_that_died_between_two_counts_both_tries() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
    let (corp_id, agent_id) = (CorpId::parse("wwA").unwrap(), AgentId::parse("7").unwrap());
    let company = Company { store: store.clone(), corp_id: corp_id.clone(), agent_id };
    let now = Timestamp::from_millis(1_800_000_000_000);
    let before = [("b", "1"), ("d", "1"), ("f", "1"), ("goes", "1")];
    let run = company.seen(&before, now).await;
    store.apply_run(&run, &when(now), LeaseGuard::NOTHING).await.unwrap();

    let later = now + Duration::from_hours(1);
    let run = company.seen(&[("F", "1"), ("e", "2"), ("d", "2"), ("b", "1"), ("a", "2")], later).await;
    let mut first = store.begin_under(PEOPLE, LeaseGuard::NOTHING).await.unwrap();
    let step = Step::next(&mut first, &run, String::new(), 2).await.unwrap();
    assert_eq!(step.up_to.as_deref(), Some("d"), "two before it and itself");
    drop(first);

    sql("CREATE TRIGGER dies BEFORE INSERT ON members WHEN new.user_key = 'e'
         BEGIN SELECT RAISE(ABORT, 'the process dies'); END")
    .execute(store.database.writer())
    .await
    .unwrap();
    store.apply_in_steps(&run, &when(later), LeaseGuard::NOTHING, 2).await.unwrap_err();
    sql("DROP TRIGGER dies").execute(store.database.writer()).await.unwrap();
    let name = async |user_id: &str| {
        let user_id = UserId::parse(user_id).unwrap();
        let member = store.member(&corp_id, &user_id).await.unwrap();
        member.map(|member| (member.profile.name, member.left_at.is_some()))
    };
    assert_eq!(name("a").await, Some(("2".to_owned(), false)));
    assert_eq!(name("e").await, None);
    assert_eq!(name("goes").await, Some(("1".to_owned(), false)), "nobody is removed before the end");

    let run = store.run(run.id).await.unwrap().unwrap();
    assert_eq!((run.joined, run.changed, run.outcome), (1, 1, None));
    let (applied, outcome) = store.apply_in_steps(&run, &when(later), LeaseGuard::NOTHING, 2).await.unwrap();
    assert_eq!((applied.joined, applied.changed, applied.left), (2, 2, 1));
    assert_eq!(outcome, Outcome::Complete);
    assert_eq!(name("e").await, Some(("2".to_owned(), false)));
    assert_eq!(name("goes").await, Some(("1".to_owned(), true)));
    let run = store.run(run.id).await.unwrap().unwrap();
    assert_eq!((run.joined, run.changed, run.left), (2, 2, 1));
}

use std::collections::BTreeSet;

use wecom_login_model::CorpId;
use wecom_login_simulator::{By, Change, EventState, Fault, FaultKind, Member, Options, Simulator, sample};
use wecom_login_store::Store;
use wecom_login_testkit::wait::found;

use crate::app::{App, subscribe};
use crate::browser::Browser;
use crate::program::{Program, http};

/// Many sign in at once, the process is killed in the middle, again and again. Whoever had the answer is still signed
/// in afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_no_finished_sign_in_is_lost() {
    let wecom = std::sync::Arc::new(Simulator::start(Options::default()).await.unwrap());
    let app = std::sync::Arc::new(App::new(&wecom));
    let mut finished: Vec<Browser> = Vec::new();
    for round in 0_usize..10 {
        let program = Program::start_ready(app.command());
        let http = http();
        for browser in &finished {
            let me = browser.me(app.url()).await;
            assert_eq!(me.as_deref(), Some("zhangsan"), "a session was lost in round {round}");
        }
        let (done, mut signed_in) = tokio::sync::mpsc::unbounded_channel();
        let mut people = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (http, app, wecom, done) = (http.clone(), app.clone(), wecom.clone(), done.clone());
            people.spawn(async move {
                // Until the process dies under it.
                loop {
                    let browser = Browser::new(&http);
                    let signed_in = browser.try_sign_in(app.url(), &wecom.code_for("zhangsan")).await;
                    if signed_in.is_err() || done.send(browser).is_err() {
                        break;
                    }
                }
            });
        }
        drop(done);
        // Each round the kill falls after another number of sign-ins, in the middle of others.
        for _ in 0..=round * 3 {
            finished.push(signed_in.recv().await.unwrap());
        }
        program.kill();
        while people.join_next().await.is_some() {}
        while let Some(browser) = signed_in.recv().await {
            finished.push(browser);
        }
    }
    assert!(finished.len() > 100, "{} sign-ins were finished", finished.len());
}

/// WeCom has its answer, and the process dies before it has asked WeCom about anybody: some events in hand, the others in
/// the queue.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_worked_on_after_a_kill() {
    const NEWCOMERS: usize = 100;
    let wecom = Simulator::start(Options::default()).await.unwrap();
    let app = App::new(&wecom);
    let program = Program::start_ready(app.command());
    let browser = Browser::new(&http());
    browser.sign_in(app.url(), &wecom.code_for("lisi")).await;
    subscribe(&wecom, app.url()).await;
    wecom.fault(Fault::new("user/get", FaultKind::Hang));
    wecom.reset_calls();
    let names: BTreeSet<String> = (0..NEWCOMERS).map(|number| format!("new{number}")).collect();
    let newcomers = names.iter().map(|name| Change::AddMember(Box::new(Member::new(name, "新人", &[3]))));
    for change in newcomers.chain([Change::RemoveMember("lisi".to_owned())]) {
        wecom.change(sample::CORP_ID, change, By::Console).unwrap();
    }
    wecom.events_settled().await;
    let events = wecom.events();
    assert_eq!(events.len(), NEWCOMERS + 1);
    assert!(events.iter().all(|event| event.state == EventState::Delivered), "all are acknowledged");
    wecom.held(1).await;
    program.kill();
    wecom.held_at_most(0).await;
    wecom.clear_faults();

    let _program = Program::start_ready(app.command());
    assert_eq!(browser.me(app.url()).await, None, "the leaver's session has ended");
    let store = Store::open_sqlite(&app.data().join("wecom-login.db")).await.unwrap();
    found("no event waits", async || {
        let backlog = store.event_backlog().await.unwrap();
        if backlog.is_empty() { Ok(()) } else { Err(backlog) }
    })
    .await;
    let corp_id = CorpId::parse(sample::CORP_ID).unwrap();
    let members = store.memberships_after(&corp_id, None, i64::MAX).await.unwrap();
    let copied: BTreeSet<String> = members.iter().map(|one| one.user_id.to_string()).collect();
    assert!(names.is_subset(&copied) && !copied.contains("lisi"), "{copied:?}");
}

use wecom_login_simulator::{Options, Simulator};

use crate::app::App;
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

//! The load of a company in the morning after a restart of all servers: all sign-ins start before there is an access token,
//! and all end at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use wecom_login_simulator::{Fault, FaultKind};

use crate::browser::Browser;
use crate::replicas::Replicas;

/// Concurrency of the steps before and after the measured load.
const CALMLY: usize = 48;
/// The simulated latency of gettoken, so that many sign-ins wait for it at every replica.
const TOKEN_TAKES: Duration = Duration::from_millis(500);

/// The result of a load.
#[derive(Debug)]
pub struct Load {
    /// The number of sign-ins.
    pub people: usize,
    /// The time from the first redirect to the last answer.
    pub took: Duration,
    /// The number of calls of gettoken.
    pub access_tokens: u64,
    /// For each member who is not signed in by another replica's /me: the reason.
    pub lost: Vec<String>,
}

/// Signs in all members of the company of [cold](Replicas::cold) replicas, each in a browser of their own, a third of them at
/// each replica, over at most `at_once` concurrent connections, without retries.
pub async fn sign_everybody_in(replicas: &Arc<Replicas>, at_once: usize) -> Load {
    let people = replicas.people().into_iter().enumerate();
    let begun = together(people, CALMLY, |(number, user_id)| {
        let replicas = Arc::clone(replicas);
        async move {
            let browser = replicas.browser();
            let redirect = replicas.redirect(&browser, number, &user_id).await;
            (number, user_id, browser, redirect)
        }
    })
    .await;
    let calls = replicas.wecom.calls();
    assert!(calls.is_empty(), "WeCom was called before the first redirect: {calls:?}");
    let millis = u64::try_from(TOKEN_TAKES.as_millis()).unwrap();
    replicas.wecom.fault(Fault::new("gettoken", FaultKind::Latency { ms: millis }));
    let people = begun.len();
    let began = Instant::now();
    let ended = together(begun, at_once, |(number, user_id, browser, redirect)| {
        let replicas = Arc::clone(replicas);
        async move {
            let answer = follow(&replicas, &browser, number, &redirect).await;
            (number, user_id, browser, answer)
        }
    })
    .await;
    let took = began.elapsed();
    let known = together(ended, CALMLY, |(number, user_id, browser, answer)| {
        let replicas = Arc::clone(replicas);
        async move {
            match answer {
                Ok(()) if browser.me(replicas.url(number + 1)).await.as_ref() == Some(&user_id) => None,
                Ok(()) => Some(format!("{user_id}: another replica does not know the session")),
                Err(problem) => Some(format!("{user_id}: {problem}")),
            }
        }
    })
    .await;
    let access_tokens = replicas.wecom.calls_of("gettoken");
    Load { people, took, access_tokens, lost: known.into_iter().flatten().collect() }
}

/// Follows WeCom's redirect.
async fn follow(replicas: &Replicas, browser: &Browser, number: usize, redirect: &str) -> Result<(), String> {
    let request = browser.request(Method::GET, replicas.url(number), redirect);
    let answer = browser.try_send(request).await.map_err(|error| format!("{:?}", error.without_url()))?;
    match answer.status() {
        StatusCode::SEE_OTHER => Ok(()),
        status => Err(format!("{status}: {}", answer.text().await.unwrap_or_default())),
    }
}

/// Runs `what` for all items, at most `at_once` at a time.
async fn together<T, F>(
    all: impl IntoIterator<Item = T>,
    at_once: usize,
    what: impl Fn(T) -> F,
) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let (places, mut tasks) = (Arc::new(Semaphore::new(at_once)), JoinSet::new());
    for one in all {
        let (places, done) = (Arc::clone(&places), what(one));
        tasks.spawn(async move {
            let _place = places.acquire().await;
            done.await
        });
    }
    tasks.join_all().await
}

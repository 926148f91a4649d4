use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::*;
use crate::Timestamp;
use crate::client::token::StoreFuture;

const MINUTE: Duration = Duration::from_mins(1);
/// A tenth of WeCom's limits: background work may make 800 calls in a minute.
const LIMITS: CallLimits = CallLimits { per_minute: 1_000, per_hour: 15_000 };
const BASE: &str = "https://wecom.example.com";

/// The most of these times, in milliseconds and in order, that lie within one window.
pub(super) fn most_within(calls: &[i64], window: Duration) -> usize {
    let (mut from, mut most) = (0, 0);
    for (to, call) in calls.iter().enumerate() {
        while calls[from] + millis(window) <= *call {
            from += 1;
        }
        most = most.max(to - from + 1);
    }
    most
}

/// A store in memory, by the virtual time.
#[derive(Debug)]
struct Memory {
    begun: Instant,
    values: Mutex<HashMap<String, (String, i64)>>,
    asked: AtomicU32,
    fails: AtomicBool,
    hangs: AtomicBool,
}

impl Memory {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: Instant::now(),
            values: Mutex::default(),
            asked: AtomicU32::new(0),
            fails: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
        })
    }

    async fn answer(&self) -> Result<(), TokenStoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.hangs.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        if self.fails.load(Ordering::Relaxed) { Err(TokenStoreError::new("gone")) } else { Ok(()) }
    }
}

impl QuotaStore for Memory {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(millis(self.begun.elapsed()))
    }

    fn load<'a>(&'a self, key: &'a str) -> StoreFuture<'a, Option<(String, i64)>> {
        Box::pin(async move {
            self.answer().await?;
            Ok(self.values.lock().unwrap().get(key).cloned())
        })
    }

    fn replace<'a>(
        &'a self,
        key: &'a str,
        version: Option<i64>,
        value: &'a str,
        _: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            self.answer().await?;
            let mut values = self.values.lock().unwrap();
            let matches = values.get(key).map(|(_, version)| *version) == version;
            if matches {
                values.insert(key.to_owned(), (value.to_owned(), version.unwrap_or(0) + 1));
            }
            Ok(matches)
        })
    }
}

fn corp() -> CorpId {
    CorpId::parse("ww1").unwrap()
}

/// Makes so many calls in the background, eight at once, 20 ms each; returns their times.
async fn work(quota: &Quota, memory: &Memory, calls: usize) -> Vec<i64> {
    let (made, corp_id) = (Mutex::new(Vec::new()), corp());
    let worker = || async {
        while made.lock().unwrap().len() < calls {
            match quota.reserve((BASE, &corp_id), "user/get").await {
                Ok(()) => {
                    made.lock().unwrap().push(memory.now().as_millis());
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(free_in) => tokio::time::sleep(free_in).await,
            }
        }
    };
    futures_util::future::join_all((0..8).map(|_| worker())).await;
    made.into_inner().unwrap()
}

fn shared(store: &Arc<Memory>) -> Quota {
    Quota::new(LIMITS, Some(Arc::clone(store) as Arc<dyn QuotaStore>))
}

/// O7: each of three processes kept within the limit, and together they exceeded it.
#[tokio::test(start_paused = true)]
async fn three_processes_stay_within_one_quota() {
    let store = Memory::new();
    let [one, two, three] = [shared(&store), shared(&store), shared(&store)];
    let (one, two, three) =
        tokio::join!(work(&one, &store, 1_500), work(&two, &store, 1_500), work(&three, &store, 1_500));
    for calls in [&one, &two, &three] {
        assert!(calls.iter().filter(|at| **at < millis(MINUTE)).count() > 80, "each gets a part");
    }
    let mut all = [one, two, three].concat();
    all.sort_unstable();
    let most = most_within(&all, MINUTE);
    assert!((700..=800).contains(&most), "{most} calls in a minute");
    assert!(all[all.len() - 1] < 7 * millis(MINUTE), "nearly everything is used");
    let asked = store.asked.load(Ordering::Relaxed);
    assert!(asked < 1_500, "{asked} questions for {} calls", all.len());
}

#[tokio::test(start_paused = true)]
async fn sign_ins_of_one_process_are_counted_for_the_work_of_another() {
    let store = Memory::new();
    let (signs_in, works) = (shared(&store), shared(&store));
    for _ in 0..700 {
        signs_in.note((BASE, &corp()), "user/get");
    }
    assert_eq!(store.asked.load(Ordering::Relaxed), 0, "no sign-in waits for the store");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let calls = work(&works, &store, 150).await;
    let within = calls.iter().filter(|at| **at < millis(MINUTE)).count();
    assert!(within <= 100, "{within} calls beside 700 of sign-ins");

    // Few of them are reported a little later.
    let asked = store.asked.load(Ordering::Relaxed);
    signs_in.note((BASE, &corp()), "auth/getuserinfo");
    tokio::time::sleep(REPORTED_AFTER * 2).await;
    assert!(store.asked.load(Ordering::Relaxed) > asked);
}

#[tokio::test(start_paused = true)]
async fn without_the_store_a_process_counts_alone_and_reports_later() {
    let store = Memory::new();
    let (one, other) = (shared(&store), shared(&store));
    for failure in [&store.fails, &store.hangs] {
        failure.store(true, Ordering::Relaxed);
        let began = Instant::now();
        for _ in 0..200 {
            one.reserve((BASE, &corp()), "user/get").await.unwrap();
        }
        assert!(began.elapsed() <= Duration::from_secs(2), "the store is not asked again at once");
        failure.store(false, Ordering::Relaxed);
        tokio::time::sleep(ALONE).await;
    }
    assert!(work(&one, &store, 10).await.len() >= 10);
    let calls = work(&other, &store, 400).await;
    let soon = calls.iter().filter(|at| **at < millis(MINUTE)).count();
    assert!(soon <= 400, "{soon} calls beside the 400 that were made alone");
}

#[tokio::test(start_paused = true)]
async fn what_was_taken_in_advance_is_not_kept() {
    let store = Memory::new();
    let quota = shared(&store);
    for _ in 0..4 {
        quota.reserve((BASE, &corp()), "user/get").await.unwrap();
        tokio::time::sleep(VALID).await;
    }
    let values = store.values.lock().unwrap();
    let (text, _) = values.values().next().unwrap();
    let mut windows: Windows = serde_json::from_str(text).unwrap();
    let room = windows.room(LIMITS, SLACK, store.now().as_millis()).unwrap();
    assert!(room >= 800 - 8 - 4 - 2 - 1, "{room}: a process that calls rarely takes little");
}

#[tokio::test(start_paused = true)]
async fn each_company_and_api_has_its_own_quota() {
    for store in [None, Some(Memory::new() as Arc<dyn QuotaStore>)] {
        let quota = Quota::new(LIMITS, store);
        let (one, other) = (corp(), CorpId::parse("ww2").unwrap());
        let mut spent = 0;
        while quota.reserve((BASE, &one), "user/list").await.is_ok() {
            spent += 1;
        }
        assert_eq!(spent, 800);
        quota.reserve((BASE, &one), "user/get").await.unwrap();
        quota.reserve((BASE, &other), "user/list").await.unwrap();
        quota.reserve(("https://other.example.com", &one), "user/list").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_count_that_cannot_be_read_begins_anew() {
    let store = Memory::new();
    let quota = shared(&store);
    quota.reserve((BASE, &corp()), "user/get").await.unwrap();
    store.values.lock().unwrap().values_mut().for_each(|(text, _)| "?".clone_into(text));
    tokio::time::sleep(VALID).await;
    quota.reserve((BASE, &corp()), "user/get").await.unwrap();
}

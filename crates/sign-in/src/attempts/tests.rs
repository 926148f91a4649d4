use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use wecom_login_model::{CorpId, ManualClock, MemberRef, Timestamp, UserId};
use wecom_login_store::{AccountRule, Counter, Rehire};

use super::allowance::{LONGEST_WAIT, STALLED, WAITING};
use super::allowances::IDLE;
use super::*;

const START: Timestamp = Timestamp::from_millis(1_795_741_560_000);
const ADDRESS: &str = "203.0.113.7";

/// Attempts of one process on a database that others share.
struct Process {
    attempts: Attempts,
    store: Store,
    clock: ManualClock,
    folder: Arc<TempDir>,
}

async fn process() -> Process {
    process_in(Arc::new(tempfile::tempdir().unwrap())).await
}

async fn process_in(folder: Arc<TempDir>) -> Process {
    let store = Store::open_sqlite(&folder.path().join("test.db")).await.unwrap();
    let clock = ManualClock::at(START);
    Process { attempts: Attempts::new("code", &store, Arc::new(clock.clone())), store, clock, folder }
}

impl Process {
    async fn fail(&self, attempter: &Attempter) -> Result<(), Refused> {
        self.attempts.admit(attempter).await?.failed().await;
        Ok(())
    }

    /// Fails until the limit, which must come after `most`.
    async fn fail_all(&self, attempter: &Attempter, most: i64) {
        for number in 0..most {
            assert!(self.fail(attempter).await.is_ok(), "failure {number}");
        }
        self.refused(attempter).await;
    }

    async fn refused(&self, attempter: &Attempter) -> Duration {
        match self.attempts.admit(attempter).await {
            Err(Refused::LimitReached { retry_after }) => retry_after,
            other => panic!("not refused: {other:?}"),
        }
    }

    async fn failures(&self, attempter: &Attempter) -> i64 {
        let key = format!("attempts/code/address/{}", attempter.address);
        self.store.key_value().counter(&key, self.clock.now()).await.unwrap().count
    }

    /// An account with a member.
    async fn account(&self, user_id: &str) -> AccountId {
        let rule = AccountRule { find_by: None, barred: &[], register: true, rehire: Rehire::SameName };
        self.store.account_for(&member(user_id), &rule, START).await.unwrap().unwrap().account.id
    }
}

fn member(user_id: &str) -> MemberRef {
    MemberRef { corp_id: CorpId::parse("wwA").unwrap(), user_id: UserId::parse(user_id).unwrap() }
}

fn known(account: AccountId) -> Attempter {
    Attempter { account: Some(account), ..Attempter::at(ADDRESS) }
}

#[tokio::test]
async fn sixty_failures_a_minute_of_one_address() {
    let here = process().await;
    let (stranger, elsewhere) = (Attempter::at(ADDRESS), Attempter::at("2001:db8::/64"));
    here.fail_all(&stranger, 60).await;
    here.clock.advance(Duration::from_secs(20));
    assert_eq!(here.refused(&stranger).await, Duration::from_secs(40), "when the window ends");
    here.attempts.admit(&elsewhere).await.unwrap().succeeded();
    let exempt = Attempter { is_exempt: true, ..stranger.clone() };
    for _ in 0..100 {
        here.fail(&exempt).await.unwrap();
    }
    here.clock.advance(Duration::from_secs(40));
    here.fail_all(&stranger, 60).await;
}

#[tokio::test]
async fn kinds_of_guesses_have_allowances_of_their_own() {
    let here = process().await;
    let stranger = Attempter::at(ADDRESS);
    here.fail_all(&stranger, 60).await;
    let user_codes = Attempts::new("user-code", &here.store, Arc::new(here.clock.clone()));
    user_codes.admit(&stranger).await.unwrap().failed().await;
}

#[tokio::test]
async fn a_success_writes_nothing() {
    let here = process().await;
    let stranger = Attempter::at(ADDRESS);
    for _ in 0..1_000 {
        here.attempts.admit(&stranger).await.unwrap().succeeded();
    }
    assert_eq!(here.failures(&stranger).await, 0);
}

/// F5: the limit was read before and counted after.
#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_wrong_guesses_at_once_are_sixty_checks() {
    let here = Arc::new(process().await);
    let (start, checks) = (Arc::new(Barrier::new(300)), Arc::new(AtomicUsize::new(0)));
    let mut guesses = JoinSet::new();
    for _ in 0..300 {
        let (here, start, checks) = (here.clone(), start.clone(), checks.clone());
        guesses.spawn(async move {
            start.wait().await;
            let admitted = here.attempts.admit(&Attempter::at(ADDRESS)).await;
            match admitted {
                Ok(attempt) => {
                    checks.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    attempt.failed().await;
                }
                Err(Refused::LimitReached { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        });
    }
    guesses.join_all().await;
    assert_eq!(checks.load(Ordering::Relaxed), 60);
    assert_eq!(here.failures(&Attempter::at(ADDRESS)).await, 60);
}

#[tokio::test]
async fn replicas_share_the_failures() {
    let here = process().await;
    let there = process_in(here.folder.clone()).await;
    let stranger = Attempter::at(ADDRESS);
    for _ in 0..59 {
        here.fail(&stranger).await.unwrap();
    }
    there.fail(&stranger).await.unwrap();
    there.refused(&stranger).await;
    // This process has read the counter within the last second; the clock says that it is older.
    here.clock.advance(Duration::from_secs(1));
    here.refused(&stranger).await;
}

#[tokio::test]
async fn a_known_account_goes_on_when_its_address_has_no_allowance_left() {
    let here = process().await;
    let (zhangsan, lisi) = (here.account("zhangsan").await, here.account("lisi").await);
    let stranger = Attempter::at(ADDRESS);
    here.fail_all(&stranger, 60).await;
    for _ in 0..100 {
        here.attempts.admit(&known(zhangsan)).await.unwrap().succeeded();
    }
    here.fail_all(&known(zhangsan), 60).await;
    here.attempts.admit(&known(lisi)).await.unwrap().succeeded();
    here.refused(&stranger).await;
    here.refused(&known(AccountId(4_711))).await;

    here.store.unbind_member(&member("lisi"), START).await.unwrap();
    here.refused(&known(lisi)).await;
}

#[tokio::test]
async fn an_address_has_six_hundred_failures_in_all() {
    let here = process().await;
    here.fail_all(&Attempter::at(ADDRESS), 60).await;
    for number in 0..9 {
        let account = here.account(&format!("member{number}")).await;
        here.fail_all(&known(account), 60).await;
    }
    assert_eq!(here.failures(&Attempter::at(ADDRESS)).await, 600);
    let tenth = here.account("member9").await;
    here.refused(&known(tenth)).await;
    let at_home = Attempter { address: "198.51.100.1".to_owned(), ..known(tenth) };
    here.attempts.admit(&at_home).await.unwrap().succeeded();
}

#[tokio::test]
async fn without_the_store_nobody_is_admitted() {
    let here = process().await;
    here.store.close().await;
    let stranger = Attempter::at(ADDRESS);
    assert!(matches!(here.attempts.admit(&stranger).await, Err(Refused::Store(_))));
}

#[tokio::test]
async fn a_failure_that_cannot_be_written_is_counted_in_the_process() {
    let here = process().await;
    let stranger = Attempter::at(ADDRESS);
    let mut under_way = Vec::new();
    for _ in 0..60 {
        under_way.push(here.attempts.admit(&stranger).await.unwrap());
    }
    here.store.close().await;
    for attempt in under_way {
        attempt.failed().await;
    }
    // The counter was read within the last second.
    assert_eq!(here.refused(&stranger).await, WINDOW);
}

#[tokio::test]
async fn allowances_without_attempts_do_not_fill_the_memory() {
    let here = process().await;
    let kept = here.attempts.admit(&Attempter::at(ADDRESS)).await.unwrap();
    for number in 0..IDLE * 3 {
        here.attempts.allowances.of(format!("{number}"));
        assert!(here.attempts.allowances.len() <= IDLE + 1);
    }
    for _ in 0..59 {
        here.fail(&Attempter::at(ADDRESS)).await.unwrap();
    }
    let waiting = tokio::spawn({
        let attempts = here.attempts.clone();
        async move { attempts.admit(&Attempter::at(ADDRESS)).await.map(drop) }
    });
    tokio::task::yield_now().await;
    kept.failed().await;
    assert!(matches!(waiting.await.unwrap(), Err(Refused::LimitReached { .. })), "it was kept");
}

/// Without a store, in virtual time: what attempts of one address do among themselves.
struct Queue {
    allowances: Allowances,
    address: Arc<Allowance>,
}

impl Queue {
    fn new() -> Self {
        let allowances = Allowances::new(Arc::new(ManualClock::at(START)));
        let address = allowances.of(ADDRESS.to_owned());
        address.read(Counter { count: 0, until: START }, 0);
        Self { allowances, address }
    }

    async fn admit(&self) -> Result<Place, Refused> {
        match self.address.take() {
            Some(place) => Ok(place),
            None => self.allowances.wait(&self.address)?.turn().await,
        }
    }
}

fn is_refused<T>(outcome: &Result<T, Refused>) -> bool {
    matches!(outcome, Err(Refused::LimitReached { .. }))
}

#[tokio::test(start_paused = true)]
async fn a_thousand_right_guesses_at_once_lose_none() {
    let queue = Arc::new(Queue::new());
    let mut people = JoinSet::new();
    for _ in 0..1_000 {
        let queue = queue.clone();
        people.spawn(async move {
            let place = queue.admit().await?;
            tokio::time::sleep(Duration::from_millis(150)).await;
            drop(place);
            Ok::<(), Refused>(())
        });
    }
    let began = Instant::now();
    assert!(people.join_all().await.iter().all(Result::is_ok));
    // 17 turns of 60.
    assert_eq!(began.elapsed(), Duration::from_millis(17 * 150));
}

#[tokio::test(start_paused = true)]
async fn who_came_first_has_the_first_turn() {
    let queue = Arc::new(Queue::new());
    let mut places: Vec<Place> = (0..60).filter_map(|_| queue.address.take()).collect();
    let (turns, mut taken) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..3 {
        let (queue, turns) = (queue.clone(), turns.clone());
        tokio::spawn(async move {
            let place = queue.admit().await;
            turns.send((number, place)).unwrap();
        });
        tokio::task::yield_now().await;
    }
    let mut held = Vec::new();
    for expected in 0..3 {
        drop(places.pop());
        assert!(queue.address.take().is_none(), "nobody passes those who wait");
        let (number, place) = taken.recv().await.unwrap();
        assert_eq!(number, expected);
        held.push(place.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_three_seconds_for_attempts_that_are_stuck() {
    let queue = Queue::new();
    let stuck: Vec<Place> = (0..60).filter_map(|_| queue.address.take()).collect();
    let began = Instant::now();
    assert!(is_refused(&queue.admit().await));
    assert_eq!((began.elapsed(), stuck.len()), (STALLED, 60));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_moves_is_waited_in_for_half_a_minute() {
    let queue = Arc::new(Queue::new());
    let mut people = JoinSet::new();
    for _ in 0..1_000 {
        let queue = queue.clone();
        people.spawn(async move {
            let began = Instant::now();
            let place = queue.admit().await;
            let waited = began.elapsed();
            tokio::time::sleep(Duration::from_millis(2_100)).await;
            (place.is_ok(), waited)
        });
    }
    let outcomes = people.join_all().await;
    assert_eq!(
        outcomes.iter().filter(|(admitted, _)| *admitted).count(),
        900,
        "the last turn is after 29.4 seconds"
    );
    assert!(outcomes.iter().all(|(admitted, waited)| *admitted || *waited == LONGEST_WAIT));
}

#[tokio::test(start_paused = true)]
async fn who_waits_hears_at_once_that_failures_have_used_the_allowance_up() {
    let queue = Arc::new(Queue::new());
    let places: Vec<Place> = (0..60).filter_map(|_| queue.address.take()).collect();
    let mut waiting = JoinSet::new();
    for _ in 0..10 {
        let queue = queue.clone();
        waiting.spawn(async move { queue.admit().await.map(drop) });
    }
    tokio::task::yield_now().await;
    let began = Instant::now();
    for (sum, place) in (1..).zip(places) {
        place.fail(Some(sum));
    }
    assert!(waiting.join_all().await.iter().all(is_refused));
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_turn_of_somebody_who_has_gone_away_goes_to_the_next() {
    let queue = Arc::new(Queue::new());
    let mut places: Vec<Place> = (0..60).filter_map(|_| queue.address.take()).collect();
    let (gone, next) = (queue.clone(), queue.clone());
    let gone = tokio::spawn(async move { gone.admit().await.map(drop) });
    tokio::task::yield_now().await;
    let next = tokio::spawn(async move { next.admit().await });
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    drop(places.pop());
    let place = next.await.unwrap();
    assert!(place.is_ok() && queue.address.take().is_none());
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_bounded() {
    let queue = Arc::new(Queue::new());
    let _places: Vec<Place> = (0..60).filter_map(|_| queue.address.take()).collect();
    let mut waiting = JoinSet::new();
    for _ in 0..WAITING {
        let queue = queue.clone();
        waiting.spawn(async move { queue.admit().await.map(drop) });
    }
    // In virtual time: once all of them wait.
    tokio::time::sleep(Duration::from_millis(1)).await;
    let began = Instant::now();
    assert!(is_refused(&queue.admit().await));
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(waiting.join_all().await.iter().all(is_refused));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_raced_with_a_failure_of_this_process_forgets_it_not() {
    let queue = Queue::new();
    let places: Vec<Place> = (0..60).filter_map(|_| queue.address.take()).collect();
    let seen = queue.address.changes();
    for (sum, place) in (1..).zip(places) {
        place.fail(Some(sum));
    }
    queue.address.read(Counter { count: 59, until: START + WINDOW }, seen);
    assert!(queue.address.take().is_none());
    queue.address.read(Counter { count: 59, until: START + WINDOW }, queue.address.changes());
    assert!(queue.address.take().is_some(), "what was read afterwards counts");
}

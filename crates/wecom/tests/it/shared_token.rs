//! One token for all processes on one store. Each client represents a process: it has its own transport and memory, and
//! shares only the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use wecom::{
    Budget, Client, InProcessTokens, LeaseId, StoreFuture, StoredToken, TokenKey, TokenStore, TokenStoreError,
};
use wecom::{Fingerprint, Secret, SeededEntropy, UserId};

use crate::script::{Gate, WeCom, clock, member, refuse, token, until, within};

fn processes(wecom: &WeCom, store: &Arc<dyn TokenStore>, how_many: u64) -> Vec<Client> {
    (0..how_many)
        .map(|seed| {
            let entropy = Arc::new(SeededEntropy::new(100 + seed));
            wecom.builder().entropy(entropy).token_store(store.clone()).build().unwrap()
        })
        .collect()
}

#[tokio::test]
async fn twenty_cold_processes_fetch_once() {
    let gate = Gate::closed();
    let held = gate.clone();
    let wecom = WeCom::with(move |seen| held.then(token(&format!("T{}", seen.nth)))).await;
    let store: Arc<dyn TokenStore> = Arc::new(InProcessTokens::new());
    let callers: Vec<_> = processes(&wecom, &store, 20)
        .into_iter()
        .map(|client| tokio::spawn(async move { client.within(Budget::background()).access_token().await }))
        .collect();
    wecom.asked("gettoken", 1).await;
    gate.open();
    for answer in within("the token", join_all(callers)).await {
        assert_eq!(answer.unwrap().unwrap(), Secret::new("T1"));
    }
    assert_eq!(wecom.count("gettoken"), 1);
}

#[tokio::test]
async fn a_dead_token_is_replaced_once_for_all_processes() {
    let wecom = WeCom::with_tokens(|seen| match seen.get("access_token") {
        "T1" => refuse(40014),
        _ => member(),
    })
    .await;
    let store: Arc<dyn TokenStore> = Arc::new(InProcessTokens::new());
    let clients = processes(&wecom, &store, 10);
    for client in &clients {
        assert_eq!(client.within(Budget::background()).access_token().await.unwrap(), Secret::new("T1"));
    }
    let calls = clients.iter().map(|client| async {
        client.within(Budget::background()).user(&UserId::parse("zhangsan").unwrap()).await
    });
    for answer in within("the answers", join_all(calls)).await {
        answer.unwrap();
    }
    assert_eq!(wecom.count("gettoken"), 2);
}

#[tokio::test]
async fn a_token_near_its_end_is_renewed_once_for_all_processes() {
    let clock = clock();
    let wecom = WeCom::with_tokens(|_| member()).await;
    let store: Arc<dyn TokenStore> = Arc::new(InProcessTokens::with_clock(Arc::new(clock.clone())));
    let client = || {
        let builder = wecom.builder().token_store(store.clone()).clock(Arc::new(clock.clone()));
        builder.build().unwrap()
    };
    let clients = [client(), client(), client()];
    for client in &clients {
        client.within(Budget::background()).access_token().await.unwrap();
    }
    clock.advance(Duration::from_mins(110));
    for client in &clients {
        let calls = client.within(Budget::background());
        until("T2", async || calls.access_token().await.unwrap() == Secret::new("T2")).await;
    }
    assert_eq!(wecom.count("gettoken"), 2);
}

#[tokio::test]
async fn a_dead_holder_of_the_lease_is_replaced_when_the_lease_ends() {
    let clock = clock();
    let wecom = WeCom::with_tokens(|_| member()).await;
    let store = Arc::new(InProcessTokens::with_clock(Arc::new(clock.clone())));
    let asked = Arc::new(Counting { inner: store.clone(), leases: AtomicUsize::new(0) });
    let client = wecom.builder().token_store(asked.clone()).build().unwrap();
    let dead = LeaseId::new(&SeededEntropy::new(9));
    assert!(store.lease(client.token_key(), dead, Duration::from_secs(6)).await.unwrap());
    let waiting = tokio::spawn(async move { client.within(Budget::background()).access_token().await });
    until("the lease is asked for again", async || asked.leases.load(Ordering::SeqCst) >= 2).await;
    assert_eq!(wecom.count("gettoken"), 0, "the lease is respected while it lasts");
    clock.advance(Duration::from_secs(6));
    assert_eq!(within("the token", waiting).await.unwrap().unwrap(), Secret::new("T1"));
}

/// Passes on, and counts who asks for the lease.
#[derive(Debug)]
struct Counting {
    inner: Arc<InProcessTokens>,
    leases: AtomicUsize,
}

impl TokenStore for Counting {
    fn load(&self, key: TokenKey) -> StoreFuture<'_, Option<StoredToken>> {
        self.inner.load(key)
    }
    fn save(&self, key: TokenKey, token: StoredToken) -> StoreFuture<'_, ()> {
        self.inner.save(key, token)
    }
    fn drop_if(&self, key: TokenKey, fingerprint: Fingerprint) -> StoreFuture<'_, bool> {
        self.inner.drop_if(key, fingerprint)
    }
    fn lease(&self, key: TokenKey, holder: LeaseId, ttl: Duration) -> StoreFuture<'_, bool> {
        self.leases.fetch_add(1, Ordering::SeqCst);
        self.inner.lease(key, holder, ttl)
    }
    fn release(&self, key: TokenKey, holder: LeaseId) -> StoreFuture<'_, ()> {
        self.inner.release(key, holder)
    }
}

#[tokio::test]
async fn a_failing_store_stops_nobody() {
    #[derive(Debug)]
    struct Broken;
    fn broken<T: Send + 'static>() -> StoreFuture<'static, T> {
        Box::pin(std::future::ready(Err(TokenStoreError::new("connection refused"))))
    }
    impl TokenStore for Broken {
        fn load(&self, _: TokenKey) -> StoreFuture<'_, Option<StoredToken>> {
            broken()
        }
        fn save(&self, _: TokenKey, _: StoredToken) -> StoreFuture<'_, ()> {
            broken()
        }
        fn drop_if(&self, _: TokenKey, _: Fingerprint) -> StoreFuture<'_, bool> {
            broken()
        }
        fn lease(&self, _: TokenKey, _: LeaseId, _: Duration) -> StoreFuture<'_, bool> {
            broken()
        }
        fn release(&self, _: TokenKey, _: LeaseId) -> StoreFuture<'_, ()> {
            broken()
        }
    }
    let wecom = WeCom::with_tokens(|_| member()).await;
    let client = wecom.builder().token_store(Arc::new(Broken)).build().unwrap();
    for _ in 0..3 {
        client.within(Budget::sign_in()).access_token().await.unwrap();
    }
    assert_eq!(wecom.count("gettoken"), 1, "the process's own copy serves");
}

#[tokio::test]
async fn the_in_process_store_keeps_its_contract() {
    let clock = clock();
    let store = InProcessTokens::with_clock(Arc::new(clock.clone()));
    let wecom = WeCom::with_tokens(|_| member()).await;
    let key = wecom.client().token_key();
    let now = wecom::Clock::now(&clock);
    let stored = |text: &str| StoredToken {
        token: Secret::new(text),
        issued_at: now,
        expires_at: now + Duration::from_hours(2),
    };
    assert_eq!(store.load(key).await.unwrap(), None);
    store.save(key, stored("A")).await.unwrap();
    assert!(!store.drop_if(key, Fingerprint::of("B")).await.unwrap());
    assert_eq!(store.load(key).await.unwrap(), Some(stored("A")));
    assert!(store.drop_if(key, Fingerprint::of("A")).await.unwrap());
    assert_eq!(store.load(key).await.unwrap(), None);

    let entropy = SeededEntropy::new(3);
    let (one, two) = (LeaseId::new(&entropy), LeaseId::new(&entropy));
    let ttl = Duration::from_secs(6);
    assert!(store.lease(key, one.clone(), ttl).await.unwrap());
    assert!(!store.lease(key, two.clone(), ttl).await.unwrap());
    store.release(key, two.clone()).await.unwrap();
    assert!(!store.lease(key, two.clone(), ttl).await.unwrap(), "only the holder can release");
    store.release(key, one.clone()).await.unwrap();
    assert!(store.lease(key, two, ttl).await.unwrap());
    clock.advance(ttl);
    assert!(store.lease(key, one, ttl).await.unwrap(), "a lease ends by itself");
}

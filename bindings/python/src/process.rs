//! One process at a time: what happens around a fork.
//!
//! A forked child has one thread, and nothing else of what ran in its parent; SQLite's connections must not cross a
//! fork at all. So before Python forks, calls of other threads are waited for, and every app closes its database and
//! ends its runtime; parent and child open them again at their next call. The gate is made of atomics alone, because a
//! lock that some thread holds in the moment of the fork is held for ever in the child.
//!
//! A fork that cannot wait, from inside a call or while one does not end, leaves the parent as it is; in the child
//! such an app answers with an error.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::app::Inner;

/// Longer than a sign-in may take.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
static FORKS: AtomicUsize = AtomicUsize::new(0);
static GENERATION: AtomicU32 = AtomicU32::new(0);
static APPS: Mutex<Vec<Weak<Inner>>> = Mutex::new(Vec::new());

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// How many forks lie between this process and the one that loaded the module.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// A call under way; forks wait for its end.
pub(crate) struct UnderWay(());

/// Begins a call, once no fork is under way. Detach from Python before.
pub(crate) fn begin() -> UnderWay {
    loop {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        // A call inside a call belongs to the outer one, which the fork is waiting for.
        if FORKS.load(Ordering::SeqCst) == 0 || DEPTH.get() > 0 {
            DEPTH.set(DEPTH.get() + 1);
            return UnderWay(());
        }
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        std::thread::sleep(LOOK_AGAIN);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Makes an app known, so that forks close it.
pub(crate) fn register(app: &Arc<Inner>) {
    let mut apps = APPS.lock().unwrap_or_else(PoisonError::into_inner);
    apps.retain(|app| app.strong_count() > 0);
    apps.push(Arc::downgrade(app));
}

fn apps() -> Vec<Arc<Inner>> {
    APPS.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect()
}

/// Before a fork: no call begins any more, those under way end, every app closes. Detach from Python before.
pub(crate) fn before_fork() {
    FORKS.fetch_add(1, Ordering::SeqCst);
    if DEPTH.get() > 0 {
        return;
    }
    let deadline = Instant::now() + PATIENCE;
    while UNDER_WAY.load(Ordering::SeqCst) > 0 {
        if Instant::now() >= deadline {
            return;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    for app in apps() {
        app.sleep();
    }
}

/// In the parent, after a fork.
pub(crate) fn after_fork_in_parent() {
    FORKS.fetch_sub(1, Ordering::SeqCst);
}

/// In the child, after a fork: no other thread has come along.
pub(crate) fn after_fork_in_child() {
    GENERATION.fetch_add(1, Ordering::SeqCst);
    UNDER_WAY.store(DEPTH.get(), Ordering::SeqCst);
    FORKS.store(0, Ordering::SeqCst);
}

/// At the end of the process: every app closes, so that nothing runs into an interpreter that is gone.
pub(crate) fn at_exit() {
    for app in apps() {
        app.close();
    }
}

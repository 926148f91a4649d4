//! Waits. Each has a deadline, so that a regression fails and never hangs.
//!
//! Real time: nothing here moves the clock of a test.

use std::fmt::Debug;
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// No wait of a test is longer. What a test waits for takes a fraction of it, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The outcome of the work, or a failure that names what did not come in time.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(PATIENCE, work).await;
    outcome.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// Looks until it is so.
pub async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !look().await {
            tokio::task::yield_now().await;
        }
    };
    within(what, looking).await;
}

/// Looks until it is found. A failure also tells what the last look showed instead.
pub async fn found<T, E: Debug>(what: &str, mut look: impl AsyncFnMut() -> Result<T, E>) -> T {
    let mut instead = None;
    let looking = async {
        loop {
            match look().await {
                Ok(found) => break found,
                Err(other) => instead = Some(other),
            }
            tokio::task::yield_now().await;
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, looking).await;
    outcome.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}; the last look showed {instead:?}"))
}

/// Waits for a process by blocking this thread: for its output, or for its end. A process that takes too long is killed, which
/// ends the wait; the second value is true then.
pub fn attended<T>(process: u32, wait: impl FnOnce() -> T) -> (T, bool) {
    let (over, waited) = mpsc::channel::<()>();
    let guard = std::thread::spawn(move || {
        let late = waited.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout);
        if late {
            let _ = Command::new("kill").arg("-9").arg(process.to_string()).status();
        }
        late
    });
    let outcome = wait();
    drop(over);
    (outcome, guard.join().unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "not within 60s: the answer")]
    async fn work_that_never_ends_fails_by_name() {
        within("the answer", std::future::pending::<()>()).await;
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "not within 60s: an even number")]
    async fn what_never_becomes_so_fails_by_name() {
        until("an even number", async || {
            tokio::time::advance(Duration::from_secs(1)).await;
            false
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "not within 60s: the last page; the last look showed Some(\"page 60\")")]
    async fn what_is_never_found_fails_with_what_was_there() {
        let mut page = 0;
        found("the last page", async || -> Result<(), String> {
            page += 1;
            tokio::time::advance(Duration::from_secs(1)).await;
            Err(format!("page {page}"))
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_time_is_given() {
        let mut looks = 0;
        let number = found("the third look", async || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(looks) }
        });
        assert_eq!(number.await, 3);
    }
}

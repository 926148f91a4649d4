//! Waits with a deadline, so that a regression fails and never hangs.
//!
//! They use real time, and do not move the clock of a test.

use std::fmt::Debug;
use std::process::Command;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// The deadline of every wait. Even on a busy machine, the awaited result takes a fraction of it.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Returns the result of the work, or panics with `what` after the deadline.
pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let outcome = tokio::time::timeout(PATIENCE, work).await;
    outcome.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// Repeats a check until it is true.
pub async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !look().await {
            tokio::task::yield_now().await;
        }
    };
    within(what, looking).await;
}

/// Repeats a check until it is `Ok`. After the deadline it panics with the last error.
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

/// Waits for the output or the end of a process, blocking this thread. A process that takes too long is killed, which ends
/// the wait; the second value is then true.
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

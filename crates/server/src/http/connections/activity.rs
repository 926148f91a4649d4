//! What a connection is doing: whether the server works for its client, or waits for it.
//!
//! The server waits between two requests, while a head or a body arrives, and while the client does not read its answer. Bytes
//! that trickle in do not end the wait, so a client cannot hold its place by sending or reading one byte at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// A connection keeps its place for this time after an answer: the client's next request may be on its way.
pub(crate) const JUST_ANSWERED: Duration = Duration::from_millis(10);
/// A client may keep the server waiting for this time after it has connected, and during one request for this time and the
/// time that its bytes take at [`LEAST_RATE`].
pub(crate) const GRACE: Duration = Duration::from_millis(250);
/// Bytes per second of a request's body or answer, below which a client is slow. Mobile networks are faster.
const LEAST_RATE: u64 = 16 * 1024;

/// The activity of one connection. The connection records it; the limit on connections reads it.
#[derive(Debug)]
pub(crate) struct Activity {
    state: Mutex<State>,
    leave: Notify,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    has_spoken: bool,
    is_leaving: bool,
}

#[derive(Debug)]
enum Phase {
    /// The connection is new, and its client still has time to send a request.
    New { since: Instant },
    /// The server waits for the head of a request.
    BetweenRequests { since: Instant },
    /// A request is being received or answered.
    Answering(Pace),
    /// The answer is complete, and not all of it has been given to the operating system yet.
    Flushing(Pace),
}

/// How long the server has waited for the client during one request.
#[derive(Debug, Default)]
struct Pace {
    waited: Duration,
    waits_since: Option<Instant>,
    /// The bytes that ended a wait. Bytes that needed no wait say nothing about the client's speed: they went to a buffer.
    bytes: u64,
}

impl Pace {
    /// The time that the server has waited beyond the time that the bytes take at [`LEAST_RATE`].
    fn lost(&self, now: Instant) -> Duration {
        let waited = self.waited + self.waits_since.map_or(Duration::ZERO, |since| now.duration_since(since));
        waited.saturating_sub(Duration::from_micros(self.bytes.saturating_mul(1_000_000) / LEAST_RATE))
    }
}

impl Activity {
    /// The activity of a connection that was just opened.
    pub(crate) fn opened() -> Self {
        let state =
            State { phase: Phase::New { since: Instant::now() }, has_spoken: false, is_leaving: false };
        Self { state: Mutex::new(state), leave: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection has had [`GRACE`] to send its request, as its own task has seen. A comparison of times would
    /// not do: on a busy machine, the task may not have been able to read what has arrived.
    pub(crate) fn settles(&self) {
        let mut state = self.state();
        if let Phase::New { since } = state.phase {
            state.phase = Phase::BetweenRequests { since };
        }
    }

    /// The head of a request has arrived.
    pub(crate) fn request_begins(&self) {
        let mut state = self.state();
        state.has_spoken = true;
        state.phase = Phase::Answering(Pace::default());
    }

    /// The server has produced the whole answer.
    pub(crate) fn answer_ends(&self) {
        let mut state = self.state();
        if let Phase::Answering(pace) = &mut state.phase {
            state.phase = Phase::Flushing(std::mem::take(pace));
        }
    }

    /// Nothing is left to be given to the operating system.
    pub(crate) fn flushed(&self) {
        let mut state = self.state();
        if let Phase::Flushing(_) = state.phase {
            state.phase = Phase::BetweenRequests { since: Instant::now() };
        }
    }

    /// The server waits until the client sends more of a body, or reads more of an answer.
    pub(crate) fn client_pauses(&self) {
        if let Phase::Answering(pace) | Phase::Flushing(pace) = &mut self.state().phase {
            pace.waits_since.get_or_insert_with(Instant::now);
        }
    }

    /// The client has sent or read so many bytes.
    pub(crate) fn client_goes_on(&self, bytes: usize) {
        if let Phase::Answering(pace) | Phase::Flushing(pace) = &mut self.state().phase
            && let Some(since) = pace.waits_since.take()
        {
            pace.waited += since.elapsed();
            pace.bytes = pace.bytes.saturating_add(bytes as u64);
        }
    }

    /// True once the client has sent a whole head.
    pub(crate) fn has_spoken(&self) -> bool {
        self.state().has_spoken
    }

    /// How long the server has waited for the client, if the connection may be closed for it.
    pub(crate) fn idle_for(&self, now: Instant) -> Option<Duration> {
        let (idle, least) = match &self.state().phase {
            Phase::New { .. } => return None,
            Phase::BetweenRequests { since } => (now.duration_since(*since), JUST_ANSWERED),
            Phase::Answering(pace) | Phase::Flushing(pace) => (pace.lost(now), GRACE),
        };
        (idle >= least).then_some(idle)
    }

    /// True once the connection was asked to leave: its next answer is its last one.
    pub(crate) fn is_leaving(&self) -> bool {
        self.state().is_leaving
    }

    /// Asks an idle connection to leave at once. If a request has arrived meanwhile, it leaves after the answer.
    pub(crate) fn leave_now(&self) {
        self.state().is_leaving = true;
        self.leave.notify_one();
    }

    /// Asks the connection to leave after its present or next answer.
    pub(crate) fn leave_after_answer(&self) {
        self.state().is_leaving = true;
    }

    /// Completes when the connection is asked to leave at once.
    pub(crate) async fn asked_to_leave(&self) {
        self.leave.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn idle(activity: &Activity) -> Option<Duration> {
        activity.idle_for(Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_between_its_requests_and_never_while_the_server_works() {
        let activity = Activity::opened();
        advance(Duration::from_secs(1)).await;
        assert_eq!(idle(&activity), None, "its request may have arrived");
        activity.settles();
        assert_eq!(idle(&activity), Some(Duration::from_secs(1)));
        activity.request_begins();
        advance(Duration::from_hours(1)).await;
        assert_eq!(idle(&activity), None, "the server works");
        activity.answer_ends();
        assert_eq!(idle(&activity), None, "the last bytes are not sent yet");
        activity.flushed();
        assert_eq!(idle(&activity), None);
        advance(JUST_ANSWERED).await;
        assert_eq!(idle(&activity), Some(JUST_ANSWERED));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_sends_or_reads_less_than_the_least_rate_is_idle() {
        for (bytes, is_idle) in [(0, true), (1, true), (LEAST_RATE / 2, true), (LEAST_RATE, false)] {
            let activity = Activity::opened();
            activity.request_begins();
            for _ in 0..4 {
                activity.client_pauses();
                advance(Duration::from_secs(1)).await;
                activity.client_goes_on(usize::try_from(bytes).unwrap());
                // The server's own time does not count.
                advance(Duration::from_mins(1)).await;
            }
            assert_eq!(idle(&activity).is_some(), is_idle, "{bytes} bytes a second");
            activity.answer_ends();
            activity.client_pauses();
            assert_eq!(idle(&activity).is_some(), is_idle, "the pace is that of the whole request");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_a_buffer_took_do_not_count() {
        let activity = Activity::opened();
        activity.request_begins();
        activity.client_goes_on(1024 * 1024);
        activity.client_pauses();
        advance(GRACE).await;
        assert_eq!(idle(&activity), Some(GRACE));
    }
}

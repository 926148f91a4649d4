use std::sync::Arc;

use tokio::sync::watch;

/// How many sign-ins are under way, for a server that stops and lets them end first.
#[derive(Debug, Clone)]
pub(super) struct UnderWay(Arc<watch::Sender<usize>>);

/// One sign-in that is under way, as long as it lives.
#[derive(Debug)]
pub(super) struct Place(UnderWay);

impl Default for UnderWay {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl UnderWay {
    pub(super) fn enter(&self) -> Place {
        self.0.send_modify(|count| *count += 1);
        Place(self.clone())
    }

    pub(super) fn count(&self) -> usize {
        *self.0.borrow()
    }

    pub(super) async fn finished(&self) {
        // The sender is ours, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use wecom_login_store::Act;

/// Work that goes on when whoever asked for it has gone away, and that a stopping server lets end. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Background(Arc<watch::Sender<usize>>);

/// One piece of work, as long as it lives.
struct Place(Background);

impl Background {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }

    /// Begins it, in the name of whoever acts now.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0.send_modify(|count| *count += 1);
        let place = Place(self.clone());
        tokio::spawn(Act::current().scope(async move {
            let done = work.await;
            drop(place);
            done
        }))
    }

    /// Waits until nothing is under way.
    pub(crate) async fn finished(&self) {
        // The sender is ours, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

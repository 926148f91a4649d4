use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use wecom_login_store::Act;

/// Work that goes on when the client that asked for it goes away, and that a stopping server lets end. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Background(TaskTracker);

impl Background {
    /// Begins it, in the name of the current actor.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0.spawn(Act::current().scope(work))
    }

    /// Waits until nothing is under way.
    pub(crate) async fn finished(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

use std::future::Future;

use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use wecom_login_store::Act;

/// Tasks that continue after their client disconnects, and that a stopping server waits for. Clones share the tasks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Background(TaskTracker);

impl Background {
    /// Starts a task, with the current audit context.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.0.spawn(Act::current().scope(work))
    }

    /// Waits until all tasks have ended.
    pub(crate) async fn finished(&self) {
        self.0.close();
        self.0.wait().await;
    }
}

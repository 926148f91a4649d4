use std::future::Future;

use tokio::sync::watch;

/// That the server is about to stop: /readyz says so, and workers stop between two items. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(watch::Sender<bool>);

impl Stopping {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when it begins, or has begun.
    pub(crate) fn begun(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut seen = self.0.subscribe();
        async move {
            // An error would mean that nobody is left who could stop anything.
            let _ = seen.wait_for(|begun| *begun).await;
        }
    }
}

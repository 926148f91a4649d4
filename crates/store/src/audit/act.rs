use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use wecom_login_model::MemberRef;

tokio::task_local! {
    static CURRENT: Act;
}

/// On whose behalf a task works, and for which request. It goes with the task, as a span of the log does, so that what is
/// done deep below can be told with who asked for it; nothing ever decides by it. Clones are the same act.
#[derive(Debug, Clone, Default)]
pub struct Act(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    address: Option<String>,
    request_id: Option<String>,
    by: OnceLock<String>,
    member: OnceLock<MemberRef>,
    guessed: AtomicBool,
}

impl Act {
    /// Of an HTTP request, with the client's address as it stands in the audit log.
    pub fn of_request(address: impl Into<String>, request_id: &str) -> Self {
        let (address, request_id) = (Some(address.into()), Some(request_id.to_owned()));
        Self(Arc::new(Inner { address, request_id, ..Inner::default() }))
    }

    /// Of somebody whose name is known from the start, such as a command's.
    pub fn of(by: &str) -> Self {
        let act = Self::default();
        act.is_by(by);
        act
    }

    /// The act that this task works for; an anonymous one outside of any.
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Works for this act.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// Names who acts, once that is known. The first name stays.
    pub fn is_by(&self, name: &str) {
        let _ = self.0.by.set(name.to_owned());
    }

    /// Keeps whom WeCom's answer has proved in the course of it. The first one stays.
    pub fn has_proved(&self, member: MemberRef) {
        let _ = self.0.member.set(member);
    }

    /// Records that a guess of this act was wrong and counts as a failure of its address. The limit on failures bounds the
    /// number of such acts.
    pub fn has_guessed(&self) {
        self.0.guessed.store(true, Ordering::Relaxed);
    }

    /// True if a guess of this act was wrong.
    pub fn is_counted_failure(&self) -> bool {
        self.0.guessed.load(Ordering::Relaxed)
    }

    /// Who acts, if that is known.
    pub fn by(&self) -> Option<&str> {
        self.0.by.get().map(String::as_str)
    }

    /// The member that WeCom's answer has proved.
    pub fn proved(&self) -> Option<&MemberRef> {
        self.0.member.get()
    }

    /// Where the request came from.
    pub fn address(&self) -> Option<&str> {
        self.0.address.as_deref()
    }

    /// The request's id, as it stands in the log.
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }
}

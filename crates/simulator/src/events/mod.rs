//! What WeCom pushes: changes of the contacts to contact sync, who enters or leaves an app's visible scope to the
//! app (WeCom 96302, 96303, 96304).
//!
//! [`Change`] is made to a company, [`happened`] tells what came of it, [`text`] writes that as XML, [`callback`] is
//! where it goes, [`pusher`] brings it there.

mod callback;
mod change;
mod happened;
mod pusher;
mod text;

pub use callback::{Callback, CallbackRefused, Rule};
pub use change::{Change, ChangeRefused};
pub use pusher::{Event, EventState};
pub(crate) use pusher::{Pusher, change, push, release, send};

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Receiver {
    /// The company's contact sync (通讯录同步).
    ContactSync,
    /// An app, by agentid.
    App(u64),
}

/// Who makes a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum By {
    /// An administrator in the console.
    #[default]
    Console,
    /// The company's own program with contact sync's secret: it is not told what it did itself.
    ContactSync,
}

//! `auths.loginTypes.QywxInnerType`: from a browser's wish to sign in to a session of the member whom WeCom's
//! answer proved.
//!
//! * [`Instance`] is one self-built app of one company, read from its element's two files.
//! * A state ([`State`]) ties a redirect to the browser that began it and to the instance it was begun for.
//! * [`Login`] issues states, exchanges codes and begins sessions; one redirect makes one session, however often it
//!   is delivered.
//! * [`Refusal`] names each way a sign-in can end otherwise; [`explain`] says what happened, who can fix it and how.

mod callback_keys;
mod config;
mod element_type;
mod error_numbers;
mod framework;
mod functions;
mod instance;
mod redirect;
mod refusal;
mod sign_in;
mod state;
mod user_info;

pub use callback_keys::{CallbackKeys, EventSource};
pub use config::LoginConfig;
pub use element_type::QywxInnerType;
pub use error_numbers::{explain, explanations, number};
pub use framework::{FRAMEWORK, framework};
pub use instance::{CallbackMode, Instance, Instances, Registry, TYPE_NAME, Wiring};
pub use redirect::{BrowserId, Redirect};
pub use refusal::{Refusal, Settled};
pub use sign_in::{Login, SignedIn};
pub use state::{Again, Binding, Holder, Purpose, State};
pub use user_info::UserInfo;

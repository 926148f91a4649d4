//! `auths.loginTypes.QywxInnerType`: from a browser's wish to sign in to a session of the member whom WeCom's
//! answer proved.
//!
//! * [`Instance`] is one self-built app of one company, read from its element's two files.
//! * A state ([`State`]) binds a redirect to the browser that began it and to its instance. Issuing one stores nothing.
//! * [`Login`] issues states, exchanges codes and begins sessions; one redirect makes one session, however often it
//!   is delivered.
//! * [`Attempts`] limits guesses of codes without locking anybody else out.
//! * [`SignInError`] names each way a sign-in can fail; [`explain`] says what happened, who can fix it and how.

mod attempts;
mod authorization_response;
mod browser;
mod callback_keys;
mod config;
mod element_type;
mod error;
mod error_numbers;
mod flow;
mod framework;
mod functions;
mod instance;
mod sign_in;
mod state;
mod user_info;

pub use attempts::{Attempt, Attempter, Attempts, Refused};
pub use authorization_response::{AuthorizationResponse, Visitor};
pub use browser::{BrowserId, BrowserNames};
pub use callback_keys::{CallbackKeys, EventSource};
pub use config::LoginConfig;
pub use element_type::QywxInnerType;
pub use error::{SignInError, Terminal};
pub use error_numbers::{explain, explanations, number};
pub use flow::{Binding, Flow, FlowCookie};
pub use framework::{FRAMEWORK, framework};
pub use instance::{CallbackMode, ClientContext, Instance, Instances, Registry, TYPE_NAME};
pub use sign_in::{Delivery, Former, Login, ProvedSignIn, SessionChange, SignedIn};
pub use state::{Purpose, Restart, State, StateOwner};
pub use user_info::UserInfo;

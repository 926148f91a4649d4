//! A client for WeCom's (企业微信) server API: who is signing in, members, departments, callbacks.
//!
//! WeCom puts secrets into URLs, answers failures with HTTP 200, takes access tokens back before they expire and
//! locks out whole machines that ask for too many. This crate is the one place that knows all of it:
//!
//! * [`Client`] holds one app's credentials and its access token: fetched once however many ask, renewed before
//!   it expires, replaced once when WeCom no longer takes it, and shared with other processes through a
//!   [`TokenStore`].
//! * [`Calls`] are made within a [`Budget`]: a person who waits gets an answer in five seconds, a background job
//!   waits its turn.
//! * [`Error`] tells by predicates what can be done, and [`explain`] says it in words.
//! * [`Endpoints`] write the sign-in links; [`callback`] opens and seals what WeCom pushes.
//!
//! ```no_run
//! use wecom::{AuthCode, Budget, Client, Identity};
//! use wecom::model::{CorpId, Secret};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder(CorpId::parse("ww1436e0e65a779aee")?, Secret::new("the app's secret")).build()?;
//! let calls = client.within(Budget::sign_in());
//! match calls.identify(&AuthCode::parse("the code of the redirect")?).await? {
//!     Identity::Member { user_id, .. } => println!("{:?}", calls.user(&user_id).await?.name),
//!     other => println!("not a member of this company: {other:?}"),
//! }
//! # Ok(()) }
//! ```
//!
//! # What is logged
//! One `tracing` event per call: its name, errcode and duration. Queries, bodies, tokens, codes and tickets are
//! never logged, neither here nor by the HTTP crates below (a test at TRACE level holds them to it).

mod answer;
mod api;
mod budget;
pub mod callback;
mod calls;
mod client;
mod endpoints;
mod error;
mod explanation;
mod links;
mod observer;
mod pace;
mod refusals;
mod token;
mod transport;
mod wire;

/// The words this crate's signatures use.
pub use wecom_login_model as model;

pub use budget::Budget;
pub use calls::{
    Agent, AuthCode, Calls, Department, DepartmentNode, Identity, InvalidAuthCode, Listing, Membership,
    MembershipPage, SimpleUser, Tag, User, UserDetail,
};
pub use client::{Client, ClientBuilder};
pub use endpoints::{Endpoints, is_loopback};
pub use error::Error;
pub use explanation::{explain, explanations};
pub use links::{Scope, SignInLink};
pub use observer::Observer;
pub use token::{InProcessTokens, LeaseId, StoreFuture, StoredToken, TokenKey, TokenStore, TokenStoreError};
pub use transport::{Transport, TransportBuilder};

/// Keeps the README's example compiling.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

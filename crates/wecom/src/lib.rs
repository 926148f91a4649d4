//! A client for WeCom's (企业微信) server API: sign-in, members, departments, callbacks.
//!
//! WeCom's API has traps: secrets are part of URLs, failures have HTTP status 200, an access token can be revoked
//! before it expires, and too many requests lock out the whole machine. This crate handles them:
//!
//! * [`Client`] holds the credentials of one app and its access token. The token is fetched once for all concurrent
//!   callers, refreshed before it expires, replaced once when WeCom rejects it, and shared with other processes
//!   through a [`TokenStore`].
//! * [`Calls`] run within a [`Budget`]: a sign-in gets a result within five seconds, a background job waits for rate
//!   limits. Background work leaves a fifth of WeCom's limits ([`CallLimits`]) to sign-ins; processes count together
//!   through a [`QuotaStore`].
//! * [`Error`] has predicates that say what to do, and [`explain`] describes every documented error number in Chinese
//!   and English. [`Error::concern`] tells an answer about the member from a failure of the app or of the moment.
//! * [`Endpoints`] build the sign-in links. [`callback`] verifies and decrypts what WeCom pushes.
//!
//! ```
//! use wecom::{AuthCode, Budget, Client, CorpId, Endpoints, Identity, Secret};
//!
//! # use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
//! # use tokio::net::TcpListener;
//! # /// Answers like WeCom, on loopback.
//! # async fn serve(listener: TcpListener) -> std::io::Result<()> {
//! #     loop {
//! #         let mut stream = BufReader::new(listener.accept().await?.0);
//! #         let mut request = String::new();
//! #         while !request.ends_with("\r\n\r\n") && stream.read_line(&mut request).await? > 0 {}
//! #         let body = match request.split(['/', '?']).nth(2) {
//! #             Some("gettoken") => r#"{"errcode":0,"access_token":"T1","expires_in":7200}"#,
//! #             Some("auth") => r#"{"errcode":0,"userid":"zhangsan"}"#,
//! #             _ => r#"{"errcode":0,"userid":"zhangsan","name":"张三"}"#,
//! #         };
//! #         let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
//! #         stream.get_mut().write_all(format!("{head}{body}").as_bytes()).await?;
//! #     }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let listener = TcpListener::bind("127.0.0.1:0").await?;
//! # let api_base = format!("http://{}", listener.local_addr()?);
//! # tokio::spawn(serve(listener));
//! let client = Client::builder(CorpId::parse("ww1436e0e65a779aee")?, Secret::new("the app's secret"))
//!     .endpoints(Endpoints::default().with_api(&api_base)?) // optional; the default is WeCom's own API
//!     .build()?;
//!
//! // The browser comes back from WeCom's sign-in page with a code.
//! let calls = client.within(Budget::sign_in());
//! match calls.identify(&AuthCode::parse("CODE")?).await? {
//!     Identity::Member { user_id, .. } => {
//!         let user = calls.user(&user_id).await?;
//!         assert_eq!(user.name.as_deref(), Some("张三"));
//!     }
//!     other => println!("not a member of this company: {other:?}"),
//! }
//! # Ok(()) }
//! ```
//!
//! # Features
//! Both are on by default. Without them, the crate has the identifiers, [`Secret`], [`Clock`], [`Entropy`] and the
//! error table, and depends on no HTTP client.
//!
//! * `client`: [`Client`], its calls, tokens and errors, and the sign-in links. Needs a Tokio runtime.
//! * `callback`: the [`callback`] module.
//!
//! # Logging
//! One `tracing` event per call, with its name, errcode and duration. Queries, bodies, tokens, codes and tickets are
//! never logged, neither by this crate nor by the HTTP crates that it uses. A test at TRACE level checks it.

#[cfg(feature = "callback")]
pub mod callback;
#[cfg(feature = "client")]
mod client;
mod clock;
mod concern;
#[cfg(any(feature = "client", feature = "callback"))]
mod damage;
mod entropy;
mod explanation;
mod fingerprint;
mod id;
mod language;
mod secret;

#[cfg(feature = "client")]
pub use client::{
    Agent, AuthCode, Budget, CallLimits, Calls, Client, ClientBuilder, Department, DepartmentNode, Endpoints,
    Error, Identity, InProcessTokens, InvalidAuthCode, LeaseId, Listing, Membership, MembershipPage,
    Observer, QuotaStore, Scope, SignInLink, SimpleUser, StoreFuture, StoredToken, Tag, TokenKey, TokenStore,
    TokenStoreError, Transport, TransportBuilder, User, UserDetail, is_loopback,
};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use concern::Concern;
pub use entropy::{Entropy, SeededEntropy, SystemEntropy, alphanumeric};
pub use explanation::{Actor, Explanation, explain, explanations};
pub use fingerprint::Fingerprint;
pub use id::{AgentId, CorpId, DepartmentId, InvalidId, UserId};
pub use language::{Bilingual, Language};
pub use secret::Secret;

/// Compiles and runs the examples of the README files.
#[cfg(doctest)]
mod readme {
    #[doc = include_str!("../README.md")]
    struct English;
    #[doc = include_str!("../README.zh-CN.md")]
    struct Chinese;
}

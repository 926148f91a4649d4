//! A WeCom (企业微信) on loopback: the server API that sign-in and contacts need, the pages that a person sees,
//! and knobs for every way in which the real one fails.
//!
//! It is written from WeCom's documents and from what others measured on the live service, not from our own
//! client, and shares no code with it: the wire is all that ties them. So a mistake in the client does not
//! repeat itself here. Three independent clients sign in against it unmodified (`tests/clients`).
//!
//! ```no_run
//! use wecom_login_simulator::{Options, Simulator, sample};
//!
//! # async fn run() -> wecom_login_simulator::Result<()> {
//! let wecom = Simulator::start(Options::default()).await?;
//! let code = wecom.code_for("zhangsan");
//! // hand wecom.api_url(), sample::CORP_ID, sample::SECRET and the code to the program under test
//! assert_eq!(wecom.calls_of("auth/getuserinfo"), 0);
//! # Ok(()) }
//! ```
//!
//! Everything is in memory and the clock is the simulator's own, moved by [`Simulator::advance`]. What the API
//! does with a call, in this order: path (404), token present (41001), token valid (40014, 42001), caller's
//! address (60020), permission (50003), parameters. README.md lists the control requests under `/_sim/` and the
//! ids on the pages.

mod api;
mod behaviour;
mod chance;
mod clock;
mod company;
mod control;
mod faults;
mod grants;
mod pages;
mod simulator;
mod wire;
mod world;

pub use behaviour::{Behaviour, Renewal};
pub use company::{Age, App, Company, Department, Member, Outsider, Scope, SensitiveField, sample};
pub use faults::{Fault, FaultKind};
pub use grants::{CodeRequest, CodeScope, Person};
pub use simulator::{Error, Options, Result, Simulator};

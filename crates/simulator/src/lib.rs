//! A WeCom (企业微信) on loopback: the server API that sign-in and contacts need, the pages that a person sees,
//! and knobs for every way in which the real one fails.
//!
//! It is written from WeCom's documents and from what others measured on the live service, not from our own
//! client, and shares no code with it but the callback cipher, which WeCom's own vectors prove. So a mistake in the client does not
//! repeat itself here. Three independent clients sign in against it unmodified (`tests/clients`).
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
mod events;
mod faults;
mod grants;
mod header_bytes;
mod limits;
mod outbound;
mod pages;
mod query;
mod simulator;
mod wire;
mod world;

pub use behaviour::{Behaviour, Renewal};
pub use company::{
    Age, App, Company, ContactSync, Department, Member, Outsider, Scope, SensitiveField, Tag, sample,
};
pub use events::{By, Callback, CallbackRefused, Change, ChangeRefused, Event, EventState, Receiver, Rule};
pub use faults::{Damage, DamagedField, Fault, FaultKind};
pub use grants::{CodeRequest, CodeScope, Person};
pub use pages::Desktop;
pub use simulator::{Error, Options, Result, Secure, Simulator, Time};

/// The examples of the README are compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

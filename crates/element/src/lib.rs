//! Apps on disk: the elements of an app folder, the Types that give them their functions, and the one error at their
//! border.
//!
//! An element is a folder that holds an `e.json`; its full name is its path with dots. A Meta has no Type, a Type
//! points to a Meta or to another Type, an instance points to a Type and holds configuration. An app may extend others
//! and override their elements by defining the same full names again. `docs/elements.md` tells it as a story.
//!
//! * [`Environment`] is what an app is opened with: the built-in [`Framework`], the folders of parent apps, the values
//!   of `{{NAME}}`, and the Rust code of Types.
//! * [`App::open`] reads everything and reports all that is broken together, as [`Fault`]s; the rest works.
//! * [`Type`] is the one trait behind a Type; [`Element::call`] walks the classes from the most derived to the Meta's.
//! * [`Watch`] tells when files have changed, and keeps the last good state.
//!
//! Nothing here speaks HTTP or SQL, and nothing runs in the background.

mod app;
mod app_json;
mod arguments;
mod build;
mod call;
mod chain;
mod code;
mod config;
mod data_type;
mod e_json;
mod element;
mod environment;
mod fault;
mod function;
mod json;
mod lineage;
mod nodes;
mod overriding;
mod python;
mod snapshot;
mod template;
mod tree;
mod watch;

pub use app::App;
pub use app_json::{AppId, Version};
pub use arguments::{ArgumentError, Arguments, Bound};
pub use call::{Browser, Call, CallContext, Caller, Effect, Next, Outcome, Type};
pub use code::{Code, number};
pub use config::Config;
pub use data_type::DataType;
pub use element::{Element, ElementCopy, Kind};
pub use environment::{Environment, Framework};
pub use fault::{Fault, OpenError};
pub use function::{Access, Function, Parameter};
/// What [`Type::call`] and [`Next::call`] give.
pub use futures_util::future::BoxFuture;
pub use python::{AppRef, Loader, Python};
pub use snapshot::Snapshot;
pub use template::{Template, TemplateError};
pub use watch::{Look, Watch};

//! `QywxInnerAuthModel`: the model that the platform's code reads members by, without a database.
//!
//! * [`AuthRow`] is a row, [`AuthRows`] a page of rows. Both are written with or without the fields that describe a
//!   session.
//! * [`filter::Filter`] says which rows are wanted, in both grammars of the platform.
//! * [`Query`] adds fields, order and page.
//!
//! The crate has no input or output: `wecom-login-store` turns a query into SQL, `wecom-login-directory` offers `get`
//! and `query`.
//!
//! ```
//! use wecom_login_auth_model::{Order, Page, Query};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let leaders = Query {
//!     order: vec![Order::parse("name", 1)?],
//!     page: Page::new(1, 50)?,
//!     ..Query::of("Q(isLeader=True, department=2)".parse()?)
//! };
//! assert!(!leaders.asks_for_tokens());
//! # Ok(()) }
//! ```

mod field;
pub mod filter;
mod query;
mod row;

pub use field::{Field, FieldKind};
pub use query::{InvalidQuery, MAX_PAGE_SIZE, Order, Page, Query};
pub use row::{AuthRow, AuthRows, SelectedRow, SelectedRows};

//! Local accounts: what other systems know a person by, and which members of which companies are bound to them.
//!
//! * [`Accounts::decision`] says how a member who signs in gets an account, by the instance's [`Policy`]; the transaction that
//!   begins the session carries it out: one member, one account, however many sign in at once. It never goes by a display name, and nobody ever gets a password.
//! * [`Accounts::bind`] and [`Accounts::unbind`] do it by hand.
//! * [`import`] reads lists of accounts.
//! * [`Admins`] says which members administer, and [`Accounts::administration`] whether a session is theirs: an entry stands
//!   for an account, so that the next person with the userid does not administer. [`ApiKeys`] says which programs administer.

mod accounts;
mod admins;
mod api_keys;
pub mod import;

pub use accounts::{AccountDecision, Accounts, Administration, BindBy, Policy, VerifiedContact};
pub use admins::Admins;
pub use api_keys::{ApiKey, ApiKeys, InvalidName};
pub use wecom_login_store::{
    AccountRow, AdministratorRow, ApiKeyRow, BindingEnd, Bound, BoundBy, Confirmed, FormerMember, NoAccount,
    Rehire,
};

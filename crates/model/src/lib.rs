//! The words all rooms of wecom-login share.
//!
//! Identifiers are parsed once, at the edge, into types that cannot be confused ([`CorpId`], [`UserId`],
//! [`AgentId`]); secrets are types that do not print ([`Secret`]); time and chance come in as arguments
//! ([`Clock`], [`Entropy`]), so that a test moves the clock instead of sleeping. Nothing here does input or
//! output.

mod account;
mod auth_row;
mod chance;
mod clock;
mod explanation;
pub mod filter;
mod fingerprint;
mod id;
mod language;
mod member;
mod secret;

pub use account::{Account, AccountId, InvalidAccount, MemberRef, Username};
pub use auth_row::{AuthRow, AuthRows, SelectedRow, SelectedRows};
pub use chance::{
    Entropy, SeededEntropy, SystemEntropy, TOKEN_LENGTH, alphanumeric, is_token, random_token, token_of,
};
pub use clock::{Clock, ManualClock, SystemClock, Timestamp};
pub use explanation::{Actor, Explanation};
pub use fingerprint::Fingerprint;
pub use id::{AgentId, CorpId, DepartmentId, InvalidId, UserId};
pub use language::{Bilingual, Language};
pub use member::{Department, Member, MemberStatus, Profile};
pub use secret::Secret;

//! The types that all crates of wecom-login share.
//!
//! Identifiers, secrets, time and randomness come from the crate `wecom`, which needs them itself and stands alone:
//! they are re-exported here, so that a crate that never calls WeCom needs no HTTP client. Members, departments and
//! accounts are defined here. Nothing in this crate does input or output.

mod account;
mod contact_fields;
mod duration;
mod member;
mod token;

pub use account::{Account, AccountId, InvalidAccount, MemberRef, Username};
pub use contact_fields::{ContactField, ContactFields};
pub use duration::{DURATION_PATTERN, DURATION_RULE, duration_text, parse_duration};
pub use member::{Department, Member, MemberStatus, Profile};
pub use token::{TOKEN_LENGTH, is_token, random_token, token_of};
pub use wecom::{
    Actor, AgentId, Bilingual, Clock, CorpId, DepartmentId, Entropy, Explanation, Fingerprint, InvalidId,
    Language, ManualClock, Secret, SeededEntropy, SystemClock, SystemEntropy, Timestamp, UserId,
    alphanumeric,
};

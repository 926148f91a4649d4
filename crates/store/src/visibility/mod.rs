//! What each app sees of its company: the last answer that WeCom gave to an app about a member or a department. Whether a
//! member has left, who may enter through which app, how fresh a row is and which contact fields an app may give out all come
//! from these records. docs/organisation.md has the states and their transitions.
//!
//! * [`numbers`]: the order of answers;
//! * [`apps`]: the apps of a company, their last complete syncs and whether WeCom answers them;
//! * [`answers`]: the answers to single reads, and what follows from them;
//! * [`departments`]: the same for departments.
//!
//! A sync writes the same records for many members at once: [`crate::organisation`].

mod answers;
mod apps;
mod departments;
mod numbers;

pub use answers::{AppAnswer, MemberAnswers, Standing};
pub(crate) use answers::{columns_for_app, record};
pub use apps::{AppHealth, COUNTED_OUT_AFTER, Confirmation};
pub(crate) use apps::{CONFIRMATION, NOT_COUNTED_OUT, confirmation, has_answered, hold_app};
pub(crate) use departments::delete_unseen;
pub use departments::{DepartmentAnswer, DepartmentAnswers};
pub(crate) use numbers::next_number;
pub use numbers::{Asked, ReadNumber};

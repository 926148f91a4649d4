//! The queue behind WeCom's callbacks: [`accept`] takes an event durably, within the time that WeCom waits for an
//! answer; [`tasks`] hands out what it asks for.
//!
//! An event is kept as what it asks to be read again, one row for each member or department. So a hundred events
//! about one member are one row, their order does not matter, and the table is never longer than the company.

mod accept;
mod tasks;

pub use accept::{Accepted, Leaver, NewEvent};
pub use tasks::{Backlog, ClaimedTask, EventSetAside};
use wecom_login_model::{DepartmentId, UserId};

use crate::Error;

/// What an event asks for. Nothing in an event is believed but that something happened: the truth is WeCom's API's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EventTask {
    /// The member `from` is called `to` now, if WeCom does not know `from` any more.
    Rename {
        /// The former userid.
        from: UserId,
        /// The new one.
        to: UserId,
    },
    /// The department is to be read again, with what is below it.
    Department(DepartmentId),
    /// The member is to be read again.
    Member(UserId),
    /// Every app's sync of the company is to run: an event came that cannot be understood. It is never claimed with the
    /// others.
    Company,
}

/// Numbers in the table; smaller ones are worked on first. A member is renamed before being read, because under the
/// former userid nobody would be found.
const RENAME: i64 = 1;
const DEPARTMENT: i64 = 2;
pub(crate) const MEMBER: i64 = 3;
const COMPANY: i64 = 4;

impl EventTask {
    fn kind(&self) -> i64 {
        match self {
            Self::Rename { .. } => RENAME,
            Self::Department(_) => DEPARTMENT,
            Self::Member(_) => MEMBER,
            Self::Company => COMPANY,
        }
    }

    /// No userid holds a blank.
    fn subject(&self) -> String {
        match self {
            Self::Rename { from, to } => format!("{} {to}", from.folded()),
            Self::Department(id) => id.to_string(),
            Self::Member(user_id) => user_id.folded(),
            Self::Company => String::new(),
        }
    }

    fn read(kind: i64, subject: &str) -> Result<Self, Error> {
        let user = |text: &str| UserId::parse(text).map_err(|error| corrupt(error.to_string()));
        match kind {
            RENAME => {
                let (from, to) = subject.split_once(' ').unwrap_or_default();
                Ok(Self::Rename { from: user(from)?, to: user(to)? })
            }
            DEPARTMENT => match subject.parse() {
                Ok(id) => Ok(Self::Department(DepartmentId(id))),
                Err(_) => Err(corrupt("no number of a department".to_owned())),
            },
            MEMBER => Ok(Self::Member(user(subject)?)),
            COMPANY => Ok(Self::Company),
            _ => Err(corrupt(format!("kind {kind} is unknown"))),
        }
    }
}

fn corrupt(problem: String) -> Error {
    Error::corrupt("table event_tasks", std::io::Error::other(problem))
}

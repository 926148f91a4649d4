//! What a sync of the organisation keeps: its runs, what they have read and not yet applied, who was seen by which app,
//! and the removals that wait for an administrator.
//!
//! A run stages what it reads, so a killed one goes on where it was, and [applies](apply) it. Every write is made [under a
//! lease](LeaseGuard): a process that lost it writes nothing.

mod apply;
mod clearing;
mod held;
mod people;
mod removals;
mod runs;
mod staging;
mod tree;

pub use apply::{Applied, ApplyParams};
pub use held::Held;
pub use people::{Answers, AskedMember, LookupKind};
pub use runs::{Coverage, NewRun, Outcome, Phase, Run, RunId, RunScope};
pub use staging::{Staged, VisibleScope, WalkedDepartment};

use crate::database::Transaction;
use crate::{Error, Store, leases};

/// The lease under which a run writes; a run of a few departments needs none.
#[derive(Debug, Clone, Copy)]
pub struct LeaseGuard<'a> {
    /// The lease's name and holder.
    pub lease: Option<(&'a str, &'a str)>,
}

impl LeaseGuard<'_> {
    /// Needs no lease.
    pub const NOTHING: Self = Self { lease: None };
}

impl Store {
    /// Begins a transaction that writes under the lease.
    async fn begin_under(&self, subject: &str, under: LeaseGuard<'_>) -> Result<Transaction, Error> {
        let mut transaction = self.database.begin(subject).await?;
        if let Some((name, holder)) = under.lease {
            leases::check(&mut transaction, name, holder).await?;
        }
        Ok(transaction)
    }
}

/// The subject of transactions that touch nothing but what one run has staged.
fn staging_of(run: RunId) -> String {
    format!("staging/{}", run.0)
}

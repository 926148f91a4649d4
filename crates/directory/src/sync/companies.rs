//! Companies are synced side by side: one whose WeCom hangs, or has no calls left for an hour, delays no other one.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wecom_login_model::CorpId;

use super::{Observer, Report, SyncError, SyncOptions, SyncSource};
use crate::{Directory, Error};

/// Companies whose syncs run at once in one process. A sync makes eight calls at a time and holds the answers of a few departments
/// in memory; so many of them take 130 connections and some hundreds of megabytes at most.
pub const COMPANIES_AT_ONCE: usize = 16;

/// The longest time of a sync in the background: twice the 75 minutes for which a call waits for the end of an hour limit
/// ([`wecom::Budget::of_a_company`]), and half an hour for the work itself. An app that is refused for longer is tried again later.
pub const LONGEST_SYNC: Duration = Duration::from_hours(3);

/// The apps of each company. A company has at most one sync at a time, so its apps follow one another.
pub fn by_company(sources: Vec<SyncSource>) -> BTreeMap<CorpId, Vec<SyncSource>> {
    let mut companies: BTreeMap<CorpId, Vec<SyncSource>> = BTreeMap::new();
    for source in sources {
        companies.entry(source.corp_id.clone()).or_default().push(source);
    }
    companies
}

impl Directory {
    /// Like [`Directory::sync_until`], for a sync in the background: it gives up after the time `most`
    /// ([`LONGEST_SYNC`]). What it has read is kept, as after any other failure, and the next sync continues from there.
    pub async fn sync_within(
        &self,
        source: &SyncSource,
        options: &SyncOptions,
        observer: Observer<'_>,
        stop: impl Future<Output = ()>,
        most: Duration,
    ) -> Option<Result<Report, SyncError>> {
        let is_late = AtomicBool::new(false);
        let stop = async {
            if tokio::time::timeout(most, stop).await.is_err() {
                is_late.store(true, Ordering::Relaxed);
            }
        };
        let result = self.sync_until(source, options, observer, stop).await;
        if result.is_some() || !is_late.load(Ordering::Relaxed) {
            return result;
        }
        let late = Error::TooLong(most);
        if let Err(error) = self.note_broken_off(source, &late.to_string()).await {
            tracing::warn!(instance = source.instance, %error, "the end of a sync could not be recorded");
        }
        Some(Err(late.into()))
    }

    async fn note_broken_off(
        &self,
        source: &SyncSource,
        problem: &str,
    ) -> Result<(), wecom_login_store::Error> {
        let now = self.clock.now();
        if let Some(run) = self.store.last_run(&source.corp_id, &source.agent_id).await?
            && run.outcome.is_none()
        {
            tracing::warn!(
                instance = source.instance,
                run = run.id.0,
                problem,
                "the organisation was not synchronised"
            );
            self.store.note_problem(run.id, problem, now).await?;
            self.store.audit_broken_run(&run, problem, now).await?;
        }
        Ok(())
    }
}

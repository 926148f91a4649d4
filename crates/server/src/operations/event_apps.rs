//! The apps through which contact events read members and departments.

use std::sync::Arc;
use std::time::Duration;

use wecom::Budget;
use wecom_login_directory::SyncSource;
use wecom_login_directory::events::Apps;
use wecom_login_model::CorpId;
use wecom_login_sign_in::Registry;

/// The apps of the instances that currently work.
#[derive(Debug)]
pub(crate) struct ConfiguredApps {
    pub(crate) instances: Arc<Registry>,
    pub(crate) sync_every: Option<Duration>,
}

impl Apps for ConfiguredApps {
    fn of(&self, corp_id: &CorpId, budget: &Budget) -> Vec<SyncSource> {
        let mut sources = self.instances.now().sync_sources_within(budget);
        sources.retain(|source| source.corp_id == *corp_id);
        sources
    }

    fn sync_every(&self) -> Option<Duration> {
        self.sync_every
    }
}

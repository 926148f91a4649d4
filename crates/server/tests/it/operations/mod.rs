//! Stories of running it: what is counted, written, told and kept, and how it stops.

mod audit;
mod metrics;
mod ready;
mod retention;
mod sessions;
mod stopping;

use std::sync::Arc;

use wecom_login_accounts::ApiKeys;
use wecom_login_model::{MemberRef, SystemEntropy};
use wecom_login_server::{AuditLog, Settings};
use wecom_login_simulator::sample;

use crate::world::World;

/// zhangsan administers, and there is an audit file.
fn operated(settings: &mut Settings) {
    let admin: MemberRef = format!("{}/zhangsan", sample::CORP_ID).parse().unwrap();
    settings.administrators.admins = [admin].into_iter().collect();
    settings.operations.audit_log = Some(AuditLog::File(settings.folders.data.join("audit.log")));
}

/// An API key, as `Authorization` has it.
pub(crate) async fn bearer(world: &World) -> String {
    let keys = ApiKeys::new(world.store().await, Arc::new(world.clock.clone()), Arc::new(SystemEntropy));
    let key = keys.add("prometheus").await.unwrap().unwrap();
    format!("Bearer {}", key.secret().expose())
}

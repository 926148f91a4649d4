//! One runner in the cluster. The right to sync a company is a lease in the database, renewed as long as its holder
//! lives. A holder that died keeps nobody waiting: on the same machine its death is seen at once, and elsewhere the lease
//! runs out. Whoever lost the lease, because its machine slept perhaps, writes nothing any more: every write checks it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;
use wecom_login_model::CorpId;
use wecom_login_store::{Lease, Under};

use crate::Directory;

const LASTS: Duration = Duration::from_secs(30);
const RENEWED_EVERY: Duration = Duration::from_secs(8);

/// A lease in this process's hands.
pub(super) struct Holding {
    name: String,
    holder: String,
    heartbeat: JoinHandle<()>,
}

impl Holding {
    /// Takes the lease of a company, or tells who has it.
    pub(super) async fn take(
        directory: &Directory,
        corp_id: &CorpId,
        started_by: &str,
    ) -> Result<Result<Self, Lease>, wecom_login_store::Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let now = directory.clock.now();
        let process = Process::this();
        let holder = format!(
            "{}/{}/{}/{}",
            process.machine,
            process.number,
            process.began,
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let label = format!("process {} on {} ({started_by})", process.number, process.host);
        let (name, store) = (format!("sync/{corp_id}"), directory.store.clone());
        let lease = Lease { holder: holder.clone(), label, since: now, until: now + LASTS };
        if let Err(other) = store.take_lease(&name, &lease, None).await? {
            let dead = is_dead(&other.holder, &process).then_some(other.holder.as_str());
            if dead.is_none() {
                return Ok(Err(other));
            }
            tracing::info!(holder = other.label, "a sync has died; this one goes on");
            if let Err(other) = store.take_lease(&name, &lease, dead).await? {
                return Ok(Err(other));
            }
        }
        let (clock, renewed) = (directory.clock.clone(), (name.clone(), holder.clone()));
        let heartbeat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(RENEWED_EVERY).await;
                match store.renew_lease(&renewed.0, &renewed.1, clock.now() + LASTS).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => tracing::warn!(%error, "the lease of a sync could not be renewed"),
                }
            }
        });
        Ok(Ok(Self { name, holder, heartbeat }))
    }

    pub(super) fn under(&self) -> Under<'_> {
        Under { lease: Some((&self.name, &self.holder)) }
    }

    pub(super) async fn release(self, directory: &Directory) {
        if let Err(error) = directory.store.release_lease(&self.name, &self.holder).await {
            tracing::warn!(%error, "the lease of a sync runs out by itself");
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

/// A process, as another one on the same machine can recognise it.
struct Process {
    host: String,
    /// The boot of the machine and the list of processes that numbers are of; empty where this cannot be known.
    machine: String,
    number: u32,
    /// When it began, in the machine's own count: numbers are given away again.
    began: String,
}

impl Process {
    fn this() -> Self {
        let number = std::process::id();
        let read = |path: &str| std::fs::read_to_string(path).map(|text| text.trim().to_owned());
        let boot = read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let numbers = std::fs::read_link("/proc/self/ns/pid")
            .map(|link| link.to_string_lossy().into_owned())
            .unwrap_or_default();
        let known = !boot.is_empty() && !numbers.is_empty();
        Self {
            host: read("/proc/sys/kernel/hostname").unwrap_or_else(|_| "this machine".to_owned()),
            machine: if known { format!("{boot} {numbers}") } else { String::new() },
            number,
            began: began(number).unwrap_or_default(),
        }
    }
}

/// True when the holder was a process of this machine that runs no more. Where that cannot be known, false: the lease
/// runs out then.
fn is_dead(holder: &str, this: &Process) -> bool {
    let mut parts = holder.splitn(4, '/');
    let (Some(machine), Some(number), Some(then)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(number) = number.parse() else { return false };
    !machine.is_empty()
        && machine == this.machine
        && !then.is_empty()
        && began(number).as_deref() != Some(then)
}

/// When the process began: field 22 of its line in proc(5). The second field, its name, may hold anything but ends with
/// the last parenthesis. A process that has ended and waits for its parent counts as gone.
fn began(process: u32) -> Option<String> {
    let line = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_whitespace().collect();
    if matches!(fields.first(), Some(&("Z" | "X"))) {
        return None;
    }
    fields.get(19).map(|field| (*field).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_of_this_machine_that_runs_no_more_is_dead() {
        let this = Process::this();
        let holder = |machine: &str, number: u32, began: &str| format!("{machine}/{number}/{began}/7");
        assert!(!is_dead(&holder(&this.machine, this.number, &this.began), &this), "this one lives");
        assert!(!is_dead(&holder("another boot", 1, "1"), &this));
        for broken in ["", "x", "x/y/z", "//"] {
            assert!(!is_dead(broken, &this), "{broken}");
        }
        if cfg!(target_os = "linux") {
            assert!(
                is_dead(&holder(&this.machine, this.number, "1"), &this),
                "its number was given away again"
            );
            assert!(is_dead(&holder(&this.machine, u32::MAX, "1"), &this));
        }
    }
}

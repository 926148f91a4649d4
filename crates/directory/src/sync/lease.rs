//! One runner for each company in the cluster. The right to sync a company is a lease in the database, whose holder counts its
//! beats while it lives. No clock of the machines decides: a process takes the lease of a holder whose beats it has not seen grow
//! for [`LOST_AFTER`] of its own monotonic time, or whose process it knows to have ended on the same machine. The statement that
//! takes it requires that they still have not grown. A holder that has lost its lease, because its machine slept, writes nothing
//! more: every write checks the lease.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use wecom_login_model::CorpId;
use wecom_login_store::{Lease, LeaseGuard};

use crate::Directory;

const BEAT_EVERY: Duration = Duration::from_secs(2);
/// A beat waits up to five seconds for the one writer of SQLite.
const LOST_AFTER: Duration = Duration::from_secs(10);
/// A process that wants the lease looks for the next beat this often.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A lease in this process's hands.
pub(super) struct HeldLease {
    name: String,
    holder: String,
    heartbeat: JoinHandle<()>,
}

impl HeldLease {
    /// Takes the lease of a company, or returns the lease of the process that lives and holds it. To find that out takes a
    /// beat at most.
    pub(super) async fn take(
        directory: &Directory,
        corp_id: &CorpId,
        started_by: &str,
    ) -> Result<Result<Self, Lease>, wecom_login_store::Error> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let process = Process::this();
        let holder = format!(
            "{}/{}/{}/{}",
            process.machine,
            process.number,
            process.began,
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let label = format!("process {} on {} ({started_by})", process.number, process.host);
        let (name, store) = (name_of(corp_id), directory.store.clone());
        let lease = Lease { holder: holder.clone(), label, since: directory.clock.now(), beats: 0 };
        let mut lost = None;
        while let Err(other) = store.take_lease(&name, &lease, lost.as_ref()).await? {
            let is_dead = is_dead(&other.holder, &process);
            match directory.beats.look(&name, &other, Instant::now()) {
                Pulse::Beats if !is_dead => return Ok(Err(other)),
                Pulse::Unknown if !is_dead => tokio::time::sleep(LOOK_EVERY).await,
                _ => {
                    tracing::info!(holder = other.label, "a sync has died; this one goes on");
                    lost = Some(other);
                }
            }
        }
        let renewed = (name.clone(), holder.clone());
        let heartbeat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(BEAT_EVERY).await;
                match store.renew_lease(&renewed.0, &renewed.1).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(error) => tracing::warn!(%error, "the lease of a sync could not be renewed"),
                }
            }
        });
        Ok(Ok(Self { name, holder, heartbeat }))
    }

    pub(super) fn under(&self) -> LeaseGuard<'_> {
        LeaseGuard { lease: Some((&self.name, &self.holder)) }
    }

    pub(super) async fn release(self, directory: &Directory) {
        if let Err(error) = directory.store.release_lease(&self.name, &self.holder).await {
            tracing::warn!(%error, "the lease of a sync was not given back; it counts as lost soon");
        }
    }
}

impl Directory {
    /// The lease of the company's sync, unless this process knows that its holder is dead.
    pub async fn running_sync(&self, corp_id: &CorpId) -> Result<Option<Lease>, wecom_login_store::Error> {
        let name = name_of(corp_id);
        let Some(lease) = self.store.lease(&name).await? else { return Ok(None) };
        let is_lost = self.beats.look(&name, &lease, Instant::now()) == Pulse::Lost;
        Ok((!is_lost && !is_dead(&lease.holder, &Process::this())).then_some(lease))
    }
}

fn name_of(corp_id: &CorpId) -> String {
    format!("sync/{corp_id}")
}

/// The beats of the leases that this process has looked at.
#[derive(Debug, Default)]
pub(crate) struct Beats(Mutex<HashMap<String, Seen>>);

#[derive(Debug)]
struct Seen {
    holder: String,
    beats: i64,
    since: Instant,
}

/// What the beats say about the holder of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pulse {
    /// They have grown.
    Beats,
    /// They have not grown yet.
    Unknown,
    /// They have not grown for [`LOST_AFTER`].
    Lost,
}

impl Beats {
    fn look(&self, name: &str, lease: &Lease, now: Instant) -> Pulse {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let former = all.get(name).filter(|seen| seen.holder == lease.holder);
        let pulse = match former {
            Some(seen) if seen.beats != lease.beats => Pulse::Beats,
            Some(seen) if now.duration_since(seen.since) >= LOST_AFTER => Pulse::Lost,
            Some(_) => return Pulse::Unknown,
            None => Pulse::Unknown,
        };
        if pulse != Pulse::Lost {
            let seen = Seen { holder: lease.holder.clone(), beats: lease.beats, since: now };
            all.insert(name.to_owned(), seen);
        }
        pulse
    }
}

impl Drop for HeldLease {
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

/// True when the holder was a process of this machine that runs no more. Where that cannot be known, false: its beats
/// tell.
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
    use wecom_login_model::Timestamp;

    use super::*;

    /// O12: neither `since` nor anything else that a clock has written counts.
    #[test]
    fn a_holder_is_lost_when_its_beats_have_not_grown_for_a_while_by_the_monotonic_clock() {
        let (beats, began) = (Beats::default(), Instant::now());
        let lease = |holder: &str, beats| Lease {
            holder: holder.to_owned(),
            label: String::new(),
            since: Timestamp::from_millis(i64::MAX),
            beats,
        };
        let look = |lease: &Lease, after: Duration| beats.look("sync/ww1", lease, began + after);
        let second = Duration::from_secs(1);
        assert_eq!(look(&lease("one", 7), Duration::ZERO), Pulse::Unknown, "the first look");
        assert_eq!(look(&lease("one", 7), LOST_AFTER.saturating_sub(second)), Pulse::Unknown);
        assert_eq!(look(&lease("one", 8), LOST_AFTER), Pulse::Beats);
        assert_eq!(
            look(&lease("one", 8), (2 * LOST_AFTER).saturating_sub(second)),
            Pulse::Unknown,
            "it has beaten since"
        );
        assert_eq!(look(&lease("two", 8), 2 * LOST_AFTER), Pulse::Unknown, "another holder");
        assert_eq!(look(&lease("two", 8), 3 * LOST_AFTER), Pulse::Lost);
        assert_eq!(look(&lease("two", 8), 4 * LOST_AFTER), Pulse::Lost, "for good");
        assert_eq!(beats.look("sync/ww2", &lease("two", 8), began + 4 * LOST_AFTER), Pulse::Unknown);
        assert_eq!(look(&lease("two", 9), 4 * LOST_AFTER), Pulse::Beats, "its machine has slept");
    }

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

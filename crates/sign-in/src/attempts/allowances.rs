//! The allowances that this process knows, by key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use wecom_login_model::Clock;

use super::Refused;
use super::allowance::{Allowance, Waiter, crowded};

/// The number of allowances without an attempt under way that stay in memory for their last read.
pub(super) const IDLE: usize = 4_096;
/// The number of attempts that wait in this process. Beyond it, an attempt that would have to wait is refused.
const WAITING: usize = 10_000;

#[derive(Debug, Clone)]
pub(super) struct Allowances {
    clock: Arc<dyn Clock>,
    known: Arc<Mutex<Known>>,
    waiting: Arc<Semaphore>,
}

#[derive(Debug)]
struct Known {
    by_key: HashMap<String, Arc<Allowance>>,
    /// The size at which idle allowances are removed.
    sweep_at: usize,
}

impl Allowances {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let known = Known { by_key: HashMap::new(), sweep_at: IDLE };
        Self { clock, known: Arc::new(Mutex::new(known)), waiting: Arc::new(Semaphore::new(WAITING)) }
    }

    /// The allowance of a key.
    pub(super) fn of(&self, key: String) -> Arc<Allowance> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(allowance) = known.by_key.get(&key) {
            return allowance.clone();
        }
        if known.by_key.len() >= known.sweep_at {
            known.sweep();
        }
        let allowance = Arc::new(Allowance::new(key.clone(), self.clock.clone()));
        known.by_key.insert(key, allowance.clone());
        allowance
    }

    /// Begins to wait for a turn.
    pub(super) fn wait(&self, allowance: &Arc<Allowance>) -> Result<Waiter, Refused> {
        let permit = self.waiting.clone().try_acquire_owned().map_err(|_| crowded())?;
        allowance.wait(permit)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.lock().unwrap().by_key.len()
    }
}

impl Known {
    /// Removes allowances that nothing uses. New uses come from the map alone, so an allowance that only the map has stays
    /// unused while the map is locked.
    fn sweep(&mut self) {
        let is_used = |allowance: &Arc<Allowance>| Arc::strong_count(allowance) > 1;
        self.by_key.retain(|_, one| is_used(one) || one.is_known() || one.has_unwritten());
        if self.by_key.len() >= IDLE {
            self.by_key.retain(|_, one| is_used(one));
        }
        // Doubling keeps the cost of a sweep small for each new key.
        self.sweep_at = IDLE.max(self.by_key.len() * 2);
    }
}

//! On whose request a transaction works: for whoever writes down who did what. The database itself does nothing with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Database, Transaction};

/// One request from outside.
#[derive(Debug, Default)]
pub struct OnBehalf {
    /// From where: the address of the sender.
    pub address: String,
    /// What was asked, without what was filled in: `GET /people/{id}`.
    pub asked: String,
    was_told: AtomicBool,
}

impl OnBehalf {
    /// A request of which nothing is written down yet.
    pub fn new(address: String, asked: String) -> Arc<OnBehalf> {
        Arc::new(OnBehalf { address, asked, was_told: AtomicBool::new(false) })
    }

    /// Notes that it was written down.
    pub fn tell(&self) {
        self.was_told.store(true, Ordering::Release);
    }

    /// Whether it was written down.
    pub fn was_told(&self) -> bool {
        self.was_told.load(Ordering::Acquire)
    }
}

impl Database {
    /// The same database, whose transactions through this handle know on behalf of which request they work.
    #[must_use]
    pub fn on_behalf(&self, of: Arc<OnBehalf>) -> Database {
        Database { behalf: Some(of), ..self.clone() }
    }
}

impl Transaction<'_> {
    /// The request that it works for; none: nobody asked from outside.
    pub fn behalf(&self) -> Option<Arc<OnBehalf>> {
        self.behalf.clone()
    }
}

//! Until when this node lets each host be: an index that was lost may know nothing of it, nor one that never heard of the
//! visit that has shown it.

use crate::crawl::host::HostKey;
use crate::crawl::lease::Pace;
use crate::crawl::time::Timestamp;
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

/// Hosts that are kept.
const KEPT: NonZeroUsize = NonZeroUsize::new(10_000).expect("not zero");

/// Until when each host is quiet, as far as this node knows.
#[derive(Debug)]
pub(super) struct QuietHosts(Mutex<LruCache<HostKey, Quiet>>);

/// Why a host is quiet, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quiet {
    /// It wants to be left alone.
    pub(super) block: Option<Timestamp>,
    /// The next request keeps its distance from the last one.
    pub(super) due: Timestamp,
}

impl Default for QuietHosts {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(KEPT)))
    }
}

impl QuietHosts {
    /// Takes over what a visit has shown.
    pub(super) fn learn(&self, host: &HostKey, pace: Pace, due: Timestamp) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(host.clone(), Quiet { block: pace.block_until, due });
    }

    /// What keeps a host quiet from now on; `None` where nothing does.
    pub(super) fn after(&self, now: Timestamp, host: &HostKey) -> Option<Quiet> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Quiet { block, due } = *kept.get(host)?;
        let quiet = Quiet { block: block.filter(|until| *until > now), due };
        (quiet.block.is_some() || due > now).then_some(quiet)
    }
}

impl Quiet {
    /// Its end.
    pub(super) fn until(self) -> Timestamp {
        self.due.max(self.block.unwrap_or(self.due))
    }
}

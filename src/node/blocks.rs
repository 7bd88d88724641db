//! The blocks that this node was told of: an index that was lost may know nothing of them, nor one that never heard.

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
pub(super) struct Blocks(Mutex<LruCache<HostKey, Timestamp>>);

impl Default for Blocks {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(KEPT)))
    }
}

impl Blocks {
    /// Takes over what a visit has shown.
    pub(super) fn learn(&self, host: &HostKey, pace: Pace) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match pace.block_until {
            Some(until) => _ = kept.put(host.clone(), until),
            None => _ = kept.pop(host),
        }
    }

    /// The end of the block of a host.
    pub(super) fn until(&self, host: &HostKey) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied()
    }
}

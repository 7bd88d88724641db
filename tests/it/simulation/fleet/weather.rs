//! What goes wrong on the lines between the processes and their servers, and what that excuses.

use crate::rng::Rng;
use huntsman::clock::Clock;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::CrawlId;
use huntsman::crawl::time::Timestamp;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// What becomes of one exchange with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Luck {
    Fine,
    /// The answer is lost; said once more, it is answered.
    SaidTwice,
    /// It had its effect, and no answer ever comes.
    NoAnswer,
    /// It never arrives.
    NoEffect,
}

/// What the judge must know of what happened.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// When each crawl was over.
    pub finished: HashMap<CrawlId, Timestamp>,
    /// When the paces were read for a new epoch.
    pub readings: Vec<Timestamp>,
    /// Blocks that were committed: the host, since when, until when.
    pub blocks: Vec<(HostKey, Timestamp, Timestamp)>,
    /// What happened, for whoever replays a seed.
    pub events: Vec<(Timestamp, String)>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Weather {
    pub clock: Clock,
    rng: Mutex<Rng>,
    /// Per mille of exchanges in which something is lost.
    noise: AtomicU64,
    index_down_until: AtomicI64,
    store_down_until: AtomicI64,
    /// The one process that cannot reach the index, and until when.
    cut_off: Mutex<(u32, Timestamp)>,
    /// Visits that may be repeated, for what happened so far.
    pub excused: AtomicUsize,
    ledger: Mutex<Ledger>,
}

impl Weather {
    pub(super) fn new(seed: u64, noise: u64, clock: Clock) -> Self {
        Self {
            clock,
            rng: Mutex::new(Rng::new(seed ^ 0x00d1_ce00)),
            noise: AtomicU64::new(noise),
            index_down_until: AtomicI64::new(0),
            store_down_until: AtomicI64::new(0),
            cut_off: Mutex::new((0, Timestamp::EPOCH)),
            excused: AtomicUsize::new(0),
            ledger: Mutex::default(),
        }
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    pub(super) fn note(&self, event: impl Into<String>) {
        self.ledger().events.push((self.clock.now(), event.into()));
    }

    pub(super) fn excuse(&self, visits: usize) {
        self.excused.fetch_add(visits, Ordering::Relaxed);
    }

    /// The last fault has passed.
    pub(super) fn clears(&self) {
        self.noise.store(0, Ordering::Relaxed);
    }

    pub(super) fn index_fails_for(&self, span: Duration) {
        self.index_down_until.fetch_max((self.clock.now() + span).as_micros(), Ordering::Relaxed);
    }

    pub(super) fn store_fails_for(&self, span: Duration) {
        self.store_down_until.fetch_max((self.clock.now() + span).as_micros(), Ordering::Relaxed);
    }

    pub(super) fn cuts_off(&self, process: u32, span: Duration) {
        *self.cut_off.lock().unwrap() = (process, self.clock.now() + span);
    }

    /// The luck of an exchange of this process with the index.
    pub(super) fn at_index(&self, process: u32) -> Luck {
        let now = self.clock.now();
        let (cut_off, until) = *self.cut_off.lock().unwrap();
        if now.as_micros() < self.index_down_until.load(Ordering::Relaxed)
            || (process == cut_off && now < until)
        {
            return Luck::NoEffect;
        }
        self.chance()
    }

    pub(super) fn at_store(&self) -> Luck {
        if self.clock.now().as_micros() < self.store_down_until.load(Ordering::Relaxed) {
            return Luck::NoEffect;
        }
        self.chance()
    }

    fn chance(&self) -> Luck {
        let mut rng = self.rng.lock().unwrap();
        if rng.range(0..1_000) >= self.noise.load(Ordering::Relaxed) {
            return Luck::Fine;
        }
        rng.pick(&[Luck::SaidTwice, Luck::NoAnswer, Luck::NoEffect])
    }

    /// The time that one way of an exchange takes: mostly none that matters.
    pub(super) async fn travel(&self) {
        let span = {
            let mut rng = self.rng.lock().unwrap();
            if rng.chance(90) { 0 } else { rng.range(1..8) }
        };
        if span > 0 {
            super::process::moment(Duration::from_millis(span)).await;
        }
    }
}

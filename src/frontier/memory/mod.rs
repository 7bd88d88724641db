//! The index of one process: the [`index::Index`] behind a lock, with wake-ups.
//!
//! A std mutex and not a tokio one: no method awaits while it holds the lock, and each holds it for microseconds.

mod agenda;
pub mod index;
mod seen;

pub use index::{Index, Limits};

use super::{
    Ack, Blocked, Borrowed, Counts, CrawlRules, CrawlSettings, EntryId, Front, FrontierError, HandOff,
    Handed, Leases, Low, MAX_SCOPE_SEEDS, Next, NodeSeen, Release, Reports, SeedsRead,
};
use crate::clock::Clock;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Pace, Queued, Token};
use crate::crawl::report::{Entry, Note};
use crate::crawl::scope::ScopeKind;
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use async_trait::async_trait;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// All three ports on an index in memory.
#[derive(Debug)]
pub struct MemoryFrontier {
    index: Mutex<Index>,
    clock: Clock,
    leasable: Notify,
    appended: Notify,
    seen: Mutex<Seen>,
}

/// What is known of the one node of this process.
#[derive(Debug, Default)]
struct Seen {
    asked: Option<Timestamp>,
    handed_off: u64,
    draining: bool,
}

/// The name of the one node of a process whose index is in memory.
pub const NODE: &str = "local";

impl MemoryFrontier {
    /// An empty index.
    pub fn new(limits: Limits, clock: Clock) -> Self {
        Self {
            index: Mutex::new(Index::new(limits)),
            clock,
            leasable: Notify::new(),
            appended: Notify::new(),
            seen: Mutex::default(),
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands in the index, for the progress line: never waits.
    pub fn snapshot(&self) -> (Counts, Blocked) {
        let now = self.clock.now();
        let index = self.index();
        (index.counts(now), index.blocked(now))
    }

    /// Asserts the invariants of the index: for tests.
    pub fn check(&self) {
        self.index().check();
    }

    /// The index itself. A panic in another holder leaves it whole: every method changes it only after its checks.
    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Leases for MemoryFrontier {
    async fn lease(&self, hosts: usize) -> Result<Next, FrontierError> {
        let now = self.clock.now();
        {
            let mut seen = self.seen();
            seen.asked = Some(now);
            if seen.draining {
                return Ok(Next::Drain);
            }
        }
        let (next, reported) = self.index().lease(hosts, now);
        if reported {
            self.appended.notify_one();
        }
        Ok(next)
    }

    async fn renew(&self, tokens: &[Token]) -> Result<Vec<Token>, FrontierError> {
        Ok(self.index().renew(tokens, self.clock.now()))
    }

    async fn hand_off(&self, hand_off: HandOff) -> Result<Handed, FrontierError> {
        let (handed, worth_a_look) = {
            let mut index = self.index();
            (index.hand_off(hand_off, self.clock.now()), index.is_worth_a_look())
        };
        if worth_a_look {
            self.appended.notify_one();
        }
        self.seen().handed_off += u64::from(handed != Handed::Stale);
        Ok(handed)
    }

    async fn release(&self, release: Release) -> Result<Handed, FrontierError> {
        let handed = self.index().release(release);
        self.appended.notify_one();
        self.leasable.notify_one();
        Ok(handed)
    }

    async fn note(&self, token: Token, note: Note) -> Result<Handed, FrontierError> {
        let handed = self.index().note(token, note);
        self.appended.notify_one();
        Ok(handed)
    }

    async fn remind(&self, notes: Vec<Note>) -> Result<(), FrontierError> {
        self.index().remind(notes, self.clock.now());
        self.appended.notify_one();
        Ok(())
    }

    async fn borrow_host(&self, host: &HostKey) -> Result<Borrowed, FrontierError> {
        Ok(self.index().borrow_host(host, self.clock.now()))
    }

    async fn rest(&self, until: Timestamp) {
        tokio::select! {
            () = self.clock.sleep_until(until) => {}
            () = self.leasable.notified() => {}
        }
    }

    async fn rules(&self, crawl: CrawlId, read: SeedsRead) -> Result<Option<CrawlRules>, FrontierError> {
        Ok(self.index().rules(crawl, read))
    }
}

#[async_trait]
impl Reports for MemoryFrontier {
    async fn reports(&self, most: usize, linger: Duration) -> Result<Vec<(EntryId, Entry)>, FrontierError> {
        loop {
            let now = self.clock.now();
            let Some(ready) = self.index().batch_due(most, linger, now) else {
                self.appended.notified().await;
                continue;
            };
            if ready <= now {
                return Ok(self.index().take_reports(most));
            }
            tokio::select! {
                () = self.clock.sleep_until(ready) => {}
                () = self.appended.notified() => {}
            }
        }
    }

    async fn taken(&self) -> Result<Vec<(EntryId, Entry)>, FrontierError> {
        Ok(Vec::new())
    }

    async fn unseen(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, FrontierError> {
        Ok(self.index().unseen(crawl, keys))
    }

    async fn admit(
        &self,
        urls: Vec<Queued>,
        crawl: CrawlId,
        seen: &[UrlKey],
    ) -> Result<usize, FrontierError> {
        let queued = self.index().admit(urls, crawl, seen, self.clock.now());
        self.leasable.notify_one();
        Ok(queued)
    }

    async fn acknowledge(&self, acks: Vec<Ack>) -> Result<(), FrontierError> {
        self.index().acknowledge(acks, self.clock.now());
        self.leasable.notify_one();
        Ok(())
    }

    async fn open_scope(&self, crawl: CrawlId, seeds: Vec<(String, ScopeKind)>) -> Result<(), FrontierError> {
        if self.index().open_scope(crawl, seeds) {
            return Ok(());
        }
        Err(FrontierError::Unusable(format!("crawl {} has more than {MAX_SCOPE_SEEDS} seeds", crawl.0)))
    }
}

#[async_trait]
impl Front for MemoryFrontier {
    async fn settings(&self, crawl: CrawlId, settings: CrawlSettings) -> Result<(), FrontierError> {
        self.index().settings(crawl, settings);
        self.leasable.notify_one();
        Ok(())
    }

    async fn forget(&self, crawl: CrawlId) -> Result<bool, FrontierError> {
        Ok(self.index().forget(crawl))
    }

    async fn publish(&self, crawl: CrawlId, settings_json: String) -> Result<(), FrontierError> {
        self.index().publish(crawl, &settings_json);
        Ok(())
    }

    async fn beat(&self) -> Result<(), FrontierError> {
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<NodeSeen>, FrontierError> {
        let leases = self.index().leases();
        let Seen { asked, handed_off, draining } = *self.seen();
        let node = |seen| NodeSeen { name: NODE.to_owned(), seen, leases, handed_off, draining };
        Ok(asked.map(node).into_iter().collect())
    }

    async fn drain(&self, node: &str) -> Result<bool, FrontierError> {
        let mut seen = self.seen();
        let known = node == NODE && seen.asked.is_some();
        seen.draining |= known;
        Ok(known)
    }

    async fn open_epoch(
        &self,
        epoch: u32,
        paces: Vec<(HostKey, Pace)>,
        resumed: bool,
    ) -> Result<(), FrontierError> {
        self.index().open_epoch(epoch, paces, resumed, self.clock.now());
        Ok(())
    }

    async fn learn(&self, paces: Vec<(HostKey, Pace)>) -> Result<(), FrontierError> {
        self.index().learn(paces);
        Ok(())
    }

    async fn low(&self, most: usize) -> Result<Vec<Low>, FrontierError> {
        Ok(self.index().low(most, self.clock.now()))
    }

    async fn make_room(&self) -> Result<usize, FrontierError> {
        Ok(self.index().make_room(self.clock.now()))
    }

    async fn room(&self) -> Result<usize, FrontierError> {
        Ok(self.index().room())
    }

    async fn refill(
        &self,
        host: &HostKey,
        urls: Vec<Queued>,
        complete: bool,
    ) -> Result<usize, FrontierError> {
        let queued = self.index().refill(host, urls, complete, self.clock.now());
        self.leasable.notify_one();
        Ok(queued)
    }

    async fn counts(&self) -> Result<Counts, FrontierError> {
        Ok(self.index().counts(self.clock.now()))
    }

    async fn blocked(&self) -> Result<Blocked, FrontierError> {
        Ok(self.index().blocked(self.clock.now()))
    }

    async fn begin_refill(&self) -> Result<(), FrontierError> {
        self.index().begin_refill();
        Ok(())
    }

    async fn end_refill(&self) -> Result<(), FrontierError> {
        self.index().end_refill();
        Ok(())
    }
}

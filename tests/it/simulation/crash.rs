//! Ports that stop the process at the n-th call, before or after its effect.

use async_trait::async_trait;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Pace, Queued, Token};
use huntsman::crawl::report::{Entry, Found, Note};
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::UrlKey;
use huntsman::crawl::visit::Visit;
use huntsman::fetch::{Fetch, Request};
use huntsman::frontier::{
    Ack, Borrowed, CrawlRules, EntryId, FrontierError, HandOff, Handed, Leases, Next, Release, Reports,
    SeedsRead,
};
use huntsman::store::{
    Committed, CrawlRow, CrawlState, OpenUrls, SeedRow, Store, StoreError, Tally, WhichParked,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A process that dies at the n-th step. After that no call has an effect or returns.
#[derive(Debug, Clone)]
pub(super) struct Fuse {
    left: Arc<AtomicI64>,
    pub blown: CancellationToken,
}

impl Fuse {
    pub(super) fn new(steps: i64) -> Self {
        Self { left: Arc::new(AtomicI64::new(steps)), blown: CancellationToken::new() }
    }

    /// A step: returns unless the process dies here.
    async fn step(&self) {
        if self.left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            self.blown.cancel();
            std::future::pending::<()>().await;
        }
    }
}

/// A port with a fuse: one step before the call's effect and one after it.
#[derive(Debug)]
pub(super) struct Fused<T: ?Sized> {
    pub fuse: Fuse,
    pub inner: Arc<T>,
}

impl<T: ?Sized> Fused<T> {
    pub(super) fn new(fuse: &Fuse, inner: Arc<T>) -> Arc<Self> {
        Arc::new(Self { fuse: fuse.clone(), inner })
    }

    async fn around<R>(&self, call: impl Future<Output = R> + Send) -> R {
        self.fuse.step().await;
        let result = call.await;
        self.fuse.step().await;
        result
    }
}

#[async_trait]
impl<T: Fetch + ?Sized> Fetch for Fused<T> {
    async fn get(&self, request: Request) -> Visit {
        self.around(self.inner.get(request)).await
    }
}

#[async_trait]
impl<T: Leases + ?Sized> Leases for Fused<T> {
    async fn lease(&self, hosts: usize) -> Result<Next, FrontierError> {
        self.around(self.inner.lease(hosts)).await
    }
    async fn renew(&self, tokens: &[Token]) -> Result<Vec<Token>, FrontierError> {
        self.around(self.inner.renew(tokens)).await
    }
    async fn hand_off(&self, hand_off: HandOff) -> Result<Handed, FrontierError> {
        self.around(self.inner.hand_off(hand_off)).await
    }
    async fn release(&self, release: Release) -> Result<Handed, FrontierError> {
        self.around(self.inner.release(release)).await
    }
    async fn note(&self, token: Token, note: Note) -> Result<Handed, FrontierError> {
        self.around(self.inner.note(token, note)).await
    }
    async fn remind(&self, notes: Vec<Note>) -> Result<(), FrontierError> {
        self.around(self.inner.remind(notes)).await
    }
    async fn borrow_host(&self, host: &HostKey) -> Result<Borrowed, FrontierError> {
        self.around(self.inner.borrow_host(host)).await
    }
    async fn rest(&self, until: Timestamp) {
        self.inner.rest(until).await;
    }
    async fn rules(&self, crawl: CrawlId, read: SeedsRead) -> Result<Option<CrawlRules>, FrontierError> {
        self.around(self.inner.rules(crawl, read)).await
    }
}

#[async_trait]
impl<T: Reports + ?Sized> Reports for Fused<T> {
    async fn reports(&self, most: usize, linger: Duration) -> Result<Vec<(EntryId, Entry)>, FrontierError> {
        self.inner.reports(most, linger).await
    }
    async fn taken(&self) -> Result<Vec<(EntryId, Entry)>, FrontierError> {
        self.inner.taken().await
    }
    async fn unseen(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, FrontierError> {
        self.around(self.inner.unseen(crawl, keys)).await
    }
    async fn admit(
        &self,
        urls: Vec<Queued>,
        crawl: CrawlId,
        seen: &[UrlKey],
    ) -> Result<usize, FrontierError> {
        self.around(self.inner.admit(urls, crawl, seen)).await
    }
    async fn acknowledge(&self, acks: Vec<Ack>) -> Result<(), FrontierError> {
        self.around(self.inner.acknowledge(acks)).await
    }
    async fn open_scope(&self, crawl: CrawlId, seeds: Vec<(String, ScopeKind)>) -> Result<(), FrontierError> {
        self.around(self.inner.open_scope(crawl, seeds)).await
    }
}

#[async_trait]
impl<T: Store + ?Sized> Store for Fused<T> {
    async fn open_crawl(&self, name: &str, settings: &str, now: Timestamp) -> Result<CrawlRow, StoreError> {
        self.around(self.inner.open_crawl(name, settings, now)).await
    }
    async fn accept(
        &self,
        crawl: CrawlId,
        seeds: Vec<Found>,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        self.around(self.inner.accept(crawl, seeds, now)).await
    }
    async fn commit(&self, batch: &[Entry]) -> Result<Vec<Committed>, StoreError> {
        self.around(self.inner.commit(batch)).await
    }
    async fn open_urls(&self, crawl: CrawlId, host: &HostKey, most: usize) -> Result<OpenUrls, StoreError> {
        self.around(self.inner.open_urls(crawl, host, most)).await
    }
    async fn open_hosts(&self, crawl: CrawlId, after: &str, most: usize) -> Result<Vec<HostKey>, StoreError> {
        self.inner.open_hosts(crawl, after, most).await
    }
    async fn paces(&self) -> Result<Vec<(HostKey, Pace)>, StoreError> {
        self.around(self.inner.paces()).await
    }
    async fn seeds(&self, crawl: CrawlId) -> Result<Vec<SeedRow>, StoreError> {
        self.inner.seeds(crawl).await
    }
    async fn set_seeded(&self, crawl: CrawlId, seeded: bool) -> Result<(), StoreError> {
        self.around(self.inner.set_seeded(crawl, seeded)).await
    }
    async fn release(
        &self,
        crawl: CrawlId,
        which: &WhichParked,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        self.around(self.inner.release(crawl, which, most, now)).await
    }
    async fn tally(&self, crawl: CrawlId) -> Result<Tally, StoreError> {
        self.inner.tally(crawl).await
    }
    async fn set_state(
        &self,
        crawl: CrawlId,
        state: CrawlState,
        ran: Duration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.around(self.inner.set_state(crawl, state, ran, now)).await
    }
    async fn known(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, StoreError> {
        self.inner.known(crawl, keys).await
    }
}

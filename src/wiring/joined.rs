//! One crawl of an installation, and a process that runs all three roles for as long as it takes: others may join it, and
//! take over when it dies.

use super::fleet::{self, Named};
use super::{CrawlError, Task, failure, flatten, spawn};
use crate::clock::Clock;
use crate::crawl::lease::CrawlId;
use crate::crawl::time::Timestamp;
use crate::frontier::redis::RedisFrontier;
use crate::frontier::{Blocked, Counts, Front, FrontierError};
use crate::node::DRAIN;
use crate::scheduler::End;
use crate::settings::Layers;
use crate::storage::Listener;
use crate::store::postgres::PostgresStore;
use crate::store::{CrawlState, Crawls, Leadership, Store, StoreError, Tally};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the crawl is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How often its URLs are counted, and how many times as long as that took is waited at least: a large crawl is counted
/// less often.
const COUNT: Duration = Duration::from_secs(1);
const COUNT_SHARE: u32 = 20;
/// How long is waited for another scheduler to lead, once this one no longer does.
const SUCCESSION: Duration = Duration::from_millis(1_500);

/// Where a crawl of an installation is.
pub struct Joined {
    /// The truth.
    pub store: Arc<PostgresStore>,
    index: Arc<RedisFrontier>,
    index_url: String,
    store_url: String,
    lease: Duration,
    clock: Clock,
}

/// How far the crawl is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standing {
    /// Its URLs by state.
    pub tally: Tally,
    /// What stands in the index, of all crawls.
    pub counts: Counts,
    /// Hosts that wait.
    pub blocked: Blocked,
}

/// Its three roles in this process.
pub struct Running {
    leading: CancellationToken,
    visiting: CancellationToken,
    writing: CancellationToken,
    scheduler: Task,
    node: Task,
    storage: Task,
}

impl Joined {
    /// Connects to both servers; one that cannot be reached is an error at once.
    pub async fn open(
        index_url: &str,
        store_url: &str,
        lease: Duration,
        clock: Clock,
    ) -> Result<Self, CrawlError> {
        let store = Arc::new(PostgresStore::open(store_url).await?);
        let index = Arc::new(fleet::connect_now(index_url, "crawl", lease, clock).await?);
        let (index_url, store_url) = (index_url.to_owned(), store_url.to_owned());
        Ok(Self { store, index, index_url, store_url, lease, clock })
    }

    /// Starts the roles; requests of the crawl may go where its seeds point, as in a crawl by one process. What `own` says of a crawl counts
    /// for none: it stands in the store.
    pub fn start(&self, own: Layers, named: Named, listener: Listener) -> Running {
        let own = own.of_process();
        let [leading, visiting, writing] = std::array::from_fn(|_| CancellationToken::new());
        let (index, store) = (self.index_url.clone(), self.store_url.clone());
        let (lease, clock, stop) = (self.lease, self.clock, leading.clone());
        let scheduler = spawn(async move { fleet::run_scheduler(&index, &store, lease, clock, &stop).await });
        let (index, stop) = (self.index_url.clone(), visiting.clone());
        let node = spawn(async move { fleet::run_node(own, Some(named), &index, clock, &stop).await });
        let (index, store, stop) = (self.index_url.clone(), self.store_url.clone(), writing.clone());
        let storage = spawn(async move { fleet::run_storage(&index, &store, clock, listener, &stop).await });
        let [scheduler, node, storage] = [scheduler, node, storage].map(Task);
        Running { leading, visiting, writing, scheduler, node, storage }
    }

    /// Looks at the crawl again and again until it is over or `stop` fires, and tells `seen` how far it is. A store or an
    /// index that is out of reach meanwhile is waited for. `wait` is how long it stays where all that is left waits for a host.
    pub async fn watch(
        &self,
        name: &str,
        wait: Duration,
        stop: &CancellationToken,
        seen: impl Fn(&Standing),
    ) -> Result<End, CrawlError> {
        let mut standing = Standing::default();
        let mut next_count = Timestamp::EPOCH;
        let mut progress = (0, self.clock.now());
        loop {
            let now = self.clock.now();
            let looked = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(End::Stopped),
                looked = self.look(name, &mut standing, now >= next_count) => looked,
            };
            match looked {
                Ok(Some(end)) => return Ok(end),
                Ok(None) if now >= next_count => {
                    let took = self.clock.now().since(now);
                    next_count = now + COUNT.max(took * COUNT_SHARE);
                    let done = standing.done();
                    if done != progress.0 {
                        progress = (done, now);
                    }
                    seen(&standing);
                    if let Some(until) = standing.waits_beyond(progress.1 + wait) {
                        return Ok(End::Waiting { until });
                    }
                }
                Ok(None) => {}
                Err(CrawlError::Store(StoreError::Unavailable(why))) => {
                    tracing::warn!(why, "waiting for the store");
                }
                Err(why) => return Err(why),
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(End::Stopped),
                () = self.clock.sleep_until(now + LOOK) => {}
            }
        }
    }

    /// How the crawl stands; how it ended, where it has.
    async fn look(
        &self,
        name: &str,
        standing: &mut Standing,
        is_counted: bool,
    ) -> Result<Option<End>, CrawlError> {
        let Some(row) = self.store.crawl(name).await? else {
            return Err(StoreError::Unusable(format!("the crawl {name} has gone from the store")).into());
        };
        match row.state {
            CrawlState::Running | CrawlState::Paused => {}
            CrawlState::Finished => return Ok(Some(End::Finished)),
            CrawlState::Limited => return Ok(Some(End::Limited)),
            CrawlState::Cancelled => return Ok(Some(End::Cancelled)),
            CrawlState::Waiting => return Ok(Some(End::Waiting { until: self.clock.now() })),
        }
        if is_counted {
            standing.tally = self.store.tally(row.id).await?;
            // What an index that is away or not filled yet would say is for its scheduler to hear.
            let counted: Result<_, FrontierError> =
                async { Ok((self.index.counts().await?, self.index.blocked().await?)) }.await;
            (standing.counts, standing.blocked) = counted.unwrap_or_default();
        }
        Ok(None)
    }

    /// Ends the part of this process: its visits first, then what is in the stream is written, within [`DRAIN`] in all, then
    /// it leads no longer. Where it was stopped before its crawl was over and nobody else leads, the crawl is noted as paused;
    /// answers with how it ended.
    pub async fn leave(&self, mut running: Running, crawl: CrawlId, end: End) -> Result<End, CrawlError> {
        let deadline = self.clock.now() + DRAIN.saturating_sub(SUCCESSION);
        let drained = async {
            running.visiting.cancel();
            flatten((&mut running.node.0).await)?;
            while self.index.counts().await.is_ok_and(|counts| counts.handed_over > 0) {
                self.clock.sleep_until(self.clock.now() + LOOK / 5).await;
            }
            running.writing.cancel();
            flatten((&mut running.storage.0).await)?;
            running.leading.cancel();
            flatten((&mut running.scheduler.0).await)
        };
        tokio::select! {
            ended = drained => ended?,
            () = self.clock.sleep_until(deadline) => {
                tracing::warn!("not everything in hand was finished in time; what is missing is done again");
            }
        }
        self.note(crawl, end).await
    }

    async fn note(&self, crawl: CrawlId, end: End) -> Result<End, CrawlError> {
        let now = self.clock.now();
        match end {
            End::Stopped if !self.is_led().await? => {
                self.store.change_state(crawl, &[CrawlState::Running], CrawlState::Paused, now).await?;
                Ok(end)
            }
            End::Stopped => Ok(End::Left),
            End::Waiting { .. } => {
                self.store.change_state(crawl, &[CrawlState::Running], CrawlState::Waiting, now).await?;
                Ok(end)
            }
            other => Ok(other),
        }
    }

    /// Whether a scheduler leads, or comes to lead within a moment.
    async fn is_led(&self) -> Result<bool, CrawlError> {
        let until = self.clock.now() + SUCCESSION;
        loop {
            if self.store.leader().await?.is_some() {
                return Ok(true);
            }
            if self.clock.now() >= until {
                return Ok(false);
            }
            self.clock.sleep_until(self.clock.now() + LOOK).await;
        }
    }
}

impl Running {
    /// Waits for a role to fail. A node that was asked to leave is no failure: the others go on.
    pub async fn failed(&mut self) -> CrawlError {
        loop {
            tokio::select! {
                ended = &mut self.scheduler.0 => return failure(ended),
                ended = &mut self.storage.0 => return failure(ended),
                ended = &mut self.node.0 => {
                    if let Err(why) = flatten(ended) {
                        return why;
                    }
                    tracing::info!("this process visits nothing any more, as it was asked");
                    let stop = self.visiting.clone();
                    self.node = Task(spawn(async move {
                        stop.cancelled().await;
                        Ok(())
                    }));
                }
            }
        }
    }
}

impl Standing {
    /// URLs that are finished.
    pub fn done(&self) -> u64 {
        let Tally { stored, redirected, failed, excluded, read, .. } = self.tally;
        stored + redirected + failed + excluded + read
    }

    /// When the first host may be asked, where nothing is under way, all that is left waits, and that is after `limit`.
    fn waits_beyond(&self, limit: Timestamp) -> Option<Timestamp> {
        let Counts { queued, leased, handed_over, next_due, .. } = self.counts;
        let waits = self.tally.open > 0 && queued > 0 && leased + handed_over == 0;
        next_due.filter(|due| waits && *due > limit)
    }
}

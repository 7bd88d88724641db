//! The role that keeps a crawl going: seeds it, fills the front of the queue from the store, and says when it is over.

mod filling;
pub mod fleet;

use crate::clock::Clock;
use crate::crawl::lease::CrawlId;
use crate::crawl::report::Found;
use crate::crawl::time::Timestamp;
use crate::frontier::{Counts, CrawlSettings, Front, FrontierError, Low, Reports};
use crate::store::{CrawlState, Store, StoreError};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the scheduler looks at the index.
const TICK: Duration = Duration::from_millis(20);
/// How often while nothing can be visited for a while.
const IDLE_TICK: Duration = Duration::from_millis(500);
/// Hosts topped up in one go.
const HOSTS_PER_REFILL: usize = 256;

/// Why the scheduler stopped on its own.
#[derive(Debug, thiserror::Error)]
pub enum SchedulerError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index is out of reach.
    #[error(transparent)]
    Frontier(#[from] FrontierError),
}

/// How a crawl ended, for now or for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing is open.
    Finished,
    /// The page limit is reached.
    Limited,
    /// All that is left waits.
    Waiting {
        /// The earliest point at which a URL may be visited.
        until: Timestamp,
    },
    /// Asked to stop.
    Stopped,
    /// Asked to stop, while other processes of its installation go on with the crawl.
    Left,
    /// Given up by an operator.
    Cancelled,
}

impl End {
    /// The state that `crawls` notes.
    pub fn state(self) -> CrawlState {
        match self {
            Self::Finished => CrawlState::Finished,
            Self::Limited => CrawlState::Limited,
            Self::Waiting { .. } => CrawlState::Waiting,
            Self::Stopped => CrawlState::Paused,
            Self::Left => CrawlState::Running,
            Self::Cancelled => CrawlState::Cancelled,
        }
    }
}

/// The point of the last progress, told by whoever sees it.
#[derive(Debug, Default)]
pub struct LastProgress(AtomicI64);

impl LastProgress {
    /// A URL was closed at `now`.
    pub fn touch(&self, now: Timestamp) {
        self.0.fetch_max(now.as_micros(), Ordering::Relaxed);
    }

    fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// A scheduler of one crawl.
pub struct Scheduler {
    /// Its number.
    pub crawl: CrawlId,
    /// The index, as the scheduler sees it.
    pub front: Arc<dyn Front>,
    /// The index, where seeds are admitted.
    pub reports: Arc<dyn Reports>,
    /// The truth.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Clock,
    /// How long a crawl stays when all that is left is waiting.
    pub wait: Duration,
    /// Told by the storage stage.
    pub progress: Arc<LastProgress>,
    /// The pass over the hosts that the index knows nothing of.
    pub pass: Pass,
}

/// A pass over all hosts with open URLs that found no room for the last of them.
#[derive(Debug, Default)]
pub struct Pass(Mutex<Option<(String, Timestamp)>>);

impl Pass {
    /// Where to go on, if that is due.
    fn due(&self, now: Timestamp) -> Option<String> {
        let pass = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pass.as_ref().filter(|(_, due)| *due <= now).map(|(after, _)| after.clone())
    }

    fn set(&self, pass: Option<(String, Timestamp)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = pass;
    }
}

impl Scheduler {
    /// Opens the epoch and fills the index from the store: the same for a first start and after any crash.
    /// `reopened` says that hosts may have been asked a moment ago, by a process that died.
    pub async fn open(
        &self,
        epoch: u32,
        reopened: bool,
        settings: CrawlSettings,
    ) -> Result<(), SchedulerError> {
        self.front.settings(self.crawl, settings).await?;
        let paces = self.store.paces().await?;
        self.front.open_epoch(epoch, paces, reopened).await?;
        self.progress.touch(self.clock.now());
        self.refill_all().await
    }

    /// Accepts seeds: committed first, then admitted. Answers with how many are new.
    pub async fn seed(&self, seeds: Vec<Found>) -> Result<usize, SchedulerError> {
        let keys: Vec<_> = seeds.iter().map(|seed| seed.key).collect();
        let new = self.store.accept(self.crawl, seeds, self.clock.now()).await?;
        let accepted = new.len();
        self.reports.admit(new, self.crawl, &keys).await?;
        Ok(accepted)
    }

    /// Keeps the front of the queue filled until the crawl is over or `stop` fires.
    pub async fn run(&self, stop: &CancellationToken) -> Result<End, SchedulerError> {
        loop {
            let low = self.front.low(HOSTS_PER_REFILL).await?;
            self.top_up(&low).await?;
            if let Some(after) = self.pass.due(self.clock.now()) {
                self.refill_from(after).await?;
            }
            let counts = self.front.counts().await?;
            if let Some(end) = self.end(&counts).await? {
                return Ok(end);
            }
            let now = self.clock.now();
            let is_idle = counts.leased + counts.handed_over == 0 && low.is_empty();
            let tick = match counts.next_due {
                Some(due) if is_idle => due.since(now).clamp(TICK, IDLE_TICK),
                _ => TICK,
            };
            tokio::select! {
                () = stop.cancelled() => return Ok(End::Stopped),
                () = self.clock.sleep_until(now + tick) => {}
            }
        }
    }

    async fn end(&self, counts: &Counts) -> Result<Option<End>, SchedulerError> {
        if counts.leased + counts.handed_over > 0 {
            return Ok(None);
        }
        if counts.budget_spent {
            return Ok(Some(End::Limited));
        }
        if counts.queued == 0 {
            if self.store.open_hosts(self.crawl, "", 1).await?.is_empty() {
                return Ok(Some(End::Finished));
            }
            self.refill_all().await?;
            return Ok(None);
        }
        let Some(due) = counts.next_due else { return Ok(None) };
        if due <= self.progress.at() + self.wait {
            return Ok(None);
        }
        Ok(Some(End::Waiting { until: due }))
    }

    /// Brings every host with open URLs to the front, as far as there is room.
    async fn refill_all(&self) -> Result<(), SchedulerError> {
        self.refill_from(String::new()).await
    }

    /// The same for the hosts after one in order of name. Where room runs out, the pass goes on a moment later.
    async fn refill_from(&self, mut after: String) -> Result<(), SchedulerError> {
        loop {
            let hosts = self.store.open_hosts(self.crawl, &after, HOSTS_PER_REFILL).await?;
            if hosts.is_empty() {
                self.pass.set(None);
                return Ok(());
            }
            for host in hosts {
                let name = host.as_str().to_owned();
                if !self.top_up(&[Low { host, held: 0, room: FIRST_FILL }]).await? {
                    self.pass.set(Some((after, self.clock.now() + IDLE_TICK)));
                    return Ok(());
                }
                after = name;
            }
        }
    }

    /// Tops hosts up with the first open URLs that the index does not hold; it passes over those that it does. `false`
    /// where there was no room.
    async fn top_up(&self, low: &[Low]) -> Result<bool, SchedulerError> {
        for Low { host, held, room } in low {
            let mut left = self.front.room().await?;
            if left == 0 {
                left = self.front.make_room().await?;
            }
            if left == 0 {
                return Ok(false);
            }
            self.front.begin_refill().await?;
            let open = self.store.open_urls(self.crawl, host, held + (*room).min(left)).await?;
            self.front.refill(host, open.urls, open.complete).await?;
            self.front.end_refill().await?;
        }
        Ok(true)
    }
}

/// URLs of a host in its first fill; a host that has more is topped up when it runs low.
const FIRST_FILL: usize = 1_000;

//! The scheduler of an installation: many crawls, one index, one leader.
//!
//! Everything it knows stands in the store. It opens an epoch of the index, tells the index of every crawl that runs, fills it from
//! SQL, and looks again and again: at the crawls (an operator may have changed them), at hosts that run low, and at
//! crawls that have nothing left. An index that was lost gets a new epoch; a leader that was deposed goes back to waiting.

use super::{HOSTS_PER_REFILL, SchedulerError};
use crate::clock::Clock;
use crate::crawl::host::HostKey;
use crate::crawl::lease::CrawlId;
use crate::crawl::politeness::Delay;
use crate::crawl::time::Timestamp;
use crate::frontier::{CrawlSettings, Front, FrontierError, Low, Reports, RunState};
use crate::store::{CrawlRow, CrawlState, Crawls, Fence, Leadership, Store, StoreError};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often the index is looked at.
const TICK: Duration = Duration::from_millis(50);
/// How often the crawls are: a pause or a cancellation counts within this.
const LOOK: Duration = Duration::from_millis(500);
/// How often every host with open URLs is held against the index: an admission that was refused or lost is made good
/// by this.
const PASS: Duration = Duration::from_secs(60);
/// How often the pages of a crawl with a limit are counted.
const COUNT: Duration = Duration::from_secs(5);
/// How long it waits for a store or an index that is out of reach.
const OUT_OF_REACH: Duration = Duration::from_millis(500);
/// URLs of a host and a crawl in one refill.
const FILL: usize = 1_000;

/// What the settings of a crawl say to the scheduler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The delay the user asked for.
    pub delay: Delay,
    /// Pages that may be stored in all; `None` for no limit.
    pub max_pages: Option<u64>,
}

/// Reads the settings of a crawl as its store keeps them; an error says what is wrong with them.
pub type ReadSettings = dyn Fn(&str) -> Result<Told, String> + Send + Sync;

/// The scheduler of an installation.
pub struct Fleet {
    /// The index, as the scheduler sees it.
    pub front: Arc<dyn Front>,
    /// The index, where scopes are opened.
    pub reports: Arc<dyn Reports>,
    /// The truth.
    pub store: Arc<dyn Store>,
    /// The crawls in it.
    pub crawls: Arc<dyn Crawls>,
    /// Who draws epochs.
    pub leadership: Arc<dyn Leadership>,
    /// The time.
    pub clock: Clock,
    /// What the stored settings mean.
    pub read: Box<ReadSettings>,
    /// A third of this passes between two beats at most.
    pub lease: Duration,
}

/// Why a term of leadership ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Led {
    /// Asked to stop.
    Stopped,
    /// Another process leads.
    Deposed,
}

/// What the index was told of one crawl.
struct Known {
    row: CrawlRow,
    told: Told,
    state: RunState,
    began: Timestamp,
    /// When its pages are counted next.
    count_at: Timestamp,
}

/// The crawls that run.
fn running(known: &HashMap<CrawlId, Known>) -> impl Iterator<Item = &Known> {
    known.values().filter(|known| known.state == RunState::Running)
}

impl Fleet {
    /// Leads until `stop` fires or the fence is stale: epoch after epoch, as often as the index is lost.
    pub async fn lead(&self, fence: Fence, stop: &CancellationToken) -> Result<Led, SchedulerError> {
        while !stop.is_cancelled() {
            let epoch = match self.leadership.draw_epoch(fence).await {
                Ok(Some(epoch)) => epoch,
                Ok(None) => return Ok(Led::Deposed),
                Err(StoreError::Unavailable(why)) => {
                    tracing::warn!(why, "waiting");
                    self.clock.sleep_until(self.clock.now() + OUT_OF_REACH).await;
                    continue;
                }
                Err(why) => return Err(why.into()),
            };
            tracing::info!(epoch, "a new epoch of the index");
            let is_open = AtomicBool::new(false);
            let ended = tokio::select! {
                ended = self.epoch(epoch, &is_open, stop) => ended,
                lost = self.keep_beating(&is_open) => Err(lost.into()),
            };
            match ended {
                Err(SchedulerError::Frontier(FrontierError::Lost(why))) => {
                    tracing::warn!(why, "the index was lost; filling another one");
                }
                other => return other.map(|()| Led::Stopped),
            }
        }
        Ok(Led::Stopped)
    }

    /// Says that the scheduler is alive, until an index that was open is lost: nobody but the beat sees that the clock of its server
    /// was stepped. One that is out of reach is heard of elsewhere.
    async fn keep_beating(&self, is_open: &AtomicBool) -> FrontierError {
        loop {
            if let Err(why @ FrontierError::Lost(_)) = self.front.beat().await
                && is_open.load(Ordering::Relaxed)
            {
                return why;
            }
            self.clock.sleep_until(self.clock.now() + self.lease / 4).await;
        }
    }

    /// One epoch, from its opening to its loss.
    async fn epoch(
        &self,
        epoch: u32,
        is_open: &AtomicBool,
        stop: &CancellationToken,
    ) -> Result<(), SchedulerError> {
        let mut known = HashMap::new();
        let mut pass = VecDeque::new();
        let (mut next_look, mut next_pass) = (Timestamp::EPOCH, Timestamp::EPOCH);
        while !stop.is_cancelled() {
            let now = self.clock.now();
            let worked = async {
                if !is_open.load(Ordering::Relaxed) {
                    self.open(epoch, &mut known).await?;
                    is_open.store(true, Ordering::Relaxed);
                }
                if now >= next_look {
                    let changed = self.look(&mut known).await?;
                    pass.extend(changed.into_iter().map(|crawl| (crawl, String::new())));
                    next_look = now + LOOK;
                    // Nothing stands in the index, and yet crawls have open rows: those of an admission that was lost need not
                    // wait for the slow pass.
                    if pass.is_empty() && running(&known).next().is_some() && self.is_idle().await? {
                        next_pass = now;
                    }
                }
                if now >= next_pass {
                    pass.extend(running(&known).map(|known| (known.row.id, String::new())));
                    next_pass = now + PASS;
                }
                let low = self.front.low(HOSTS_PER_REFILL).await?;
                self.top_up(&low, &known).await?;
                self.go_on(&mut pass, &known).await
            };
            match worked.await {
                Err(
                    SchedulerError::Frontier(FrontierError::Unavailable(why))
                    | SchedulerError::Store(StoreError::Unavailable(why)),
                ) => {
                    tracing::warn!(why, "waiting");
                    self.clock.sleep_until(self.clock.now() + OUT_OF_REACH).await;
                }
                other => other?,
            }
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.clock.sleep_until(now + TICK) => {}
            }
        }
        Ok(())
    }

    async fn is_idle(&self) -> Result<bool, SchedulerError> {
        let counts = self.front.counts().await?;
        Ok(counts.queued + counts.leased + counts.handed_over == 0)
    }

    /// Opens the epoch: first what the index must know before anything is leased.
    async fn open(&self, epoch: u32, known: &mut HashMap<CrawlId, Known>) -> Result<(), SchedulerError> {
        known.clear();
        let mut told = Vec::new();
        for row in self.crawls.crawls().await? {
            if let Some((settings, read)) = self.settings(&row).await? {
                self.front.settings(row.id, settings).await?;
                told.push((row, settings.state, read));
            }
        }
        let paces = self.store.paces().await?;
        // Before the first one that was ever drawn, nobody can have asked anything.
        self.front.open_epoch(epoch, paces, epoch > 1).await?;
        for (row, state, told) in told {
            let known_as = self.publish(row, state, told).await?;
            known.insert(known_as.row.id, known_as);
        }
        Ok(())
    }

    /// What the index is told of a crawl; nothing of one that has ended or whose settings cannot be read.
    async fn settings(&self, row: &CrawlRow) -> Result<Option<(CrawlSettings, Told)>, SchedulerError> {
        let state = match row.state {
            CrawlState::Running => RunState::Running,
            CrawlState::Paused => RunState::Paused,
            CrawlState::Cancelled => RunState::Cancelled,
            CrawlState::Waiting | CrawlState::Limited | CrawlState::Finished => return Ok(None),
        };
        let told = match (self.read)(&row.settings) {
            Ok(told) => told,
            Err(why) => {
                tracing::error!(crawl = row.name, why, "a crawl has settings that cannot be read");
                return Ok(None);
            }
        };
        let stored = self.store.tally(row.id).await?.stored;
        let settings = CrawlSettings { state, delay: told.delay, max_pages: told.max_pages, stored };
        Ok(Some((settings, told)))
    }

    /// Publishes settings and scope to the nodes.
    async fn publish(&self, row: CrawlRow, state: RunState, told: Told) -> Result<Known, SchedulerError> {
        self.front.publish(row.id, row.settings.clone()).await?;
        let seeds = self.store.seeds(row.id).await?;
        let opened = seeds.into_iter().map(|seed| (seed.url, seed.scope)).collect();
        self.reports.open_scope(row.id, opened).await?;
        let now = self.clock.now();
        Ok(Known { row, told, state, began: now, count_at: now + COUNT })
    }

    /// Looks at the crawls: new ones, changed ones, and those that have nothing left. Answers with those that may have new seeds.
    async fn look(&self, known: &mut HashMap<CrawlId, Known>) -> Result<Vec<CrawlId>, SchedulerError> {
        let mut changed = Vec::new();
        for row in self.crawls.crawls().await? {
            let before = known.get(&row.id);
            let is_same = before.is_some_and(|before| before.row == row);
            if !is_same {
                match self.settings(&row).await? {
                    Some((settings, told)) => {
                        if before.is_none_or(|before| (before.state, before.told) != (settings.state, told)) {
                            self.front.settings(row.id, settings).await?;
                        }
                        let now_known = self.publish(row.clone(), settings.state, told).await?;
                        let began = known.get(&row.id).map_or(now_known.began, |before| before.began);
                        known.insert(row.id, Known { began, ..now_known });
                        changed.push(row.id);
                    }
                    None => _ = known.remove(&row.id),
                }
            }
            if let Some(here) = known.get_mut(&row.id)
                && here.state == RunState::Running
                && row.seeded
            {
                self.end(&row, here).await?;
            }
        }
        Ok(changed)
    }

    /// Notes that a crawl is over, if it is.
    async fn end(&self, row: &CrawlRow, known: &mut Known) -> Result<(), SchedulerError> {
        let now = self.clock.now();
        let ran = now.since(known.began);
        if self.crawls.finish(row.id, ran, now).await? {
            tracing::info!(crawl = row.name, "finished");
            return Ok(());
        }
        if let Some(most) = known.told.max_pages
            && now >= known.count_at
        {
            known.count_at = now + COUNT;
            if self.store.tally(row.id).await?.stored >= most {
                self.store.set_state(row.id, CrawlState::Limited, ran, now).await?;
                tracing::info!(crawl = row.name, "the page limit is reached");
            }
        }
        Ok(())
    }

    /// Goes on with the pass over all hosts with open URLs, a few at a time.
    async fn go_on(
        &self,
        pass: &mut VecDeque<(CrawlId, String)>,
        known: &HashMap<CrawlId, Known>,
    ) -> Result<(), SchedulerError> {
        let Some((crawl, after)) = pass.front() else { return Ok(()) };
        let hosts = self.store.open_hosts(*crawl, after, HOSTS_PER_REFILL).await?;
        let Some(last) = hosts.last().map(|host| host.as_str().to_owned()) else {
            pass.pop_front();
            return Ok(());
        };
        let low: Vec<Low> = hosts.into_iter().map(|host| Low { host, held: 0, room: FILL }).collect();
        if self.top_up(&low, known).await?
            && let Some(front) = pass.front_mut()
        {
            front.1 = last;
        }
        Ok(())
    }

    /// Tops hosts up with the first open URLs of every crawl that runs; `false` where there was no room.
    async fn top_up(&self, low: &[Low], known: &HashMap<CrawlId, Known>) -> Result<bool, SchedulerError> {
        for Low { host, held, room } in low {
            let mut left = self.front.room().await?;
            if left == 0 {
                left = self.front.make_room().await?;
            }
            if left == 0 {
                return Ok(false);
            }
            self.front.begin_refill().await?;
            let filled = self.fill(host, held + (*room).min(left), known).await;
            self.front.end_refill().await?;
            filled?;
        }
        Ok(true)
    }

    async fn fill(
        &self,
        host: &HostKey,
        most: usize,
        known: &HashMap<CrawlId, Known>,
    ) -> Result<(), SchedulerError> {
        let (mut urls, mut complete) = (Vec::new(), true);
        for known in running(known) {
            let mut open = self.store.open_urls(known.row.id, host, most).await?;
            complete &= open.complete;
            urls.append(&mut open.urls);
        }
        self.front.refill(host, urls, complete).await?;
        Ok(())
    }
}

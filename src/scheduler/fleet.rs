//! The scheduler of an installation: many crawls, one index, one leader.
//!
//! Everything it knows stands in the store. It opens an epoch of the index and tells it of every crawl that runs. Then it does
//! two things side by side: it looks at the crawls (an operator may have changed them, or they have nothing left), and
//! it fills the index from SQL, which may take long. An index that was lost gets a new epoch; a leader that was deposed goes back
//! to waiting.

use super::SchedulerError;
use super::filling::Desk;
use crate::clock::Clock;
use crate::crawl::lease::CrawlId;
use crate::crawl::politeness::Delay;
use crate::crawl::scope::{ScopeKind, opened_by};
use crate::crawl::time::Timestamp;
use crate::frontier::{CrawlSettings, Front, FrontierError, GUARD, MAX_SCOPE_SEEDS, Reports, RunState};
use crate::store::{CrawlRow, CrawlState, Crawls, Fence, Leadership, Store, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How often the crawls are: a pause or a cancellation counts within this.
pub(super) const LOOK: Duration = Duration::from_millis(300);
/// How often the pages of a crawl with a limit are counted, where the index does not say that they are as many: it may
/// have missed some when a storage process died.
const COUNT: Duration = Duration::from_secs(5);
/// How long it waits for a store or an index that is out of reach.
pub(super) const OUT_OF_REACH: Duration = Duration::from_millis(500);

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
    /// How long a lease lasts; a third of this passes between two beats at most.
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
        let mut desk = Desk::default();
        let mut known = loop {
            match patient(self.open(epoch, &desk).await)? {
                Some(known) => break known,
                None if stop.is_cancelled() => return Ok(()),
                None => self.clock.sleep_until(self.clock.now() + OUT_OF_REACH).await,
            }
        };
        desk.quiet_until = self.clock.now() + 2 * self.lease + GUARD;
        is_open.store(true, Ordering::Relaxed);
        for known in known.values().filter(|known| known.state == RunState::Running) {
            desk.running().insert(known.row.id);
            desk.pass(known.row.id);
        }
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            lost = self.keep_looking(&desk, &mut known) => lost,
            lost = self.keep_filling(&desk) => lost,
            lost = self.learn_late(desk.quiet_until) => lost,
        }
    }

    /// Looks at the crawls again and again; ends with an error.
    async fn keep_looking(
        &self,
        desk: &Desk,
        known: &mut HashMap<CrawlId, Known>,
    ) -> Result<(), SchedulerError> {
        loop {
            let now = self.clock.now();
            let pause = if patient(self.look(desk, known).await)?.is_some() { LOOK } else { OUT_OF_REACH };
            self.clock.sleep_until(now + pause).await;
        }
    }

    /// Tells the index, shortly before the first host is asked, what storage stages still wrote of the epoch before: the
    /// paces were read when it was opened. Ends with an error.
    async fn learn_late(&self, quiet_until: Timestamp) -> Result<(), SchedulerError> {
        self.clock.sleep_until(quiet_until - self.lease / 2).await;
        loop {
            let learned = async { Ok(self.front.learn(self.store.paces().await?).await?) };
            if patient(learned.await)?.is_some() {
                return std::future::pending().await;
            }
            self.clock.sleep_until(self.clock.now() + OUT_OF_REACH).await;
        }
    }

    /// Opens the epoch: first what the index must know before anything is leased.
    async fn open(&self, epoch: u32, desk: &Desk) -> Result<HashMap<CrawlId, Known>, SchedulerError> {
        // What was said in vain is said again.
        desk.opened().clear();
        let mut told = Vec::new();
        for row in self.crawls.crawls().await? {
            if let Some((settings, read)) = self.settings(&row, true).await? {
                self.front.settings(row.id, settings).await?;
                told.push((row, settings.state, read));
            }
        }
        let paces = self.store.paces().await?;
        // Before the first one that was ever drawn, nobody can have asked anything.
        self.front.open_epoch(epoch, paces, epoch > 1).await?;
        let mut known = HashMap::new();
        for (row, state, told) in told {
            let known_as = self.publish(row, state, told, desk).await?;
            known.insert(known_as.row.id, known_as);
        }
        Ok(known)
    }

    /// What the index is told of a crawl; nothing of one that has ended or whose settings cannot be read. Its pages are counted
    /// where the index does not count them yet.
    async fn settings(
        &self,
        row: &CrawlRow,
        is_counted: bool,
    ) -> Result<Option<(CrawlSettings, Told)>, SchedulerError> {
        let state = match row.state {
            CrawlState::Running => RunState::Running,
            CrawlState::Paused => RunState::Paused,
            CrawlState::Waiting | CrawlState::Limited | CrawlState::Finished | CrawlState::Cancelled => {
                return Ok(None);
            }
        };
        let told = match (self.read)(&row.settings) {
            Ok(told) => told,
            Err(why) => {
                tracing::error!(crawl = row.name, why, "a crawl has settings that cannot be read");
                return Ok(None);
            }
        };
        let stored = if is_counted { Some(self.store.tally(row.id).await?.stored) } else { None };
        let settings = CrawlSettings { state, delay: told.delay, max_pages: told.max_pages, stored };
        Ok(Some((settings, told)))
    }

    /// Publishes settings and scope to the nodes.
    async fn publish(
        &self,
        row: CrawlRow,
        state: RunState,
        told: Told,
        desk: &Desk,
    ) -> Result<Known, SchedulerError> {
        self.front.publish(row.id, row.settings.clone()).await?;
        let seeds = self.store.seeds(row.id).await?;
        self.open_scope(row.id, seeds.iter().map(|seed| (&*seed.url, seed.scope)), desk).await?;
        let now = self.clock.now();
        Ok(Known { row, told, state, began: now, count_at: now + COUNT })
    }

    /// Tells the nodes what seeds open that is not open yet.
    pub(super) async fn open_scope(
        &self,
        crawl: CrawlId,
        seeds: impl Iterator<Item = (&str, ScopeKind)>,
        desk: &Desk,
    ) -> Result<(), SchedulerError> {
        let mut opened = HashSet::new();
        let mut new = Vec::new();
        {
            let all = desk.opened();
            let before = all.get(&crawl);
            let room = MAX_SCOPE_SEEDS - before.map_or(0, HashSet::len);
            for (url, kind) in seeds {
                if new.len() >= room {
                    // Said where it is reached, and not again at every fill.
                    if room > 0 {
                        tracing::error!(
                            crawl = crawl.0,
                            "its seeds open more than {MAX_SCOPE_SEEDS} hosts, domains or directories: links to the others are out of scope"
                        );
                    }
                    break;
                }
                let what = Url::parse(url).ok().and_then(|url| opened_by(&url, kind));
                let Some(what) = what.filter(|what| before.is_none_or(|before| !before.contains(what)))
                else {
                    continue;
                };
                if opened.insert(what) {
                    new.push((url.to_owned(), kind));
                }
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        match self.reports.open_scope(crawl, new).await {
            // The nodes judge links by the seeds that there was room for.
            Err(FrontierError::Unusable(why)) => {
                tracing::error!(why, "seeds are visited, and their links are not");
            }
            other => other?,
        }
        desk.opened().entry(crawl).or_default().extend(opened);
        Ok(())
    }

    /// Looks at the crawls: new ones, changed ones, those that have nothing left, and those that have ended.
    async fn look(&self, desk: &Desk, known: &mut HashMap<CrawlId, Known>) -> Result<(), SchedulerError> {
        let rows = self.crawls.crawls().await?;
        for row in &rows {
            if known.get(&row.id).is_none_or(|before| before.row != *row) {
                self.take_up(row, desk, known).await?;
            }
        }
        let has_limit = known.values().any(|known| known.told.max_pages.is_some());
        let is_spent = has_limit && self.front.counts().await?.budget_spent;
        for row in rows.iter().filter(|row| row.seeded) {
            if let Some(here) = known.get_mut(&row.id).filter(|here| here.state == RunState::Running) {
                self.end(row, here, is_spent).await?;
            }
        }
        let left: Vec<CrawlId> = known
            .values()
            .filter(|known| known.state == RunState::Cancelled)
            .map(|known| known.row.id)
            .collect();
        for crawl in left {
            if self.front.forget(crawl).await? {
                known.remove(&crawl);
                desk.opened().remove(&crawl);
            }
        }
        Ok(())
    }

    /// Takes up what the row of a crawl says now. One that has ended leaves the index.
    async fn take_up(
        &self,
        row: &CrawlRow,
        desk: &Desk,
        known: &mut HashMap<CrawlId, Known>,
    ) -> Result<(), SchedulerError> {
        // What has left, or is on its way out, was counted by the index for the last time.
        let is_counted = known.get(&row.id).is_none_or(|before| before.state == RunState::Cancelled);
        let Some((settings, told)) = self.settings(row, is_counted).await? else {
            desk.running().remove(&row.id);
            let Some(before) = known.get_mut(&row.id) else { return Ok(()) };
            let Told { delay, max_pages } = before.told;
            let settings = CrawlSettings { state: RunState::Cancelled, delay, max_pages, stored: None };
            self.front.settings(row.id, settings).await?;
            before.state = RunState::Cancelled;
            before.row = row.clone();
            // What is being filled in may be of this crawl.
            drop(desk.filling.lock().await);
            return Ok(());
        };
        if settings.state != RunState::Running {
            desk.running().remove(&row.id);
        }
        let before = known.get(&row.id);
        if before.is_none_or(|before| (before.state, before.told) != (settings.state, told)) {
            self.front.settings(row.id, settings).await?;
        }
        let now_known = self.publish(row.clone(), settings.state, told, desk).await?;
        let began = known.get(&row.id).map_or(now_known.began, |before| before.began);
        known.insert(row.id, Known { began, ..now_known });
        if settings.state == RunState::Running {
            // What is filled in before the index and the nodes know the crawl is lost on them.
            desk.running().insert(row.id);
            desk.pass(row.id);
        }
        Ok(())
    }

    /// Notes that a crawl is over, if it is. `is_spent` says that some crawl's budget is, as the index has counted.
    async fn end(&self, row: &CrawlRow, known: &mut Known, is_spent: bool) -> Result<(), SchedulerError> {
        let now = self.clock.now();
        let ran = now.since(known.began);
        if self.crawls.finish(row.id, ran, now).await? {
            tracing::info!(crawl = row.name, "finished");
            return Ok(());
        }
        if let Some(most) = known.told.max_pages
            && (is_spent || now >= known.count_at)
        {
            known.count_at = now + COUNT;
            if self.store.tally(row.id).await?.stored >= most {
                self.store.set_state(row.id, CrawlState::Limited, ran, now).await?;
                tracing::info!(crawl = row.name, "the page limit is reached");
            }
        }
        Ok(())
    }
}

/// What was done; `None` where the store or the index is out of reach, which is waited for.
pub(super) fn patient<T>(worked: Result<T, SchedulerError>) -> Result<Option<T>, SchedulerError> {
    match worked {
        Err(
            SchedulerError::Frontier(FrontierError::Unavailable(why))
            | SchedulerError::Store(StoreError::Unavailable(why)),
        ) => {
            tracing::warn!(why, "waiting");
            Ok(None)
        }
        other => other.map(Some),
    }
}

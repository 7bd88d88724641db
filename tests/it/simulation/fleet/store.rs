//! The store as one process reaches it: the model, behind a line that fails.

use super::process::Process;
use super::weather::{Luck, Weather};
use crate::model_store::ModelStore;
use async_trait::async_trait;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Pace, Queued};
use huntsman::crawl::report::{Entry, Found};
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::UrlKey;
use huntsman::store::{
    Committed, CrawlRow, CrawlState, Crawls, Fence, Leadership, OpenUrls, SeedRow, WhichParked,
};
use huntsman::store::{Store, StoreError, Tally};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long an exchange takes that fails.
const PATIENCE: Duration = Duration::from_millis(50);

/// Who leads, by the one clock of the store.
#[derive(Debug, Default)]
pub(super) struct Leader {
    holder: String,
    fence: i64,
    until: Timestamp,
    epochs: u32,
}

/// See the module.
pub(super) struct Reached {
    pub process: Arc<Process>,
    pub weather: Arc<Weather>,
    pub model: Arc<ModelStore>,
    pub leader: Arc<Mutex<Leader>>,
}

impl Reached {
    /// One exchange; the process may die before and after it.
    async fn exchange<R: Send>(
        &self,
        call: impl Future<Output = Result<R, StoreError>> + Send,
    ) -> Result<R, StoreError> {
        self.process.step().await;
        self.weather.travel().await;
        let result = match self.weather.at_store() {
            Luck::Fine => call.await,
            // A store does not say twice by itself what changes something.
            Luck::SaidTwice | Luck::NoAnswer => {
                let _ = call.await;
                Err(StoreError::Unavailable("the answer was lost".into()))
            }
            Luck::NoEffect => {
                super::process::moment(PATIENCE).await;
                Err(StoreError::Unavailable("out of reach".into()))
            }
        };
        self.process.step().await;
        result
    }

    /// Notes for the judge which blocks are committed.
    fn saw(&self, batch: &[Entry]) {
        let now = self.weather.clock.now();
        for entry in batch {
            let Entry::Note(note) = entry else { continue };
            if let Some(until) = note.pace.block_until.filter(|until| *until > now) {
                self.weather.ledger().blocks.push((note.host.clone(), now, until));
            }
        }
    }
}

#[async_trait]
impl Store for Reached {
    async fn open_crawl(&self, name: &str, settings: &str, now: Timestamp) -> Result<CrawlRow, StoreError> {
        self.exchange(self.model.open_crawl(name, settings, now)).await
    }
    async fn accept(
        &self,
        crawl: CrawlId,
        seeds: Vec<Found>,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        self.exchange(self.model.accept(crawl, seeds, now)).await
    }
    async fn commit(&self, batch: &[Entry]) -> Result<Vec<Committed>, StoreError> {
        let commit = async {
            let committed = self.model.commit(batch).await;
            self.saw(batch);
            committed
        };
        self.exchange(commit).await
    }
    async fn open_urls(&self, crawl: CrawlId, host: &HostKey, most: usize) -> Result<OpenUrls, StoreError> {
        self.exchange(self.model.open_urls(crawl, host, most)).await
    }
    async fn open_hosts(&self, crawl: CrawlId, after: &str, most: usize) -> Result<Vec<HostKey>, StoreError> {
        self.exchange(self.model.open_hosts(crawl, after, most)).await
    }
    async fn paces(&self) -> Result<Vec<(HostKey, Pace)>, StoreError> {
        let read = async {
            let now = self.weather.clock.now();
            self.weather.ledger().readings.push(now);
            self.model.paces().await
        };
        self.exchange(read).await
    }
    async fn seeds(&self, crawl: CrawlId) -> Result<Vec<SeedRow>, StoreError> {
        self.exchange(self.model.seeds(crawl)).await
    }
    async fn set_seeded(&self, crawl: CrawlId, seeded: bool) -> Result<(), StoreError> {
        self.exchange(self.model.set_seeded(crawl, seeded)).await
    }
    async fn release(
        &self,
        crawl: CrawlId,
        which: &WhichParked,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        self.exchange(self.model.release(crawl, which, most, now)).await
    }
    async fn tally(&self, crawl: CrawlId) -> Result<Tally, StoreError> {
        self.exchange(self.model.tally(crawl)).await
    }
    async fn set_state(
        &self,
        crawl: CrawlId,
        state: CrawlState,
        ran: Duration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.exchange(self.model.set_state(crawl, state, ran, now)).await
    }
    async fn known(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, StoreError> {
        self.exchange(self.model.known(crawl, keys)).await
    }
}

#[async_trait]
impl Crawls for Reached {
    async fn crawls(&self) -> Result<Vec<CrawlRow>, StoreError> {
        self.exchange(self.model.crawls()).await
    }
    async fn crawl(&self, name: &str) -> Result<Option<CrawlRow>, StoreError> {
        self.exchange(self.model.crawl(name)).await
    }
    async fn touch(&self, crawl: CrawlId) -> Result<(), StoreError> {
        self.exchange(self.model.touch(crawl)).await
    }
    async fn change_state(
        &self,
        crawl: CrawlId,
        from: &[CrawlState],
        to: CrawlState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.exchange(self.model.change_state(crawl, from, to, now)).await
    }
    async fn change_settings(&self, crawl: CrawlId, settings: &str) -> Result<(), StoreError> {
        self.exchange(self.model.change_settings(crawl, settings)).await
    }
    async fn finish(&self, crawl: CrawlId, ran: Duration, now: Timestamp) -> Result<bool, StoreError> {
        let finish = async {
            let done = self.model.finish(crawl, ran, now).await?;
            if done {
                self.weather.ledger().finished.entry(crawl).or_insert(now);
            }
            Ok(done)
        };
        self.exchange(finish).await
    }
}

#[async_trait]
impl Leadership for Reached {
    async fn lead(&self, holder: &str, span: Duration) -> Result<Option<Fence>, StoreError> {
        let lead = async {
            let now = self.weather.clock.now();
            let mut leader = self.leader.lock().unwrap();
            if leader.holder != holder {
                if leader.until > now {
                    return Ok(None);
                }
                holder.clone_into(&mut leader.holder);
                leader.fence += 1;
            } else if leader.until <= now {
                leader.fence += 1;
            }
            leader.until = now + span;
            Ok(Some(Fence(leader.fence)))
        };
        self.exchange(lead).await
    }

    async fn resign(&self, fence: Fence) -> Result<(), StoreError> {
        let resign = async {
            let mut leader = self.leader.lock().unwrap();
            if leader.fence == fence.0 {
                leader.until = Timestamp::EPOCH;
            }
            Ok(())
        };
        self.exchange(resign).await
    }

    async fn leader(&self) -> Result<Option<huntsman::store::Leader>, StoreError> {
        let leader = async {
            let now = self.weather.clock.now();
            let leader = self.leader.lock().unwrap();
            let (holder, fence) = (leader.holder.clone(), Fence(leader.fence));
            Ok((leader.until > now).then(|| huntsman::store::Leader {
                holder,
                fence,
                left: leader.until.since(now),
            }))
        };
        self.exchange(leader).await
    }

    async fn draw_epoch(&self, fence: Fence) -> Result<Option<u32>, StoreError> {
        let draw = async {
            let now = self.weather.clock.now();
            let mut leader = self.leader.lock().unwrap();
            if leader.fence != fence.0 || leader.until <= now {
                return Ok(None);
            }
            leader.epochs += 1;
            Ok(Some(leader.epochs))
        };
        self.exchange(draw).await
    }
}

//! The only place that knows backends and roles together.

pub mod embedded;
pub mod fleet;
pub mod joined;
pub mod lead;
pub mod stores;

use crate::clock::Clock;
use crate::crawl::lease::CrawlId;
use crate::node::{Node, NodeError};
use crate::scheduler::{End, Scheduler, SchedulerError};
use crate::storage::{Storage, StorageError};
use crate::store::{Store, StoreError};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Why a crawl stopped that should not have.
#[derive(Debug, thiserror::Error)]
pub enum CrawlError {
    /// The store failed; the crawl can be resumed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index failed; the crawl can be resumed.
    #[error("{0}")]
    Frontier(String),
    /// A role panicked: a bug.
    #[error("a part of the program failed: {0}")]
    Bug(String),
}

impl From<SchedulerError> for CrawlError {
    fn from(why: SchedulerError) -> Self {
        match why {
            SchedulerError::Store(why) => Self::Store(why),
            SchedulerError::Frontier(why) => Self::Frontier(why.to_string()),
        }
    }
}

impl From<StorageError> for CrawlError {
    fn from(why: StorageError) -> Self {
        match why {
            StorageError::Store(why) => Self::Store(why),
            StorageError::Frontier(why) => Self::Frontier(why.to_string()),
        }
    }
}

impl From<NodeError> for CrawlError {
    fn from(why: NodeError) -> Self {
        Self::Frontier(why.to_string())
    }
}

/// The three roles of one crawl in one process.
pub struct Roles {
    /// Seeds, refills, says when it is over.
    pub scheduler: Scheduler,
    /// Visits.
    pub node: Arc<Node>,
    /// Writes.
    pub storage: Arc<Storage>,
    /// Where the end is noted.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Clock,
}

impl Roles {
    /// Runs the crawl until it is over or `stop` fires, then drains: visits in hand end first, then what they handed
    /// off is committed, then the state of the crawl is noted. Dropping the future ends everything where it stands.
    pub async fn run(&self, stop: &CancellationToken) -> Result<End, CrawlError> {
        let began = self.clock.now();
        let crawl: CrawlId = self.scheduler.crawl;
        let leasing = CancellationToken::new();
        let writing = CancellationToken::new();
        let node = spawn({
            let (node, leasing) = (Arc::clone(&self.node), leasing.clone());
            async move { node.run(&leasing).await.map_err(CrawlError::from) }
        });
        let storage = spawn({
            let (storage, writing) = (Arc::clone(&self.storage), writing.clone());
            async move { storage.run(&writing).await.map_err(CrawlError::from) }
        });
        let mut node = Task(node);
        let mut storage = Task(storage);
        let end = tokio::select! {
            end = self.scheduler.run(stop) => end?,
            failed = &mut node.0 => return Err(failure(failed)),
            failed = &mut storage.0 => return Err(failure(failed)),
        };
        leasing.cancel();
        tokio::select! {
            ended = &mut node.0 => flatten(ended)?,
            failed = &mut storage.0 => return Err(failure(failed)),
        }
        writing.cancel();
        flatten((&mut storage.0).await)?;
        self.storage.flush().await?;
        let now = self.clock.now();
        self.store.set_state(crawl, end.state(), now.since(began), now).await?;
        Ok(end)
    }
}

/// A task that ends with its owner.
struct Task(JoinHandle<Result<(), CrawlError>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn spawn(
    role: impl Future<Output = Result<(), CrawlError>> + Send + 'static,
) -> JoinHandle<Result<(), CrawlError>> {
    tokio::spawn(role)
}

fn flatten(ended: Result<Result<(), CrawlError>, tokio::task::JoinError>) -> Result<(), CrawlError> {
    ended.unwrap_or_else(|why| Err(CrawlError::Bug(why.to_string())))
}

/// A role that ended before it was told to.
fn failure(ended: Result<Result<(), CrawlError>, tokio::task::JoinError>) -> CrawlError {
    flatten(ended).err().unwrap_or_else(|| CrawlError::Bug("a role ended by itself".into()))
}

//! The leadership of an installation, kept while a process runs: two crawls that do not know of each other would ask one
//! host twice as fast as it allows.

use crate::store::{Fence, Leadership, StoreError};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The role of a process that leads a fleet: it looks at the crawls again and again.
pub const SCHEDULER: &str = "scheduler";
/// The role of one that does everything for one crawl, with an index of its own: it looks at no crawl but its own, once.
pub const ALONE: &str = "crawl";

/// How long the leadership lasts unless it is renewed: so long does the next process wait for one that was killed.
pub const SPAN: Duration = Duration::from_secs(9);
/// How often it is renewed, and how long a renewal may take.
const BEAT: Duration = Duration::from_secs(2);
/// How long it is kept without a renewal: one that was answered may have been sent a beat before.
const KEPT: Duration = Duration::from_secs(6);
/// The pause after a renewal that failed.
const PAUSE: Duration = Duration::from_millis(250);
/// How often a process that waits for it looks again.
const LOOK: Duration = Duration::from_millis(500);

/// The leadership, held until it is resigned or lost.
pub struct Lead {
    store: Arc<dyn Leadership>,
    fence: Fence,
    lost: CancellationToken,
    beat: JoinHandle<()>,
}

impl Lead {
    /// Takes the leadership. Where another process has it, waits as long as one that was killed would still hold it, after
    /// telling so by `waiting`; then it is `Busy`. The name under which it leads begins with `role`.
    pub async fn take(
        store: Arc<dyn Leadership>,
        role: &str,
        place: &str,
        waiting: impl FnOnce(),
    ) -> Result<Self, StoreError> {
        let holder = holder(role);
        let mut waiting = Some(waiting);
        for _ in 0..=(SPAN + BEAT).as_millis() / LOOK.as_millis() {
            if let Some(fence) = store.lead(&holder, SPAN).await? {
                return Ok(Self::keep(store, holder, fence));
            }
            if let Some(say) = waiting.take() {
                say();
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(StoreError::Busy(format!("another huntsman crawls with {place}; wait for it or stop it")))
    }

    fn keep(store: Arc<dyn Leadership>, holder: String, fence: Fence) -> Self {
        let lost = CancellationToken::new();
        let beat = tokio::spawn(beat(Arc::clone(&store), holder, fence, lost.clone()));
        Self { store, fence, lost, beat }
    }

    /// The fence under which this process leads.
    pub fn fence(&self) -> Fence {
        self.fence
    }

    /// Fires when another process leads, or may by now.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Gives it up, so that the next need not wait.
    pub async fn resign(self) -> Result<(), StoreError> {
        self.beat.abort();
        self.store.resign(self.fence).await
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.beat.abort();
    }
}

/// A name that no other process has, nor this one when it is started again.
fn holder(role: &str) -> String {
    let chance = RandomState::new().hash_one(std::process::id());
    format!("{role}-{}-{chance:016x}", std::process::id())
}

/// Renews until it is lost. A database that is restarted meanwhile is asked again until the lead may have lapsed.
async fn beat(store: Arc<dyn Leadership>, holder: String, fence: Fence, lost: CancellationToken) {
    let renewed = async || {
        tokio::time::sleep(BEAT).await;
        loop {
            match tokio::time::timeout(BEAT, store.lead(&holder, SPAN)).await {
                Ok(Ok(leads)) => return leads == Some(fence),
                Ok(Err(why)) => tracing::warn!(%why, "the leadership was not renewed"),
                Err(_) => tracing::warn!("the leadership was not renewed in time"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    while tokio::time::timeout(KEPT, renewed()).await.unwrap_or(false) {}
    lost.cancel();
}

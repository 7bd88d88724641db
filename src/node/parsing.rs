//! The pool on which documents are parsed: apart from the threads that renew leases, as many at a time as are allowed.
//!
//! A parser that panics or takes too long is an outcome of its page, not the end of the node.

use crate::crawl::assess::Unread;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Longest that a parser is waited for. What we read costs a fifth of that at most; the rest is for a machine that is
/// busy with something else.
const LONGEST: Duration = Duration::from_secs(10);

/// Documents that are parsed at a time, where nobody knows how many cores there are.
const FEW: usize = 2;

/// The pool of a process.
#[derive(Debug, Clone)]
pub struct ParsePool {
    permits: Arc<Semaphore>,
    longest: Duration,
}

impl Default for ParsePool {
    /// A document a core.
    fn default() -> Self {
        Self::new(std::thread::available_parallelism().map_or(FEW, usize::from), LONGEST)
    }
}

impl ParsePool {
    /// A pool for so many documents at a time, each of which may take `longest`.
    pub fn new(documents: usize, longest: Duration) -> Self {
        Self { permits: Arc::new(Semaphore::new(documents)), longest }
    }

    /// Does `work` on the pool. Where it takes too long it goes on there until it ends, and keeps its place.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unread> {
        let ends = |()| Unread::Panicked("the process ends".to_owned());
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| ends(()))?;
        let working = tokio::task::spawn_blocking(move || {
            let done = guarded(work);
            drop(permit);
            done
        });
        match tokio::time::timeout(self.longest, working).await {
            Ok(done) => done.map_err(|_| ends(()))?,
            Err(_) => Err(Unread::Overran(self.longest)),
        }
    }
}

/// Does `work` here.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Unread> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Unread::Panicked(words(&*payload)))
}

fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".to_owned())
}

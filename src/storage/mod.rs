//! The role that writes: takes reports, commits them, admits what they found, acknowledges.
//!
//! In this order, so that a crash between any two steps costs one repeated visit: nothing is admitted before it is
//! committed, nothing acknowledged before it is admitted.

mod filter;

use crate::clock::Clock;
use crate::crawl::lease::CrawlId;
use crate::crawl::report::{Entry, Note, PROVISIONAL_REASONS, Report, Skipped};
use crate::crawl::scope::ScopeKind;
use crate::crawl::url::UrlKey;
use crate::frontier::{Ack, EntryId, FrontierError, Reports};
use crate::store::{Committed, Store, StoreError};
use filter::SkippedFilter;
use hashbrown::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Entries in one transaction.
pub const BATCH: usize = 256;
/// How long a batch is gathered while the nodes have other work.
pub const LINGER: Duration = Duration::from_millis(100);
/// Commits that fail in a row before the stage gives up; the reports stay unacknowledged.
pub const MAX_FAILURES: u32 = 6;

const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(500);

/// Why the stage stopped on its own.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The store failed again and again, or for good.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index is out of reach.
    #[error(transparent)]
    Frontier(#[from] FrontierError),
}

/// What the stage has just written: for progress, logs and later for consumers of results.
#[derive(Debug)]
pub enum Event<'a> {
    /// A report was committed; `effective` unless it repeated one.
    Visited {
        /// The report.
        report: &'a Report,
        /// What the commit did with it.
        committed: &'a Committed,
    },
    /// A note on a host was committed.
    Noted(&'a Note),
}

/// Hears of events in order; called between commit and acknowledgement, so it must be quick.
pub type Listener = Arc<dyn Fn(&Event<'_>) + Send + Sync>;

/// A storage stage.
pub struct Storage {
    frontier: Arc<dyn Reports>,
    store: Arc<dyn Store>,
    clock: Clock,
    listener: Listener,
    is_shared: bool,
}

impl Storage {
    /// A stage that moves reports from `frontier` to `store`.
    pub fn new(frontier: Arc<dyn Reports>, store: Arc<dyn Store>, clock: Clock, listener: Listener) -> Self {
        Self { frontier, store, clock, listener, is_shared: false }
    }

    /// The same for an installation of several processes: it waits for its store as long as it takes, while the stream fills up
    /// and leasing stops, and tells the nodes what redirected seeds open.
    #[must_use]
    pub fn for_installation(self) -> Self {
        Self { is_shared: true, ..self }
    }

    /// Writes until `stop` fires, then what it had taken already; what else is in the stream by then is not lost, only not yet
    /// committed. An index that is out of reach or was lost is a pause: what was committed and not acknowledged comes again,
    /// and passes no gate twice.
    pub async fn run(&self, stop: &CancellationToken) -> Result<(), StorageError> {
        let mut skipped = SkippedFilter::default();
        loop {
            let stops = stop.is_cancelled();
            let batch = tokio::select! {
                biased;
                () = stop.cancelled() => self.frontier.taken().await,
                batch = self.frontier.reports(BATCH, LINGER) => batch,
            };
            let written = match batch {
                Ok(batch) if batch.is_empty() && stops => return Ok(()),
                Ok(batch) => self.write(batch, &mut skipped, stop).await,
                Err(why) => Err(why.into()),
            };
            match written {
                // What is left comes to another process, or to this one when it runs again.
                Err(StorageError::Frontier(FrontierError::Unavailable(_) | FrontierError::Lost(_)))
                    if stops =>
                {
                    return Ok(());
                }
                Err(StorageError::Store(StoreError::Unavailable(why)))
                    if self.is_shared && stop.is_cancelled() =>
                {
                    tracing::warn!(
                        why,
                        "the store did not take the last batch, which another process writes"
                    );
                    return Ok(());
                }
                Err(StorageError::Frontier(FrontierError::Unavailable(why) | FrontierError::Lost(why))) => {
                    tracing::warn!(why, "the stream is out of reach; trying again");
                    // What was not written may have been taken for written.
                    skipped = SkippedFilter::default();
                    self.rest(stop).await;
                }
                other => other?,
            }
        }
    }

    /// A pause after a failure, which ends with the process.
    async fn rest(&self, stop: &CancellationToken) {
        tokio::select! {
            () = stop.cancelled(), if !stop.is_cancelled() => {}
            () = self.clock.sleep_until(self.clock.now() + PAUSE_AFTER_FAILURE) => {}
        }
    }

    /// Commits what is in the stream now and returns: the end of a drain, when nodes hand off no more.
    pub async fn flush(&self) -> Result<(), StorageError> {
        let mut skipped = SkippedFilter::default();
        let goes_on = CancellationToken::new();
        while let Ok(batch) =
            tokio::time::timeout(Duration::ZERO, self.frontier.reports(BATCH, Duration::ZERO)).await
        {
            self.write(batch?, &mut skipped, &goes_on).await?;
        }
        Ok(())
    }

    /// One batch through filter, commit, admit and acknowledge.
    async fn write(
        &self,
        batch: Vec<(EntryId, Entry)>,
        skipped: &mut SkippedFilter,
        stop: &CancellationToken,
    ) -> Result<(), StorageError> {
        let (ids, mut entries): (Vec<EntryId>, Vec<Entry>) = batch.into_iter().unzip();
        self.filter(&mut entries, skipped).await?;
        let committed = self.commit(&entries, stop).await?;
        let mut admitted = Vec::new();
        let mut found: HashMap<CrawlId, Vec<UrlKey>> = HashMap::new();
        let mut opened: HashMap<CrawlId, Vec<(String, ScopeKind)>> = HashMap::new();
        let mut acks = Vec::with_capacity(ids.len());
        for ((id, entry), mut one) in ids.into_iter().zip(&entries).zip(committed) {
            (self.listener)(&event(entry, &one));
            if let Entry::Report(report) = entry {
                let crawl = report.url.crawl;
                if one.effective {
                    for (url, kind) in report.opens() {
                        opened.entry(crawl).or_default().push((url.into(), kind));
                    }
                    // What is parked has no row, and is not seen.
                    let with_row = report.found.iter().map(|found| found.key);
                    let keys = found.entry(crawl).or_default();
                    keys.extend(with_row.filter(|key| !one.parked.contains(key)));
                    keys.extend(one.admitted.iter().map(|url| url.key));
                    one.parked.iter().for_each(|key| skipped.park(crawl, *key));
                } else {
                    // What did not pass the gate has written nothing that a filter may speak of.
                    report.skipped.iter().for_each(|one| skipped.forget(crawl, one));
                }
            }
            admitted.append(&mut one.admitted);
            acks.push(Ack { id, requeue: one.retry, stored: one.stored });
        }
        self.open_scopes(opened).await?;
        for (crawl, keys) in found {
            let urls = admitted.extract_if(.., |url| url.crawl == crawl).collect();
            self.frontier.admit(urls, crawl, &keys).await?;
        }
        self.frontier.acknowledge(acks).await?;
        Ok(())
    }

    /// Tells the nodes what the targets of redirected seeds open, before those are admitted.
    async fn open_scopes(
        &self,
        opened: HashMap<CrawlId, Vec<(String, ScopeKind)>>,
    ) -> Result<(), StorageError> {
        if !self.is_shared {
            return Ok(());
        }
        for (crawl, seeds) in opened {
            match self.frontier.open_scope(crawl, seeds).await {
                // The nodes judge links by the seeds that there was room for.
                Err(FrontierError::Unusable(why)) => tracing::warn!(why, "a seed's redirect opens nothing"),
                other => other?,
            }
        }
        Ok(())
    }

    /// Drops from the entries what the seen-set and the skipped filter know; the target of a seed's redirect stays, since it
    /// is a seed from now on even if it is known.
    async fn filter(&self, entries: &mut [Entry], skipped: &mut SkippedFilter) -> Result<(), StorageError> {
        let mut asked: HashMap<CrawlId, Vec<UrlKey>> = HashMap::new();
        for entry in &mut *entries {
            let Entry::Report(report) = entry else { continue };
            let crawl = report.url.crawl;
            report.skipped.retain(|one| skipped.is_new(crawl, one));
            let asked = asked.entry(crawl).or_default();
            asked.extend(report.found.iter().map(|found| found.key));
            asked.extend(report.skipped.iter().filter(|one| is_overruled(one)).map(|one| one.key));
        }
        // One question a crawl: a batch has many pages, and the index may be a round trip away.
        let mut unseen = HashMap::with_capacity(asked.len());
        for (crawl, keys) in asked {
            unseen.insert(crawl, self.frontier.unseen(crawl, &keys).await?.into_iter());
        }
        for entry in entries {
            let Entry::Report(report) = entry else { continue };
            let crawl = report.url.crawl;
            let mut answers = unseen.get_mut(&crawl).into_iter().flatten();
            let mut is_unseen = || answers.next().unwrap_or(true);
            report.found.retain(|found| {
                let is_new = is_unseen() && !skipped.is_parked(crawl, found.key);
                is_new || found.origin.is_moved_seed()
            });
            // What is seen was admitted.
            report.skipped.retain(|one| !is_overruled(one) || is_unseen());
        }
        Ok(())
    }

    /// Commits, and tries again a few times: a store that is busy or full for a moment is a pause, not a failure.
    async fn commit(
        &self,
        entries: &[Entry],
        stop: &CancellationToken,
    ) -> Result<Vec<Committed>, StoreError> {
        let mut failures = 0;
        loop {
            match self.store.commit(entries).await {
                Err(StoreError::Unavailable(why))
                    if (self.is_shared && !stop.is_cancelled()) || failures + 1 < MAX_FAILURES =>
                {
                    failures = failures.saturating_add(1);
                    tracing::warn!(why, failures, "the store did not take a batch; trying again");
                    self.rest(stop).await;
                }
                other => return other,
            }
        }
    }
}

/// Whether the URL is skipped only as long as it is not admitted.
fn is_overruled(skipped: &Skipped) -> bool {
    PROVISIONAL_REASONS.contains(&skipped.reason)
}

fn event<'a>(entry: &'a Entry, committed: &'a Committed) -> Event<'a> {
    match entry {
        Entry::Report(report) => Event::Visited { report, committed },
        Entry::Note(note) => Event::Noted(note),
    }
}

#[cfg(test)]
mod tests;

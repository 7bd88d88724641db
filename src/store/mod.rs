//! The truth: what was accepted, what became of it, and what was found.
//!
//! The contract of every method is its doc comment; `tests/it/store_contract` has a test a promise and runs on
//! every store. `migrations/README.md` has the tables as users see them.

mod batch;
pub mod postgres;
pub mod reading;
pub mod sqlite;
pub mod totals;

use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Pace, Queued};
use crate::crawl::report::{Entry, Found};
use crate::crawl::scope::ScopeKind;
use crate::crawl::time::Timestamp;
use crate::crawl::traps::Rule;
use crate::crawl::url::UrlKey;
use async_trait::async_trait;
use std::time::Duration;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Full, locked for the moment or out of reach: nothing was written; the same call may go through later.
    #[error("the store cannot be written: {0}")]
    Unavailable(String),
    /// Another process crawls with this store.
    #[error("{0}")]
    Busy(String),
    /// Not a store of ours, of a newer version, or damaged: no call will go through.
    #[error("{0}")]
    Unusable(String),
}

/// A crawl as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrawlRow {
    /// Its number.
    pub id: CrawlId,
    /// Its name.
    pub name: String,
    /// Its state in a word.
    pub state: CrawlState,
    /// The JSON of the settings it was started with.
    pub settings: String,
    /// How many processes have opened it.
    pub epoch: u32,
    /// Time spent running in earlier processes.
    pub ran: Duration,
    /// Whether all seeds that it was given are in: `false` where the process died while it read them.
    pub seeded: bool,
    /// Whether a process has crawled with this store before, for this crawl or another: its hosts may have been asked a
    /// moment ago.
    pub reopened: bool,
}

/// A URL that opens a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedRow {
    /// As it was fetched.
    pub url: String,
    /// What it opens.
    pub scope: ScopeKind,
    /// Whether the operator named it; `false` for the target of a seed's redirect, which a stranger chose.
    pub named: bool,
}

/// The state of a crawl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrawlState {
    /// A process runs it, or died doing so.
    Running,
    /// Interrupted; `resume` goes on.
    Paused,
    /// Ended with URLs that wait; `resume` goes on.
    Waiting,
    /// Ended at its page limit.
    Limited,
    /// Nothing is open.
    Finished,
    /// Given up by the operator, whatever is open.
    Cancelled,
}

impl CrawlState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Running, Self::Paused, Self::Waiting, Self::Limited, Self::Finished, Self::Cancelled];

    /// The word that `crawls.state` holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Waiting => "waiting",
            Self::Limited => "limited",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of that word; paused for a word of a later version.
    fn from_stored(word: &str) -> Self {
        Self::ALL.into_iter().find(|known| known.as_str() == word).unwrap_or(Self::Paused)
    }
}

/// What a commit did with one entry.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Whether this entry closed or moved its visit; a repeated report does not.
    pub effective: bool,
    /// Whether a page was stored.
    pub stored: bool,
    /// URLs that became new rows, to be admitted: found by it, or parked before and opened by what it brought.
    pub admitted: Vec<Queued>,
    /// Keys of what it found and what is parked: they have no row.
    pub parked: Vec<UrlKey>,
    /// The URL with its next attempt, where it stays open.
    pub retry: Option<Queued>,
}

/// The open URLs of one host, for a refill.
#[derive(Debug, PartialEq, Eq)]
pub struct OpenUrls {
    /// In the order of the queue.
    pub urls: Vec<Queued>,
    /// Whether there are no more.
    pub complete: bool,
}

/// How many URLs stand where: the parts of `found` add up to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows of `urls` in state open.
    pub open: u64,
    /// In state stored.
    pub stored: u64,
    /// In state redirected.
    pub redirected: u64,
    /// In state failed.
    pub failed: u64,
    /// In state excluded.
    pub excluded: u64,
    /// In state read: sitemaps.
    pub read: u64,
}

/// Which parked URLs are meant: those that all of it is true of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WhichParked {
    /// Parked by this rule.
    pub rule: Option<Rule>,
    /// Of this host.
    pub host: Option<HostKey>,
    /// This URL.
    pub key: Option<UrlKey>,
}

/// The right to lead an installation, as it was given: it grows with every change of hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(pub i64);

/// Who leads an installation now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// The process, by the name under which it leads: its role first.
    pub holder: String,
    /// Its fence.
    pub fence: Fence,
    /// How long it leads unless it says so again.
    pub left: Duration,
}

/// Who leads an installation, where several processes may want to. All times are those of the store's own clock.
#[async_trait]
pub trait Leadership: Send + Sync {
    /// Leads for `span` from now: taken where nobody leads, where the last leader's span is over, or where `holder` leads
    /// already, whose span begins anew under the same fence. `None` where another one leads. `holder` names one process
    /// and no other, a restarted one included.
    async fn lead(&self, holder: &str, span: Duration) -> Result<Option<Fence>, StoreError>;

    /// Leads no longer; the next may lead at once. A stale fence changes nothing.
    async fn resign(&self, fence: Fence) -> Result<(), StoreError>;

    /// A new epoch of the index, greater than all before: drawn in the transaction that checks that `fence` leads and that
    /// its span is not over. `None` where it is.
    async fn draw_epoch(&self, fence: Fence) -> Result<Option<u32>, StoreError>;

    /// Who leads now, if anybody does.
    async fn leader(&self) -> Result<Option<Leader>, StoreError>;
}

/// The crawls of an installation, for a scheduler that has several.
#[async_trait]
pub trait Crawls: Send + Sync {
    /// Every crawl, the oldest first.
    async fn crawls(&self) -> Result<Vec<CrawlRow>, StoreError>;

    /// The crawl of that name.
    async fn crawl(&self, name: &str) -> Result<Option<CrawlRow>, StoreError>;

    /// Says that a crawl has changed, where nothing else of its row has: its seeds. Its epoch is one higher from there on.
    async fn touch(&self, crawl: CrawlId) -> Result<(), StoreError>;

    /// Puts a crawl into the state `to` where it is in one of `from`; answers whether it was.
    async fn change_state(
        &self,
        crawl: CrawlId,
        from: &[CrawlState],
        to: CrawlState,
        now: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Replaces the settings of a crawl. Its row is locked meanwhile, so that of two changes the later one stands whole.
    async fn change_settings(&self, crawl: CrawlId, settings: &str) -> Result<(), StoreError>;

    /// Notes that a crawl is finished, unless it has an open URL: then `false`, and nothing changes. Its row is locked
    /// meanwhile, like that of [`Store::accept`], so that seeds come before the look or after the end.
    async fn finish(&self, crawl: CrawlId, ran: Duration, now: Timestamp) -> Result<bool, StoreError>;
}

/// The store as the roles of a crawl use it.
#[async_trait]
pub trait Store: Send + Sync {
    /// The crawl of that name, opened by this process: its epoch is one higher than before. Made with `settings` if there is none.
    async fn open_crawl(&self, name: &str, settings: &str, now: Timestamp) -> Result<CrawlRow, StoreError>;

    /// Commits seeds as open rows and answers with those that are new. A seed that is known stays as it is, and one
    /// that was skipped is no longer. Where any is new, a finished crawl is running again.
    async fn accept(
        &self,
        crawl: CrawlId,
        seeds: Vec<Found>,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError>;

    /// Writes a batch in one transaction: all or nothing. The gate is `urls`: only a report whose URL is open at the
    /// report's visit number and attempt closes it and writes its page, links, new URLs, dead letter or retry; any other
    /// adds at most its `fetches` row, of which there is one a crawl, URL, lease, kind and attempt. The target of a seed's redirect
    /// that is open as an outlink becomes a seed, under the next visit number. What a rule against traps or a budget of the
    /// crawl has no room for ([`crate::crawl::traps::Guard`]) is parked: a row of `skipped` and none of `urls`; and what is
    /// parked and has room now is opened in the same transaction. A note replaces what is known of
    /// its host unless that is newer. Times are kept in milliseconds, spans and due times rounded up.
    /// Answers with one result an entry, in their order.
    async fn commit(&self, batch: &[Entry]) -> Result<Vec<Committed>, StoreError>;

    /// Open URLs of a host in the order of its queue, at most `most`.
    async fn open_urls(&self, crawl: CrawlId, host: &HostKey, most: usize) -> Result<OpenUrls, StoreError>;

    /// Hosts with open URLs, in order of name, after `after`, at most `most`.
    async fn open_hosts(&self, crawl: CrawlId, after: &str, most: usize) -> Result<Vec<HostKey>, StoreError>;

    /// The paces of hosts that asked for anything.
    async fn paces(&self) -> Result<Vec<(HostKey, Pace)>, StoreError>;

    /// URLs that are seeds, the oldest first.
    async fn seeds(&self, crawl: CrawlId) -> Result<Vec<SeedRow>, StoreError>;

    /// Notes whether all seeds that the crawl was given are in. A new crawl has them to come.
    async fn set_seeded(&self, crawl: CrawlId, seeded: bool) -> Result<(), StoreError>;

    /// Opens parked URLs, the first parked first, at most `most` in one call: as rows of `urls` they are exempt from the rule
    /// that parked them. Answers with those that are open now; with none where nothing is parked that is asked for. Where any
    /// is, a finished crawl is running again.
    async fn release(
        &self,
        crawl: CrawlId,
        which: &WhichParked,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError>;

    /// Counts the URLs of a crawl by state.
    async fn tally(&self, crawl: CrawlId) -> Result<Tally, StoreError>;

    /// Notes the state of a crawl, and the time that this process ran it.
    async fn set_state(
        &self,
        crawl: CrawlId,
        state: CrawlState,
        ran: Duration,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Which of these keys have a row: for tests and tools.
    async fn known(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, StoreError>;
}

//! What a node does for one crawl: how it asks, what it reads, which links belong to the crawl.

use super::reading::Reading;
use super::robots::{Robots, RobotsCache};
use super::sitemaps::{Announced, Sitemaps};
use crate::crawl::assess::{KeepLinks, Rules, Withholding};
use crate::crawl::lease::{CrawlId, Lease};
use crate::crawl::politeness::Delay;
use crate::crawl::scope::{Scope, ScopeKind};
use crate::fetch::Fetch;
use crate::frontier::{CrawlRules, FrontierError, Leases, SeedsRead};
use lru::LruCache;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Crawls whose jobs a node keeps.
const KEPT: NonZeroUsize = NonZeroUsize::new(256).expect("not zero");

/// What the settings of a crawl say to its nodes.
#[derive(Debug, Clone)]
pub struct JobSettings {
    /// Requests at a time to one host; above 1 only where the host has no delay.
    pub per_host: usize,
    /// The delay the user asked for.
    pub delay: Delay,
    /// Whether robots.txt is obeyed.
    pub robots: Robots,
    /// Whether sitemaps are looked for.
    pub sitemaps: Sitemaps,
    /// Whether links are kept.
    pub links: KeepLinks,
    /// Attempts after the first.
    pub retries: u32,
    /// What is done with pages whose owner wishes that they be not used.
    pub withholding: Withholding,
}

/// One crawl, as a node works for it.
pub struct Job {
    pub(super) settings: JobSettings,
    pub(super) fetch: Arc<dyn Fetch>,
    pub(super) reading: Reading,
    pub(super) robots: RobotsCache,
    pub(super) announced: Announced,
    scope: RwLock<Scope>,
}

impl Job {
    /// A job that asks through `fetch`, reads what `reading` says, and follows links within `scope`.
    pub fn new(settings: JobSettings, fetch: Arc<dyn Fetch>, reading: Reading, scope: Scope) -> Self {
        let scope = RwLock::new(scope);
        Self {
            settings,
            fetch,
            reading,
            robots: RobotsCache::default(),
            announced: Announced::default(),
            scope,
        }
    }

    /// The crawl.
    pub fn crawl(&self) -> CrawlId {
        self.reading.crawl
    }

    /// Opens what a seed opens: said before its URL is admitted.
    pub fn open_scope(&self, seed: &url::Url, kind: ScopeKind) {
        self.scope.write().unwrap_or_else(PoisonError::into_inner).add_seed(seed, kind);
    }

    /// What the seeds opened, in words.
    pub fn scope_words(&self) -> String {
        self.with_scope(|scope| scope.as_words().to_owned())
    }

    pub(super) fn with_scope<T>(&self, ask: impl FnOnce(&Scope) -> T) -> T {
        ask(&self.scope.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the rules of the crawl.
    pub(super) fn with_rules<T>(&self, ask: impl FnOnce(&Rules<'_>) -> T) -> T {
        let (links, retries) = (self.settings.links, self.settings.retries);
        let robots_name = &*self.reading.robots_name;
        self.with_scope(|scope| ask(&Rules { scope, links, retries, robots_name }))
    }
}

/// Makes the job of a crawl from what its scheduler published; an error says why this node cannot do it.
pub type MakeJob = dyn Fn(CrawlId, &CrawlRules) -> Result<Job, String> + Send + Sync;

/// The jobs of a node.
pub enum Jobs {
    /// The one crawl of a process that does everything itself.
    One(Arc<Job>),
    /// Those that the index publishes.
    Published(Published),
}

/// Jobs as the index publishes them, each kept until its rules change.
pub struct Published {
    make: Box<MakeJob>,
    kept: Mutex<LruCache<CrawlId, Made>>,
    /// Held while rules are read: leases that come together share one job, and what it learns of hosts.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Made {
    version: u64,
    settings: Arc<str>,
    read: SeedsRead,
    job: Arc<Job>,
}

/// Why a node cannot visit the URLs of a lease.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoJob {
    #[error(transparent)]
    Frontier(#[from] FrontierError),
    /// The crawl, and what is wrong with its settings, or that there are none.
    #[error("crawl {0} cannot be worked for: {1}")]
    Unusable(i64, String),
}

impl Published {
    /// Jobs that are made by `make`.
    pub fn new(make: Box<MakeJob>) -> Self {
        Self { make, kept: Mutex::new(LruCache::new(KEPT)), reading: tokio::sync::Mutex::default() }
    }

    fn kept(&self, crawl: CrawlId) -> Option<Made> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(&crawl).cloned()
    }

    async fn job(&self, index: &dyn Leases, crawl: CrawlId, version: u64) -> Result<Arc<Job>, NoJob> {
        let current = |kept: &Option<Made>| {
            kept.as_ref().filter(|made| made.version >= version).map(|made| Arc::clone(&made.job))
        };
        if let Some(job) = current(&self.kept(crawl)) {
            return Ok(job);
        }
        let _reading = self.reading.lock().await;
        let kept = self.kept(crawl);
        if let Some(job) = current(&kept) {
            return Ok(job);
        }
        let read = kept.as_ref().map(|made| made.read).unwrap_or_default();
        let rules = published(index, crawl, read).await?;
        let (rules, job) = match kept {
            // Where only seeds came in, what is known of its hosts stays. What another list opens may be open already.
            Some(made) if made.settings == rules.settings => {
                for (seed, kind) in &rules.seeds {
                    if let Ok(seed) = url::Url::parse(seed) {
                        made.job.open_scope(&seed, *kind);
                    }
                }
                (rules, made.job)
            }
            kept => {
                let all = SeedsRead::default();
                let rules = if kept.is_some() { published(index, crawl, all).await? } else { rules };
                let job = (self.make)(crawl, &rules).map_err(|why| NoJob::Unusable(crawl.0, why))?;
                (rules, Arc::new(job))
            }
        };
        let CrawlRules { version, settings, read, .. } = rules;
        let made = Made { version, settings, read, job: Arc::clone(&job) };
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).put(crawl, made);
        Ok(job)
    }
}

async fn published(index: &dyn Leases, crawl: CrawlId, read: SeedsRead) -> Result<CrawlRules, NoJob> {
    let none = || NoJob::Unusable(crawl.0, "the scheduler has published nothing of it".into());
    index.rules(crawl, read).await?.ok_or_else(none)
}

/// The jobs of the crawls in one lease.
pub(super) struct LeaseJobs(Vec<Arc<Job>>);

impl LeaseJobs {
    /// The job of a crawl that has a URL in the lease.
    pub(super) fn of(&self, crawl: CrawlId) -> &Job {
        match &self.0[..] {
            [one] => one,
            several => several.iter().find(|job| job.crawl() == crawl).unwrap_or(&several[0]),
        }
    }

    /// The least of what they allow at a time.
    pub(super) fn per_host(&self) -> usize {
        self.0.iter().map(|job| job.settings.per_host).min().unwrap_or(1)
    }
}

impl Jobs {
    /// What was handed off may be lost with the index: sitemaps are announced again.
    pub(super) fn forget_announced(&self) {
        match self {
            Self::One(job) => job.announced.forget_all(),
            Self::Published(published) => {
                let kept = published.kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.iter().for_each(|(_, made)| made.job.announced.forget_all());
            }
        }
    }

    /// The jobs that the URLs of a lease belong to.
    pub(super) async fn of(&self, index: &dyn Leases, lease: &Lease) -> Result<LeaseJobs, NoJob> {
        let published = match self {
            Self::One(job) => return Ok(LeaseJobs(vec![Arc::clone(job)])),
            Self::Published(published) => published,
        };
        let mut jobs = Vec::with_capacity(lease.rules.len());
        for (crawl, version) in &lease.rules {
            jobs.push(published.job(index, *crawl, *version).await?);
        }
        Ok(LeaseJobs(jobs))
    }
}

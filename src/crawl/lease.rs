//! What a node holds while it visits: queued URLs, and the right to ask their host.

use crate::crawl::host::HostKey;
use crate::crawl::scope::ScopeKind;
use crate::crawl::sitemap::Sitemap;
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The number of a crawl in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CrawlId(pub i64);

/// A fencing token: drawn anew for every lease and never again, so that a late writer is known by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(pub i64);

/// A URL of the frontier: all that a visit, and the rules about its outlinks, need to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// The crawl it belongs to.
    pub crawl: CrawlId,
    /// Key of the canonical URL.
    pub key: UrlKey,
    /// The URL as found: what is fetched.
    pub url: String,
    /// The host that answers it.
    pub host: HostKey,
    /// Where it came from, and what its outlinks inherit.
    pub origin: Origin,
    /// Which visit this is: 1, and one more for every recrawl.
    pub visit: u32,
    /// Which attempt of this visit is next: 1 for the first.
    pub attempt: u32,
    /// How many answers in a row told us to slow down (429, or 503 with Retry-After); they use up no attempt.
    pub throttled: u32,
    /// Not to be visited before.
    pub due: Timestamp,
}

/// Where a URL stands in its crawl.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Hops from a seed; redirects do not count.
    pub depth: u32,
    /// Redirects on the way from the page that linked here.
    pub hops: u8,
    /// The depth at which this seed's part of the crawl ends.
    pub max_depth: Option<u32>,
    /// Higher goes first: 0 to 9, 5 unless the seed says otherwise.
    pub priority: u8,
    /// What it opens, where it is a seed or the target of a seed's redirect.
    pub seed: Option<ScopeKind>,
    /// Set where it is visited as a sitemap and not as a page.
    pub sitemap: Option<Sitemap>,
}

impl Origin {
    /// The priority of a seed that names none.
    pub const PRIORITY: u8 = 5;

    /// The origin of a seed.
    pub fn seed(scope: ScopeKind, max_depth: Option<u32>, priority: u8) -> Self {
        Self { depth: 0, hops: 0, max_depth, priority, seed: Some(scope), sitemap: None }
    }

    /// The origin of an outlink of a page with this origin.
    #[must_use]
    pub fn outlink(self) -> Self {
        Self { depth: self.depth.saturating_add(1), hops: 0, seed: None, sitemap: None, ..self }
    }

    /// The origin of the target of a redirect.
    #[must_use]
    pub fn redirect(self) -> Self {
        Self { hops: self.hops.saturating_add(1), ..self }
    }

    /// The origin of a sitemap that was found through a page, or a sitemap, with this origin.
    #[must_use]
    pub fn sitemap(self, sitemap: Sitemap) -> Self {
        Self { hops: 0, seed: None, sitemap: Some(sitemap), ..self }
    }

    /// The origin of a page that a sitemap with this origin lists: a sitemap is no hop, so its pages are as deep as the
    /// page through which the sitemap was found.
    #[must_use]
    pub fn listed(self) -> Self {
        Self { hops: 0, seed: None, sitemap: None, ..self }
    }

    /// Whether it is the target of a seed's redirect, and so a seed itself, whatever else led to it.
    pub fn is_moved_seed(&self) -> bool {
        self.seed.is_some() && self.hops > 0 && self.sitemap.is_none()
    }

    /// Whether the depth is within the limit.
    pub fn within_depth(&self) -> bool {
        self.max_depth.is_none_or(|most| self.depth <= most)
    }
}

/// The right of one node to visit `urls`, all of one host, until `until`.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The host; nobody else may ask it while the lease runs.
    pub host: HostKey,
    /// The fence.
    pub token: Token,
    /// When the lease expires unless it is renewed, by the caller's clock: its length is counted from before it was asked for.
    pub until: Timestamp,
    /// What is known of the host's pace.
    pub pace: Pace,
    /// The least gap between two requests to it that any crawl of the index wants, apart from what the host itself asks for.
    pub delay: Duration,
    /// The URLs, in the order in which they are to be visited.
    pub urls: Vec<Queued>,
    /// The crawls of these URLs, each with the version of its rules that is in force; 0 where none were published.
    pub rules: Vec<(CrawlId, u64)>,
}

/// What a host asked of us and how it behaved: outlives its queue and the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pace {
    /// The Crawl-delay of its robots.txt, if it has one.
    pub crawl_delay: Option<Duration>,
    /// Quiet until then (Retry-After, back-off, robots.txt unreachable).
    pub block_until: Option<Timestamp>,
    /// Refusals or silences in a row; the back-off doubles with each.
    pub strikes: u32,
}

impl Pace {
    /// What keeps to both: of each part the slower.
    #[must_use]
    pub fn slower(self, other: Self) -> Self {
        Self {
            crawl_delay: self.crawl_delay.max(other.crawl_delay),
            block_until: self.block_until.max(other.block_until),
            strikes: self.strikes.max(other.strikes),
        }
    }
}

//! An installation of several processes: an index in Redis, the truth in Postgres, and roles that come and go.

use super::CrawlError;
use super::embedded::{client_settings, found, job_settings, named_network, reading};
use super::lead::{self, Lead};
use crate::clock::Clock;
use crate::crawl::lease::CrawlId;
use crate::crawl::scope::{Scope, ScopeKind};
use crate::crawl::seeds::Seed;
use crate::fetch::guard::own_addresses;
use crate::fetch::http::HttpClient;
use crate::frontier::redis::{self, RedisFrontier};
use crate::frontier::{CrawlRules, FrontierError};
use crate::node::{self, Job, Jobs, Node, Published};
use crate::scheduler::fleet::{Fleet, Led, Told};
use crate::settings::{Layers, Settings, StoredSettings};
use crate::storage::{Listener, Storage};
use crate::store::postgres::PostgresStore;
use crate::store::{SeedRow, Store, StoreError};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often a process that waits for an index or a store looks again.
const LOOK: Duration = Duration::from_secs(1);

/// Private networks that are allowed since seeds name them.
const MOST_NETWORKS: usize = 1_000;

/// A name for this process that no other one has.
fn process_name(role: &str) -> String {
    let chance = RandomState::new().hash_one(std::process::id());
    format!("{role}-{}-{:08x}", std::process::id(), chance & 0xffff_ffff)
}

/// Connects to the index, or says at once why not.
pub async fn connect_now(
    url: &str,
    role: &str,
    lease: Duration,
    clock: Clock,
) -> Result<RedisFrontier, CrawlError> {
    let mut settings = redis::Settings::new(url, &process_name(role));
    settings.limits.lease = lease;
    RedisFrontier::connect(settings, clock).await.map_err(|why| CrawlError::Frontier(why.to_string()))
}

/// Connects to the index; one that is not there yet is waited for.
async fn connect(
    url: &str,
    role: &str,
    lease: Duration,
    clock: Clock,
    stop: &CancellationToken,
) -> Result<Option<Arc<RedisFrontier>>, CrawlError> {
    loop {
        let mut settings = redis::Settings::new(url, &process_name(role));
        settings.limits.lease = lease;
        match RedisFrontier::connect(settings, clock).await {
            Ok(index) => return Ok(Some(Arc::new(index))),
            Err(FrontierError::Unavailable(why) | FrontierError::Lost(why)) => {
                tracing::warn!(why, "waiting for the index");
            }
            Err(why) => return Err(CrawlError::Frontier(why.to_string())),
        }
        if !waited(stop).await {
            return Ok(None);
        }
    }
}

/// A pause; `false` where it was cut short by a wish to stop.
async fn waited(stop: &CancellationToken) -> bool {
    tokio::select! {
        () = stop.cancelled() => false,
        () = tokio::time::sleep(LOOK) => true,
    }
}

/// Private networks that the seeds of a crawl name by their addresses, where whoever runs the node named those seeds.
pub struct Named {
    /// The crawl whose requests may go there.
    pub crawl: CrawlId,
    /// The networks.
    pub networks: Vec<IpNet>,
}

impl Named {
    /// Those that an operator named with these seeds of `crawl`.
    pub fn by(crawl: CrawlId, seeds: &[SeedRow]) -> Self {
        let named = seeds.iter().filter(|seed| seed.named);
        let own = own_addresses();
        let of = |seed: &SeedRow| named_network(&crate::crawl::url::parse(&seed.url).ok()?, &own);
        let mut networks = BTreeSet::new();
        for network in named.filter_map(of) {
            if networks.len() < MOST_NETWORKS {
                networks.insert(network);
            }
        }
        Self { crawl, networks: networks.into_iter().collect() }
    }
}

/// Visits what the index hands out until `stop` fires. Its own settings are how it reaches the web; all else is the crawl's.
pub async fn run_node(
    own: Layers,
    named: Option<Named>,
    index: &str,
    clock: Clock,
    stop: &CancellationToken,
) -> Result<(), CrawlError> {
    let settings = own.settings().map_err(|why| CrawlError::Bug(why.to_string()))?;
    let Some(index) = connect(index, "node", redis::LIMITS.lease, clock, stop).await? else { return Ok(()) };
    // Until the first epoch is open, nobody knows how long a lease is.
    let lease = loop {
        match index.lease_length().await {
            Ok(lease) => break lease,
            Err(FrontierError::Unusable(why)) => return Err(CrawlError::Frontier(why)),
            Err(why) => tracing::info!(%why, "waiting for a scheduler"),
        }
        if !waited(stop).await {
            return Ok(());
        }
    };
    let make = move |crawl: CrawlId, rules: &CrawlRules| {
        make_job(&own, named.as_ref(), crawl, rules, clock).map_err(|why| format!("{why:#}"))
    };
    let jobs = Jobs::Published(Published::new(Box::new(make)));
    let node_settings = node::Settings { concurrency: settings.network.concurrency, lease };
    Arc::new(Node::new(index, clock, node_settings, jobs)).run(stop).await.map_err(CrawlError::from)
}

/// What a node does for a crawl, from what its scheduler published.
fn make_job(
    own: &Layers,
    named: Option<&Named>,
    crawl: CrawlId,
    rules: &CrawlRules,
    clock: Clock,
) -> anyhow::Result<Job> {
    let stored: StoredSettings = serde_json::from_str(&rules.settings)?;
    let settings: Settings = own.clone().with_stored(&stored).settings()?;
    let mut scope = Scope::new(&settings.scope)?;
    for (seed, kind) in &rules.seeds {
        if let Ok(seed) = crate::crawl::url::parse(seed) {
            scope.add_seed(&seed, *kind);
        }
    }
    // What a seed names opens no private network here: that is for whoever runs the node to say.
    let mut allow = settings.network.allow_private.clone();
    allow.extend(named.filter(|named| named.crawl == crawl).iter().flat_map(|named| &named.networks));
    let client = HttpClient::new(client_settings(&settings, allow)?, clock)?;
    Ok(Job::new(job_settings(&settings), Arc::new(client), reading(&settings, crawl)?, scope))
}

/// Writes what the nodes report until `stop` fires.
pub async fn run_storage(
    index: &str,
    store: &str,
    clock: Clock,
    listener: Listener,
    stop: &CancellationToken,
) -> Result<(), CrawlError> {
    let Some(store) = open(store, stop).await? else { return Ok(()) };
    let Some(index) = connect(index, "storage", redis::LIMITS.lease, clock, stop).await? else {
        return Ok(());
    };
    Storage::new(index, store, clock, listener).for_installation().run(stop).await.map_err(CrawlError::from)
}

/// Opens the store; one that is out of reach is waited for.
async fn open(store: &str, stop: &CancellationToken) -> Result<Option<Arc<PostgresStore>>, CrawlError> {
    loop {
        match PostgresStore::open(store).await {
            Ok(store) => return Ok(Some(Arc::new(store))),
            Err(StoreError::Unavailable(why)) => tracing::warn!(why, "waiting for the store"),
            Err(why) => return Err(why.into()),
        }
        if !waited(stop).await {
            return Ok(None);
        }
    }
}

/// Leads the installation until `stop` fires; where another process leads, stands by.
pub async fn run_scheduler(
    index: &str,
    store: &str,
    lease: Duration,
    clock: Clock,
    stop: &CancellationToken,
) -> Result<(), CrawlError> {
    let Some(store) = open(store, stop).await? else { return Ok(()) };
    let Some(index) = connect(index, "scheduler", lease, clock, stop).await? else { return Ok(()) };
    while !stop.is_cancelled() {
        let taken =
            Lead::take(store.clone(), lead::SCHEDULER, store.place(), || tracing::info!("standing by"));
        let lead = match tokio::select! { lead = taken => lead, () = stop.cancelled() => return Ok(()) } {
            Ok(lead) => lead,
            Err(StoreError::Busy(_)) => continue,
            Err(StoreError::Unavailable(why)) => {
                tracing::warn!(why, "waiting for the store");
                waited(stop).await;
                continue;
            }
            Err(why) => return Err(why.into()),
        };
        let (lost, fence) = (lead.lost(), lead.fence());
        let fleet = Fleet {
            front: index.clone(),
            reports: index.clone(),
            store: store.clone(),
            crawls: store.clone(),
            leadership: store.clone(),
            clock,
            read: Box::new(told),
            lease,
        };
        let ended = tokio::select! {
            ended = fleet.lead(fence, stop) => ended,
            () = lost.cancelled() => Ok(Led::Deposed),
            // What it is in the middle of can be left there: the next one begins with the store.
            () = stop.cancelled() => Ok(Led::Stopped),
        };
        match ended {
            Ok(Led::Stopped) => lead.resign().await?,
            Ok(Led::Deposed) => tracing::warn!("another process leads now"),
            Err(why) => return Err(why.into()),
        }
    }
    Ok(())
}

/// What the stored settings of a crawl say to the scheduler.
fn told(stored: &str) -> Result<Told, String> {
    let stored: StoredSettings = serde_json::from_str(stored).map_err(|why| why.to_string())?;
    let settings = Layers::built_in().with_stored(&stored).settings().map_err(|why| why.to_string())?;
    Ok(Told { delay: settings.politeness.delay, max_pages: settings.limits.max_pages })
}

/// Seeds on their way into a crawl of an installation. The scheduler that leads admits them.
pub struct Seeding {
    crawl: CrawlId,
    kind: ScopeKind,
    depth: Option<u32>,
    clock: Clock,
    seeds: u64,
    new: u64,
}

impl Seeding {
    /// For a crawl that was begun before: whether more of its seeds are on their way is not for this to say.
    pub fn new(crawl: CrawlId, settings: &Settings, clock: Clock) -> Self {
        let (kind, depth) = (settings.scope.kind, settings.limits.depth);
        Self { crawl, kind, depth, clock, seeds: 0, new: 0 }
    }

    /// Begins: the scheduler waits for the end of the seeds before it calls the crawl finished.
    pub async fn begin(
        store: &dyn Store,
        crawl: CrawlId,
        settings: &Settings,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        store.set_seeded(crawl, false).await?;
        Ok(Self::new(crawl, settings, clock))
    }

    /// Accepts some.
    pub async fn accept(&mut self, store: &dyn Store, seeds: &[Seed]) -> Result<(), StoreError> {
        let found = seeds.iter().map(|seed| found(seed, self.kind, self.depth)).collect();
        self.seeds += seeds.len() as u64;
        self.new += store.accept(self.crawl, found, self.clock.now()).await?.len() as u64;
        Ok(())
    }

    /// All of them are in.
    pub async fn end(&self, store: &dyn Store) -> Result<(), StoreError> {
        store.set_seeded(self.crawl, true).await
    }

    /// Those that were accepted, and how many of them are new.
    pub fn counts(&self) -> (u64, u64) {
        (self.seeds, self.new)
    }
}

//! One process: index in memory, truth in whatever store, all three roles.

use super::{CrawlError, Roles};
use crate::clock::Clock;
use crate::crawl::assess::KeepLinks;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Origin};
use crate::crawl::report::Found;
use crate::crawl::scope::{Scope, ScopeKind};
use crate::crawl::seeds::Seed;
use crate::crawl::url::{self, UrlKey, canonical};
use crate::fetch::guard;
use crate::fetch::http::{self, HttpClient};
use crate::frontier::memory::{Limits, MemoryFrontier};
use crate::frontier::{CrawlSettings, RunState};
use crate::node::{self, Job, JobSettings, Jobs, Node, Reading, Robots};
use crate::parse::Selectors;
use crate::scheduler::{LastProgress, Pass, Scheduler};
use crate::settings::{self, Links, Settings, Text};
use crate::storage::{Event, Listener, Storage};
use crate::store::postgres;
use crate::store::{CrawlRow, SeedRow, Store};
use ::url::Url;
use anyhow::{Context, Result};
use ipnet::IpNet;
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

/// A crawl in one process, opened and ready to run.
pub struct Embedded {
    /// The crawl as the store knows it.
    pub crawl: CrawlRow,
    /// What runs.
    pub roles: Roles,
    /// The index, for progress.
    pub front: Arc<MemoryFrontier>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// Whether every seed is on loopback, where there is no delay of ours.
    pub on_loopback: bool,
    client: Arc<HttpClient>,
    /// What the node does for the crawl.
    pub job: Arc<Job>,
    kind: ScopeKind,
    depth: Option<u32>,
}

impl Embedded {
    /// Puts the parts together and fills the index from the store: the same for a new crawl and for one that was
    /// killed. The scope is what the seeds in the store open.
    pub async fn open(
        store: Arc<dyn Store>,
        crawl: CrawlRow,
        settings: &Settings,
        clock: Clock,
        listener: Listener,
    ) -> Result<Self> {
        let front = Arc::new(MemoryFrontier::new(Limits::default(), clock));
        let mut scope = Scope::new(&settings.scope)?;
        let mut allow = settings.network.allow_private.clone();
        let stored = store.seeds(crawl.id).await?;
        let own = guard::own_addresses();
        let mut on_loopback = true;
        for SeedRow { url, scope: kind, named } in &stored {
            let Ok(seed) = url::parse(url) else { continue };
            scope.add_seed(&seed, *kind);
            if *named {
                on_loopback &= seed.host_str().is_some_and(crate::crawl::politeness::is_loopback);
                allow.extend(named_network(&seed, &own));
            }
        }
        let delay = settings.politeness.delay;
        let progress = Arc::new(LastProgress::default());
        let limits = Limits::default();
        let client = HttpClient::new(client_settings(settings, allow)?, clock);
        let client = Arc::new(client.context("failed to set up HTTP")?);
        let reading = reading(settings, crawl.id)?;
        let job = Arc::new(Job::new(job_settings(settings), client.clone(), reading, scope));
        let node_settings = node::Settings { concurrency: settings.network.concurrency, lease: limits.lease };
        let node = Arc::new(Node::new(front.clone(), clock, node_settings, Jobs::One(Arc::clone(&job))));
        let listener = noting_progress(listener, Arc::clone(&progress), clock);
        let storage = Arc::new(Storage::new(front.clone(), store.clone(), clock, listener));
        let wait = settings.limits.wait;
        let scheduler = Scheduler {
            crawl: crawl.id,
            front: front.clone(),
            reports: front.clone(),
            store: store.clone(),
            clock,
            wait,
            progress,
            pass: Pass::default(),
        };
        let tally = store.tally(crawl.id).await?;
        let max_pages = settings.limits.max_pages;
        let told = CrawlSettings { state: RunState::Running, delay, max_pages, stored: Some(tally.stored) };
        scheduler.open(crawl.epoch, crawl.reopened, told).await?;
        let roles = Roles { scheduler, node, storage, store: store.clone(), clock };
        Ok(Self {
            crawl,
            roles,
            front,
            store,
            on_loopback,
            client,
            job,
            kind: settings.scope.kind,
            depth: settings.limits.depth,
        })
    }

    /// Accepts seeds, and opens what they open; answers with how many are new.
    pub async fn seed(&mut self, seeds: &[Seed]) -> Result<usize, CrawlError> {
        let own = guard::own_addresses();
        for seed in seeds {
            self.on_loopback &= seed.url.host_str().is_some_and(crate::crawl::politeness::is_loopback);
            self.client.permit(named_network(&seed.url, &own));
            self.job.open_scope(&seed.url, seed.scope.unwrap_or(self.kind));
        }
        let found = seeds.iter().map(|seed| found(seed, self.kind, self.depth));
        Ok(self.roles.scheduler.seed(found.collect()).await?)
    }
}

/// A seed as it is accepted, where the crawl opens `kind` and goes to `depth` unless the seed says otherwise.
pub(super) fn found(seed: &Seed, kind: ScopeKind, depth: Option<u32>) -> Found {
    let origin = Origin::seed(
        seed.scope.unwrap_or(kind),
        seed.depth.or(depth),
        seed.priority.unwrap_or(Origin::PRIORITY),
    );
    let key = UrlKey::of(&canonical(&seed.url));
    Found { key, url: seed.url.as_str().to_owned(), host: HostKey::of(&seed.url), origin }
}

/// The private network, or the address of ours, that a seed names by its address: asking for it by hand is leave enough. All of loopback
/// counts as one.
pub(super) fn named_network(seed: &Url, own: &HashSet<IpAddr>) -> Option<IpNet> {
    let address: IpAddr = match seed.host()? {
        ::url::Host::Ipv4(address) => address.into(),
        ::url::Host::Ipv6(address) => address.into(),
        ::url::Host::Domain(name) if name == "localhost" || name.ends_with(".localhost") => {
            IpAddr::from([127, 0, 0, 1])
        }
        ::url::Host::Domain(_) => return None,
    };
    if guard::special(address).is_none() && !own.contains(&address) {
        return None;
    }
    Some(match address {
        IpAddr::V4(v4) if v4.is_loopback() => {
            IpNet::new(IpAddr::from([127, 0, 0, 0]), 8).expect("8 bits of 32")
        }
        other => IpNet::from(other),
    })
}

/// The guarded client for a few requests by hand: what the URLs name by address may be asked.
pub fn client(settings: &Settings, urls: &[Url], clock: Clock) -> Result<HttpClient> {
    let mut allow = settings.network.allow_private.clone();
    let own = guard::own_addresses();
    allow.extend(urls.iter().filter_map(|url| named_network(url, &own)));
    HttpClient::new(client_settings(settings, allow)?, clock).context("failed to set up HTTP")
}

/// What is read from pages.
pub fn reading(settings: &Settings, crawl: CrawlId) -> Result<Reading> {
    let text = settings.extraction.text == Text::Keep;
    Ok(Reading::new(crawl, text, selectors(settings)?, &settings.identity.robots_token))
}

/// The ports of the index and the store that the settings name, the usual ones where they name none.
fn own_ports(settings: &Settings) -> Vec<u16> {
    const REDIS: u16 = 6_379;
    let index = settings.installation.frontier.as_ref();
    let index = index.and_then(|url| Some(Url::parse(url.expose()).ok()?.port().unwrap_or(REDIS)));
    let store = match &settings.place.store {
        // An address names its port in more than one place.
        Some(settings::StoreUrl::Postgres(url)) => postgres::port(url.expose()),
        Some(settings::StoreUrl::Sqlite(_)) | None => None,
    };
    index.into_iter().chain(store).collect()
}

pub(super) fn client_settings(settings: &Settings, allow: Vec<IpNet>) -> Result<http::Settings> {
    let headers = settings.identity.headers.iter();
    let proxy = settings.network.proxy.as_ref().map(|proxy| Url::parse(proxy.expose())).transpose();
    Ok(http::Settings {
        user_agent: settings.identity.user_agent.clone(),
        headers: headers.map(|(name, value)| (name.clone(), value.expose().to_owned())).collect(),
        timeouts: settings.network.timeouts,
        max_body: settings.network.max_body,
        max_wire: settings.network.max_body,
        proxy: proxy.context("the proxy is not a URL")?,
        certificates: match settings.network.certificates {
            settings::Certificates::Verify => http::Certificates::Verified,
            settings::Certificates::AcceptAny => http::Certificates::Unverified,
        },
        allow,
        own_ports: own_ports(settings),
        idle_per_host: settings.politeness.per_host as usize + 1,
        ..http::Settings::default()
    })
}

pub(super) fn job_settings(settings: &Settings) -> JobSettings {
    JobSettings {
        per_host: settings.politeness.per_host as usize,
        delay: settings.politeness.delay,
        robots: match settings.politeness.robots {
            settings::Robots::Obey => Robots::Obey {
                token: settings.identity.robots_token.as_str().into(),
                refused: settings.politeness.refused,
            },
            settings::Robots::Ignore => Robots::Ignore,
        },
        sitemaps: match settings.extraction.sitemaps {
            settings::Sitemaps::Read => node::Sitemaps::Read { max_bytes: settings.network.max_body },
            settings::Sitemaps::Skip => node::Sitemaps::Skip,
        },
        links: if settings.extraction.links == Links::All { KeepLinks::All } else { KeepLinks::None },
        retries: settings.limits.retries,
        withholding: settings.politeness.withholding.clone(),
    }
}

fn selectors(settings: &Settings) -> Result<Option<Selectors>> {
    let select = &settings.extraction.select;
    if select.is_empty() {
        return Ok(None);
    }
    let pairs: Vec<_> = select.iter().map(|select| (select.name.as_str(), select.css.as_str())).collect();
    Ok(Some(Selectors::compile(pairs)?))
}

/// The listener, and the point of the last progress for the scheduler.
fn noting_progress(listener: Listener, progress: Arc<LastProgress>, clock: Clock) -> Listener {
    Arc::new(move |event| {
        if let Event::Visited { committed, .. } = event
            && committed.effective
            && committed.retry.is_none()
        {
            progress.touch(clock.now());
        }
        listener(event);
    })
}

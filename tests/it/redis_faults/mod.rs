//! What the index in Redis does where the server, a process or the line between them fails: on a private server, in real time.

mod processes;
mod reminding;
mod server;
mod streams;

use crate::servers::redis::RedisServer;
use huntsman::clock::Clock;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Lease, Origin, Queued};
use huntsman::crawl::politeness::Delay;
use huntsman::crawl::report::{Outcome, Report};
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::UrlKey;
use huntsman::frontier::memory::Limits;
use huntsman::frontier::redis::{LIMITS, RedisFrontier, Settings};
use huntsman::frontier::{CrawlSettings, Front, FrontierError, HandOff, Leases, Next, RunState};
use std::time::Duration;

const CRAWL: CrawlId = CrawlId(1);
const LEASE: Duration = Duration::from_secs(2);

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

fn settings(server: &RedisServer, name: &str) -> Settings {
    Settings { limits: Limits { lease: LEASE, ..LIMITS }, ..Settings::new(&server.url(), name) }
}

async fn connect(server: &RedisServer, name: &str) -> RedisFrontier {
    RedisFrontier::connect(settings(server, name), Clock::start()).await.unwrap()
}

/// A scheduler that leads, in this epoch.
async fn scheduler(server: &RedisServer, epoch: u32) -> RedisFrontier {
    let front = connect(server, "scheduler").await;
    open(&front, epoch, Duration::ZERO).await;
    front
}

async fn open(front: &RedisFrontier, epoch: u32, delay: Duration) {
    let state = RunState::Running;
    let told = CrawlSettings { state, delay: Delay::Fixed(delay), max_pages: None, stored: Some(0) };
    front.settings(CRAWL, told).await.unwrap();
    front.open_epoch(epoch, Vec::new(), epoch > 1).await.unwrap();
}

fn url(host: &str, path: &str) -> Queued {
    let url = format!("http://{host}/{path}");
    Queued {
        crawl: CRAWL,
        key: UrlKey::of(&url),
        url,
        host: HostKey::from_stored(host),
        origin: Origin::seed(ScopeKind::Host, None, Origin::PRIORITY),
        visit: 1,
        attempt: 1,
        throttled: 0,
        due: Timestamp::EPOCH,
    }
}

fn hand_off(lease: &Lease, url: &Queued) -> HandOff {
    let outcome = Outcome::Failed { reason: "test".into(), detail: String::new() };
    let at = Timestamp::EPOCH;
    let (url, token) = (url.clone(), lease.token);
    let report = Report { url, token, fetch: None, outcome, at, found: Vec::new(), skipped: Vec::new() };
    HandOff { host: lease.host.clone(), token, report, due: Timestamp::EPOCH, note: None, ends: false }
}

async fn lease(node: &RedisFrontier, hosts: usize) -> Vec<Lease> {
    match node.lease(hosts).await.unwrap() {
        Next::Leases(leases) => leases,
        Next::NotBefore(_) => Vec::new(),
        Next::Drain => panic!("nobody drains this node"),
    }
}

/// Whether the index says that it was lost.
fn is_lost<T: std::fmt::Debug>(said: impl Into<Result<T, FrontierError>>) -> bool {
    let said = said.into();
    let is_lost = matches!(said, Err(FrontierError::Lost(_)));
    println!("it says {:?}", said.as_ref().map_err(ToString::to_string));
    is_lost
}

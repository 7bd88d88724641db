//! What the index in Redis costs: bytes a URL, the server's CPU and round trips a page.
//!
//! `cargo bench --bench redis [-- URLS]` starts a `redis-server` of its own, fills it with so many URLs (a million, 50 of each
//! host), and moves pages with 62 links each from lease to acknowledgement. Bytes are the growth of `used_memory`: everything
//! that the server keeps for those URLs and their hosts, the slack of its allocator included.

use anyhow::{Context as _, Result, ensure};
use huntsman::clock::Clock;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Lease, Origin, Queued};
use huntsman::crawl::politeness::Delay;
use huntsman::crawl::report::{Entry, Found, Outcome, Report, StoredPage};
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::UrlKey;
use huntsman::frontier::memory::Limits;
use huntsman::frontier::redis::{RedisFrontier, Settings};
use huntsman::frontier::{Ack, CrawlSettings, Front, HandOff, Handed, Leases, Next, Reports, RunState};
use std::process::{Child, Command};
use std::time::Duration;

const CRAWL: CrawlId = CrawlId(1);
const URLS_OF_A_HOST: usize = 50;
const LINKS: usize = 62;
const PAGES: usize = 20_000;
/// Visits that end at about the same time.
const VISITS: usize = 16;
/// One link in so many leads to a URL that is new.
const NEW: usize = 40;

struct Server {
    child: Child,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--logfile", "log"]);
        command.arg("--unixsocket").arg(folder.path().join("redis.sock")).arg("--dir").arg(folder.path());
        Ok(Self { child: command.spawn()?, folder })
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("redis.sock").display())
    }

    /// A number of what the server says of itself.
    fn says(&self, field: &str) -> Result<f64> {
        let client = redis::Client::open(self.url())?;
        let info: String = redis::cmd("INFO").arg("all").query(&mut client.get_connection()?)?;
        let line = info.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        Ok(line.context("the server does not say it")?.trim().parse()?)
    }

    fn reset(&self) -> Result<()> {
        let client = redis::Client::open(self.url())?;
        redis::cmd("CONFIG").arg("RESETSTAT").exec(&mut client.get_connection()?)?;
        Ok(())
    }

    /// Microseconds of the server by command, the dearest first; those of the scripts contain the others.
    fn print_commands(&self, pages: f64) -> Result<()> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_connection()?;
        let info: String = redis::cmd("INFO").arg("commandstats").query(&mut connection)?;
        let stat = |line: &str| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            let (calls, rest) = rest.split_once(",usec=")?;
            let usec = rest.split(',').next()?;
            Some((usec.parse::<f64>().ok()? / pages, name.to_owned(), calls.parse::<f64>().ok()? / pages))
        };
        let mut stats: Vec<_> = info.lines().filter_map(stat).collect();
        stats.sort_by(|one, other| other.0.total_cmp(&one.0));
        for (usec, name, calls) in stats.into_iter().take(24) {
            println!("  {name}: {usec:.2} us, {calls:.2} calls a page");
        }
        Ok(())
    }

    fn cpu(&self) -> Result<f64> {
        Ok(self.says("used_cpu_user")? + self.says("used_cpu_sys")?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Words of paths, titles and texts: as many letters as English words have.
const WORDS: [&str; 64] = [
    "analysis",
    "apple",
    "archive",
    "australia",
    "bank",
    "berlin",
    "best",
    "budget",
    "camera",
    "chelsea",
    "climate",
    "coffee",
    "court",
    "cup",
    "data",
    "deal",
    "economy",
    "election",
    "energy",
    "film",
    "football",
    "free",
    "fuel",
    "garden",
    "goal",
    "health",
    "home",
    "how",
    "india",
    "interview",
    "japan",
    "jobs",
    "kitchen",
    "language",
    "law",
    "london",
    "market",
    "minister",
    "money",
    "music",
    "new",
    "office",
    "on",
    "paris",
    "phone",
    "photo",
    "plan",
    "police",
    "power",
    "price",
    "quick",
    "rail",
    "review",
    "school",
    "science",
    "season",
    "storm",
    "study",
    "travel",
    "union",
    "video",
    "water",
    "why",
    "zoo",
];

/// A word that nobody guesses from `n` and its place.
fn word(n: usize, place: usize) -> &'static str {
    let mixed = (n as u64 ^ ((place as u64) << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    WORDS[((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 58) as usize]
}

fn words(n: usize, count: usize) -> String {
    (0..count).map(|place| word(n, place)).collect::<Vec<_>>().join(" ")
}

/// The URL number `n` of a web of so many hosts.
fn url(n: usize, hosts: usize) -> Queued {
    let host = format!("www.host-{:05}-name.org", n % hosts);
    let title = words(n, 5).replace(' ', "-");
    let url = format!("http://{host}/{}/{}/{title}-{}.html", word(n, 5), 2000 + n % 27, 1_000_000 + n);
    let origin = Origin::seed(ScopeKind::Host, Some(20), Origin::PRIORITY).outlink();
    Queued {
        crawl: CRAWL,
        key: UrlKey::of(&url),
        url,
        host: HostKey::from_stored(&host),
        origin,
        visit: 1,
        attempt: 1,
        throttled: 0,
        due: Timestamp::EPOCH,
    }
}

fn report(lease: &Lease, leased: &Queued, hosts: usize, new: &mut usize) -> Report {
    let found = (0..LINKS).map(|link| {
        let n = if link % NEW == NEW - 1 {
            *new += 1;
            *new
        } else {
            usize::from(leased.key.as_bytes()[0]) * 64 + link
        };
        let Queued { key, url, host, origin, .. } = url(n, hosts);
        Found { key, url, host, origin }
    });
    let number = leased.key.as_bytes().iter().fold(0_usize, |all, byte| all << 4 ^ usize::from(*byte));
    let link =
        |n: usize| format!(r#"["/{}/{}.html","{}","","a"]"#, words(n, 3).replace(' ', "/"), n, words(n, 3));
    let links: Vec<String> = (0..LINKS).map(|n| link(number ^ n)).collect();
    let page = StoredPage {
        page: huntsman::crawl::page::Page { text: Some(words(number, 700)), ..Default::default() },
        content_type: Some("text/html".into()),
        robots_tag: None,
        etag: None,
        last_modified: None,
        content_hash: [7; 16],
        links: Some(links.join(",")),
        inside: 0,
        signals: huntsman::crawl::robots::Signals::default(),
        truncated: None,
    };
    Report {
        url: leased.clone(),
        token: lease.token,
        fetch: None,
        outcome: Outcome::Stored(Box::new(page)),
        at: Timestamp::EPOCH,
        found: found.collect(),
        skipped: Vec::new(),
    }
}

async fn connect(server: &Server, urls: usize, name: &str) -> Result<RedisFrontier> {
    let limits = Limits {
        urls: 2 * urls,
        seen: 4 * urls,
        stream_entries: 16_384,
        stream_bytes: 512 << 20,
        ..Limits::default()
    };
    let settings = Settings { limits, ..Settings::new(&server.url(), name) };
    for _ in 0..200 {
        if let Ok(index) = RedisFrontier::connect(settings.clone(), Clock::start()).await {
            return Ok(index);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    anyhow::bail!("redis-server does not start: is it installed?");
}

async fn fill(server: &Server, front: &RedisFrontier, urls: usize) -> Result<()> {
    let hosts = urls / URLS_OF_A_HOST;
    let memory = server.says("used_memory")?;
    let cpu = server.cpu()?;
    for from in (0..urls).step_by(10_000) {
        let keys: Vec<_> = (from..from + 10_000).map(|n| url(n, hosts).key).collect();
        front.admit(Vec::new(), CRAWL, &keys).await?;
        front.beat().await?;
    }
    let seen = server.says("used_memory")?;
    println!("seen-set: {:.1} bytes a URL at {urls}", (seen - memory) / urls as f64);
    println!("seen-set: {:.2} us of the server a URL", (server.cpu()? - cpu) * 1e6 / urls as f64);
    let cpu = server.cpu()?;
    let mut bytes = 0;
    for from in (0..urls).step_by(5_000) {
        let some: Vec<_> = (from..from + 5_000).map(|n| url(n, hosts)).collect();
        bytes += some.iter().map(|url| url.url.len()).sum::<usize>();
        ensure!(front.admit(some, CRAWL, &[]).await? == 5_000, "there is room for all");
        front.beat().await?;
    }
    let queued = server.says("used_memory")?;
    println!(
        "queues: {:.1} bytes a URL of {} bytes at {urls} on {hosts} hosts, everything counted",
        (queued - seen) / urls as f64,
        bytes / urls
    );
    println!("queues: {:.2} us of the server a URL", (server.cpu()? - cpu) * 1e6 / urls as f64);
    Ok(())
}

async fn crawl(
    server: &Server,
    front: &RedisFrontier,
    node: &RedisFrontier,
    storage: &RedisFrontier,
    urls: usize,
) -> Result<()> {
    server.reset()?;
    let (cpu, commands) = (server.cpu()?, server.says("total_commands_processed")?);
    let trips = [node.round_trips(), storage.round_trips()];
    let mut new = urls + 1_000_000;
    let mut pages = 0;
    while pages < PAGES {
        front.beat().await?;
        let Next::Leases(leases) = node.lease(32).await? else { anyhow::bail!("there is no work") };
        // As visits of a node end: several at a time.
        let mut handing = Vec::new();
        for lease in &leases {
            for leased in &lease.urls {
                let report = report(lease, leased, urls / URLS_OF_A_HOST, &mut new);
                let (host, token, due) = (lease.host.clone(), lease.token, Timestamp::EPOCH);
                handing.push(node.hand_off(HandOff { host, token, report, due, note: None, ends: false }));
            }
        }
        pages += handing.len();
        for some in in_groups(handing, VISITS) {
            for handed in futures_util::future::join_all(some).await {
                ensure!(handed? == Handed::Accepted, "a lease ran out");
            }
        }
        let mut batch = Vec::new();
        while let Ok(some) =
            tokio::time::timeout(Duration::from_millis(200), storage.reports(256, Duration::ZERO)).await
        {
            batch.extend(some?);
            if batch.len() >= leases.iter().map(|lease| lease.urls.len()).sum() {
                break;
            }
        }
        store(storage, batch).await?;
    }
    let pages = pages as f64;
    println!("pages with {LINKS} links: {:.1} us of the server a page", (server.cpu()? - cpu) * 1e6 / pages);
    server.print_commands(pages)?;
    println!("commands a page: {:.2}", (server.says("total_commands_processed")? - commands) / pages);
    let [node_trips, storage_trips] =
        [node.round_trips() - trips[0], storage.round_trips() - trips[1]].map(|trips| trips as f64 / pages);
    println!("round trips a page: node {node_trips:.2}, storage {storage_trips:.2}");
    Ok(())
}

/// The same in groups of at most so many.
fn in_groups<T>(all: Vec<T>, most: usize) -> impl Iterator<Item = Vec<T>> {
    let mut rest = all.into_iter();
    std::iter::from_fn(move || {
        Some(rest.by_ref().take(most).collect::<Vec<_>>()).filter(|some| !some.is_empty())
    })
}

async fn store(storage: &RedisFrontier, batch: Vec<(huntsman::frontier::EntryId, Entry)>) -> Result<()> {
    let (mut found, mut acks) = (Vec::new(), Vec::new());
    for (id, entry) in batch {
        if let Entry::Report(report) = entry {
            found.extend(report.found);
        }
        acks.push(Ack { id, requeue: None, stored: true });
    }
    let keys: Vec<_> = found.iter().map(|found| found.key).collect();
    let mut unseen = storage.unseen(CRAWL, &keys).await?.into_iter();
    found.retain(|_| unseen.next().unwrap_or(true));
    let keys: Vec<_> = found.iter().map(|found| found.key).collect();
    let admitted = found.into_iter().map(|Found { key, url, host, origin }| {
        let due = Timestamp::EPOCH;
        Queued { crawl: CRAWL, key, url, host, origin, visit: 1, attempt: 1, throttled: 0, due }
    });
    let admitted = admitted.collect();
    storage.admit(admitted, CRAWL, &keys).await?;
    storage.acknowledge(acks).await?;
    Ok(())
}

async fn measure(urls: usize) -> Result<()> {
    let server = Server::start()?;
    let front = connect(&server, urls, "scheduler").await?;
    let delay = Delay::Fixed(Duration::ZERO);
    let told = CrawlSettings { state: RunState::Running, delay, max_pages: None, stored: Some(0) };
    front.settings(CRAWL, told).await?;
    front.open_epoch(1, Vec::new(), false).await?;
    fill(&server, &front, urls).await?;
    let (node, storage) = (connect(&server, urls, "node").await?, connect(&server, urls, "storage").await?);
    crawl(&server, &front, &node, &storage, urls).await
}

fn main() -> Result<()> {
    let urls = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(measure(urls))
}

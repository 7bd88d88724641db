//! An index under test: its three ports, its clock, and short words for what the tests do with them.

use huntsman::clock::Clock;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Lease, Origin, Pace, Queued, Token};
use huntsman::crawl::politeness::Delay;
use huntsman::crawl::report::{Entry, Note, Outcome, Report};
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::UrlKey;
use huntsman::frontier::memory::{Limits, MemoryFrontier};
use huntsman::frontier::{
    Ack, Counts, CrawlSettings, EntryId, Front, GUARD, HandOff, Handed, Leases, Next, Release, Reports,
    RunState,
};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub(super) const CRAWL: CrawlId = CrawlId(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);
/// Length of a lease in these tests.
pub(super) const LEASE: Duration = Duration::from_secs(2);

/// What a test waits less than a span to be before its end.
pub(super) const MOMENT: Duration = Duration::from_millis(10);

/// A moment less than `span`.
pub(super) fn almost(span: Duration) -> Duration {
    span.saturating_sub(MOMENT)
}

type Opening = Pin<Box<dyn Future<Output = Index>>>;

/// How an index is made for one test.
#[derive(Clone, Copy)]
pub(super) struct Backend {
    pub(super) open: fn(Limits, Clock) -> Opening,
    /// Whether the index follows the clock of the runtime, which is then paused; otherwise spans really pass.
    pub(super) paused: bool,
    /// Whether other processes may still ask by the epoch before when a new one is opened.
    pub(super) fleet: bool,
}

/// The ports of one index.
#[derive(Clone)]
pub(super) struct Index {
    pub(super) leases: Arc<dyn Leases>,
    pub(super) reports: Arc<dyn Reports>,
    pub(super) front: Arc<dyn Front>,
    /// Asserts the invariants, where the index can.
    pub(super) check: Arc<dyn Fn()>,
}

pub(super) const MEMORY: Backend = Backend {
    open: |limits, clock| {
        let index = Arc::new(MemoryFrontier::new(limits, clock));
        let checked = Arc::clone(&index);
        let check = Arc::new(move || checked.check());
        Box::pin(async { Index { leases: index.clone(), reports: index.clone(), front: index, check } })
    },
    paused: true,
    fleet: false,
};

/// An index and the clock it goes by.
pub(super) struct Subject {
    pub(super) index: Index,
    pub(super) clock: Clock,
    pub(super) fleet: bool,
}

impl Backend {
    /// Runs one promise on a fresh runtime.
    pub(super) fn run<F: Future<Output = ()>>(self, promise: fn(Backend) -> F) {
        self.block_on(promise(self));
    }

    pub(super) fn block_on(self, test: impl Future<Output = ()>) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(self.paused).build().unwrap();
        runtime.block_on(test);
    }

    /// An index with one crawl whose hosts all have this delay, in the first epoch of its store.
    pub(super) async fn with_delay(self, delay: Duration) -> Subject {
        self.with(limits(), delay, None).await
    }

    pub(super) async fn with(self, limits: Limits, delay: Duration, max_pages: Option<u64>) -> Subject {
        let subject = self.unopened(limits).await;
        subject.set(CRAWL, delay, max_pages).await;
        subject.index.front.open_epoch(1, Vec::new(), false).await.unwrap();
        subject
    }

    /// An index that was told of no crawl and no epoch.
    pub(super) async fn unopened(self, limits: Limits) -> Subject {
        let clock = Clock::start_at(Timestamp::from_millis(1_000_000));
        Subject { index: (self.open)(limits, clock).await, clock, fleet: self.fleet }
    }
}

pub(super) fn limits() -> Limits {
    Limits { lease: LEASE, urls: 1_000, host_urls: 100, seen: 10_000, ..Limits::default() }
}

pub(super) fn url(host: &str, path: &str) -> Queued {
    let url = format!("http://{host}/{path}");
    Queued {
        crawl: CRAWL,
        key: UrlKey::of(&url),
        url,
        host: host_key(host),
        origin: Origin::seed(ScopeKind::Host, None, Origin::PRIORITY),
        visit: 1,
        attempt: 1,
        throttled: 0,
        due: Timestamp::EPOCH,
    }
}

pub(super) fn host_key(host: &str) -> HostKey {
    HostKey::from_stored(host)
}

/// The last letters of the URLs, for short comparisons.
pub(super) fn paths(urls: &[Queued]) -> Vec<&str> {
    urls.iter().map(|url| url.url.rsplit('/').next().unwrap()).collect()
}

pub(super) fn report(url: &Queued, token: Token) -> Report {
    let outcome = Outcome::Failed { reason: "test".into(), detail: String::new() };
    Report {
        url: url.clone(),
        token,
        fetch: None,
        outcome,
        at: Timestamp::EPOCH,
        found: Vec::new(),
        skipped: Vec::new(),
    }
}

pub(super) fn note(host: &str, pace: Pace) -> Note {
    Note { crawl: CRAWL, host: host_key(host), pace, robots: None, at: Timestamp::EPOCH }
}

/// A hand-off of one URL of a lease, after which the host may be asked at once.
pub(super) fn hand_off(lease: &Lease, url: &Queued) -> HandOff {
    HandOff {
        host: lease.host.clone(),
        token: lease.token,
        report: report(url, lease.token),
        due: Timestamp::EPOCH,
        note: None,
        ends: false,
    }
}

pub(super) fn release(lease: &Lease, due: Timestamp) -> Release {
    Release { host: lease.host.clone(), token: lease.token, due, note: None }
}

pub(super) fn ack(id: EntryId) -> Ack {
    Ack { id, requeue: None, stored: false }
}

/// How long a host with this delay is quiet after another epoch.
pub(super) fn quiet(fleet: bool, delay: Duration) -> Duration {
    if fleet { 2 * LEASE + delay.max(GUARD) } else { delay }
}

impl Subject {
    pub(super) fn quiet(&self, delay: Duration) -> Duration {
        quiet(self.fleet, delay)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets a span pass.
    pub(super) async fn pass(&self, span: Duration) {
        tokio::time::sleep(span).await;
    }

    pub(super) async fn set(&self, crawl: CrawlId, delay: Duration, max_pages: Option<u64>) {
        let settings = CrawlSettings {
            state: RunState::Running,
            delay: Delay::Fixed(delay),
            max_pages,
            stored: Some(0),
        };
        self.index.front.settings(crawl, settings).await.unwrap();
    }

    pub(super) async fn admit(&self, urls: &[Queued]) -> usize {
        self.index.reports.admit(urls.to_vec(), CRAWL, &[]).await.unwrap()
    }

    /// Admits these paths of one host.
    pub(super) async fn admit_paths(&self, host: &str, paths: &[&str]) -> usize {
        let urls: Vec<_> = paths.iter().map(|path| url(host, path)).collect();
        self.admit(&urls).await
    }

    pub(super) async fn refill(&self, host: &str, paths: &[&str], complete: bool) -> usize {
        let urls = paths.iter().map(|path| url(host, path)).collect();
        self.index.front.refill(&host_key(host), urls, complete).await.unwrap()
    }

    /// What is leased now.
    pub(super) async fn lease(&self, hosts: usize) -> Vec<Lease> {
        match self.index.leases.lease(hosts).await.unwrap() {
            Next::Leases(leases) => {
                assert!(!leases.is_empty(), "leases are at least one");
                leases
            }
            Next::NotBefore(_) => Vec::new(),
            Next::Drain => panic!("nobody drains this node"),
        }
    }

    /// The one lease that is possible now.
    pub(super) async fn one(&self) -> Lease {
        let mut leases = self.lease(10).await;
        assert_eq!(leases.len(), 1, "{leases:?}");
        leases.remove(0)
    }

    pub(super) async fn nothing_to_lease(&self) -> Timestamp {
        match self.index.leases.lease(10).await.unwrap() {
            Next::Leases(leases) => panic!("nothing is to be leased: {leases:?}"),
            Next::NotBefore(at) => at,
            Next::Drain => panic!("nobody drains this node"),
        }
    }

    pub(super) async fn hand_off(&self, lease: &Lease, url: &Queued) -> Handed {
        self.index.leases.hand_off(hand_off(lease, url)).await.unwrap()
    }

    /// Hands every URL of a lease off; of a crawl that was stopped each may be the last.
    pub(super) async fn finish(&self, lease: &Lease) {
        for url in &lease.urls {
            let handed = self.hand_off(lease, url).await;
            assert!(matches!(handed, Handed::Accepted | Handed::Last), "{handed:?}");
        }
    }

    pub(super) async fn release(&self, lease: &Lease, due: Timestamp) -> Handed {
        self.index.leases.release(release(lease, due)).await.unwrap()
    }

    /// What is in the stream now and was not taken yet.
    pub(super) async fn entries(&self) -> Vec<(EntryId, Entry)> {
        let reports = self.index.reports.reports(1_000, Duration::ZERO);
        match tokio::time::timeout(Duration::from_millis(1), reports).await {
            Ok(entries) => entries.unwrap(),
            Err(_) => Vec::new(),
        }
    }

    pub(super) async fn acknowledge(&self, acks: Vec<Ack>) {
        self.index.reports.acknowledge(acks).await.unwrap();
    }

    /// Takes and acknowledges all that is in the stream; answers with how many entries that were.
    pub(super) async fn acknowledge_all(&self) -> usize {
        let entries = self.entries().await;
        let acks: Vec<_> = entries.iter().map(|(id, _)| ack(*id)).collect();
        self.acknowledge(acks).await;
        entries.len()
    }

    pub(super) async fn counts(&self) -> Counts {
        self.index.front.counts().await.unwrap()
    }

    /// URLs in queues, leased, handed over.
    pub(super) async fn held(&self) -> (usize, usize, usize) {
        let counts = self.counts().await;
        (counts.queued, counts.leased, counts.handed_over)
    }

    /// Gives `host` this pace: leases it, hands its URL off with a note, and has storage acknowledge both.
    pub(super) async fn learn(&self, host: &str, pace: Pace) {
        assert_eq!(self.admit_paths(host, &["learn"]).await, 1);
        let leases = self.lease(1_000).await;
        let lease = leases.iter().find(|lease| lease.host.as_str() == host).unwrap();
        let mut hand_off = hand_off(lease, &lease.urls[0]);
        hand_off.note = Some(note(host, pace));
        hand_off.ends = true;
        assert_eq!(self.index.leases.hand_off(hand_off).await.unwrap(), Handed::Accepted);
        assert_eq!(self.acknowledge_all().await, 2);
        for other in leases.iter().filter(|other| other.token != lease.token) {
            self.release(other, Timestamp::EPOCH).await;
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            (self.index.check)();
        }
    }
}

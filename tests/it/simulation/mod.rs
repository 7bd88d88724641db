//! The whole loop on a paused clock: real roles, real index, a simulated web, a model store, and a process that dies
//! at any step of any port. Everything follows from the seed that a failure prints.

mod crash;
mod fleet;
mod web;

use crate::model_store::ModelStore;
use crate::rng::Rng;
use crash::{Fuse, Fused};
use huntsman::clock::Clock;
use huntsman::crawl::assess::{KeepLinks, Withholding};
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Origin};
use huntsman::crawl::politeness::Delay;
use huntsman::crawl::report::Found;
use huntsman::crawl::robots::Refused;
use huntsman::crawl::scope::{Scope, ScopeKind, ScopeRules};
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::{UrlKey, canonical};
use huntsman::frontier::memory::{Limits, MemoryFrontier};
use huntsman::frontier::{CrawlSettings, Front, Leases, RunState};
use huntsman::node::{Job, JobSettings, Jobs, Node, Reading, Robots, Settings, Sitemaps};
use huntsman::scheduler::{End, LastProgress, Pass, Scheduler};
use huntsman::storage::{Event, Storage};
use huntsman::store::Store;
use huntsman::wiring::Roles;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;
use web::{Logged, Web};

/// Seeds in one test run.
const SEEDS: u64 = 10_000;
/// A crawl of at most 40 pages, with its retries and blocks, is over by then.
const LONGEST: Duration = Duration::from_secs(3_600);
const CRAWL: CrawlId = CrawlId(1);

/// What the operator chose.
struct Plan {
    delay: Duration,
    per_host: usize,
    concurrency: usize,
    limits: Limits,
    /// Steps until each death, and the pause before the next start.
    deaths: Vec<(i64, Duration)>,
}

impl Plan {
    fn new(rng: &mut Rng) -> Self {
        let delay = Duration::from_millis(rng.pick(&[0, 0, 200, 1_000]));
        let per_host = if delay.is_zero() { rng.range(1..4) as usize } else { 1 };
        let limits = Limits {
            urls: rng.pick(&[6, 20, 1_000]),
            host_urls: rng.pick(&[3, 8, 500]),
            stream_entries: rng.pick(&[1, 4, 1_000]),
            ..Limits::default()
        };
        let deaths = (0..rng.range(0..5))
            .map(|_| (rng.range(1..250) as i64, Duration::from_millis(rng.range(0..3_000))))
            .collect();
        Self { delay, per_host, concurrency: rng.range(1..6) as usize, limits, deaths }
    }
}

/// One simulated crawl with its deaths.
struct Simulation {
    plan: Plan,
    web: Arc<Web>,
    store: Arc<ModelStore>,
    clock: Clock,
    /// URLs leased or handed over at the deaths: so many visits may be repeated.
    in_flight: usize,
    /// Blocks that were committed when a process died, with the point of the next start.
    committed_blocks: Vec<(String, Timestamp, Timestamp)>,
}

#[test]
fn the_loop_keeps_its_promises_whenever_the_process_dies() {
    let failed = &std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 0..2 {
            scope.spawn(move || {
                for seed in (worker..SEEDS).step_by(2) {
                    if let Err(why) = catch_unwind(AssertUnwindSafe(|| simulate(seed))) {
                        let text = why.downcast_ref::<String>().cloned();
                        let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                        failed.lock().unwrap().push((seed, text.unwrap_or_default()));
                    }
                }
            });
        }
    });
    let failed = failed.lock().unwrap();
    println!("simulation: seeds 0..{SEEDS}, {} failed", failed.len());
    assert!(failed.is_empty(), "failing seeds: {:#?}", &failed[..failed.len().min(5)]);
}

fn simulate(seed: u64) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let clock = Clock::start_at(Timestamp::from_millis(1_000_000));
        let mut rng = Rng::new(seed ^ 0x00c0_ffee);
        let plan = Plan::new(&mut rng);
        let web = Arc::new(Web::new(seed, clock));
        let mut simulation = Simulation {
            plan,
            web,
            store: Arc::default(),
            clock,
            in_flight: 0,
            committed_blocks: Vec::new(),
        };
        let run = tokio::time::timeout(LONGEST * 8, simulation.run());
        run.await.unwrap_or_else(|_| panic!("seed {seed}: the crawl does not end"));
        simulation.judge();
    });
}

impl Simulation {
    async fn run(&mut self) {
        for (steps, pause) in self.plan.deaths.clone() {
            if self.process(Fuse::new(steps)).await.is_some() {
                return;
            }
            tokio::time::sleep(pause).await;
        }
        let end = self.process(Fuse::new(i64::MAX)).await.expect("the last process does not die");
        let loops = self.web.robots.keys().any(|host| self.web.robots_loops(host));
        assert!(end == End::Finished || (loops && matches!(end, End::Waiting { .. })), "{end:?}");
    }

    /// One process from its start to its end or death.
    async fn process(&mut self, fuse: Fuse) -> Option<End> {
        self.web.new_process();
        let index = Arc::new(MemoryFrontier::new(self.plan.limits, self.clock));
        let life = async {
            let roles = self.start(&fuse, &index).await;
            roles.run(&CancellationToken::new()).await.expect("no role fails")
        };
        let end = tokio::select! {
            biased;
            () = fuse.blown.cancelled() => None,
            end = life => Some(end),
        };
        if end.is_none() {
            let counts = index.counts().await.unwrap();
            self.in_flight += counts.leased + counts.handed_over;
            let now = self.clock.now();
            for (host, known) in &self.store.tables().hosts {
                let until = known.pace.block_until.filter(|until| *until > now);
                self.committed_blocks.extend(until.map(|until| (host.as_str().to_owned(), now, until)));
            }
        }
        end
    }

    async fn start(&self, fuse: &Fuse, index: &Arc<MemoryFrontier>) -> Roles {
        let store: Arc<dyn Store> = Fused::new(fuse, Arc::clone(&self.store));
        let leases: Arc<dyn Leases> = Fused::new(fuse, Arc::clone(index));
        let reports = Fused::new(fuse, Arc::clone(index));
        let front: Arc<dyn Front> = Arc::clone(index) as _;
        let progress = Arc::new(LastProgress::default());
        let delay = Delay::Fixed(self.plan.delay);
        let settings = Settings { concurrency: self.plan.concurrency, lease: self.plan.limits.lease };
        let job_settings = JobSettings {
            per_host: self.plan.per_host,
            delay,
            robots: Robots::Obey { token: "huntsman".into(), refused: Refused::default() },
            sitemaps: if self.web.sitemaps { Sitemaps::Read { max_bytes: 1 << 20 } } else { Sitemaps::Skip },
            links: KeepLinks::All,
            retries: 2,
            withholding: Withholding::default(),
        };
        let row = store.open_crawl("sim", "{}", self.clock.now()).await.unwrap();
        let mut scope = Scope::new(&ScopeRules::default()).unwrap();
        for host in self.web.robots.keys() {
            scope.add_seed(&Url::parse(&format!("http://{host}/")).unwrap(), ScopeKind::Host);
        }
        let scheduler = Scheduler {
            crawl: row.id,
            front,
            reports: reports.clone(),
            store: Arc::clone(&store),
            clock: self.clock,
            wait: LONGEST / 4,
            progress: Arc::clone(&progress),
            pass: Pass::default(),
        };
        scheduler
            .open(
                row.epoch,
                row.reopened,
                CrawlSettings { state: RunState::Running, delay, max_pages: None, stored: Some(0) },
            )
            .await
            .unwrap();
        let seed = Url::parse(&Web::seed()).unwrap();
        let key = UrlKey::of(&canonical(&seed));
        let origin = Origin::seed(ScopeKind::Host, None, Origin::PRIORITY);
        let found = Found { key, host: HostKey::of(&seed), url: seed.into(), origin };
        scheduler.seed(vec![found]).await.unwrap();
        let clock = self.clock;
        let listener = Arc::new(move |event: &Event<'_>| {
            if let Event::Visited { committed, .. } = event
                && committed.effective
                && committed.retry.is_none()
            {
                progress.touch(clock.now());
            }
        });
        let fetch = Fused::new(fuse, Arc::clone(&self.web));
        let reading = Reading::new(row.id, false, None, "huntsman");
        let job = Arc::new(Job::new(job_settings, fetch, reading, scope));
        let node = Arc::new(Node::new(leases, clock, settings, Jobs::One(job)));
        let storage = Arc::new(Storage::new(reports, Arc::clone(&store), clock, listener));
        Roles { scheduler, node, storage, store, clock }
    }

    /// Holds what the servers saw and what the store has against the truth.
    fn judge(&self) {
        self.judge_store();
        let log = self.web.log();
        let mut by_host: BTreeMap<&str, Vec<&Logged>> = BTreeMap::new();
        for logged in &log {
            by_host.entry(&logged.host).or_default().push(logged);
        }
        for (host, requests) in &by_host {
            self.judge_pace(host, requests);
            let mut asked = BTreeSet::new();
            for request in requests {
                let url = format!("http://{host}{}", request.path);
                if request.path == "/robots.txt" {
                    asked.insert(request.process);
                    continue;
                }
                assert!(asked.contains(&request.process), "{url} was asked for before robots.txt");
                assert!(!self.web.is_disallowed(&url), "{url} is disallowed");
            }
        }
        self.judge_repeats(&log);
    }

    fn judge_store(&self) {
        let tables = self.store.tables();
        let stored: BTreeMap<String, &str> =
            tables.urls.values().map(|row| (row.queued.url.clone(), row.state)).collect();
        assert_eq!(
            stored,
            self.web.truth(),
            "every reachable URL ends as the truth says, and no other is known"
        );
        for (key, times) in &tables.pages {
            assert_eq!(times.len(), 1, "a page is stored once: {key:?}");
        }
        let pages = stored.values().filter(|state| **state == "stored").count();
        assert_eq!(tables.pages.len(), pages);
        assert!(tables.urls.keys().all(|(crawl, _)| *crawl == CRAWL));
    }

    /// No two requests closer than the delay; and none before the end of a Retry-After, unless the process that was
    /// told died before it could write that down.
    fn judge_pace(&self, host: &str, requests: &[&Logged]) {
        if self.plan.per_host > 1 && self.plan.delay.is_zero() {
            return;
        }
        for pair in requests.windows(2) {
            let [before, after] = pair else { unreachable!("windows of two") };
            let from = before.answered.unwrap_or(before.at);
            let gap = after.at.since(from);
            assert!(after.at >= from, "{host}: two requests at a time: {before:?} {after:?}");
            assert!(gap >= self.plan.delay, "{host}: {gap:?} apart: {before:?} {after:?}");
            if let Some(span) = before.retry_after
                && before.process == after.process
            {
                assert!(gap >= span, "{host}: asked again in spite of Retry-After: {before:?} {after:?}");
            }
            // No page is asked for before robots.txt is known, wherever that was moved.
            let learned = requests.iter().any(|earlier| {
                let told = earlier.path != "/robots.txt" || earlier.status == Some(200);
                told && earlier.process == after.process && earlier.at < after.at
            });
            if let Some(delay) = self.web.crawl_delay(host)
                && learned
            {
                assert!(gap >= delay, "{host}: faster than its Crawl-delay: {before:?} {after:?}");
            }
        }
        for (blocked, died, until) in &self.committed_blocks {
            let early =
                requests.iter().find(|request| host == blocked && request.at > *died && request.at < *until);
            assert!(early.is_none(), "{host} was asked in its committed block until {until}: {early:?}");
        }
    }

    /// At most what was leased or handed over at the deaths is fetched again.
    fn judge_repeats(&self, log: &[Logged]) {
        let mut fetched: HashMap<(&str, &str), usize> = HashMap::new();
        for request in
            log.iter().filter(|request| request.path != "/robots.txt" && request.status == Some(200))
        {
            *fetched.entry((&request.host, &request.path)).or_default() += 1;
        }
        let repeats: usize = fetched.values().map(|times| times - 1).sum();
        assert!(
            repeats <= self.in_flight,
            "{repeats} pages were fetched again, {} were in flight",
            self.in_flight
        );
    }
}

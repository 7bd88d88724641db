//! An installation on a paused clock: real nodes, storage stages and schedulers, each a process of its own that dies, is
//! stopped or asked to end, on one shared index that forgets and one store, over lines that lose what they carry.
//! All that is drawn follows from the seed that a failure prints; only the order in which tokio looks at the branches of a
//! `select!` does not, so a replay runs its seed until it fails.
//!
//! `HUNTSMAN_SIM_SEEDS=FROM..TO cargo test --test it fleet_keeps` runs other seeds than the usual ones: `7..8` replays
//! one, and tells what befell it; `0..100000` is the long run.

mod chaos;
mod index;
mod judge;
mod lives;
mod process;
mod server;
mod store;
mod weather;

use super::web::Web;
use crate::model_store::ModelStore;
use crate::rng::Rng;
use chaos::{Fault, Plan};
use huntsman::clock::Clock;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Origin};
use huntsman::crawl::report::Found;
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::{UrlKey, canonical};
use huntsman::frontier::memory::Limits;
use huntsman::settings::environment;
use huntsman::store::{CrawlState, Store};
use index::Shared;
use process::Process;
use server::Server;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::Leader;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use url::Url;
use weather::Weather;

/// Seeds in one test run.
const SEEDS: Range<u64> = 0..5_000;
/// Runs of the one seed of a replay, unless one fails before.
const REPLAYS: u32 = 300;
/// Length of a lease.
const LEASE: Duration = Duration::from_secs(2);
/// So long after the last fault has passed, every crawl is over: the leadership of a dead process runs out, an epoch is
/// opened and waited for, and what was lost on the way comes with the next pass over the store; blocks and retries too.
const BOUND: Duration = Duration::from_secs(400);

/// The installation.
struct World {
    plan: Plan,
    web: Arc<Web>,
    model: Arc<ModelStore>,
    leader: Arc<Mutex<Leader>>,
    shared: Arc<Shared>,
    weather: Arc<Weather>,
    clock: Clock,
    /// The process in each place.
    places: Vec<Mutex<Arc<Process>>>,
    started: AtomicU32,
    is_calm: AtomicBool,
    rng: Mutex<Rng>,
}

#[test]
fn a_fleet_keeps_its_promises_whatever_befalls_it() {
    let range = environment::variable("HUNTSMAN_SIM_SEEDS").map_or(SEEDS, |text| {
        let (from, to) = text.split_once("..").expect("HUNTSMAN_SIM_SEEDS=FROM..TO");
        from.parse().unwrap()..to.parse().unwrap()
    });
    if range.end - range.start == 1 {
        return (1..=REPLAYS).for_each(|run| simulate(range.start, true, run == REPLAYS));
    }
    let failed = &Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 0..2 {
            let seeds = range.clone().filter(move |seed| seed % 2 == worker);
            scope.spawn(move || {
                for seed in seeds {
                    if let Err(why) = catch_unwind(AssertUnwindSafe(|| simulate(seed, false, false))) {
                        let text = why.downcast_ref::<String>().cloned();
                        let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                        failed.lock().unwrap().push((seed, text.unwrap_or_default()));
                    }
                }
            });
        }
    });
    let mut failed = failed.lock().unwrap();
    failed.sort_unstable();
    let seeds: Vec<u64> = failed.iter().map(|(seed, _)| *seed).collect();
    println!("simulation of a fleet: seeds {range:?}, {} failed: {seeds:?}", failed.len());
    assert!(failed.is_empty(), "failing seeds: {:#?}", &failed[..failed.len().min(5)]);
}

/// Runs one seed; tells what befell it where it fails, or in any case.
fn simulate(seed: u64, tells_failure: bool, tells: bool) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = Arc::new(World::new(seed));
        let judged = AssertUnwindSafe(async {
            world.run().await;
            world.judge();
        });
        let result = futures_util::FutureExt::catch_unwind(judged).await;
        if tells || (tells_failure && result.is_err()) {
            println!("{:#?}\n{:#?}", world.plan, world.web);
            world.tell();
        }
        if let Err(why) = result {
            std::panic::resume_unwind(why);
        }
    });
}

impl World {
    fn new(seed: u64) -> Self {
        let clock = Clock::start_at(Timestamp::from_millis(1_000_000));
        let mut rng = Rng::new(seed ^ 0x00f1_ee70);
        let plan = Plan::new(&mut rng);
        let limits = Limits {
            lease: LEASE,
            urls: plan.urls,
            host_urls: plan.host_urls,
            stream_entries: plan.stream_entries,
            seen: 10_000,
            ..Limits::default()
        };
        let shared = Shared {
            server: Mutex::new(Server::new(limits)),
            leasable: Notify::new(),
            appended: Notify::new(),
        };
        let mut web = Web::new(seed, clock);
        web.slow = plan.slow;
        Self {
            web: Arc::new(web),
            model: Arc::default(),
            leader: Arc::default(),
            shared: Arc::new(shared),
            weather: Arc::new(Weather::new(seed, plan.noise, clock)),
            clock,
            places: (0..plan.places()).map(|_| Mutex::new(Process::new(0, clock))).collect(),
            started: AtomicU32::new(0),
            is_calm: AtomicBool::new(false),
            rng: Mutex::new(rng),
            plan,
        }
    }

    /// From the first seed to the end of every crawl.
    async fn run(self: &Arc<Self>) {
        self.begin_crawls().await;
        let mut places = JoinSet::new();
        for place in 0..self.places.len() {
            places.spawn(Arc::clone(self).live(place));
        }
        self.befall().await;
        self.weather.note("calm");
        let calm = self.clock.now();
        while !self.is_over() {
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert!(self.clock.now() < calm + BOUND, "the crawls do not end: {}", self.state());
            if let Some(ended) = places.try_join_next() {
                ended.unwrap();
            }
        }
        let ended = places.try_join_next();
        assert!(ended.is_none(), "a process ended for good: {ended:?}");
        self.shared.server.lock().unwrap().index.check();
    }

    /// The operator's part: seeds for every host, in each crawl.
    async fn begin_crawls(&self) {
        for (at, delay) in self.plan.delays.iter().enumerate() {
            let settings = delay.as_millis().to_string();
            let now = self.clock.now();
            let row = self.model.open_crawl(&format!("crawl {at}"), &settings, now).await.unwrap();
            let found = self.seeds().into_iter().map(|seed| {
                let url = Url::parse(&seed).unwrap();
                let key = UrlKey::of(&canonical(&url));
                let origin = Origin::seed(ScopeKind::Host, None, Origin::PRIORITY);
                Found { key, host: HostKey::of(&url), url: seed, origin }
            });
            self.model.accept(row.id, found.collect(), now).await.unwrap();
            self.model.set_seeded(row.id, true).await.unwrap();
        }
    }

    fn seeds(&self) -> Vec<String> {
        self.web.robots.keys().map(|host| format!("http://{host}/")).collect()
    }

    fn crawls(&self) -> impl Iterator<Item = CrawlId> + use<> {
        (1..=self.plan.delays.len() as i64).map(CrawlId)
    }

    /// Whether every crawl is noted as finished; where a host can never be asked, whether all else is done.
    fn is_over(&self) -> bool {
        let stuck = self.web.robots.keys().any(|host| self.web.robots_loops(host));
        if !stuck {
            return self.model.tables().crawls.iter().all(|row| row.state == CrawlState::Finished);
        }
        let open = |crawl| {
            let tables = self.model.tables();
            let rows = tables.urls.iter().filter(|((of, _), row)| *of == crawl && row.state == "open");
            rows.filter(|(_, row)| !self.web.robots_loops(row.queued.host.as_str())).count()
        };
        self.crawls().all(|crawl| open(crawl) == 0)
    }

    /// All that was drawn goes wrong, and heals.
    async fn befall(&self) {
        let mut heals = self.clock.now();
        for (pause, fault) in &self.plan.faults {
            tokio::time::sleep(*pause).await;
            let now = self.clock.now();
            self.weather.note(format!("{fault:?}"));
            let in_flight = self.shared.server.lock().unwrap().in_flight(now);
            let span = match *fault {
                Fault::Kill { place, steps } => {
                    self.place(place).dies_after(steps);
                    Duration::ZERO
                }
                Fault::Stop { place, span } => {
                    self.weather.excuse(in_flight);
                    self.place(place).stops_until(now + span);
                    span
                }
                Fault::Ask { place } => {
                    self.place(place).asked_to_stop.cancel();
                    Duration::ZERO
                }
                Fault::Forget => {
                    self.weather.excuse(in_flight);
                    self.shared.server.lock().unwrap().forget(now);
                    Duration::ZERO
                }
                Fault::Restart => {
                    self.weather.excuse(in_flight);
                    self.shared.server.lock().unwrap().restart(now);
                    Duration::ZERO
                }
                Fault::IndexAway { span } => {
                    self.weather.index_fails_for(span);
                    span
                }
                Fault::CutOff { place, span } => {
                    self.weather.cuts_off(self.place(place).number, span);
                    span
                }
                Fault::StoreAway { span } => {
                    self.weather.store_fails_for(span);
                    span
                }
            };
            heals = heals.max(now + span);
        }
        // What is lost here and there goes on for a while where nothing else happens.
        if self.plan.noise > 0 {
            heals = heals.max(self.clock.now() + Duration::from_secs(20));
        }
        self.clock.sleep_until(heals).await;
        self.weather.clears();
        self.is_calm.store(true, Ordering::Relaxed);
        for place in 0..self.places.len() {
            self.place(place).dies_after(i64::MAX);
        }
    }

    fn place(&self, place: usize) -> Arc<Process> {
        Arc::clone(&self.places[place].lock().unwrap())
    }

    /// What stands where, for a failure.
    fn state(&self) -> String {
        let tables = self.model.tables();
        let open: Vec<_> =
            tables.urls.values().filter(|row| row.state == "open").map(|row| &row.queued).collect();
        let server = self.shared.server.lock().unwrap();
        let counts = server.index.counts(self.clock.now());
        format!(
            "{counts:?}, open in {:?}: {:?}, mark {:?}",
            tables.crawls,
            &open[..open.len().min(3)],
            server.mark
        )
    }
}

//! The lives of the processes: each place is filled again after a death, with the roles put together as real processes
//! put them.

use super::super::web::Web;
use super::process::{Asking, Process};
use super::{LEASE, World, index, store};
use huntsman::crawl::assess::{KeepLinks, Withholding};
use huntsman::crawl::lease::CrawlId;
use huntsman::crawl::politeness::Delay;
use huntsman::crawl::robots::Refused;
use huntsman::crawl::scope::{Scope, ScopeRules};
use huntsman::frontier::CrawlRules;
use huntsman::node::{self, Job, JobSettings, Jobs, Node, Published, Reading, Robots, Sitemaps};
use huntsman::scheduler::SchedulerError;
use huntsman::scheduler::fleet::{Fleet, Led, Told};
use huntsman::storage::Storage;
use huntsman::store::StoreError;
use huntsman::wiring::lead::Lead;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use url::Url;

/// How long a process that waits for the store looks away.
const LOOK: Duration = Duration::from_secs(1);

impl World {
    /// One process after another in this place.
    pub(super) async fn live(self: Arc<Self>, place: usize) {
        loop {
            let number = self.started.fetch_add(1, Ordering::Relaxed) + 1;
            let process = Process::new(number, self.clock);
            *self.places[place].lock().unwrap() = Arc::clone(&process);
            self.weather.note(format!("process {number} starts in place {place}"));
            let is_node = place >= self.plan.schedulers + self.plan.storages;
            let life = async {
                if place < self.plan.schedulers {
                    self.schedule(&process).await;
                } else if is_node {
                    self.visit(&process).await;
                } else {
                    self.write(&process).await;
                }
            };
            tokio::select! {
                biased;
                () = process.dead.cancelled() => {
                    if is_node {
                        let now = self.clock.now();
                        let leased = self.shared.server.lock().unwrap().index.counts(now).leased;
                        self.weather.excuse(leased);
                    }
                    self.weather.note(format!("process {number} died"));
                }
                () = life => self.weather.note(format!("process {number} ended")),
            }
            if !self.is_calm.load(Ordering::Relaxed) {
                let away = self.rng.lock().unwrap().range(0..self.plan.away);
                tokio::time::sleep(Duration::from_millis(away)).await;
            }
        }
    }

    fn reached_index(&self, process: &Arc<Process>) -> Arc<index::Reached> {
        index::Reached::new(Arc::clone(process), Arc::clone(&self.weather), Arc::clone(&self.shared))
    }

    fn reached_store(&self, process: &Arc<Process>) -> Arc<store::Reached> {
        let (weather, model) = (Arc::clone(&self.weather), Arc::clone(&self.model));
        let leader = Arc::clone(&self.leader);
        Arc::new(store::Reached { process: Arc::clone(process), weather, model, leader })
    }

    /// A node, as `wiring::fleet::run_node`.
    async fn visit(&self, process: &Arc<Process>) {
        let asking = Arc::new(Asking { process: Arc::clone(process), web: Arc::clone(&self.web) });
        let (per_host, web) = (self.plan.per_host, Arc::clone(&self.web));
        let make = move |crawl: CrawlId, rules: &CrawlRules| {
            Ok(job(crawl, rules, per_host, &web, Arc::clone(&asking)))
        };
        let jobs = Jobs::Published(Published::new(Box::new(make)));
        let settings = node::Settings { concurrency: self.plan.concurrency, lease: LEASE };
        let index = self.reached_index(process);
        let node = Arc::new(Node::new(index.clone(), self.clock, settings, jobs));
        node.run(&process.asked_to_stop).await.expect("no index is unusable");
        assert_eq!(index.left_behind(), 0, "a node that ends in order gives back its leases");
    }

    /// A storage stage, as `wiring::fleet::run_storage`.
    async fn write(&self, process: &Arc<Process>) {
        let (index, store) = (self.reached_index(process), self.reached_store(process));
        let storage = Storage::new(index, store, self.clock, Arc::new(|_| {})).for_installation();
        storage.run(&process.asked_to_stop).await.expect("no store is unusable");
    }

    /// A scheduler, as `wiring::fleet::run_scheduler`.
    async fn schedule(&self, process: &Arc<Process>) {
        let (index, store) = (self.reached_index(process), self.reached_store(process));
        let stop = &process.asked_to_stop;
        while !stop.is_cancelled() {
            let taken = Lead::take(store.clone(), "scheduler", "sim", || {});
            let lead = match tokio::select! { lead = taken => lead, () = stop.cancelled() => return } {
                Ok(lead) => lead,
                Err(StoreError::Busy(_)) => continue,
                Err(StoreError::Unavailable(_)) => {
                    self.clock.sleep_until(self.clock.now() + LOOK).await;
                    continue;
                }
                Err(why) => panic!("{why}"),
            };
            self.weather.note(format!("process {} leads", process.number));
            let (lost, fence) = (lead.lost(), lead.fence());
            let fleet = Fleet {
                front: index.clone(),
                reports: index.clone(),
                store: store.clone(),
                crawls: store.clone(),
                leadership: store.clone(),
                clock: self.clock,
                read: Box::new(|stored| Ok(Told { delay: delay(stored), max_pages: None })),
                lease: LEASE,
            };
            let ended = tokio::select! {
                ended = fleet.lead(fence, stop) => ended,
                () = lost.cancelled() => Ok(Led::Deposed),
            };
            match ended {
                Ok(Led::Stopped) => _ = lead.resign().await,
                Ok(Led::Deposed) => {}
                // The process ends with an error; whoever watches it starts it again.
                Err(SchedulerError::Store(StoreError::Unavailable(why))) => {
                    self.weather.note(format!("process {} gives up: {why}", process.number));
                    return;
                }
                Err(why) => panic!("{why}"),
            }
        }
    }
}

/// The settings of a crawl are its delay in milliseconds.
fn delay(settings: &str) -> Delay {
    Delay::Fixed(Duration::from_millis(settings.parse().unwrap()))
}

fn job(crawl: CrawlId, rules: &CrawlRules, per_host: usize, web: &Web, asking: Arc<Asking>) -> Job {
    let settings = JobSettings {
        per_host,
        delay: delay(&rules.settings),
        robots: Robots::Obey { token: "huntsman".into(), refused: Refused::default() },
        sitemaps: if web.sitemaps { Sitemaps::Read { max_bytes: 1 << 20 } } else { Sitemaps::Skip },
        links: KeepLinks::All,
        retries: 2,
        withholding: Withholding::default(),
    };
    let mut scope = Scope::new(&ScopeRules::default()).unwrap();
    for (seed, kind) in &rules.seeds {
        scope.add_seed(&Url::parse(seed).unwrap(), *kind);
    }
    Job::new(settings, asking, Reading::new(crawl, false, None, "huntsman"), scope)
}

//! Faults by chance, several at a time: `tests/chaos --seed N --minutes M`. A round is told from its seed alone.

use super::Weather;
use super::crew::Crew;
use super::faults::say;
use super::form::{self, now};
use super::installation::{Installation, Plan};
use crate::rng::Rng;
use crate::servers::proxy::Proxy;
use std::time::Duration;

/// What can go wrong in a round. Those with a span are over after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    NodeDies,
    StorageDies,
    SchedulerDies,
    NodeStandsStill,
    StorageStandsStill,
    SchedulerStandsStill,
    RedisRestarts,
    RedisIsFlushed,
    RedisStandsStill,
    RedisIsFull,
    RedisIsFarAway,
    RedisIsSilent,
    RedisIsDeaf,
    LinesToRedisAreCut,
    LinesToRedisAreReset,
    PostgresRestarts,
    PostgresDies,
    PostgresIsSilent,
    PostgresIsFarAway,
}

const FAULTS: [Fault; 19] = [
    Fault::NodeDies,
    Fault::StorageDies,
    Fault::SchedulerDies,
    Fault::NodeStandsStill,
    Fault::StorageStandsStill,
    Fault::SchedulerStandsStill,
    Fault::RedisRestarts,
    Fault::RedisIsFlushed,
    Fault::RedisStandsStill,
    Fault::RedisIsFull,
    Fault::RedisIsFarAway,
    Fault::RedisIsSilent,
    Fault::RedisIsDeaf,
    Fault::LinesToRedisAreCut,
    Fault::LinesToRedisAreReset,
    Fault::PostgresRestarts,
    Fault::PostgresDies,
    Fault::PostgresIsSilent,
    Fault::PostgresIsFarAway,
];

/// A fault with its moment and its span, both from the start of the round.
#[derive(Debug, Clone, Copy)]
struct Planned {
    fault: Fault,
    from: Duration,
    until: Duration,
}

/// Two to four faults that overlap.
fn schedule(rng: &mut Rng) -> Vec<Planned> {
    let mut planned: Vec<Planned> = (0..rng.range(2..5))
        .map(|_| {
            let from = Duration::from_millis(rng.range(0..3_000));
            let until = from + Duration::from_millis(rng.range(500..6_000));
            Planned { fault: rng.pick(&FAULTS), from, until }
        })
        .collect();
    // One of a kind: two of them would heal each other.
    planned.sort_by_key(|one| one.fault as u8);
    planned.dedup_by_key(|one| one.fault);
    if planned.iter().any(|one| one.fault == Fault::PostgresRestarts) {
        planned.retain(|one| one.fault != Fault::PostgresDies);
    }
    planned
}

/// An installation whose lines to Redis and Postgres can be disturbed.
struct Round {
    installation: Installation,
    crew: Crew,
    redis: Proxy,
    postgres: Proxy,
    index: String,
    store: String,
    started: usize,
}

impl Round {
    fn start() -> Self {
        let mut installation = Installation::start(Plan { pages: 60, own_postgres: true, ..Plan::default() });
        let (redis, index) = installation.line_to_redis();
        let (postgres, store) = installation.line_to_postgres();
        let crew = Crew::default();
        let mut round = Self { installation, crew, redis, postgres, index, store, started: 0 };
        for _ in 0..2 {
            round.start_node();
            round.start_storage();
        }
        let seeds = ["seeds.txt"];
        let first =
            round.installation.scheduler_at("1", &round.index, &round.store, &["--name", "t"], &seeds);
        round.crew.schedulers.push(first);
        round.start_scheduler();
        round
    }

    fn name(&mut self) -> String {
        self.started += 1;
        self.started.to_string()
    }

    fn start_node(&mut self) {
        let name = self.name();
        self.crew.nodes.push(self.installation.node_at(&name, &self.index, &[]));
    }

    fn start_storage(&mut self) {
        let name = self.name();
        self.crew.storages.push(self.installation.storage_at(&name, &self.index, &self.store));
    }

    fn start_scheduler(&mut self) {
        let name = self.name();
        let scheduler =
            self.installation.scheduler_at(&name, &self.index, &self.store, &["--name", "t"], &[]);
        self.crew.schedulers.push(scheduler);
    }

    fn begin(&mut self, fault: Fault) {
        match fault {
            Fault::NodeDies => self.crew.nodes.remove(0).kill(),
            Fault::StorageDies => self.crew.storages.remove(0).kill(),
            Fault::SchedulerDies => self.crew.schedulers.remove(0).kill(),
            // The last one: the first one may die.
            Fault::NodeStandsStill => self.crew.nodes.last().unwrap().freeze(),
            Fault::StorageStandsStill => self.crew.storages.last().unwrap().freeze(),
            Fault::SchedulerStandsStill => self.crew.schedulers.last().unwrap().freeze(),
            Fault::RedisRestarts => self.installation.redis().stop(),
            Fault::RedisIsFlushed => self.installation.redis().try_ask(&["FLUSHALL"]),
            Fault::RedisStandsStill => self.installation.redis().try_signal("STOP"),
            Fault::RedisIsFull => self.installation.redis().try_ask(&["CONFIG", "SET", "maxmemory", "1mb"]),
            Fault::LinesToRedisAreReset => {
                self.redis.reset();
                self.redis.close();
            }
            Fault::PostgresRestarts => self.installation.server().signal("INT"),
            Fault::PostgresDies => self.installation.server().kill(),
            _ => {}
        }
        self.set_weather(fault, true);
    }

    fn end(&mut self, fault: Fault) {
        match fault {
            Fault::NodeDies => self.start_node(),
            Fault::StorageDies => self.start_storage(),
            Fault::SchedulerDies => self.start_scheduler(),
            Fault::NodeStandsStill => self.crew.nodes.iter().for_each(super::process::Role::thaw),
            Fault::StorageStandsStill => self.crew.storages.iter().for_each(super::process::Role::thaw),
            Fault::SchedulerStandsStill => self.crew.schedulers.iter().for_each(super::process::Role::thaw),
            Fault::RedisRestarts => self.installation.redis().start_again(),
            Fault::RedisStandsStill => self.installation.redis().try_signal("CONT"),
            Fault::RedisIsFull => self.installation.redis().try_ask(&["CONFIG", "SET", "maxmemory", "0"]),
            Fault::LinesToRedisAreReset => self.redis.open(),
            Fault::PostgresRestarts | Fault::PostgresDies => {
                let server = self.installation.server();
                self.installation.runtime.block_on(server.restart_when_ended());
            }
            _ => {}
        }
        self.set_weather(fault, false);
    }

    fn set_weather(&self, fault: Fault, bad: bool) {
        let change = |line: &Proxy, weather: Weather| line.set(if bad { weather } else { Weather::fine() });
        match fault {
            Fault::RedisIsFarAway => change(&self.redis, Weather::slow(Duration::from_millis(150))),
            Fault::RedisIsSilent => change(&self.redis, Weather::black_hole()),
            Fault::RedisIsDeaf => change(&self.redis, Weather { mute: true, ..Weather::fine() }),
            Fault::LinesToRedisAreCut => {
                change(&self.redis, Weather { cut_after: Some(15_000), ..Weather::fine() });
            }
            Fault::PostgresIsSilent => change(&self.postgres, Weather::black_hole()),
            Fault::PostgresIsFarAway => change(&self.postgres, Weather::slow(Duration::from_millis(100))),
            _ => {}
        }
    }
}

/// One round: what was seen, or what did not hold.
fn round(seed: u64) -> String {
    let planned = schedule(&mut Rng::new(seed));
    say(&format!("seed {seed}: {planned:?}"));
    let mut round = Round::start();
    round.installation.wait_for_share(10);
    let mut in_hand = round.installation.in_hand_standing(&round.crew).all();
    let mut steps: Vec<(Duration, bool, Fault)> = Vec::new();
    for one in &planned {
        steps.extend([(one.from, true, one.fault), (one.until, false, one.fault)]);
    }
    steps.sort_by_key(|(at, ..)| *at);
    let began = now();
    for (at, begins, fault) in steps {
        std::thread::sleep(at.saturating_sub(began.elapsed()));
        if begins {
            in_hand += round.installation.in_hand().all();
            round.begin(fault);
        } else {
            round.end(fault);
        }
    }
    // What could not be said to a server that stood still.
    round.end(Fault::RedisIsFull);
    let healed = now();
    round.installation.wait_for_the_end_within(Duration::from_secs(240));
    let (to_the_end, verdict) = (healed.elapsed(), round.installation.judge());
    let allowed = in_hand + round.installation.plan.hosts as usize * planned.len();
    round.installation.assert_all_is_well(usize::MAX);
    let Round { crew, installation, .. } = round;
    crew.end();
    drop(installation);
    format!(
        "seed {seed}: held; {to_the_end:.1?} to the end; {verdict}, {allowed} in hand at most; {planned:?}"
    )
}

#[test]
fn faults_that_overlap_lose_nothing_and_double_nothing() {
    let seed = form::number("CHAOS_SEED").unwrap_or(1);
    let span = Duration::from_secs(60 * form::number("CHAOS_MINUTES").unwrap_or(0));
    let began = now();
    let mut rounds = 0;
    while rounds == 0 || began.elapsed() < span {
        let told = round(seed + rounds);
        rounds += 1;
        say(&told);
    }
}

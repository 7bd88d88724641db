//! What an installation promises as a whole: processes that die all the time, several crawls at once, an index that is
//! rebuilt, and more nodes that are faster.

use super::crew::Crew;
use super::form::{self, now};
use super::installation::{Installation, Plan};
use super::process::Role;
use super::redis::strike;
use crate::rng::Rng;
use crate::servers::redis::RedisServer;
use std::fmt::Write;
use std::time::Duration;

/// Says what was seen past the capture of the test runner.
macro_rules! say {
    ($($what:tt)*) => { super::faults::say(&format!($($what)*)) };
}

/// A scheduler is killed once in so many deaths: the next one has to wait until its lead runs out.
const SCHEDULERS: u64 = 10;

/// Kills one process and starts another like it; answers with what was in hand then.
fn replace(
    installation: &Installation,
    crew: &mut Crew,
    rng: &mut Rng,
    number: usize,
) -> (usize, &'static str) {
    let name = format!("n{number}");
    let take = |roles: &mut Vec<Role>, rng: &mut Rng| roles.remove(rng.range(0..roles.len() as u64) as usize);
    let all = crew.nodes.len() as u64 + crew.storages.len() as u64;
    let at = rng.range(0..all);
    if rng.range(0..SCHEDULERS) == 0 {
        let in_hand = installation.kill(take(&mut crew.schedulers, rng));
        crew.schedulers.push(installation.scheduler(&name, &[]));
        (in_hand.all(), "a scheduler")
    } else if at < crew.nodes.len() as u64 {
        let in_hand = installation.kill(take(&mut crew.nodes, rng));
        crew.nodes.push(installation.node(&name));
        (in_hand.all(), "a node")
    } else {
        let in_hand = installation.kill(take(&mut crew.storages, rng));
        crew.storages.push(installation.storage(&name));
        (in_hand.all(), "a storage stage")
    }
}

/// Every two seconds a process dies; Redis and Postgres are restarted once each, or Redis is flushed.
fn many_deaths(seed: u64, is_flushed: bool) -> String {
    let (hosts, pages) = form::of((12, 40), (200, 100));
    let delay = Duration::from_millis(form::of(100, 500));
    let plan = Plan { hosts, pages, delay, own_postgres: true, ..Plan::default() };
    let mut installation = Installation::start(plan);
    let mut crew = installation.crew(4, 2);
    let mut rng = Rng::new(seed);
    let (mut deaths, mut in_hand, mut restarted) = (0, 0, 0);
    let truth = installation.web.truth.len() as i64;
    let began = now();
    installation.wait("the first pages", Duration::from_secs(60), || installation.pages() > i64::from(hosts));
    let finished = "SELECT count(*) FROM crawls WHERE state = 'finished'";
    let mut died = String::new();
    while installation.number(finished) != Some(1) {
        assert!(
            began.elapsed() < Duration::from_secs(1_200),
            "it does not end: {died} {}",
            installation.logs()
        );
        let pages = installation.pages();
        let share = pages * 100 / truth;
        if restarted == 0 && share >= form::of(25, 30) && !is_flushed {
            in_hand += strike(&mut installation, &crew, RedisServer::restart).all();
            restarted = 1;
            write!(died, "{share} %: Redis; ").unwrap();
        } else if restarted == 0 && share >= 50 && is_flushed {
            in_hand += strike(&mut installation, &crew, |redis| redis.ask(&["FLUSHALL"])).all();
            restarted = 2;
            write!(died, "{share} %: Redis flushed; ").unwrap();
        } else if restarted == 1 && share >= 60 {
            installation.server().signal("INT");
            installation.runtime.block_on(installation.server().restart_when_ended());
            restarted = 2;
            write!(died, "{share} %: Postgres; ").unwrap();
        }
        let (held, what) = replace(&installation, &mut crew, &mut rng, deaths);
        in_hand += held;
        deaths += 1;
        write!(died, "{share} %: {what} ({held} in hand); ").unwrap();
        std::thread::sleep(Duration::from_secs(2));
    }
    let took = began.elapsed();
    let verdict = installation.assert_all_is_well(in_hand);
    crew.end();
    format!("seed {seed}: {deaths} deaths in {took:.0?}; {verdict}, {in_hand} in hand at the deaths ({died})")
}

#[test]
fn a_fleet_loses_nothing_while_a_process_dies_every_two_seconds() {
    say!("{}", many_deaths(form::number("CHAOS_SEED").unwrap_or(1), false));
}

#[test]
fn a_fleet_loses_nothing_when_redis_forgets_everything_as_well() {
    say!("{}", many_deaths(form::number("CHAOS_SEED").unwrap_or(2), true));
}

#[test]
fn two_crawls_over_the_same_hosts_share_one_pace_and_both_end() {
    let (hosts, pages) = form::of((6, 20), (100, 100));
    let installation = Installation::start(Plan { hosts, pages, ..Plan::default() });
    let mut crew = installation.crew(2, 1);
    let (index, store) = (installation.index.url(), &installation.store);
    crew.schedulers.push(installation.scheduler_at("2", &index, store, &["--name", "u"], &["seeds.txt"]));
    installation.wait("both crawls", Duration::from_secs(30), || {
        installation.number("SELECT count(*) FROM crawls") == Some(2)
    });
    installation.wait_for_the_end_within(Duration::from_secs(300));
    let verdict = installation.assert_all_is_well(0);
    let rows = installation.texts("SELECT count(*)::text FROM pages GROUP BY crawl_id");
    let truth = installation.web.truth.len().to_string();
    assert_eq!(rows, [truth.clone(), truth]);
    crew.end();
    say!("two crawls at once: {verdict}");
}

/// Waits until so many URLs are in the queues of Redis, and says how long that took.
fn wait_for_queued(installation: &mut Installation, enough: i64, most: Duration) -> Duration {
    const QUEUED: &str = "local n = 0 \
        for _, k in ipairs(redis.call('KEYS', '*:q:*')) do n = n + redis.call('LLEN', k) end return n";
    let began = now();
    loop {
        let count: i64 = installation.redis().ask(&["EVAL", QUEUED, "0"]);
        let waited = began.elapsed();
        if count >= enough {
            return waited;
        }
        assert!(waited < most, "{count} of {enough} after {waited:?}: {}", installation.logs());
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn an_index_that_was_lost_is_rebuilt_within_half_a_minute() {
    let urls: i64 = form::of(40_000, 1_000_000);
    let mut installation = Installation::start(Plan { hosts: 1, pages: 1, ..Plan::default() });
    installation.write_seeds("long.txt", urls as usize, (urls as usize / 1_000).max(40));
    let scheduler = installation.scheduler("1", &["long.txt"]);
    // A shard is full at its share, and hosts are not spread evenly.
    let enough = urls * 9 / 10;
    wait_for_queued(&mut installation, enough, Duration::from_secs(600));
    installation.redis().ask::<()>(&["FLUSHALL"]);
    let took = wait_for_queued(&mut installation, enough, Duration::from_secs(120));
    say!("an index of {urls} open URLs was filled again to nine tenths in {took:.1?}");
    assert!(took < Duration::from_secs(30));
    let (code, _) = scheduler.end();
    assert_eq!(code, Some(0));
}

/// Pages a second between a tenth and nine tenths of the requests, by the log of the web.
fn pace_of(nodes: usize, plan: &Plan) -> f64 {
    let installation = Installation::start(plan.clone());
    let crew = installation.crew(nodes, 2);
    installation.wait_for_the_end_within(Duration::from_secs(300));
    installation.assert_lost_nothing();
    let requests = installation.requests();
    let pages: Vec<Duration> = requests.iter().filter(|one| one.is_page()).map(|one| one.at).collect();
    let (from, to) = (pages.len() / 10, pages.len() * 9 / 10);
    crew.end();
    (to - from) as f64 / pages[to].saturating_sub(pages[from]).as_secs_f64()
}

#[test]
fn more_nodes_are_faster_where_the_web_is_slow() {
    let latency = Duration::from_millis(form::of(200, 50));
    let (hosts, pages) = form::of((60, 6), (400, 50));
    let concurrency = form::of(4, 16);
    let plan = Plan { hosts, pages, latency, concurrency, delay: Duration::ZERO, ..Plan::default() };
    let plan = Plan { lease: Duration::from_secs(form::of(3, 15)), ..plan };
    let times = form::of(1, 3);
    let median = |nodes: usize| {
        let mut speeds: Vec<f64> = (0..times).map(|_| pace_of(nodes, &plan)).collect();
        speeds.sort_by(f64::total_cmp);
        say!("{nodes} nodes: {speeds:.0?} pages a second");
        speeds[times / 2]
    };
    let one = median(1);
    let two = form::is_full().then(|| median(2) / one);
    let four = median(4) / one;
    say!("{one:.0} pages a second by one node; two: {two:.2?} times as many; four: {four:.2} times");
    assert!(four >= form::of(2.0, 3.8), "four nodes are only {four:.2} times as fast as one");
}

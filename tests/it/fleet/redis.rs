//! A Redis that dies, forgets, is full, stands still or says that it cannot.

use super::Weather;
use super::crew::Crew;
use super::faults::held;
use super::form;
use super::installation::{InHand, Installation, Plan};
use crate::rng::Rng;
use crate::servers::redis::RedisServer;
use std::time::Duration;

/// Does this to Redis while every role stands still for a moment, so that what is in hand is what was counted.
pub(super) fn strike(
    installation: &mut Installation,
    crew: &Crew,
    blow: impl FnOnce(&mut RedisServer),
) -> InHand {
    let roles = || crew.nodes.iter().chain(&crew.storages);
    roles().for_each(super::process::Role::freeze);
    let in_hand = installation.in_hand();
    blow(installation.redis());
    roles().for_each(super::process::Role::thaw);
    in_hand
}

/// F06: SIGKILL, two seconds of nothing, and a start with all that was written.
#[test]
fn a_redis_that_is_killed_and_started_again_costs_only_what_was_in_hand() {
    let settings: &[&str] = &["--appendonly", "yes"];
    let mut installation = Installation::start(Plan { redis_settings: settings, ..Plan::default() });
    let mut crew = installation.crew(2, 1);
    installation.wait_for_share(40);
    let in_hand = strike(&mut installation, &crew, RedisServer::stop);
    std::thread::sleep(Duration::from_secs(2));
    crew.assert_all_run();
    installation.redis().start_again();
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(in_hand.all());
    crew.end();
    let seen = format!("{verdict}; {in_hand} at the kill");
    held("F06", "a_redis_that_is_killed_and_started_again_costs_only_what_was_in_hand", &seen);
}

/// F07: the power fails, and with it the end of what Redis had written.
#[test]
fn a_redis_that_lost_the_end_of_its_file_costs_only_what_was_in_hand() {
    let settings: &[&str] = &["--appendonly", "yes"];
    let mut installation = Installation::start(Plan { redis_settings: settings, ..Plan::default() });
    let crew = installation.crew(2, 1);
    let mut rng = Rng::new(form::number("CHAOS_SEED").unwrap_or(7));
    installation.wait_for_share(40);
    let mut lost = 0;
    let in_hand = strike(&mut installation, &crew, |redis| {
        redis.stop();
        let folder = redis.folder().join("appendonlydir");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let file = files.max_by_key(|file| file.metadata().unwrap().len()).unwrap();
        let length = file.metadata().unwrap().len();
        lost = rng.range(1..length);
        std::fs::OpenOptions::new().write(true).open(file).unwrap().set_len(length - lost).unwrap();
        redis.start_again();
    });
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(in_hand.all());
    crew.end();
    let seen = format!("{lost} bytes were cut off; {verdict}; {in_hand} then");
    held("F07", "a_redis_that_lost_the_end_of_its_file_costs_only_what_was_in_hand", &seen);
}

/// F08: FLUSHALL.
#[test]
fn a_redis_that_is_flushed_is_filled_again() {
    let mut installation = Installation::start(Plan::default());
    let crew = installation.crew(2, 1);
    installation.wait_for_share(40);
    let in_hand = strike(&mut installation, &crew, |redis| redis.ask::<()>(&["FLUSHALL"]));
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(in_hand.all());
    crew.end();
    held("F08", "a_redis_that_is_flushed_is_filled_again", &format!("{verdict}; {in_hand} then"));
}

/// F08: failover to a replica that had stood still.
#[test]
fn a_replica_that_knew_only_the_past_takes_over_and_loses_nothing() {
    let free =
        || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let mut installation = Installation::start(Plan::default());
    let port = free();
    installation.redis().ask::<()>(&["CONFIG", "SET", "port", &port, "repl-diskless-sync-delay", "0"]);
    let replica = RedisServer::start_with(&["--replicaof", &format!("127.0.0.1 {port}")]);
    let (line, index) = installation.line_to_redis();
    let mut crew = Crew::default();
    let store = installation.store.clone();
    crew.schedulers.push(installation.scheduler_at("1", &index, &store, &["--name", "t"], &["seeds.txt"]));
    crew.nodes.extend(["0", "1"].map(|name| installation.node_at(name, &index, &[])));
    crew.storages.push(installation.storage_at("0", &index, &store));
    installation.wait_for_share(20);
    installation.wait("the replica", Duration::from_secs(20), || {
        replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up")
    });
    replica.signal("STOP");
    installation.wait_for_share(50);
    let in_hand = strike(&mut installation, &crew, |primary| {
        primary.stop();
        replica.signal("CONT");
        replica.ask::<()>(&["REPLICAOF", "NO", "ONE"]);
        line.lead_to(&replica.socket());
    });
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(in_hand.all());
    crew.end();
    let seen = format!("{verdict}; {in_hand} then");
    held("F08", "a_replica_that_knew_only_the_past_takes_over_and_loses_nothing", &seen);
}

/// F09: the memory of Redis is full.
#[test]
fn a_redis_that_is_full_drains_and_goes_on_when_there_is_room() {
    let mut installation = Installation::start(Plan { hosts: 10, pages: 60, ..Plan::default() });
    let mut crew = installation.crew(2, 1);
    installation.wait_for_share(10);
    let before = installation.pages();
    installation.redis().ask::<()>(&["CONFIG", "SET", "maxmemory", "1mb"]);
    std::thread::sleep(Duration::from_secs(form::of(4, 60)));
    let meanwhile = installation.pages() - before;
    let said = crew.schedulers[0].said() + &crew.storages[0].said();
    crew.assert_all_run();
    installation.redis().ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    installation.wait_for_the_end_within(Duration::from_secs(150));
    let verdict = installation.assert_all_is_well(0);
    assert!(meanwhile > 0, "nothing drained while it was full");
    assert!(said.contains("full"), "nobody said that it is full: {said}");
    crew.end();
    let seen = format!("{meanwhile} pages were stored while it was full; {verdict}");
    held("F09", "a_redis_that_is_full_drains_and_goes_on_when_there_is_room", &seen);
}

/// F10: Redis stands still for longer than a lease.
#[test]
fn a_redis_that_stands_still_is_waited_for() {
    for seconds in form::of(&[5][..], &[5, 30, 120]) {
        let mut installation = Installation::start(Plan::default());
        let mut crew = installation.crew(2, 1);
        installation.wait_for_share(40);
        let in_hand = strike(&mut installation, &crew, |redis| redis.signal("STOP"));
        std::thread::sleep(Duration::from_secs(*seconds));
        installation.redis().signal("CONT");
        let thawed = form::now();
        let then = installation.pages();
        installation.wait("the first page after it", Duration::from_secs(60), || installation.pages() > then);
        let resumed = thawed.elapsed();
        crew.assert_all_run();
        installation.wait_for_the_end();
        let verdict = installation.assert_all_is_well(in_hand.all());
        crew.end();
        let seen = format!("{seconds} s; the next page {resumed:.1?} after it; {verdict}; {in_hand} then");
        held("F10", "a_redis_that_stands_still_is_waited_for", &seen);
    }
}

/// F10: everything that is said to Redis takes 200 ms longer.
#[test]
fn a_redis_that_is_far_away_slows_the_crawl_and_breaks_nothing() {
    let mut installation = Installation::start(Plan { pages: form::of(15, 60), ..Plan::default() });
    let (line, index) = installation.line_to_redis();
    let mut crew = Crew::default();
    let store = installation.store.clone();
    crew.schedulers.push(installation.scheduler_at("1", &index, &store, &["--name", "t"], &["seeds.txt"]));
    crew.nodes.extend(["0", "1"].map(|name| installation.node_at(name, &index, &[])));
    crew.storages.push(installation.storage_at("0", &index, &store));
    installation.wait_for_share(10);
    line.set(Weather::slow(Duration::from_millis(100)));
    installation.wait_for_the_end();
    // An answer that takes most of a lease of two seconds may leave a request no time to end.
    let verdict = installation.assert_all_is_well(installation.plan.hosts as usize);
    crew.end();
    held("F10", "a_redis_that_is_far_away_slows_the_crawl_and_breaks_nothing", &verdict.to_string());
}

/// F11: Redis answers everything with an error for a second and a half.
#[test]
fn whatever_redis_says_that_it_cannot_do_now_is_waited_for() {
    const ERRORS: [&str; 7] = [
        "LOADING Redis is loading the dataset in memory",
        "READONLY You can't write against a read only replica.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "NOSCRIPT No matching script. Please use EVAL.",
        "CLUSTERDOWN The cluster is down",
    ];
    let mut installation = Installation::start(Plan { pages: 80, ..Plan::default() });
    let (line, index) = installation.line_to_redis();
    let mut crew = Crew::default();
    let store = installation.store.clone();
    crew.schedulers.push(installation.scheduler_at("1", &index, &store, &["--name", "t"], &["seeds.txt"]));
    crew.nodes.extend(["0", "1"].map(|name| installation.node_at(name, &index, &[])));
    crew.storages.push(installation.storage_at("0", &index, &store));
    installation.wait_for_share(5);
    let mut in_hand = 0;
    for error in ERRORS {
        in_hand += strike(&mut installation, &crew, |_| {
            line.set(Weather { error: Some(error.into()), ..Weather::fine() });
            line.reset();
        })
        .all();
        std::thread::sleep(Duration::from_millis(1_500));
        crew.assert_all_run();
        line.set(Weather::fine());
        line.reset();
        let then = installation.pages();
        installation.wait(error, Duration::from_secs(30), || {
            installation.pages() > then || installation.pages() == installation.web.truth.len() as i64
        });
    }
    installation.redis().ask::<()>(&["SCRIPT", "FLUSH"]);
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(in_hand);
    crew.end();
    let seen = format!("{} errors and SCRIPT FLUSH; {verdict}; {in_hand} in hand then", ERRORS.len());
    held("F11", "whatever_redis_says_that_it_cannot_do_now_is_waited_for", &seen);
}

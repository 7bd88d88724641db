//! What a million hosts cost: `cargo test --test it footprint -- --ignored --nocapture --test-threads 1`.

use super::subject::{ack, hand_off, limits, note, url};
use huntsman::crawl::lease::Pace;
use huntsman::crawl::time::Timestamp;
use huntsman::frontier::memory::{Index, Limits};
use huntsman::frontier::{Handed, Next};
use std::time::Duration;

const HOSTS: usize = 1_000_000;
const START: Timestamp = Timestamp::from_millis(1_000_000);

/// Bytes of this process in memory.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1_024
}

fn measure(what: &str, mut each: impl FnMut(&mut Index, usize)) {
    let mut index = Index::new(Limits { urls: 1, host_urls: 1, seen: 0, ..limits() });
    let before = resident();
    for n in 0..HOSTS {
        each(&mut index, n);
    }
    let held = index.counts(START).hosts;
    let bytes = resident().saturating_sub(before) / HOSTS;
    println!("{HOSTS} hosts {what}: {bytes} bytes a host, {held} in the index");
}

fn visit(index: &mut Index, n: usize, pace: Option<Pace>) {
    let now = START + Duration::from_millis(n as u64);
    let host = format!("host-{n}.example.org");
    assert_eq!(index.admit(vec![url(&host, "1")], super::subject::CRAWL, &[], now), 1);
    let (Next::Leases(leases), _) = index.lease(1, now) else { panic!("it is due") };
    let mut last = hand_off(&leases[0], &leases[0].urls[0]);
    last.due = now + Duration::from_millis(250);
    last.note = pace.map(|pace| note(&host, pace));
    assert_eq!(index.hand_off(last, now), Handed::Accepted);
    let acks = index.take_reports(10).into_iter().map(|(id, _)| ack(id)).collect();
    index.acknowledge(acks, now);
}

#[test]
#[ignore = "a measurement"]
fn footprint_of_hosts_with_nothing_left() {
    measure("visited and done", |index, n| visit(index, n, None));
}

#[test]
#[ignore = "a measurement"]
fn footprint_of_hosts_with_a_pace_of_their_own() {
    let pace = Pace { crawl_delay: Some(Duration::from_millis(300)), ..Pace::default() };
    measure("visited and done, with a Crawl-delay", |index, n| visit(index, n, Some(pace)));
}

#[test]
#[ignore = "a measurement"]
fn footprint_of_hosts_that_wait_in_the_store() {
    measure("refused for want of room", |index, n| {
        let host = format!("host-{n}.example.org");
        index.admit(vec![url(&host, "1")], super::subject::CRAWL, &[], START);
    });
}

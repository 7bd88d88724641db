//! How many hosts the index in memory holds when very many have been visited.

use super::subject::{ack, hand_off, limits, note, url};
use huntsman::crawl::lease::Pace;
use huntsman::crawl::time::Timestamp;
use huntsman::frontier::memory::{Index, Limits};
use huntsman::frontier::{Handed, Next};
use std::time::Duration;

const HOSTS: usize = 20_000;
const START: Timestamp = Timestamp::from_millis(1_000_000);

/// Hosts that the index holds after `each` was done for all of them, one a millisecond.
fn held(mut each: impl FnMut(&mut Index, usize)) -> usize {
    let mut index = Index::new(Limits { urls: 1, host_urls: 1, seen: 0, ..limits() });
    for n in 0..HOSTS {
        each(&mut index, n);
    }
    index.counts(START).hosts
}

fn visit(index: &mut Index, n: usize, pace: Option<Pace>) {
    let now = START + Duration::from_millis(n as u64);
    let host = format!("host-{n}.example");
    assert_eq!(index.admit(vec![url(&host, "1")], super::subject::CRAWL, &[], now), 1);
    let (Next::Leases(leases), _) = index.lease(1, now) else { panic!("it is due") };
    let mut last = hand_off(&leases[0], &leases[0].urls[0]);
    last.due = now + Duration::from_millis(250);
    last.note = pace.map(|pace| note(&host, pace));
    assert_eq!(index.hand_off(last, now), Handed::Accepted);
    let acks = index.take_reports(10).into_iter().map(|(id, _)| ack(id)).collect();
    index.acknowledge(acks, now);
}

/// A host rests for 250 ms, so that many are busy; a few more wait to be looked at.
const FEW: usize = 500;

#[test]
fn hosts_with_nothing_left_take_no_room() {
    let held = held(|index, n| visit(index, n, None));
    assert!(held <= FEW, "{held} of {HOSTS} hosts are held");
}

#[test]
fn hosts_with_a_pace_of_their_own_leave_only_that() {
    let pace = Pace { crawl_delay: Some(Duration::from_millis(300)), ..Pace::default() };
    let held = held(|index, n| visit(index, n, Some(pace)));
    assert!(held <= FEW, "{held} of {HOSTS} hosts are held");
}

#[test]
fn hosts_that_wait_in_the_store_stay_to_be_refilled() {
    let held = held(|index, n| {
        let host = format!("host-{n}.example");
        index.admit(vec![url(&host, "1")], super::subject::CRAWL, &[], START);
    });
    assert_eq!(held, HOSTS);
}

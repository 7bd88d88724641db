//! What the scheduler is promised: [`Front`](huntsman::frontier::Front).

use super::subject::{
    Backend, CRAWL, MOMENT, SECOND, Subject, ack, almost, host_key, limits, note, paths, release, url,
};
use huntsman::crawl::lease::{CrawlId, Pace};
use huntsman::crawl::politeness::Delay;
use huntsman::crawl::time::Timestamp;
use huntsman::frontier::memory::Limits;
use huntsman::frontier::{Ack, Blocked, Borrowed, CrawlSettings, Low, Release, RunState};
use std::time::Duration;

fn blocked_until(until: Timestamp) -> Pace {
    Pace { block_until: Some(until), strikes: 1, ..Pace::default() }
}

pub(super) async fn new_settings_hold_from_then_on(backend: Backend) {
    let subject = backend.with(limits(), Duration::ZERO, Some(1)).await;
    subject.admit_paths("a", &["1", "2", "3"]).await;
    let lease = subject.one().await;
    assert_eq!(lease.urls.len(), 1);
    subject.release(&lease, subject.now()).await;
    subject.set(CRAWL, Duration::ZERO, None).await;
    assert_eq!(subject.one().await.urls.len(), 3);
}

pub(super) async fn pages_stored_before_count_against_the_budget(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let delay = Delay::Fixed(Duration::ZERO);
    let settings = CrawlSettings { state: RunState::Running, delay, max_pages: Some(5), stored: Some(3) };
    subject.index.front.settings(CRAWL, settings).await.unwrap();
    subject.admit_paths("a", &["1", "2", "3"]).await;
    assert_eq!(subject.one().await.urls.len(), 2);
    subject.index.front.settings(CRAWL, CrawlSettings { stored: Some(5), ..settings }).await.unwrap();
    assert!(subject.counts().await.budget_spent);
}

pub(super) async fn tokens_begin_with_the_number_of_the_epoch(backend: Backend) {
    let subject = backend.unopened(limits()).await;
    subject.set(CRAWL, Duration::ZERO, None).await;
    subject.index.front.open_epoch(7, Vec::new(), false).await.unwrap();
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    assert_eq!(lease.token.0 >> 32, 7);
    let Borrowed::Granted(token, _) = subject.index.leases.borrow_host(&host_key("b")).await.unwrap() else {
        panic!("the host is free")
    };
    assert_eq!(token.0 >> 32, 7);
}

pub(super) async fn the_first_epoch_keeps_no_host_waiting(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.admit_paths("a", &["1"]).await;
    subject.one().await;
}

pub(super) async fn after_another_epoch_no_host_is_asked_for_one_full_delay(backend: Backend) {
    let subject = backend.unopened(limits()).await;
    subject.set(CRAWL, SECOND, None).await;
    let slow = Pace { crawl_delay: Some(3 * SECOND), ..Pace::default() };
    let paces = vec![(host_key("slow"), slow)];
    subject.index.front.open_epoch(2, paces, true).await.unwrap();
    let (quiet, quiet_slow) = (subject.quiet(SECOND), subject.quiet(3 * SECOND));
    subject.pass(quiet / 2).await;
    for host in ["new", "slow"] {
        subject.admit_paths(host, &["1"]).await;
        let borrowed = subject.index.leases.borrow_host(&host_key(&format!("{host}er"))).await.unwrap();
        assert!(matches!(borrowed, Borrowed::NotBefore(_)), "nor lent: {borrowed:?}");
    }
    subject.pass(almost(quiet / 2)).await;
    subject.nothing_to_lease().await;
    subject.pass(MOMENT).await;
    assert_eq!(subject.one().await.host, host_key("new"));
    subject.pass(almost(quiet_slow.saturating_sub(quiet))).await;
    let leased = subject.lease(10).await;
    assert!(leased.iter().all(|lease| lease.host != host_key("slow")));
    subject.pass(MOMENT).await;
    let slow_one = subject.one().await;
    assert_eq!((slow_one.host, slow_one.pace), (host_key("slow"), slow));
}

pub(super) async fn after_another_epoch_a_newcomer_overtakes_nobody(backend: Backend) {
    let subject = backend.unopened(limits()).await;
    subject.set(CRAWL, SECOND, None).await;
    subject.index.front.open_epoch(2, Vec::new(), true).await.unwrap();
    subject.pass(subject.quiet(SECOND) + SECOND).await;
    subject.admit_paths("first", &["1"]).await;
    subject.pass(SECOND).await;
    subject.admit_paths("last", &["1"]).await;
    assert_eq!(subject.lease(1).await[0].host, host_key("first"));
}

pub(super) async fn the_paces_of_the_store_hold(backend: Backend) {
    let subject = backend.unopened(limits()).await;
    subject.set(CRAWL, Duration::ZERO, None).await;
    let pace = blocked_until(subject.now() + 5 * SECOND);
    subject.index.front.open_epoch(1, vec![(host_key("a"), pace)], false).await.unwrap();
    subject.admit_paths("a", &["1"]).await;
    subject.pass(almost(5 * SECOND)).await;
    subject.nothing_to_lease().await;
    subject.pass(MOMENT).await;
    assert_eq!(subject.one().await.pace, pace);
}

async fn low(subject: &Subject) -> Vec<Low> {
    subject.index.front.low(10).await.unwrap()
}

pub(super) async fn a_host_is_low_only_after_an_admission_was_refused(backend: Backend) {
    let limits = Limits { host_urls: 8, ..limits() };
    let subject = backend.with(limits, Duration::ZERO, None).await;
    subject.admit_paths("whole", &["1"]).await;
    subject.admit_paths("short", &["1", "2", "3", "4", "5", "6", "7", "8", "9"]).await;
    assert!(low(&subject).await.is_empty(), "neither ran low and was cut short");
    for lease in subject.lease(2).await {
        subject.finish(&lease).await;
    }
    subject.acknowledge_all().await;
    assert_eq!(low(&subject).await, [Low { host: host_key("short"), held: 0, room: 8 }]);
    subject.refill("short", &["9"], true).await;
    assert!(low(&subject).await.is_empty(), "all of it is here");
}

pub(super) async fn a_low_host_says_what_it_holds_and_has_room_for(backend: Backend) {
    let limits = Limits { host_urls: 8, ..limits() };
    let subject = backend.with(limits, Duration::ZERO, None).await;
    let all = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    subject.admit_paths("a", &all).await;
    let lease = subject.one().await;
    for url in &lease.urls[..2] {
        subject.hand_off(&lease, url).await;
    }
    assert_eq!(low(&subject).await, [Low { host: host_key("a"), held: 8, room: 0 }]);
    subject.acknowledge_all().await;
    assert_eq!(low(&subject).await, [Low { host: host_key("a"), held: 6, room: 2 }]);
}

pub(super) async fn so_many_low_hosts_at_most(backend: Backend) {
    let limits = Limits { urls: 1, ..limits() };
    let subject = backend.with(limits, Duration::ZERO, None).await;
    for host in ["a", "b", "c", "d"] {
        subject.admit_paths(host, &["1"]).await;
    }
    assert_eq!(subject.index.front.low(2).await.unwrap().len(), 2);
    assert_eq!(low(&subject).await.len(), 3);
}

pub(super) async fn a_host_that_blocks_us_is_not_low_before_it_could_be_visited(backend: Backend) {
    let limits = Limits { host_urls: 8, ..limits() };
    let subject = backend.with(limits, SECOND, None).await;
    let until = subject.now() + 5 * SECOND;
    subject.learn("a", Pace { block_until: Some(until), ..Pace::default() }).await;
    let all = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
    subject.admit_paths("a", &all).await;
    assert_eq!(subject.index.front.make_room().await.unwrap(), 7);
    assert!(low(&subject).await.is_empty());
    subject.clock.sleep_until(until).await;
    assert_eq!(low(&subject).await.len(), 1);
}

pub(super) async fn room_is_what_is_left_of_the_bound(backend: Backend) {
    let limits = Limits { urls: 3, ..limits() };
    let subject = backend.with(limits, Duration::ZERO, None).await;
    assert_eq!(subject.index.front.room().await.unwrap(), 3);
    subject.admit_paths("a", &["1", "2"]).await;
    assert_eq!(subject.index.front.room().await.unwrap(), 1);
    let lease = subject.one().await;
    subject.finish(&lease).await;
    assert_eq!(subject.index.front.room().await.unwrap(), 1, "handed over is not gone");
    subject.acknowledge_all().await;
    assert_eq!(subject.index.front.room().await.unwrap(), 3);
}

pub(super) async fn make_room_leaves_one_url_of_each_blocked_host(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let until = subject.now() + 60 * SECOND;
    for host in ["a", "b"] {
        subject.learn(host, blocked_until(until)).await;
        subject.admit_paths(host, &["1", "2", "3"]).await;
    }
    subject.admit_paths("open", &["1", "2", "3"]).await;
    assert_eq!(subject.index.front.make_room().await.unwrap(), 4);
    assert_eq!(subject.held().await, (5, 0, 0));
    assert_eq!(subject.index.front.make_room().await.unwrap(), 0);
    assert_eq!(subject.one().await.urls.len(), 3, "hosts that do not block us keep theirs");
    subject.clock.sleep_until(until).await;
    let leases = subject.lease(10).await;
    let blocked: Vec<_> = leases.iter().filter(|lease| lease.host != host_key("open")).collect();
    assert_eq!(blocked.len(), 2);
    assert!(blocked.iter().all(|lease| paths(&lease.urls) == ["1"]), "the first stays");
}

pub(super) async fn room_is_made_on_many_hosts_with_many_urls(backend: Backend) {
    let many = Limits { urls: 200_000, host_urls: 5_000, ..limits() };
    let subject = backend.with(many, Duration::ZERO, None).await;
    let until = subject.now() + 60 * SECOND;
    let urls: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    for host in 0..20 {
        let host = format!("h{host}");
        subject.learn(&host, blocked_until(until)).await;
        subject.admit_paths(&host, &urls).await;
    }
    assert_eq!(subject.index.front.make_room().await.unwrap(), 20 * 299);
    assert_eq!(subject.held().await, (20, 0, 0));
}

pub(super) async fn what_made_room_comes_back_by_refill(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let until = subject.now() + 60 * SECOND;
    subject.learn("a", blocked_until(until)).await;
    subject.admit_paths("a", &["1", "2", "3"]).await;
    assert_eq!(subject.index.front.make_room().await.unwrap(), 2);
    subject.clock.sleep_until(until).await;
    assert_eq!(low(&subject).await.iter().map(|low| low.host.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(subject.refill("a", &["1", "2", "3"], true).await, 2);
    assert_eq!(paths(&subject.one().await.urls), ["1", "2", "3"]);
}

pub(super) async fn a_refill_passes_over_what_is_queued_leased_or_handed_over(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.admit_paths("a", &["1"]).await;
    assert_eq!(subject.refill("a", &["1"], true).await, 0, "queued");
    let lease = subject.one().await;
    assert_eq!(subject.refill("a", &["1"], true).await, 0, "leased");
    subject.finish(&lease).await;
    assert_eq!(subject.refill("a", &["1", "2"], true).await, 1, "handed over");
    assert_eq!(subject.held().await, (1, 0, 1));
}

pub(super) async fn a_refill_takes_no_more_than_there_is_room_for(backend: Backend) {
    let limits = Limits { urls: 3, host_urls: 2, ..limits() };
    let subject = backend.with(limits, Duration::ZERO, None).await;
    assert_eq!(subject.refill("a", &["1", "2", "3"], true).await, 2);
    assert_eq!(subject.refill("b", &["1", "2"], true).await, 1);
    for lease in subject.lease(2).await {
        subject.finish(&lease).await;
    }
    subject.acknowledge_all().await;
    assert_eq!(low(&subject).await.len(), 2, "both have more in the store");
}

pub(super) async fn a_refill_that_is_not_complete_leaves_the_host_low(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    assert_eq!(subject.refill("a", &["1"], false).await, 1);
    assert_eq!(low(&subject).await.len(), 1);
    assert_eq!(subject.refill("a", &["1", "2"], true).await, 1);
    assert!(low(&subject).await.is_empty());
}

pub(super) async fn what_was_acknowledged_during_a_refill_is_passed_over(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    subject.finish(&lease).await;
    let taken = subject.entries().await;
    subject.index.front.begin_refill().await.unwrap();
    subject.acknowledge(vec![ack(taken[0].0)]).await;
    assert_eq!(subject.refill("a", &["1", "2"], true).await, 1, "1 was closed after SQL was read");
    subject.index.front.end_refill().await.unwrap();
    subject.index.front.begin_refill().await.unwrap();
    assert_eq!(subject.refill("a", &["1"], true).await, 1, "SQL was read after it was opened again");
    subject.index.front.end_refill().await.unwrap();
}

pub(super) async fn counts_add_up_at_every_step(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2", "3"]).await;
    assert_eq!(subject.held().await, (3, 0, 0));
    let lease = subject.one().await;
    assert_eq!(subject.held().await, (0, 3, 0));
    subject.hand_off(&lease, &lease.urls[0]).await;
    assert_eq!(subject.held().await, (0, 2, 1));
    subject.release(&lease, subject.now()).await;
    assert_eq!(subject.held().await, (2, 0, 1));
    let (id, _) = subject.entries().await.remove(0);
    subject.acknowledge(vec![Ack { id, requeue: Some(url("a", "1")), stored: false }]).await;
    assert_eq!(subject.held().await, (3, 0, 0));
}

pub(super) async fn counts_name_the_next_due_time(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    assert_eq!(subject.counts().await.next_due, None);
    subject.admit_paths("a", &["1"]).await;
    assert_eq!(subject.counts().await.next_due, None, "a visit is possible now");
    let lease = subject.one().await;
    let due = subject.now() + SECOND;
    subject.release(&lease, due).await;
    assert_eq!(subject.counts().await.next_due, Some(due));
    subject.clock.sleep_until(due).await;
    assert_eq!(subject.counts().await.next_due, None);
}

pub(super) async fn blocked_hosts_are_told_with_their_urls_and_the_first_end(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    let (first, second) = (subject.now() + 5 * SECOND, subject.now() + 9 * SECOND);
    for (host, until) in [("a", second), ("b", first), ("c", first - 4 * SECOND)] {
        subject.learn(host, blocked_until(until)).await;
    }
    let blocked = async || subject.index.front.blocked().await.unwrap();
    assert_eq!(blocked().await, Blocked::default(), "nothing waits for them");
    subject.admit_paths("a", &["1", "2"]).await;
    subject.admit_paths("b", &["1"]).await;
    subject.admit_paths("c", &["1"]).await;
    subject.clock.sleep_until(first - SECOND).await;
    assert_eq!(blocked().await, Blocked { hosts: 2, urls: 3, until: Some(first) });
    subject.clock.sleep_until(first).await;
    assert_eq!(blocked().await, Blocked { hosts: 1, urls: 2, until: Some(second) });
    subject.clock.sleep_until(second).await;
    assert_eq!(blocked().await, Blocked::default());
}

/// Visits one URL each of `hosts`, from admission to acknowledgement.
async fn visit(subject: &Subject, hosts: impl Iterator<Item = String>) {
    for host in hosts {
        assert_eq!(subject.admit_paths(&host, &["1"]).await, 1);
        let lease = subject.one().await;
        let due = subject.now() + SECOND / 10;
        let mut last = super::subject::hand_off(&lease, &lease.urls[0]);
        last.due = due;
        subject.index.leases.hand_off(last).await.unwrap();
        assert_eq!(subject.acknowledge_all().await, 1);
        subject.clock.sleep_until(due).await;
    }
}

pub(super) async fn a_host_with_nothing_left_leaves_the_index(backend: Backend) {
    let subject = backend.with_delay(SECOND / 10).await;
    visit(&subject, (0..500).map(|n| format!("h{n}"))).await;
    let hosts = subject.counts().await.hosts;
    assert!(hosts <= 50, "{hosts} hosts are held though nothing is left of any");
    let again = url("h0", "2");
    assert_eq!(subject.admit(&[again]).await, 1);
    subject.one().await;
}

pub(super) async fn a_host_with_a_pace_of_its_own_keeps_it(backend: Backend) {
    let subject = backend.with_delay(SECOND / 10).await;
    let slow = Pace { crawl_delay: Some(7 * SECOND), ..Pace::default() };
    let far = subject.now() + Duration::from_secs(3_600);
    subject.learn("slow", slow).await;
    subject.learn("blocked", blocked_until(far)).await;
    visit(&subject, (0..500).map(|n| format!("h{n}"))).await;
    subject.admit_paths("blocked", &["1"]).await;
    subject.refill("slow", &["1", "2"], true).await;
    let lease = subject.one().await;
    assert_eq!((lease.host, lease.pace, lease.urls.len()), (host_key("slow"), slow, 1));
    assert_eq!(subject.index.front.blocked().await.unwrap().until, Some(far));
}

pub(super) async fn a_host_that_rests_does_not_leave(backend: Backend) {
    let subject = backend.with_delay(SECOND / 10).await;
    let far = subject.now() + Duration::from_secs(3_600);
    // A due time without a block, a note that is not committed, a tail in the store.
    for host in ["due", "noted"] {
        subject.admit_paths(host, &["1"]).await;
        let lease = subject.one().await;
        let mut last = super::subject::hand_off(&lease, &lease.urls[0]);
        last.due = if host == "due" { far } else { subject.now() };
        subject.index.leases.hand_off(last).await.unwrap();
        assert_eq!(subject.acknowledge_all().await, 1);
    }
    let Borrowed::Granted(token, _) = subject.index.leases.borrow_host(&host_key("noted")).await.unwrap()
    else {
        panic!("the host is free")
    };
    let note = Some(note("noted", Pace::default()));
    let end = Release { host: host_key("noted"), token, due: subject.now(), note };
    subject.index.leases.release(end).await.unwrap();
    let unacknowledged = subject.entries().await;
    subject.refill("tail", &[], false).await;
    visit(&subject, (0..500).map(|n| format!("h{n}"))).await;
    for host in ["due", "noted"] {
        subject.admit_paths(host, &["2"]).await;
    }
    subject.nothing_to_lease().await;
    assert_eq!(low(&subject).await.iter().map(|low| low.host.as_str()).collect::<Vec<_>>(), ["tail"]);
    subject.acknowledge(vec![ack(unacknowledged[0].0)]).await;
    let lease = subject.one().await;
    assert_eq!(lease.host, host_key("noted"));
    subject.index.leases.release(release(&lease, far)).await.unwrap();
    subject.clock.sleep_until(far).await;
    assert_eq!(subject.lease(10).await.len(), 2);
}

pub(super) async fn a_host_that_left_is_as_quiet_after_another_epoch_as_before(backend: Backend) {
    let subject = backend.unopened(limits()).await;
    subject.set(CrawlId(1), SECOND, None).await;
    let pace = Pace { crawl_delay: Some(60 * SECOND), ..Pace::default() };
    let paces = (0..500).map(|n| (host_key(&format!("h{n}")), pace)).collect();
    subject.index.front.open_epoch(2, paces, true).await.unwrap();
    for host in ["h0", "h250", "h499"] {
        subject.admit_paths(host, &["1"]).await;
    }
    subject.pass(almost(subject.quiet(60 * SECOND))).await;
    subject.nothing_to_lease().await;
    subject.pass(MOMENT).await;
    let leases = subject.lease(10).await;
    assert_eq!(leases.iter().map(|lease| lease.pace).collect::<Vec<_>>(), [pace; 3]);
}

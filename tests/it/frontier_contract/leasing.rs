//! What nodes are promised of [`Leases::lease`](huntsman::frontier::Leases::lease) and `renew`.

use super::subject::{Backend, LEASE, MOMENT, SECOND, ack, almost, hand_off, host_key, limits, paths, url};
use huntsman::crawl::lease::{CrawlId, Pace, Token};
use huntsman::crawl::report::{Entry, Outcome};
use huntsman::frontier::memory::Limits;
use huntsman::frontier::{Ack, GUARD, Handed, LEASE_URLS, QUARANTINE};
use std::collections::BTreeSet;
use std::time::Duration;

pub(super) async fn hosts_that_are_due_are_leased_up_to_the_number_asked_for(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    for host in ["a", "b", "c"] {
        subject.admit_paths(host, &["1"]).await;
    }
    let first = subject.lease(2).await;
    let second = subject.lease(2).await;
    assert_eq!((first.len(), second.len()), (2, 1));
    let hosts: BTreeSet<_> = first.iter().chain(&second).map(|lease| lease.host.clone()).collect();
    assert_eq!(hosts.len(), 3, "each host once");
    subject.nothing_to_lease().await;
}

pub(super) async fn the_host_due_longest_goes_first(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    for (host, due) in [("a", 300), ("b", 100), ("c", 200)] {
        subject.admit_paths(host, &["1"]).await;
        let lease = subject.one().await;
        subject.release(&lease, subject.now() + Duration::from_millis(due)).await;
    }
    subject.pass(SECOND).await;
    let leases = subject.lease(3).await;
    let hosts: Vec<_> = leases.iter().map(|lease| lease.host.as_str()).collect();
    assert_eq!(hosts, ["b", "c", "a"]);
}

pub(super) async fn a_host_with_a_delay_gives_one_url(backend: Backend) {
    let subject = backend.with_delay(MOMENT).await;
    subject.admit_paths("a", &["1", "2", "3"]).await;
    assert_eq!(paths(&subject.one().await.urls), ["1"]);
}

pub(super) async fn a_host_without_a_delay_gives_several_urls(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let all: Vec<String> = (0..LEASE_URLS + 4).map(|n| n.to_string()).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    subject.admit_paths("a", &all).await;
    assert_eq!(paths(&subject.one().await.urls), all[..LEASE_URLS]);
}

pub(super) async fn a_crawl_delay_of_the_host_counts_as_its_delay(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let pace = Pace { crawl_delay: Some(SECOND), ..Pace::default() };
    subject.learn("a", pace).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    assert_eq!((paths(&lease.urls), lease.pace), (vec!["1"], pace));
}

pub(super) async fn where_crawls_differ_the_larger_delay_wins(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.set(CrawlId(2), SECOND, None).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    assert_eq!((lease.urls.len(), lease.delay), (1, SECOND), "also for the URL of the other crawl");
}

pub(super) async fn higher_priority_goes_first_and_then_the_first_come(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let mut urls: Vec<_> = ["1", "2", "3", "4"].map(|path| url("a", path)).into();
    urls[2].origin.priority = 9;
    urls[0].origin.priority = 0;
    subject.admit(&urls).await;
    assert_eq!(paths(&subject.one().await.urls), ["3", "2", "4", "1"]);
}

pub(super) async fn a_host_has_one_lease_at_most(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.admit_paths("a", &["1", "2"]).await;
    subject.one().await;
    subject.nothing_to_lease().await;
}

pub(super) async fn a_host_is_not_leased_before_its_due_time(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    let due = subject.now() + SECOND;
    let mut first = hand_off(&lease, &lease.urls[0]);
    first.due = due;
    subject.index.leases.hand_off(first).await.unwrap();
    subject.pass(almost(SECOND)).await;
    subject.nothing_to_lease().await;
    subject.pass(MOMENT).await;
    assert_eq!(paths(&subject.one().await.urls), ["2"]);
}

pub(super) async fn a_url_is_not_leased_before_its_own_due_time(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let mut later = url("a", "later");
    later.due = subject.now() + SECOND;
    subject.admit(&[later, url("a", "now")]).await;
    let lease = subject.one().await;
    assert_eq!(paths(&lease.urls), ["now"]);
    subject.finish(&lease).await;
    subject.nothing_to_lease().await;
    subject.pass(SECOND).await;
    assert_eq!(paths(&subject.one().await.urls), ["later"]);
}

pub(super) async fn an_answer_without_leases_names_the_next_point(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    for (host, due) in [("a", 700), ("b", 500)] {
        subject.admit_paths(host, &["1"]).await;
        let lease = subject.one().await;
        subject.release(&lease, subject.now() + Duration::from_millis(due)).await;
    }
    let at = subject.nothing_to_lease().await;
    assert!(at > subject.now() && at <= subject.now() + SECOND / 2, "{at}");
    subject.clock.sleep_until(at).await;
    assert_eq!(subject.one().await.host, host_key("b"));
}

pub(super) async fn lag_at_its_bound_stops_leasing(backend: Backend) {
    let limits = Limits { stream_entries: 2, ..limits() };
    let subject = backend.with(limits, Duration::ZERO, None).await;
    for host in ["a", "b", "c"] {
        subject.admit_paths(host, &["1"]).await;
    }
    for lease in subject.lease(2).await {
        subject.finish(&lease).await;
    }
    subject.nothing_to_lease().await;
    let taken = subject.entries().await;
    assert_eq!(taken.len(), 2);
    subject.nothing_to_lease().await;
    subject.acknowledge(vec![ack(taken[0].0)]).await;
    subject.one().await;
}

pub(super) async fn lag_in_bytes_at_its_bound_stops_leasing(backend: Backend) {
    let limits = Limits { stream_bytes: 200_000, ..limits() };
    let subject = backend.with(limits, Duration::ZERO, None).await;
    subject.admit_paths("a", &["1"]).await;
    subject.admit_paths("b", &["1"]).await;
    let leases = subject.lease(1).await;
    let mut large = hand_off(&leases[0], &leases[0].urls[0]);
    large.report.skipped = (0..100)
        .map(|n| huntsman::crawl::report::Skipped {
            key: huntsman::crawl::url::UrlKey::of(&n.to_string()),
            url: "x".repeat(2_000),
            reason: "scope",
            detail: "".into(),
            parked: None,
        })
        .collect();
    subject.index.leases.hand_off(large).await.unwrap();
    subject.nothing_to_lease().await;
    subject.acknowledge_all().await;
    subject.one().await;
}

pub(super) async fn the_budget_is_never_overleased(backend: Backend) {
    let subject = backend.with(limits(), Duration::ZERO, Some(3)).await;
    subject.admit_paths("a", &["1", "2"]).await;
    subject.admit_paths("b", &["1", "2"]).await;
    let leases = subject.lease(10).await;
    assert_eq!(leases.iter().map(|lease| lease.urls.len()).sum::<usize>(), 3);
    subject.nothing_to_lease().await;
    for lease in &leases {
        subject.finish(lease).await;
    }
    subject.nothing_to_lease().await;
    // Two were stored, one was not: one more may be visited.
    let ids: Vec<_> = subject.entries().await.into_iter().map(|(id, _)| id).collect();
    let acks = ids.iter().enumerate().map(|(n, id)| Ack { id: *id, requeue: None, stored: n < 2 });
    subject.acknowledge(acks.collect()).await;
    assert!(!subject.counts().await.budget_spent);
    let last = subject.one().await;
    assert_eq!(last.urls.len(), 1);
    subject.finish(&last).await;
    let (id, _) = subject.entries().await.remove(0);
    subject.acknowledge(vec![Ack { id, requeue: None, stored: true }]).await;
    assert!(subject.counts().await.budget_spent);
}

pub(super) async fn what_is_given_back_is_free_for_the_budget_again(backend: Backend) {
    let subject = backend.with(limits(), Duration::ZERO, Some(1)).await;
    subject.admit_paths("a", &["1"]).await;
    subject.admit_paths("b", &["1"]).await;
    let lease = subject.one().await;
    subject.release(&lease, subject.now() + SECOND).await;
    let other = subject.one().await;
    assert_ne!(lease.host, other.host);
    subject.pass(LEASE).await;
    assert_eq!(subject.one().await.host, lease.host, "and so is what expired");
}

pub(super) async fn an_expired_lease_is_handed_out_again(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let lost = subject.one().await;
    subject.pass(LEASE + GUARD).await;
    let again = subject.one().await;
    assert_eq!(again.urls, lost.urls);
    assert_ne!(again.token, lost.token);
    assert_eq!(subject.held().await, (0, 1, 0));
}

pub(super) async fn a_host_waits_for_the_guard_after_an_expiry(backend: Backend) {
    waits_after_an_expiry(backend, Duration::ZERO, GUARD).await;
}

pub(super) async fn a_host_waits_for_its_delay_after_an_expiry(backend: Backend) {
    waits_after_an_expiry(backend, 3 * SECOND, 3 * SECOND).await;
}

async fn waits_after_an_expiry(backend: Backend, delay: Duration, wait: Duration) {
    let subject = backend.with_delay(delay).await;
    subject.admit_paths("a", &["1"]).await;
    let lost = subject.one().await;
    subject.clock.sleep_until(lost.until + wait - MOMENT).await;
    subject.nothing_to_lease().await;
    subject.clock.sleep_until(lost.until + wait).await;
    subject.one().await;
}

pub(super) async fn urls_of_an_expired_lease_are_leased_alone(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    assert_eq!(subject.one().await.urls.len(), 2);
    subject.admit_paths("a", &["3", "4"]).await;
    subject.pass(LEASE + GUARD).await;
    let mut leased = Vec::new();
    for _ in 0..3 {
        let lease = subject.one().await;
        leased.push(paths(&lease.urls).join(" "));
        subject.finish(&lease).await;
    }
    assert_eq!(leased, ["1", "2", "3 4"], "in their order, before what came later");
}

pub(super) async fn a_url_alone_in_three_expired_leases_is_reported_as_failed(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let mut last = None;
    for _ in 0..QUARANTINE {
        assert!(subject.entries().await.is_empty());
        last = Some(subject.one().await);
        subject.pass(LEASE + GUARD).await;
    }
    subject.nothing_to_lease().await;
    let entries = subject.entries().await;
    let [(id, Entry::Report(report))] = &entries[..] else { panic!("one report: {entries:?}") };
    assert!(matches!(&report.outcome, Outcome::Failed { reason, .. } if reason == "quarantined"));
    assert_eq!(
        Some((report.url.clone(), report.token)),
        last.map(|lease| (lease.urls[0].clone(), lease.token))
    );
    assert_eq!(subject.held().await, (0, 0, 1));
    subject.acknowledge(vec![ack(*id)]).await;
    assert_eq!(subject.held().await, (0, 0, 0));
}

pub(super) async fn an_expired_lease_of_several_urls_convicts_none(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    assert_eq!(subject.one().await.urls.len(), 2);
    for _ in 0..QUARANTINE {
        subject.pass(LEASE + GUARD).await;
        assert_eq!(paths(&subject.one().await.urls), ["1"], "it was alone less than {QUARANTINE} times");
    }
    subject.pass(LEASE + GUARD).await;
    assert_eq!(paths(&subject.one().await.urls), ["2"]);
    assert_eq!(subject.entries().await.len(), 1);
}

pub(super) async fn a_visit_breaks_the_row_of_expired_leases(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    for round in 0..2 {
        for _ in 1..QUARANTINE {
            subject.one().await;
            subject.pass(LEASE + GUARD).await;
        }
        let lease = subject.one().await;
        subject.finish(&lease).await;
        let entries = subject.entries().await;
        assert_eq!(entries.len(), 1, "round {round}");
        let requeue = Some(lease.urls[0].clone());
        subject.acknowledge(vec![Ack { id: entries[0].0, requeue, stored: false }]).await;
    }
    subject.one().await;
}

pub(super) async fn no_token_is_drawn_twice(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let mut drawn = BTreeSet::new();
    subject.admit_paths("a", &["1"]).await;
    for _ in 0..20 {
        let lease = subject.one().await;
        assert!(drawn.insert(lease.token));
        subject.release(&lease, subject.now()).await;
    }
}

pub(super) async fn a_lease_says_when_it_expires(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let before = subject.now();
    let lease = subject.one().await;
    assert!(lease.until >= before + LEASE && lease.until <= subject.now() + LEASE);
    subject.clock.sleep_until(lease.until - MOMENT).await;
    assert_eq!(subject.hand_off(&lease, &lease.urls[0]).await, Handed::Accepted);
}

pub(super) async fn a_renewed_lease_runs_one_lease_length_from_then(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    for _ in 0..3 {
        subject.pass(LEASE * 3 / 4).await;
        assert!(subject.index.leases.renew(&[lease.token]).await.unwrap().is_empty());
    }
    subject.pass(almost(LEASE)).await;
    subject.nothing_to_lease().await;
    subject.pass(GUARD + MOMENT).await;
    let next = subject.one().await;
    assert_ne!(next.token, lease.token, "and no longer");
}

pub(super) async fn renewing_names_the_tokens_it_does_not_know(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    for host in ["a", "b", "c"] {
        subject.admit_paths(host, &["1"]).await;
    }
    let leases = subject.lease(3).await;
    let [expired, ended, held] = &leases[..] else { panic!("three leases") };
    subject.pass(LEASE / 2).await;
    assert!(subject.index.leases.renew(&[ended.token, held.token]).await.unwrap().is_empty());
    subject.finish(ended).await;
    subject.pass(LEASE / 2).await;
    let unheard = Token(-1);
    let tokens = [held.token, expired.token, ended.token, unheard];
    let unknown: BTreeSet<_> = subject.index.leases.renew(&tokens).await.unwrap().into_iter().collect();
    assert_eq!(unknown, BTreeSet::from([expired.token, ended.token, unheard]));
    assert_eq!(subject.hand_off(expired, &expired.urls[0]).await, Handed::Stale, "renewing revives none");
}

pub(super) async fn a_blocked_host_is_not_leased(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let until = subject.now() + 5 * SECOND;
    subject.learn("a", Pace { block_until: Some(until), strikes: 1, ..Pace::default() }).await;
    subject.admit_paths("a", &["1"]).await;
    subject.clock.sleep_until(until - MOMENT).await;
    subject.nothing_to_lease().await;
    subject.clock.sleep_until(until).await;
    subject.one().await;
}

pub(super) async fn a_host_that_was_silent_gives_several_urls(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.learn("a", Pace { strikes: 1, ..Pace::default() }).await;
    subject.admit_paths("a", &["1", "2", "3"]).await;
    assert_eq!(subject.one().await.urls.len(), 3, "if it is silent again, they share the attempt");
}

pub(super) async fn crawls_share_a_host_and_keep_their_urls_apart(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.set(CrawlId(2), Duration::ZERO, None).await;
    let mine = url("a", "1");
    let theirs = huntsman::crawl::lease::Queued { crawl: CrawlId(2), ..mine.clone() };
    assert_eq!(subject.admit(std::slice::from_ref(&mine)).await, 1);
    assert_eq!(subject.index.reports.admit(vec![theirs.clone()], CrawlId(2), &[]).await.unwrap(), 1);
    let lease = subject.one().await;
    assert_eq!(lease.urls, [mine.clone(), theirs.clone()]);
    assert_eq!(subject.hand_off(&lease, &theirs).await, Handed::Accepted);
    assert_eq!(subject.hand_off(&lease, &theirs).await, Handed::Stale);
    subject.release(&lease, subject.now()).await;
    assert_eq!(subject.one().await.urls, [mine]);
}

/// Hosts of `example.org`: itself, one with a port, and others.
const DOMAIN: [&str; 4] = ["example.org", "a.example.org", "b.example.org:8080", "c.d.example.org"];

pub(super) async fn hosts_of_one_domain_have_their_turns_one_after_the_other(backend: Backend) {
    let subject = backend.with_delay(8 * SECOND).await;
    for host in DOMAIN {
        subject.admit_paths(host, &["1"]).await;
    }
    let mut leased = vec![subject.one().await.host];
    subject.pass(almost(SECOND)).await;
    subject.nothing_to_lease().await;
    subject.pass(MOMENT).await;
    leased.push(subject.one().await.host);
    subject.nothing_to_lease().await;
    subject.pass(2 * SECOND).await;
    leased.extend(subject.lease(9).await.into_iter().map(|lease| lease.host));
    leased.sort();
    let mut all = DOMAIN.map(host_key);
    all.sort();
    assert_eq!(leased, all, "a turn that was missed is not lost");
}

pub(super) async fn the_turns_of_a_domain_are_not_those_of_another_or_longer_for_a_slow_host(
    backend: Backend,
) {
    let subject = backend.with_delay(8 * SECOND).await;
    let slow = Pace { crawl_delay: Some(3_600 * SECOND), ..Pace::default() };
    subject.learn(DOMAIN[0], slow).await;
    subject.pass(SECOND).await;
    for host in [DOMAIN[0], "h.example.net", "192.0.2.1", "single", "[2001:db8::1]:8080"] {
        subject.admit_paths(host, &["1"]).await;
    }
    assert_eq!(subject.lease(9).await.len(), 5, "each has a domain of its own, or none");
    subject.admit_paths(DOMAIN[1], &["1"]).await;
    subject.pass(SECOND).await;
    assert_eq!(subject.one().await.host, host_key(DOMAIN[1]));
}

pub(super) async fn without_a_delay_there_are_no_turns(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    for host in DOMAIN {
        subject.admit_paths(host, &["1"]).await;
    }
    assert_eq!(subject.lease(9).await.len(), DOMAIN.len());
}

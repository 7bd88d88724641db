//! What the storage stage is promised: [`Reports`](huntsman::frontier::Reports).

use super::subject::{Backend, CRAWL, SECOND, ack, hand_off, limits, note, paths, url};
use huntsman::crawl::lease::{CrawlId, Pace};
use huntsman::crawl::report::Entry;
use huntsman::crawl::url::UrlKey;
use huntsman::frontier::Ack;
use huntsman::frontier::memory::Limits;
use std::time::Duration;

const LINGER: Duration = Duration::from_millis(100);

pub(super) async fn reports_come_oldest_first_and_so_many_at_most(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2", "3", "4", "5"]).await;
    let lease = subject.one().await;
    subject.finish(&lease).await;
    let mut taken = Vec::new();
    for size in [2, 2, 1] {
        let batch = subject.index.reports.reports(2, Duration::ZERO).await.unwrap();
        assert_eq!(batch.len(), size);
        taken.extend(batch);
    }
    let urls: Vec<_> = taken.iter().map(|(_, entry)| entry_url(entry)).collect();
    assert_eq!(paths(&urls), ["1", "2", "3", "4", "5"]);
    assert!(taken.is_sorted_by_key(|(id, _)| *id));
    assert!(subject.entries().await.is_empty(), "each is given out once");
}

fn entry_url(entry: &Entry) -> huntsman::crawl::lease::Queued {
    let Entry::Report(report) = entry else { panic!("a report: {entry:?}") };
    report.url.clone()
}

pub(super) async fn reports_waits_for_the_first_entry(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    let taking = subject.index.reports.reports(10, Duration::ZERO);
    let handing = async {
        subject.pass(SECOND).await;
        subject.finish(&lease).await;
    };
    let before = subject.now();
    let (batch, ()) = tokio::join!(taking, handing);
    assert_eq!(batch.unwrap().len(), 1);
    assert!(subject.now() >= before + SECOND);
}

pub(super) async fn a_batch_is_gathered_while_the_nodes_have_other_work(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2", "3"]).await;
    let lease = subject.one().await;
    subject.hand_off(&lease, &lease.urls[0]).await;
    let before = subject.now();
    let taking = subject.index.reports.reports(10, LINGER);
    let handing = async {
        subject.pass(LINGER / 2).await;
        subject.hand_off(&lease, &lease.urls[1]).await;
    };
    let (batch, ()) = tokio::join!(taking, handing);
    assert_eq!(batch.unwrap().len(), 2);
    assert!(subject.now() <= before + 2 * LINGER, "the linger counts from the first entry");
}

pub(super) async fn a_batch_that_is_full_is_not_held_back(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2", "3"]).await;
    let lease = subject.one().await;
    subject.hand_off(&lease, &lease.urls[0]).await;
    subject.hand_off(&lease, &lease.urls[1]).await;
    let before = subject.now();
    assert_eq!(subject.index.reports.reports(2, 60 * SECOND).await.unwrap().len(), 2);
    assert!(subject.now() < before + 10 * SECOND);
}

pub(super) async fn a_batch_is_not_held_back_while_the_nodes_wait_for_it(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    subject.hand_off(&lease, &lease.urls[0]).await;
    let before = subject.now();
    let taking = subject.index.reports.reports(10, 60 * SECOND);
    let handing = async {
        subject.pass(LINGER).await;
        subject.hand_off(&lease, &lease.urls[1]).await;
    };
    let (batch, ()) = tokio::join!(taking, handing);
    assert_eq!(batch.unwrap().len(), 2);
    assert!(subject.now() < before + 10 * SECOND);
}

pub(super) async fn what_was_admitted_is_not_unseen_for_long(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let known = url("a", "1");
    let [only_seen, new] = ["2", "3"].map(|path| url("a", path).key);
    subject.index.reports.admit(vec![known.clone()], CRAWL, &[known.key, only_seen]).await.unwrap();
    let keys = [known.key, only_seen, new];
    assert_eq!(subject.index.reports.unseen(CRAWL, &keys).await.unwrap(), [false, false, true]);
    let lease = subject.one().await;
    subject.finish(&lease).await;
    subject.acknowledge_all().await;
    assert_eq!(subject.index.reports.unseen(CRAWL, &keys).await.unwrap(), [false, false, true]);
    let other = subject.index.reports.unseen(CrawlId(2), &keys).await.unwrap();
    assert_eq!(other, [true, true, true], "a crawl has seen what it has seen itself");
}

pub(super) async fn what_was_never_admitted_is_unseen(backend: Backend) {
    let limits = Limits { seen: 50, ..limits() };
    let subject = backend.with(limits, Duration::ZERO, None).await;
    let admitted: Vec<_> = (0..500).map(|n| UrlKey::of(&format!("in {n}"))).collect();
    subject.index.reports.admit(Vec::new(), CRAWL, &admitted).await.unwrap();
    let never: Vec<_> = (0..500).map(|n| UrlKey::of(&format!("out {n}"))).collect();
    let unseen = subject.index.reports.unseen(CRAWL, &never).await.unwrap();
    assert!(unseen.len() == 500 && unseen.iter().all(|unseen| *unseen));
    // Past its bound it may say of a known URL that it is new; SQL decides.
    let unseen = subject.index.reports.unseen(CRAWL, &admitted).await.unwrap();
    assert!(unseen.iter().any(|unseen| !unseen));
}

pub(super) async fn an_admission_is_queued_and_counted(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    assert_eq!(subject.admit_paths("a", &["1", "2"]).await, 2);
    assert_eq!(subject.admit_paths("b", &["1"]).await, 1);
    let counts = subject.counts().await;
    assert_eq!((counts.queued, counts.hosts, counts.next_due), (3, 2, None));
}

pub(super) async fn an_admission_passes_over_what_is_queued_leased_or_handed_over(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let one = [url("a", "1")];
    assert_eq!(subject.admit(&one).await, 1);
    assert_eq!(subject.admit(&one).await, 0, "queued");
    let lease = subject.one().await;
    assert_eq!(subject.admit(&one).await, 0, "leased");
    subject.finish(&lease).await;
    assert_eq!(subject.admit(&one).await, 0, "handed over");
    let taken = subject.entries().await;
    assert_eq!(subject.admit(&one).await, 0, "handed over, its report taken");
    assert_eq!(subject.held().await, (0, 0, 1));
    subject.acknowledge(vec![ack(taken[0].0)]).await;
    assert_eq!(subject.admit(&one).await, 1, "a recrawl");
}

pub(super) async fn what_finds_no_room_is_refused_and_comes_by_refill(backend: Backend) {
    let limits = Limits { urls: 3, ..limits() };
    let subject = backend.with(limits, Duration::ZERO, None).await;
    let all = ["1", "2", "3", "4", "5"];
    assert_eq!(subject.admit_paths("a", &all).await, 3);
    assert_eq!(subject.held().await, (3, 0, 0));
    let keys = all.map(|path| url("a", path).key);
    subject.index.reports.admit(Vec::new(), CRAWL, &keys).await.unwrap();
    let lease = subject.one().await;
    subject.finish(&lease).await;
    subject.acknowledge_all().await;
    let low = subject.index.front.low(10).await.unwrap();
    assert_eq!(low.iter().map(|low| low.host.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(subject.refill("a", &["4", "5"], true).await, 2);
    assert_eq!(paths(&subject.one().await.urls), ["4", "5"]);
}

pub(super) async fn an_admission_does_not_overtake_what_is_only_in_the_store(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.refill("a", &["1"], false).await;
    assert_eq!(subject.admit_paths("a", &["3"]).await, 0);
    subject.refill("a", &["1", "2", "3"], true).await;
    assert_eq!(subject.admit_paths("a", &["4"]).await, 1);
    assert_eq!(paths(&subject.one().await.urls), ["1", "2", "3", "4"]);
}

pub(super) async fn a_host_takes_no_more_than_its_share(backend: Backend) {
    let limits = Limits { host_urls: 2, ..limits() };
    let subject = backend.with(limits, Duration::ZERO, None).await;
    assert_eq!(subject.admit_paths("a", &["1", "2", "3"]).await, 2);
    assert_eq!(subject.admit_paths("b", &["1"]).await, 1);
    let lease = subject.lease(1).await.remove(0);
    assert_eq!(subject.admit_paths("a", &["4"]).await, 0, "leased ones count");
    subject.finish(&lease).await;
    assert_eq!(subject.admit_paths("a", &["4"]).await, 0, "and those handed over");
}

pub(super) async fn an_acknowledged_url_leaves_the_index(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    subject.finish(&lease).await;
    assert_eq!(subject.held().await, (0, 0, 2));
    let taken = subject.entries().await;
    subject.acknowledge(vec![ack(taken[1].0)]).await;
    assert_eq!(subject.held().await, (0, 0, 1));
    subject.acknowledge(vec![ack(taken[0].0)]).await;
    assert_eq!(subject.held().await, (0, 0, 0));
}

pub(super) async fn a_url_that_stays_open_is_queued_again_at_its_due_time(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    subject.finish(&lease).await;
    let taken = subject.entries().await;
    let mut retry = lease.urls[0].clone();
    retry.attempt = 2;
    retry.due = subject.now() + SECOND;
    let due = retry.due;
    subject.acknowledge(vec![Ack { id: taken[0].0, requeue: Some(retry.clone()), stored: false }]).await;
    assert_eq!(subject.held().await, (1, 0, 0));
    assert_eq!(subject.counts().await.next_due, Some(due));
    subject.nothing_to_lease().await;
    subject.clock.sleep_until(due).await;
    assert_eq!(subject.one().await.urls, [retry]);
}

pub(super) async fn a_second_acknowledge_is_passed_over(backend: Backend) {
    let subject = backend.with(limits(), Duration::ZERO, Some(2)).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    let mut noted = hand_off(&lease, &lease.urls[0]);
    noted.note = Some(note("a", Pace::default()));
    subject.index.leases.hand_off(noted).await.unwrap();
    let ids: Vec<_> = subject.entries().await.into_iter().map(|(id, _)| id).collect();
    let requeue = Some(lease.urls[0].clone());
    for _ in 0..2 {
        let acks = ids.iter().map(|id| Ack { id: *id, requeue: requeue.clone(), stored: true });
        subject.acknowledge(acks.collect()).await;
        assert_eq!(subject.held().await, (1, 1, 0));
        assert!(!subject.counts().await.budget_spent, "it counts once");
    }
    // Leased again, the late acknowledgement changes nothing either.
    subject.hand_off(&lease, &lease.urls[1]).await;
    subject.acknowledge_all().await;
    let again = subject.one().await;
    subject.acknowledge(vec![Ack { id: ids[0], requeue, stored: true }]).await;
    assert_eq!(subject.held().await, (0, 1, 0));
    assert_eq!(again.urls.len(), 1);
}

pub(super) async fn an_acknowledgement_of_nothing_is_passed_over(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let requeue = Some(url("a", "1"));
    subject.acknowledge(vec![Ack { id: huntsman::frontier::EntryId(77), requeue, stored: true }]).await;
    assert_eq!(subject.held().await, (0, 0, 0));
}

//! What nodes are promised of hand-offs, releases, notes, borrowed hosts and of [`Leases::rest`].
//!
//! [`Leases::rest`]: huntsman::frontier::Leases::rest

use super::subject::{
    Backend, LEASE, MOMENT, SECOND, Subject, ack, almost, hand_off, host_key, note, paths, release, url,
};
use huntsman::crawl::lease::{Pace, Token};
use huntsman::crawl::report::Entry;
use huntsman::crawl::time::Timestamp;
use huntsman::frontier::{Ack, Borrowed, GUARD, Handed, Release};
use std::collections::BTreeMap;
use std::time::Duration;

fn asking_for(delay: Duration) -> Pace {
    Pace { crawl_delay: Some(delay), ..Pace::default() }
}

pub(super) async fn a_hand_off_appends_the_report_and_moves_the_url(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    assert_eq!(subject.held().await, (2, 0, 0));
    let lease = subject.one().await;
    assert_eq!(subject.held().await, (0, 2, 0));
    assert_eq!(subject.hand_off(&lease, &lease.urls[1]).await, Handed::Accepted);
    assert_eq!(subject.held().await, (0, 1, 1));
    let entries = subject.entries().await;
    let [(_, Entry::Report(report))] = &entries[..] else { panic!("one report: {entries:?}") };
    assert_eq!((&report.url, report.token), (&lease.urls[1], lease.token));
    assert_eq!(subject.held().await, (0, 1, 1), "handed over until it is acknowledged");
}

pub(super) async fn a_hand_off_appends_its_note_too(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    let mut noted = hand_off(&lease, &lease.urls[0]);
    noted.note = Some(note("a", asking_for(SECOND)));
    subject.index.leases.hand_off(noted).await.unwrap();
    let entries = subject.entries().await;
    let [(_, Entry::Report(_)), (_, Entry::Note(note))] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!((note.host.as_str(), note.pace), ("a", asking_for(SECOND)));
}

pub(super) async fn a_lease_ends_with_its_last_url(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    subject.admit_paths("a", &["3"]).await;
    subject.hand_off(&lease, &lease.urls[0]).await;
    subject.nothing_to_lease().await;
    subject.hand_off(&lease, &lease.urls[1]).await;
    assert_eq!(paths(&subject.one().await.urls), ["3"]);
}

pub(super) async fn a_lease_ends_where_the_hand_off_says_so(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2", "3"]).await;
    let lease = subject.one().await;
    subject.admit_paths("a", &["4"]).await;
    let mut last = hand_off(&lease, &lease.urls[0]);
    last.ends = true;
    subject.index.leases.hand_off(last).await.unwrap();
    assert_eq!(subject.hand_off(&lease, &lease.urls[1]).await, Handed::Stale);
    assert_eq!(paths(&subject.one().await.urls), ["2", "3", "4"], "the rest goes to the front");
}

pub(super) async fn a_host_with_a_note_not_acknowledged_is_not_leased(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    let mut noted = hand_off(&lease, &lease.urls[0]);
    noted.note = Some(note("a", Pace { strikes: 1, ..Pace::default() }));
    noted.ends = true;
    subject.index.leases.hand_off(noted).await.unwrap();
    subject.pass(LEASE).await;
    subject.nothing_to_lease().await;
    let entries = subject.entries().await;
    let id_of = |note: bool| entries.iter().find(|(_, e)| matches!(e, Entry::Note(_)) == note).unwrap().0;
    let (report, note) = (id_of(false), id_of(true));
    subject.acknowledge(vec![Ack { id: report, requeue: None, stored: false }]).await;
    subject.nothing_to_lease().await;
    let asked = subject.index.leases.borrow_host(&host_key("a")).await.unwrap();
    assert!(matches!(asked, Borrowed::NotBefore(_)), "nor lent: {asked:?}");
    subject.acknowledge(vec![Ack { id: note, requeue: None, stored: false }]).await;
    subject.pass(SECOND).await;
    assert_eq!(subject.one().await.pace.strikes, 1);
}

/// Every way to be stale, and nothing comes of it.
pub(super) async fn a_stale_token_appends_nothing(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.admit_paths("a", &["1"]).await;
    subject.admit_paths("b", &["1"]).await;
    let leases = subject.lease(2).await;
    let (first, second) = (&leases[0], &leases[1]);
    let mut other_host = hand_off(first, &first.urls[0]);
    other_host.host = second.host.clone();
    let mut unheard = hand_off(first, &first.urls[0]);
    unheard.token = Token(-1);
    let mut unknown_host = hand_off(first, &first.urls[0]);
    unknown_host.host = host_key("nowhere");
    let not_in_it = hand_off(first, &url(first.host.as_str(), "other"));
    for stale in [other_host, unheard, unknown_host, not_in_it] {
        refused(&subject, stale).await;
    }
    subject.clock.sleep_until(first.until).await;
    refused(&subject, hand_off(first, &first.urls[0])).await;
    subject.pass(GUARD + SECOND).await;
    subject.lease(2).await;
    refused(&subject, hand_off(first, &first.urls[0])).await;
    let late = Release { note: Some(note("a", asking_for(SECOND))), ..release(first, Timestamp::NEVER) };
    assert_eq!(subject.index.leases.release(late).await.unwrap(), Handed::Stale);
    let late = note(first.host.as_str(), asking_for(SECOND));
    assert_eq!(subject.index.leases.note(first.token, late).await.unwrap(), Handed::Stale);
    assert_eq!(subject.held().await, (0, 2, 0));
    assert!(subject.entries().await.is_empty());
}

async fn refused(subject: &Subject, mut stale: huntsman::frontier::HandOff) {
    stale.note = Some(note("a", asking_for(SECOND)));
    stale.ends = true;
    let before = subject.held().await;
    assert_eq!(subject.index.leases.hand_off(stale).await.unwrap(), Handed::Stale);
    assert_eq!(subject.held().await, before);
    assert!(subject.entries().await.is_empty());
}

pub(super) async fn a_url_is_handed_off_once(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    subject.hand_off(&lease, &lease.urls[0]).await;
    assert_eq!(subject.hand_off(&lease, &lease.urls[0]).await, Handed::Stale);
    assert_eq!(subject.entries().await.len(), 1);
}

pub(super) async fn released_urls_go_to_the_front_in_their_order(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2", "3"]).await;
    let lease = subject.one().await;
    subject.admit_paths("a", &["4"]).await;
    assert_eq!(subject.release(&lease, subject.now()).await, Handed::Accepted);
    assert_eq!(subject.held().await, (4, 0, 0));
    assert_eq!(paths(&subject.one().await.urls), ["1", "2", "3", "4"]);
}

pub(super) async fn a_released_host_is_not_leased_before_its_due_time(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    subject.release(&lease, subject.now() + SECOND).await;
    subject.pass(almost(SECOND)).await;
    subject.nothing_to_lease().await;
    subject.pass(MOMENT).await;
    subject.one().await;
}

pub(super) async fn a_due_time_is_never_moved_forward(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    let mut first = hand_off(&lease, &lease.urls[0]);
    first.due = subject.now() + SECOND;
    subject.index.leases.hand_off(first).await.unwrap();
    subject.release(&lease, Timestamp::EPOCH).await;
    subject.pass(almost(SECOND)).await;
    subject.nothing_to_lease().await;
}

pub(super) async fn a_release_appends_its_note_and_the_host_rests_for_it(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    let noted = Release { note: Some(note("a", asking_for(SECOND))), ..release(&lease, Timestamp::EPOCH) };
    subject.index.leases.release(noted).await.unwrap();
    subject.pass(LEASE).await;
    subject.nothing_to_lease().await;
    assert_eq!(subject.acknowledge_all().await, 1);
    assert_eq!(subject.one().await.pace, asking_for(SECOND));
}

pub(super) async fn what_is_said_again_holds_and_comes_to_storage(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let block_until = Some(subject.now() + 3 * SECOND);
    let said = note("a", Pace { block_until, crawl_delay: Some(SECOND), strikes: 1 });
    subject.index.leases.remind(vec![said.clone(), note("b", asking_for(SECOND))]).await.unwrap();
    subject.admit_paths("a", &["1"]).await;
    let entries = subject.entries().await;
    let notes = entries.iter().map(|(_, entry)| match entry {
        Entry::Note(note) => (note.host.as_str(), note.pace),
        Entry::Report(report) => panic!("nobody reported {report:?}"),
    });
    let notes: BTreeMap<&str, Pace> = notes.collect();
    assert_eq!(notes, BTreeMap::from([("a", said.pace), ("b", asking_for(SECOND))]));
    subject.pass(4 * SECOND).await;
    subject.nothing_to_lease().await;
    subject.acknowledge(entries.iter().map(|(id, _)| ack(*id)).collect()).await;
    assert_eq!(subject.one().await.pace, said.pace, "once the store has it");
}

pub(super) async fn what_the_store_learned_late_makes_hosts_slower_and_none_faster(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let at = |seconds: u32| Some(subject.now() + seconds * SECOND);
    subject.learn("a", Pace { block_until: at(3), crawl_delay: None, strikes: 0 }).await;
    subject.admit_paths("a", &["1"]).await;
    let said = |host: &str, pace: Pace| (host_key(host), pace);
    let late = vec![
        said("a", Pace { block_until: at(1), crawl_delay: Some(SECOND), strikes: 1 }),
        said("b", Pace { block_until: at(6), crawl_delay: None, strikes: 2 }),
        said("b", Pace { block_until: at(5), crawl_delay: Some(SECOND), strikes: 0 }),
    ];
    subject.index.front.learn(late).await.unwrap();
    subject.admit_paths("b", &["1"]).await;
    let slower = [(3, 1), (6, 2)].map(|(block, strikes)| Pace {
        block_until: at(block),
        crawl_delay: Some(SECOND),
        strikes,
    });
    subject.pass(almost(3 * SECOND)).await;
    subject.nothing_to_lease().await;
    subject.pass(2 * MOMENT).await;
    assert_eq!(subject.one().await.pace, slower[0]);
    subject.pass(2 * SECOND).await;
    assert!(subject.lease(2).await.iter().all(|lease| lease.host != host_key("b")));
    subject.pass(SECOND).await;
    let leased = subject.lease(2).await;
    let of_b = leased.iter().find(|lease| lease.host == host_key("b")).unwrap();
    assert_eq!(of_b.pace, slower[1]);
}

pub(super) async fn what_is_said_again_makes_no_host_faster(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let at = |seconds: u32| Some(subject.now() + seconds * SECOND);
    subject.learn("a", Pace { block_until: at(5), crawl_delay: None, strikes: 1 }).await;
    let said = Pace { block_until: at(3), crawl_delay: Some(SECOND), strikes: 0 };
    subject.index.leases.remind(vec![note("a", said)]).await.unwrap();
    assert_eq!(subject.acknowledge_all().await, 1);
    subject.admit_paths("a", &["1"]).await;
    let slower = Pace { block_until: at(5), crawl_delay: Some(SECOND), strikes: 1 };
    subject.pass(almost(5 * SECOND)).await;
    subject.nothing_to_lease().await;
    subject.pass(2 * MOMENT).await;
    assert_eq!(subject.one().await.pace, slower);
}

pub(super) async fn a_lease_goes_on_after_a_note(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    let robots = note("a", Pace::default());
    assert_eq!(subject.index.leases.note(lease.token, robots).await.unwrap(), Handed::Accepted);
    let entries = subject.entries().await;
    assert!(matches!(&entries[..], [(_, Entry::Note(_))]), "{entries:?}");
    assert_eq!(subject.hand_off(&lease, &lease.urls[0]).await, Handed::Accepted);
    subject.release(&lease, Timestamp::EPOCH).await;
    subject.nothing_to_lease().await;
    subject.acknowledge(vec![Ack { id: entries[0].0, requeue: None, stored: false }]).await;
    assert_eq!(paths(&subject.one().await.urls), ["2"]);
}

async fn borrow(subject: &Subject, host: &str) -> Borrowed {
    subject.index.leases.borrow_host(&host_key(host)).await.unwrap()
}

async fn end_loan(subject: &Subject, host: &str, token: Token, due: Timestamp) -> Handed {
    let end = Release { host: host_key(host), token, due, note: None };
    subject.index.leases.release(end).await.unwrap()
}

pub(super) async fn a_borrowed_host_is_leased_to_nobody_else(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.admit_paths("a", &["1"]).await;
    let Borrowed::Granted(token, _) = borrow(&subject, "a").await else { panic!("the host is free") };
    subject.nothing_to_lease().await;
    assert!(matches!(borrow(&subject, "a").await, Borrowed::NotBefore(at) if at > subject.now()));
    assert!(subject.index.leases.renew(&[token]).await.unwrap().is_empty(), "it is a lease");
    let due = subject.now() + SECOND;
    assert_eq!(end_loan(&subject, "a", token, due).await, Handed::Accepted);
    assert_eq!(end_loan(&subject, "a", token, due).await, Handed::Stale);
    subject.nothing_to_lease().await;
    subject.pass(2 * SECOND).await;
    subject.one().await;
}

pub(super) async fn a_host_never_heard_of_can_be_borrowed(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    let borrowed = borrow(&subject, "new").await;
    assert!(matches!(borrowed, Borrowed::Granted(_, pace) if pace == Pace::default()), "{borrowed:?}");
}

pub(super) async fn a_loan_comes_with_the_pace_of_the_host(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.learn("a", asking_for(3 * SECOND)).await;
    let borrowed = borrow(&subject, "a").await;
    assert!(matches!(borrowed, Borrowed::Granted(_, pace) if pace == asking_for(3 * SECOND)), "{borrowed:?}");
}

pub(super) async fn a_host_that_is_leased_or_not_due_is_not_borrowed(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    assert!(matches!(borrow(&subject, "a").await, Borrowed::NotBefore(_)));
    let due = subject.now() + 3 * SECOND;
    subject.release(&lease, due).await;
    assert!(matches!(borrow(&subject, "a").await, Borrowed::NotBefore(at) if at == due));
}

pub(super) async fn a_wanted_host_is_kept_free_for_a_moment(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.admit_paths("a", &["1", "2"]).await;
    let lease = subject.one().await;
    subject.release(&lease, subject.now() + SECOND).await;
    let Borrowed::NotBefore(at) = borrow(&subject, "a").await else { panic!("the host is not due") };
    subject.clock.sleep_until(at).await;
    subject.nothing_to_lease().await;
    let Borrowed::Granted(token, _) = borrow(&subject, "a").await else { panic!("it was kept free") };
    end_loan(&subject, "a", token, subject.now()).await;
    subject.one().await;
}

pub(super) async fn a_wanted_host_nobody_comes_for_is_leased_again(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    subject.admit_paths("a", &["1"]).await;
    let lease = subject.one().await;
    borrow(&subject, "a").await;
    subject.release(&lease, subject.now()).await;
    subject.pass(SECOND).await;
    subject.one().await;
}

pub(super) async fn a_loan_expires_like_a_lease(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    subject.admit_paths("a", &["1"]).await;
    let Borrowed::Granted(token, _) = borrow(&subject, "a").await else { panic!("the host is free") };
    subject.pass(LEASE).await;
    subject.nothing_to_lease().await;
    assert_eq!(end_loan(&subject, "a", token, Timestamp::NEVER).await, Handed::Stale);
    subject.pass(almost(GUARD)).await;
    subject.nothing_to_lease().await;
    subject.pass(MOMENT).await;
    subject.one().await;
}

pub(super) async fn a_rest_ends_at_its_point_and_not_before(backend: Backend) {
    let subject = backend.with_delay(SECOND).await;
    let until = subject.now() + SECOND;
    // What was said before it began may end one rest early.
    subject.index.leases.rest(until).await;
    let until = subject.now() + SECOND;
    subject.index.leases.rest(until).await;
    assert!(subject.now() >= until && subject.now() < until + SECOND / 2);
}

pub(super) async fn a_rest_ends_when_a_lease_became_possible(backend: Backend) {
    let subject = backend.with_delay(Duration::ZERO).await;
    let subject = &subject;
    let woken = async |change: &dyn Fn() -> std::pin::Pin<Box<dyn Future<Output = ()>>>| {
        // The wake-up of a change before this one.
        subject.index.leases.rest(subject.now() + MOMENT).await;
        let rest = subject.index.leases.rest(subject.now() + 60 * SECOND);
        let change = async {
            subject.pass(SECOND / 10).await;
            change().await;
        };
        let before = subject.now();
        tokio::join!(rest, change);
        assert!(subject.now() < before + 10 * SECOND);
    };
    let index = &subject.index;
    let reports = std::sync::Arc::clone(&index.reports);
    woken(&|| {
        let reports = std::sync::Arc::clone(&reports);
        Box::pin(async move { drop(reports.admit(vec![url("a", "1")], super::subject::CRAWL, &[]).await) })
    })
    .await;
    let lease = subject.one().await;
    let leases = std::sync::Arc::clone(&index.leases);
    woken(&|| {
        let (leases, end) = (std::sync::Arc::clone(&leases), release(&lease, Timestamp::EPOCH));
        Box::pin(async move { drop(leases.release(end).await) })
    })
    .await;
    let lease = subject.one().await;
    let mut noted = hand_off(&lease, &lease.urls[0]);
    noted.note = Some(note("a", Pace::default()));
    subject.admit_paths("a", &["2"]).await;
    index.leases.hand_off(noted).await.unwrap();
    let ids: Vec<_> = subject.entries().await.into_iter().map(|(id, _)| id).collect();
    woken(&|| {
        let reports = std::sync::Arc::clone(&reports);
        let acks = ids.iter().map(|id| super::subject::ack(*id)).collect();
        Box::pin(async move { drop(reports.acknowledge(acks).await) })
    })
    .await;
    let front = std::sync::Arc::clone(&index.front);
    woken(&|| {
        let front = std::sync::Arc::clone(&front);
        Box::pin(async move { drop(front.refill(&host_key("b"), vec![url("b", "1")], true).await) })
    })
    .await;
    assert_eq!(subject.lease(2).await.len(), 2);
}

//! What storage processes leave behind, and what stands in a stream that is none of ours.

use super::{CRAWL, LEASE, connect, hand_off, lease, open, run, scheduler, settings, url};
use crate::servers::redis::RedisServer;
use huntsman::clock::Clock;
use huntsman::crawl::report::{Entry, Outcome};
use huntsman::frontier::memory::Limits;
use huntsman::frontier::redis::{LIMITS, RedisFrontier, Settings};
use huntsman::frontier::{Ack, EntryId, Front, FrontierError, Handed, Leases, Reports};
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn entries_of_a_storage_process_that_died_go_to_another() {
    run(async {
        let server = RedisServer::start();
        let front = scheduler(&server, 1).await;
        let claim_after = Duration::from_millis(300);
        let storage = async |name: &str| {
            let settings = Settings { claim_after, ..settings(&server, name) };
            RedisFrontier::connect(settings, Clock::start()).await.unwrap()
        };
        front.admit(vec![url("a", "1"), url("a", "2")], CRAWL, &[]).await.unwrap();
        let held = lease(&front, 1).await.remove(0);
        for url in &held.urls {
            front.hand_off(hand_off(&held, url)).await.unwrap();
        }
        let dead = storage("dead").await;
        let taken = dead.reports(10, Duration::ZERO).await.unwrap();
        assert_eq!(taken.len(), 2);
        let heir = storage("heir").await;
        let waited = tokio::time::timeout(Duration::from_secs(5), heir.reports(10, Duration::ZERO));
        let inherited: BTreeSet<EntryId> =
            waited.await.unwrap().unwrap().into_iter().map(|(id, _)| id).collect();
        assert_eq!(inherited, taken.iter().map(|(id, _)| *id).collect());
        let acks = || inherited.iter().map(|id| Ack { id: *id, requeue: None, stored: true }).collect();
        heir.acknowledge(acks()).await.unwrap();
        dead.acknowledge(acks()).await.unwrap();
        let counts = front.counts().await.unwrap();
        assert_eq!((counts.queued, counts.leased, counts.handed_over), (0, 0, 0), "each acts once");
    });
}

/// A stage that heard of a failure has dropped its batch: what it was given must not stay with it.
#[test]
fn a_batch_that_was_given_up_for_a_failure_is_given_again() {
    run(async {
        let server = RedisServer::start();
        let front = scheduler(&server, 1).await;
        front.admit(vec![url("a", "1"), url("a", "2")], CRAWL, &[]).await.unwrap();
        let held = lease(&front, 1).await.remove(0);
        for url in &held.urls {
            front.hand_off(hand_off(&held, url)).await.unwrap();
        }
        let ids = |taken: &[(EntryId, Entry)]| taken.iter().map(|(id, _)| *id).collect::<BTreeSet<_>>();
        let taken = ids(&front.reports(10, Duration::ZERO).await.unwrap());
        assert_eq!(taken.len(), held.urls.len());
        server.signal("STOP");
        let failed = front.unseen(CRAWL, &[held.urls[0].key]).await;
        assert!(matches!(failed, Err(FrontierError::Unavailable(_))), "{failed:?}");
        server.signal("CONT");
        let again = tokio::time::timeout(Duration::from_secs(5), front.reports(10, Duration::ZERO)).await;
        assert_eq!(ids(&again.expect("it is given again").unwrap()), taken);
        let acks = taken.iter().map(|id| Ack { id: *id, requeue: None, stored: true }).collect();
        front.acknowledge(acks).await.unwrap();
        assert_eq!(front.counts().await.unwrap().handed_over, 0);
    });
}

#[test]
fn bytes_of_a_stranger_leave_the_stream_and_those_of_another_version_are_an_error() {
    run(async {
        let server = RedisServer::start();
        let eager = Settings { claim_after: Duration::from_millis(1), ..settings(&server, "scheduler") };
        let front = RedisFrontier::connect(eager, Clock::start()).await.unwrap();
        open(&front, 1, Duration::ZERO).await;
        front.admit(vec![url("a", "1"), url("a", "2")], CRAWL, &[]).await.unwrap();
        let held = lease(&front, 1).await.remove(0);
        front.hand_off(hand_off(&held, &held.urls[0])).await.unwrap();
        let streams: Vec<String> = server.ask(&["KEYS", "*:stream"]);
        let stream = streams.iter().find(|key| server.ask::<usize>(&["XLEN", key]) == 1).unwrap();
        server.ask::<()>(&["XADD", stream, "2-0", "r", "\u{4}\u{7f}nonsense"]);
        server.ask::<()>(&["XADD", stream, "3-0", "what", "is", "this", "?"]);
        let taken = front.reports(10, Duration::ZERO).await.unwrap();
        assert!(
            matches!(&taken[..], [(_, Entry::Report(report))] if report.url == held.urls[0]),
            "{taken:?}"
        );
        assert_eq!(server.ask::<usize>(&["XLEN", stream]), 1, "the strangers have gone");
        front.acknowledge(vec![Ack { id: taken[0].0, requeue: None, stored: true }]).await.unwrap();
        assert_eq!(front.counts().await.unwrap().leased, 1);
        server.ask::<()>(&["XADD", stream, "4-0", "r", "\u{9}newer"]);
        // As if its reader had died.
        server.ask::<redis::Value>(&["XREADGROUP", "GROUP", "storage", "dead", "STREAMS", stream, ">"]);
        tokio::time::sleep(Duration::from_millis(10)).await;
        let Err(FrontierError::Unusable(why)) = claimed(&front).await else { panic!("it is taken") };
        assert!(why.contains("version 9") && why.contains("same version everywhere"), "{why}");
        assert_eq!(server.ask::<usize>(&["XLEN", stream]), 1, "and stays for who can read it");
    });
}

/// What a reader hears that waits until it is given what another left.
async fn claimed(reader: &RedisFrontier) -> Result<Vec<(EntryId, Entry)>, FrontierError> {
    let reading = reader.reports(10, Duration::ZERO);
    tokio::time::timeout(2 * LEASE, reading).await.expect("it is given what is left")
}

/// Lets one node visit until it is granted nothing more; answers with how many URLs it handed off.
async fn visit_all(node: &RedisFrontier, front: &RedisFrontier, title: &str) -> usize {
    let mut handed = 0;
    loop {
        front.beat().await.unwrap();
        let leases = lease(node, 3).await;
        if leases.is_empty() {
            return handed;
        }
        for held in leases {
            for url in &held.urls {
                let mut done = hand_off(&held, url);
                done.report.outcome = Outcome::Failed { reason: "test".into(), detail: title.into() };
                assert_eq!(node.hand_off(done).await.unwrap(), Handed::Accepted);
                handed += 1;
            }
        }
    }
}

/// A storage stage that stops, and comes back: nodes stop with it, within what they had been granted, and go on after it.
#[test]
fn nodes_stop_with_their_storage_and_go_on_after_it() {
    const URLS: usize = 200;
    const ENTRIES: usize = 20;
    const BYTES: usize = 40_000;
    run(async {
        let title = "t".repeat(1_000);
        for limits in [Limits { stream_entries: ENTRIES, ..LIMITS }, Limits { stream_bytes: BYTES, ..LIMITS }]
        {
            let server = RedisServer::start();
            let limits = Limits { lease: LEASE, ..limits };
            let one_shard = Settings { shards: 1, limits, ..settings(&server, "scheduler") };
            let front = RedisFrontier::connect(one_shard, Clock::start()).await.unwrap();
            open(&front, 1, Duration::ZERO).await;
            let urls = (0..URLS).map(|n| url(&format!("h{n}.org"), "1")).collect();
            assert_eq!(front.admit(urls, CRAWL, &[]).await.unwrap(), URLS);
            let node = connect(&server, "node").await;
            let mut visited = visit_all(&node, &front, &title).await;
            // The last call that was granted anything was granted three hosts.
            let most = if limits.stream_entries == ENTRIES { ENTRIES + 2 } else { BYTES / title.len() + 2 };
            assert!((most / 2..=most).contains(&visited), "{visited} of at most {most} were visited");
            assert_eq!(visit_all(&node, &front, &title).await, 0, "nothing is granted while storage rests");
            let mut rounds = 0;
            while visited < URLS {
                let entries = front.reports(8, Duration::ZERO).await.unwrap();
                let acks = entries.into_iter().map(|(id, _)| Ack { id, requeue: None, stored: true });
                front.acknowledge(acks.collect()).await.unwrap();
                visited += visit_all(&node, &front, &title).await;
                rounds += 1;
                assert!(rounds < URLS, "the nodes go on");
            }
            assert_eq!(visited, URLS);
        }
    });
}

#[test]
fn what_a_storage_process_had_taken_is_given_out_at_its_end() {
    run(async {
        let server = RedisServer::start();
        let front = scheduler(&server, 1).await;
        front.admit((0..8).map(|n| url("a", &n.to_string())).collect(), CRAWL, &[]).await.unwrap();
        let held = lease(&front, 1).await.remove(0);
        for url in &held.urls {
            front.hand_off(hand_off(&held, url)).await.unwrap();
        }
        // One is given out; the read brought the others, too, as far as its batch goes.
        let first = front.reports(1, Duration::ZERO).await.unwrap();
        // A read that was begun and not waited for.
        let begun = tokio::time::timeout(Duration::ZERO, front.reports(100, Duration::ZERO)).await;
        let mut taken: BTreeSet<EntryId> = first.into_iter().map(|(id, _)| id).collect();
        taken.extend(begun.into_iter().flatten().flatten().map(|(id, _)| id));
        taken.extend(front.taken().await.unwrap().into_iter().map(|(id, _)| id));
        let streams: Vec<String> = server.ask(&["KEYS", "*:stream"]);
        let pending = streams.iter().map(|stream| {
            let pending: (usize, redis::Value, redis::Value, redis::Value) =
                server.ask(&["XPENDING", stream, "storage"]);
            pending.0
        });
        assert_eq!(taken.len(), pending.sum::<usize>(), "nothing that was taken is left behind");
        assert!(front.taken().await.unwrap().is_empty());
    });
}

//! What storage processes leave behind, and what stands in a stream that is none of ours.

use super::{CRAWL, LEASE, hand_off, lease, open, run, scheduler, settings, url};
use crate::servers::redis::RedisServer;
use huntsman::clock::Clock;
use huntsman::crawl::report::Entry;
use huntsman::frontier::redis::{RedisFrontier, Settings};
use huntsman::frontier::{Ack, EntryId, Front, FrontierError, Leases, Reports};
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
        server.ask::<()>(&["XADD", stream, "2-0", "r", "\u{1}\u{7f}nonsense"]);
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

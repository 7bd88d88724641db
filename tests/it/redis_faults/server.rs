//! The server fails, forgets, is full, or will never do.

use super::{CRAWL, connect, hand_off, is_lost, lease, open, run, scheduler, settings, url};
use crate::servers::redis::RedisServer;
use huntsman::clock::Clock;
use huntsman::frontier::redis::{RedisFrontier, Settings};
use huntsman::frontier::{Ack, Front, FrontierError, Handed, Leases, Reports};
use std::time::Duration;

#[test]
fn a_flushed_server_is_noticed_and_a_new_epoch_begins() {
    run(async {
        let server = RedisServer::start();
        let (front, node) = (scheduler(&server, 1).await, connect(&server, "node").await);
        front.admit(vec![url("a", "1")], CRAWL, &[]).await.unwrap();
        let held = lease(&node, 1).await.remove(0);
        server.ask::<()>(&["FLUSHALL"]);
        assert!(is_lost(node.lease(1).await));
        assert!(is_lost(front.beat().await));
        assert!(is_lost(node.hand_off(hand_off(&held, &held.urls[0])).await), "no epoch is open");
        open(&front, 2, Duration::ZERO).await;
        front.refill(&held.host, held.urls.clone(), true).await.unwrap();
        assert_eq!(node.hand_off(hand_off(&held, &held.urls[0])).await.unwrap(), Handed::Stale);
        assert_eq!(front.counts().await.unwrap().queued, 1);
        assert!(
            lease(&node, 1).await.is_empty(),
            "nobody is asked before the nodes of the old epoch have stopped"
        );
    });
}

#[test]
fn a_restarted_server_is_noticed() {
    run(async {
        let mut server = RedisServer::start();
        let (front, node) = (scheduler(&server, 1).await, connect(&server, "node").await);
        server.ask::<()>(&["SAVE"]);
        server.restart();
        // Its keys came back from the disk, an unknown part of them: the mark names another run.
        assert!(server.ask::<usize>(&["DBSIZE"]) > 0);
        assert!(is_lost(node.lease(1).await));
        assert!(is_lost(front.beat().await));
        open(&front, 2, Duration::ZERO).await;
        assert!(lease(&node, 1).await.is_empty());
    });
}

#[test]
fn a_server_that_is_away_is_unavailable_and_found_again() {
    run(async {
        let mut server = RedisServer::start();
        let (front, node) = (scheduler(&server, 1).await, connect(&server, "node").await);
        server.signal("STOP");
        assert!(matches!(node.lease(1).await, Err(FrontierError::Unavailable(_))), "it does not answer");
        server.signal("CONT");
        front.beat().await.unwrap();
        assert!(lease(&node, 1).await.is_empty());
        server.stop();
        assert!(matches!(node.lease(1).await, Err(FrontierError::Unavailable(_))), "it is gone");
    });
}

#[test]
fn where_memory_is_full_nothing_is_admitted_and_the_rest_drains() {
    run(async {
        let server = RedisServer::start();
        let (front, node) = (scheduler(&server, 1).await, connect(&server, "node").await);
        front.admit(vec![url("a", "1"), url("a", "2")], CRAWL, &[]).await.unwrap();
        server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1mb"]);
        let new = url("b", "1");
        assert_eq!(front.admit(vec![new.clone()], CRAWL, &[new.key]).await.unwrap(), 0);
        assert_eq!(front.unseen(CRAWL, &[new.key]).await.unwrap(), [true], "the store decides");
        let held = lease(&node, 1).await.remove(0);
        for url in &held.urls {
            assert_eq!(node.hand_off(hand_off(&held, url)).await.unwrap(), Handed::Accepted);
        }
        let entries = front.reports(10, Duration::ZERO).await.unwrap();
        let mut acks: Vec<_> =
            entries.iter().map(|(id, _)| Ack { id: *id, requeue: None, stored: true }).collect();
        acks[0].requeue = Some(held.urls[0].clone());
        front.acknowledge(acks).await.unwrap();
        assert_eq!(front.counts().await.unwrap().queued, 1, "a retry stays");
        server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
        let low = front.low(10).await.unwrap();
        assert_eq!(
            low.iter().map(|low| low.host.as_str()).collect::<Vec<_>>(),
            ["b"],
            "the refill brings it"
        );
        assert_eq!(front.refill(&new.host, vec![new.clone()], true).await.unwrap(), 1);
    });
}

#[test]
fn a_server_that_will_not_do_is_refused_with_what_to_do() {
    run(async {
        for (change, advice) in [
            (&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"][..], "maxmemory-policy noeviction"),
            (&["CONFIG", "SET", "set-max-intset-entries", "100"], "set-max-intset-entries"),
            (&["CONFIG", "SET", "requirepass", "secret"], "put them in its URL"),
            (&["ACL", "SETUSER", "default", "-xadd"], "+@all"),
            (&["ACL", "SETUSER", "default", "-evalsha"], "+@all"),
            (&["REPLICAOF", "127.0.0.1", "1"], "master"),
        ] {
            let server = RedisServer::start();
            server.ask::<()>(change);
            let refused = RedisFrontier::connect(settings(&server, "x"), Clock::start()).await;
            let Err(FrontierError::Unusable(why)) = refused else {
                panic!("{change:?} is taken: {refused:?}")
            };
            assert!(why.contains(advice), "{change:?}: {why}");
        }
        let nobody = Settings::new("redis+unix:///nowhere/redis.sock", "x");
        let refused = RedisFrontier::connect(nobody, Clock::start()).await;
        assert!(matches!(refused, Err(FrontierError::Unavailable(_))), "{refused:?}");
    });
}

#[test]
fn scripts_that_the_server_forgot_are_given_to_it_again() {
    run(async {
        let server = RedisServer::start();
        let front = scheduler(&server, 1).await;
        server.ask::<()>(&["SCRIPT", "FLUSH"]);
        assert_eq!(front.admit(vec![url("a", "1")], CRAWL, &[]).await.unwrap(), 1);
        assert_eq!(front.counts().await.unwrap().queued, 1);
    });
}

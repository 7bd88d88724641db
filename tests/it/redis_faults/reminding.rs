//! What a host asked for outlives the index, even where the store had not heard of it yet.

use super::{CRAWL, connect, is_lost, open, run, settings, url};
use crate::servers::redis::RedisServer;
use async_trait::async_trait;
use huntsman::clock::Clock;
use huntsman::crawl::assess::{KeepLinks, Withholding};
use huntsman::crawl::politeness::Delay;
use huntsman::crawl::scope::{Scope, ScopeRules};
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::visit::{Answer, Visit};
use huntsman::fetch::{Fetch, Request};
use huntsman::frontier::memory::Limits;
use huntsman::frontier::redis::{RedisFrontier, Settings};
use huntsman::frontier::{Ack, Front, Reports};
use huntsman::node::{Job, JobSettings, Jobs, Node, Reading, Robots, Sitemaps};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longer than an index that was lost keeps any host waiting by itself: two of these leases and a second.
const RETRY_AFTER: Duration = Duration::from_secs(6);
const LEASE: Duration = Duration::from_secs(1);

/// A site that asks for a pause the first time, and says when it was asked.
struct Busy {
    clock: Clock,
    asked: Mutex<Vec<Timestamp>>,
}

#[async_trait]
impl Fetch for Busy {
    async fn get(&self, _: Request) -> Visit {
        let at = self.clock.now();
        let mut asked = self.asked.lock().unwrap();
        asked.push(at);
        let answer = match asked.len() {
            1 => Answer { status: 429, retry_after: Some(RETRY_AFTER), ..Answer::default() },
            _ => Answer { status: 200, ..Answer::default() },
        };
        Visit { started: at, first_byte: Some(at), finished: at, result: Ok(answer) }
    }
}

fn node(index: RedisFrontier, busy: &Arc<Busy>) -> Arc<Node> {
    let settings = JobSettings {
        per_host: 1,
        delay: Delay::Fixed(Duration::ZERO),
        robots: Robots::Ignore,
        sitemaps: Sitemaps::Skip,
        links: KeepLinks::None,
        retries: 2,
        withholding: Withholding::default(),
    };
    let scope = Scope::new(&ScopeRules::default()).unwrap();
    let job = Job::new(settings, Arc::clone(busy) as _, Reading::new(CRAWL, false, None, "huntsman"), scope);
    let settings = huntsman::node::Settings { concurrency: 2, lease: LEASE };
    Arc::new(Node::new(Arc::new(index), busy.clock, settings, Jobs::One(Arc::new(job))))
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not come to this: {what}");
}

#[test]
fn a_block_that_was_not_committed_outlives_a_flush() {
    run(async {
        let server = RedisServer::start();
        let limits = Limits { lease: LEASE, ..huntsman::frontier::redis::LIMITS };
        let clock = Clock::start();
        let front = Settings { limits, ..settings(&server, "scheduler") };
        let front = Arc::new(RedisFrontier::connect(front, clock).await.unwrap());
        open(&front, 1, Duration::ZERO).await;
        front.admit(vec![url("busy.org", "1")], CRAWL, &[]).await.unwrap();
        let busy = Arc::new(Busy { clock, asked: Mutex::default() });
        let asked = || busy.asked.lock().unwrap().clone();
        let stop = CancellationToken::new();
        let running = {
            let (node, stop) = (node(connect(&server, "node").await, &busy), stop.clone());
            tokio::spawn(async move { node.run(&stop).await })
        };
        until("the site was asked", || asked().len() == 1).await;
        until("the report is in the stream", || {
            let streams: Vec<String> = server.ask(&["KEYS", "*:stream"]);
            streams.iter().map(|stream| server.ask::<usize>(&["XLEN", stream])).sum::<usize>() == 2
        })
        .await;
        // Storage has read none of it: the store knows the URL as open, and nothing of the host.
        server.ask::<()>(&["FLUSHALL"]);
        assert!(is_lost(front.beat().await));
        open(&front, 2, Duration::ZERO).await;
        front.refill(&url("busy.org", "1").host, vec![url("busy.org", "1")], true).await.unwrap();
        while asked().len() == 1 {
            front.beat().await.unwrap();
            let reading = front.reports(10, Duration::ZERO);
            let Ok(entries) = tokio::time::timeout(LEASE / 4, reading).await else { continue };
            let acks = entries.unwrap().into_iter().map(|(id, _)| Ack { id, requeue: None, stored: false });
            front.acknowledge(acks.collect()).await.unwrap();
        }
        let asked = asked();
        let gap = asked[1].since(asked[0]);
        assert!(gap >= RETRY_AFTER, "the site was asked again after {gap:?}");
        assert!(gap < 2 * RETRY_AFTER, "and it was not forgotten: {gap:?}");
        stop.cancel();
        running.await.unwrap().unwrap();
    });
}

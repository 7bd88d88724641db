//! The index in Redis under test: three processes' worth of connections on a private server, whose scripts go by the paused
//! clock of the runtime.

use super::subject::{Backend, Index};
use crate::servers::redis::RedisServer;
use async_trait::async_trait;
use huntsman::clock::Clock;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Token};
use huntsman::crawl::report::Note;
use huntsman::crawl::time::Timestamp;
use huntsman::frontier::memory::Limits;
use huntsman::frontier::redis::{RedisFrontier, Settings, Time};
use huntsman::frontier::{
    Borrowed, CrawlRules, Front, FrontierError, HandOff, Handed, Leases, Next, Release, SeedsRead,
};
use std::sync::Arc;

/// One shard: the promises about order and bounds are those of a shard.
pub(super) const REDIS: Backend = Backend {
    open: |limits, clock| {
        Box::pin(async move {
            let server = RedisServer::start();
            open(server, limits, clock, 1).await
        })
    },
    paused: true,
    fleet: true,
};

async fn open(server: RedisServer, limits: Limits, clock: Clock, shards: u32) -> Index {
    let connect = async |name: &str| {
        let time = Time::Caller(hold);
        let settings = Settings { limits, shards, time, ..Settings::new(&server.url(), name) };
        Arc::new(RedisFrontier::connect(settings, clock).await.unwrap())
    };
    let (node, storage, front) = (connect("node").await, connect("storage").await, connect("front").await);
    let leases = Arc::new(Led { leases: node, front: Arc::clone(&front) });
    Index { leases, reports: storage, front, check: Arc::new(move || check(&server)) }
}

/// Keeps the paused clock where it is until it is dropped.
fn hold() -> Box<dyn Send> {
    let (end, ended) = std::sync::mpsc::channel::<()>();
    drop(tokio::task::spawn_blocking(move || ended.recv()));
    Box::new(end)
}

/// The counters of every shard equal what is in it.
fn check(server: &RedisServer) {
    let keys: Vec<String> = server.ask(&["KEYS", "*:k:*"]);
    let known: usize = keys.iter().map(|key| server.ask::<usize>(&["SCARD", key])).sum();
    let of = |pattern: &str, command: &str| -> usize {
        let keys: Vec<String> = server.ask(&["KEYS", pattern]);
        keys.iter().map(|key| server.ask::<usize>(&[command, key])).sum()
    };
    let queued = of("*:q:*", "LLEN") + of("*:r:*", "ZCARD") + of("*:l:*", "ZCARD");
    let leased = of("*:x:*", "LLEN");
    let entries = of("*:stream", "XLEN");
    // Of an entry one field, and of a report one more.
    let handed = of("*:lag", "HLEN").checked_sub(entries).expect("the lag is what is in the stream");
    assert_eq!(known, queued + leased + handed, "a URL is in one place: {queued} + {leased} + {handed}");
    assert_eq!(of("*:expiries", "ZCARD"), of("*:tokens", "HLEN"), "every lease expires once");
}

/// A node whose scheduler is alive: it beats before whatever would be refused without.
struct Led {
    leases: Arc<RedisFrontier>,
    front: Arc<RedisFrontier>,
}

#[async_trait]
impl Leases for Led {
    async fn lease(&self, hosts: usize) -> Result<Next, FrontierError> {
        self.front.beat().await?;
        self.leases.lease(hosts).await
    }
    async fn renew(&self, tokens: &[Token]) -> Result<Vec<Token>, FrontierError> {
        self.front.beat().await?;
        self.leases.renew(tokens).await
    }
    async fn hand_off(&self, hand_off: HandOff) -> Result<Handed, FrontierError> {
        self.leases.hand_off(hand_off).await
    }
    async fn release(&self, release: Release) -> Result<Handed, FrontierError> {
        self.leases.release(release).await
    }
    async fn note(&self, token: Token, note: Note) -> Result<Handed, FrontierError> {
        self.leases.note(token, note).await
    }
    async fn remind(&self, notes: Vec<Note>) -> Result<(), FrontierError> {
        self.leases.remind(notes).await
    }
    async fn borrow_host(&self, host: &HostKey) -> Result<Borrowed, FrontierError> {
        self.front.beat().await?;
        self.leases.borrow_host(host).await
    }
    async fn rest(&self, until: Timestamp) {
        self.leases.rest(until).await;
    }
    async fn rules(&self, crawl: CrawlId, read: SeedsRead) -> Result<Option<CrawlRules>, FrontierError> {
        self.leases.rules(crawl, read).await
    }
}

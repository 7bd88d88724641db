//! The index of an installation: in a Redis that needs no persistence, shared by any number of processes.
//!
//! Every URL, host and lease stands in the shard of its host's registrable domain, so that one script touches one slot.
//! Each step of the ports is one script that runs whole or not at all, goes by the server's clock, and is refused where
//! the epoch is another than the caller's. What stands in a shard, below `NAMESPACE:{SHARD}:eEPOCH:`:
//!
//! | key | what it is |
//! |---|---|
//! | `ctl` | the epoch, the limits, and every counter |
//! | `hosts`, `paces` | one packed field a host; of those that left, what they asked for |
//! | `due`, `parked`, `idle`, `low`, `far`, `blocked` | hosts by when something is to be done about them |
//! | `q:`, `r:`, `l:` | the URLs of one host, crawl and priority: in order, out of order, not due yet |
//! | `k:`, `s:` | numbers of URLs that are in the index, and of all that were ever admitted: many small intsets |
//! | `x:`, `expiries`, `tokens` | URLs under a lease; leases by their end; their hosts |
//! | `stream`, `lag` | reports; what acknowledging each has to undo, and which entry is about which URL |
//! | `c:`, `crawls`, `rules:`, `seeds:`, `known:` | what is known of crawls |
//! | `nodes`, `draining`, `settled` | nodes; URLs acknowledged while a refill reads SQL |

mod checks;
mod failure;
mod front;
mod granted;
mod handing;
mod leases;
mod link;
mod pieces;
mod reading;
mod reply;
mod reports;
mod rules;
mod scripts;
mod shards;
mod wire;

use super::FrontierError;
use super::memory::Limits;
use crate::clock::Clock;
use link::Link;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Shards of an installation, where nobody says otherwise.
pub const SHARDS: u32 = 16;
/// The most that an installation may have.
pub const MAX_SHARDS: u32 = 256;

/// Whose time the index goes by.
#[derive(Clone, Copy)]
pub enum Time {
    /// The server's.
    Server,
    /// That of the caller's clock, for tests on a paused one: what this answers is held during each exchange with the server,
    /// so that the clock does not run ahead.
    Caller(fn() -> Box<dyn Send>),
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Server) { "Server" } else { "Caller" })
    }
}

/// Where the index is, and who asks.
#[derive(Debug, Clone)]
pub struct Settings {
    /// One server: `redis://[USER:PASSWORD@]HOST[:PORT]`, `rediss://...` for TLS (its certificate must be vouched for by the
    /// system's authorities, or those of the file that `SSL_CERT_FILE` names), or `redis+unix:///PATH`. A node of a Redis
    /// Cluster is refused: every shard has a slot of its own there, which a later version may use.
    pub url: String,
    /// The first part of every key, so that installations can share a server.
    pub namespace: String,
    /// The name of this process: what `nodes` shows, and under which it reads the stream. No two processes share one.
    pub name: String,
    /// Shards, 1 to [`MAX_SHARDS`]: the scheduler's say.
    pub shards: u32,
    /// How much the index holds, in all its shards: the scheduler's say.
    pub limits: Limits,
    /// Entries that a consumer took and did not acknowledge for so long are given to another.
    pub claim_after: Duration,
    /// Whose time it goes by.
    pub time: Time,
}

/// How much an installation holds where nobody says otherwise. A shard holds its share: a crawl of one domain has that alone.
pub const LIMITS: Limits = Limits {
    lease: Duration::from_secs(15),
    urls: 1_000_000,
    host_urls: 10_000,
    stream_entries: 16_384,
    stream_bytes: 256 << 20,
    seen: 100_000_000,
};

impl Settings {
    /// The defaults for a process of this name.
    pub fn new(url: &str, name: &str) -> Self {
        Self {
            url: url.to_owned(),
            namespace: "huntsman".to_owned(),
            name: name.to_owned(),
            shards: SHARDS,
            limits: LIMITS,
            claim_after: Duration::from_secs(30),
            time: Time::Server,
        }
    }
}

/// All three ports on an index in Redis; a process uses those of its role.
pub struct RedisFrontier {
    link: Arc<Link>,
    leasing: leases::Leasing,
    reading: Arc<reading::Reading>,
    directing: front::Directing,
}

impl fmt::Debug for RedisFrontier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the URL, which may hold a password.
        f.debug_struct("RedisFrontier")
            .field("namespace", &self.link.settings.namespace)
            .finish_non_exhaustive()
    }
}

impl RedisFrontier {
    /// Connects, and refuses a server that will never do. Whether an epoch is open shows with the first call of a port.
    pub async fn connect(settings: Settings, clock: Clock) -> Result<Self, FrontierError> {
        if !(1..=MAX_SHARDS).contains(&settings.shards) {
            return Err(FrontierError::Unusable(format!("shards must be 1 to {MAX_SHARDS}")));
        }
        if settings.namespace.is_empty() || settings.namespace.contains(['{', '}', '*', '?', '[', '\\', ' '])
        {
            return Err(FrontierError::Unusable("the namespace must be a plain word".into()));
        }
        let link = Arc::new(Link::new(settings, clock)?);
        link.connection().await?;
        let (leasing, directing) = (leases::Leasing::default(), front::Directing::default());
        let reading = Arc::new(reading::Reading::default());
        Ok(Self { link, leasing, reading, directing })
    }

    /// Exchanges with the server since the start, each with any number of shards.
    pub fn round_trips(&self) -> u64 {
        self.link.round_trips.load(Ordering::Relaxed)
    }

    /// The length of a lease in the epoch that is open.
    pub async fn lease_length(&self) -> Result<Duration, FrontierError> {
        Ok(self.link.session().await?.mark.lease)
    }
}

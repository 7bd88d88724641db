//! The role that visits: leases hosts, asks them at their pace, reports what became of each URL.
//!
//! The order of effects is the crash-safety argument. A node never admits and never writes to the store; it appends a report, and
//! only then is the URL no longer leased. Dying anywhere before that costs one repeated visit.

mod job;
mod parsing;
mod quiet;
mod reading;
mod reminding;
mod robots;
mod sitemaps;
mod visiting;

pub use job::{Job, JobSettings, Jobs, MakeJob, Published};
pub use parsing::ParsePool;
pub use reading::Reading;
pub use robots::Robots;
pub use sitemaps::Sitemaps;

use crate::clock::Clock;
use crate::crawl::lease::{Lease, Token};
use crate::crawl::time::Timestamp;
use crate::fetch::Fence;
use crate::frontier::{FrontierError, Leases, Next};
use quiet::QuietHosts;
use reminding::Reminding;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// After a stop, a process has so long to end what it has in hand.
pub const DRAIN: Duration = Duration::from_secs(10);
/// ... of which its visits have this,
const VISITS_END: Duration = Duration::from_secs(7);
/// ... and their leases, once the visits that take longer were cut off, this to be given back.
const LEASES_END: Duration = Duration::from_secs(2);

/// How long a node waits before it asks again an index that was out of reach.
const OUT_OF_REACH: Duration = Duration::from_secs(1);

/// What a node is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Hosts visited at a time, and requests in flight at a time.
    pub concurrency: usize,
    /// The length of a lease, as the index grants it.
    pub lease: Duration,
}

/// Why a node stopped on its own.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The index is out of reach.
    #[error(transparent)]
    Frontier(#[from] FrontierError),
}

/// A crawler node.
pub struct Node {
    frontier: Arc<dyn Leases>,
    clock: Clock,
    settings: Settings,
    jobs: Jobs,
    held: Mutex<HashMap<Token, Arc<Held>>>,
    quiet_hosts: QuietHosts,
    /// No lease is asked for before this point.
    quiet_until: AtomicI64,
    /// A permit a request in flight: only a host that is asked several URLs at a time can make another wait for one.
    requests: Semaphore,
}

/// A lease in the node's hands, apart from its URLs.
#[derive(Debug)]
struct Held {
    /// From then on nothing is sent under it: a third of its length before it ends.
    fence: AtomicI64,
    /// Fires when the index no longer knows it, and when its fence passed while a request was under way.
    lost: CancellationToken,
    clock: Clock,
}

impl Held {
    fn fence(&self) -> Timestamp {
        Timestamp::from_micros(self.fence.load(Ordering::Relaxed))
    }

    fn is_safe(&self) -> bool {
        self.clock.now() < self.fence() && !self.lost.is_cancelled()
    }
}

impl Fence for Held {
    fn lets_through(&self) -> bool {
        let safe = self.is_safe();
        if !safe {
            self.lost.cancel();
        }
        safe
    }
}

impl Node {
    /// A node that visits what `frontier` hands out.
    pub fn new(frontier: Arc<dyn Leases>, clock: Clock, settings: Settings, jobs: Jobs) -> Self {
        let requests = Semaphore::new(settings.concurrency);
        Self {
            frontier: Arc::new(Reminding::new(frontier, clock)),
            clock,
            settings,
            jobs,
            held: Mutex::default(),
            quiet_hosts: QuietHosts::default(),
            quiet_until: AtomicI64::default(),
            requests,
        }
    }

    /// Requests on their way.
    pub fn in_flight(&self) -> usize {
        self.settings.concurrency - self.requests.available_permits()
    }

    /// Visits the hosts the frontier hands out until `stop` fires, then lets the visits in hand end for [`DRAIN`].
    pub async fn run(self: &Arc<Self>, stop: &CancellationToken) -> Result<(), NodeError> {
        let mut visits = JoinSet::new();
        let mut renewal = self.clock.now() + self.settings.lease / 3;
        let leasing = async {
            tokio::select! {
                ended = self.keep_leasing(&mut visits, stop) => ended,
                // Beside it: an index that is far away takes its time to hand out leases, and those in hand run out.
                () = async { loop { self.renew_from(&mut renewal).await } } => Ok(()),
            }
        };
        leasing.await?;
        self.drain(visits).await;
        Ok(())
    }

    /// Leases hosts and spawns their visits until `stop` fires or the node is asked to leave.
    async fn keep_leasing(
        self: &Arc<Self>,
        visits: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) -> Result<(), NodeError> {
        while !stop.is_cancelled() {
            while visits.try_join_next().is_some() {}
            let mut room = self.settings.concurrency.saturating_sub(visits.len());
            let mut rest = Timestamp::NEVER;
            if self.clock.now() < self.quiet_until() {
                (room, rest) = (0, self.quiet_until());
            }
            if room > 0 {
                match self.frontier.lease(room).await {
                    Ok(Next::Leases(leases)) => {
                        for lease in leases {
                            let held = self.hold(&lease);
                            visits.spawn(Arc::clone(self).visit_all(lease, held, stop.clone()));
                        }
                        continue;
                    }
                    Ok(Next::NotBefore(due)) => rest = due,
                    Ok(Next::Drain) => break,
                    Err(FrontierError::Unavailable(why)) => {
                        self.pause(&why, OUT_OF_REACH);
                        continue;
                    }
                    Err(FrontierError::Lost(why)) => {
                        self.lose(&why);
                        continue;
                    }
                    Err(why) => return Err(why.into()),
                }
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(_) = visits.join_next() => {}
                () = self.frontier.rest(rest), if room > 0 => {}
                () = self.clock.sleep_until(rest) => {}
            }
        }
        Ok(())
    }

    /// Lets visits end, and renews their leases meanwhile; what takes too long is cut off and given back.
    async fn drain(&self, mut visits: JoinSet<()>) {
        let cut = self.clock.now() + VISITS_END;
        let mut renewal = self.clock.now();
        while !visits.is_empty() && self.clock.now() < cut {
            tokio::select! {
                _ = visits.join_next() => {}
                () = self.clock.sleep_until(cut) => {}
                () = self.renew_from(&mut renewal) => {}
            }
        }
        self.held().values().for_each(|held| held.lost.cancel());
        let end = self.clock.now() + LEASES_END;
        while !visits.is_empty() && self.clock.now() < end {
            tokio::select! {
                _ = visits.join_next() => {}
                () = self.clock.sleep_until(end) => {}
            }
        }
    }

    /// Renews at that point, and sets the next.
    async fn renew_from(&self, renewal: &mut Timestamp) {
        self.clock.sleep_until(*renewal).await;
        *renewal = self.clock.now() + self.settings.lease / 3;
        self.renew().await;
    }

    fn hold(&self, lease: &Lease) -> Arc<Held> {
        // Its end is counted from before the index was asked, however long the answer was on its way.
        let fence = lease.until - self.settings.lease / 3;
        let fence = AtomicI64::new(fence.as_micros());
        let held = Arc::new(Held { fence, lost: CancellationToken::new(), clock: self.clock });
        self.held().insert(lease.token, Arc::clone(&held));
        held
    }

    fn quiet_until(&self) -> Timestamp {
        Timestamp::from_micros(self.quiet_until.load(Ordering::Relaxed))
    }

    /// Asks for nothing for a while: an index that is out of reach is a pause, not a failure.
    fn pause(&self, why: &str, span: Duration) {
        tracing::warn!(why, "no leases for a moment");
        self.quiet_until.fetch_max((self.clock.now() + span).as_micros(), Ordering::Relaxed);
    }

    /// The index is another one: every lease is void, its requests are aborted, and none is asked for until whoever was
    /// leased the same hosts has missed them too.
    fn lose(&self, why: &str) {
        self.pause(why, self.settings.lease);
        self.held().values().for_each(|held| held.lost.cancel());
        self.jobs.forget_announced();
    }

    /// A change of the index is said once, to whoever asks first.
    fn heard(&self, why: &FrontierError) {
        if let FrontierError::Lost(why) = why {
            self.lose(why);
        }
    }

    /// Renews every lease in hand with one call; those that the index does not know are lost.
    async fn renew(&self) {
        let tokens: Vec<Token> = self.held().keys().copied().collect();
        if tokens.is_empty() {
            return;
        }
        let asked = self.clock.now();
        let lost = match self.frontier.renew(&tokens).await {
            Ok(lost) => lost,
            Err(FrontierError::Lost(why)) => return self.lose(&why),
            // Out of reach: the fences stand where they are, and the leases lapse by themselves.
            Err(_) => return,
        };
        let fence = asked + self.settings.lease * 2 / 3;
        let held = self.held();
        for token in tokens {
            let Some(held) = held.get(&token) else { continue };
            if lost.contains(&token) {
                held.lost.cancel();
            } else {
                held.fence.store(fence.as_micros(), Ordering::Relaxed);
            }
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<Token, Arc<Held>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

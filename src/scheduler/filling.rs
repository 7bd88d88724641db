//! How the index of an installation is filled from SQL: hosts that ran low, and one pass after the other over all of them.

use super::fleet::{Fleet, LOOK, OUT_OF_REACH, patient};
use super::{HOSTS_PER_REFILL, SchedulerError};
use crate::crawl::host::HostKey;
use crate::crawl::lease::CrawlId;
use crate::crawl::time::Timestamp;
use crate::frontier::Low;
use futures_util::{StreamExt, TryStreamExt, stream};
use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often the index is looked at.
const TICK: Duration = Duration::from_millis(50);
/// How often every host with open URLs is held against the index: an admission that was refused or lost is made good
/// by this.
const PASS: Duration = Duration::from_secs(60);
/// URLs of a host and a crawl in one refill.
const FILL: usize = 1_000;
/// Hosts that are filled at a time.
const AT_ONCE: usize = 8;

/// What the two sides of the work share.
#[derive(Default)]
pub(super) struct Desk {
    /// The crawls whose URLs are filled in.
    running: Mutex<BTreeSet<CrawlId>>,
    /// Passes over the hosts of crawls that have begun: where each goes on.
    passes: Mutex<VecDeque<(CrawlId, String)>>,
    /// What is opened to the nodes of each crawl.
    opened: Mutex<HashMap<CrawlId, HashSet<String>>>,
    /// Held while hosts are filled.
    pub(super) filling: tokio::sync::Mutex<()>,
    /// Until then no host is asked, since nodes may still go by the epoch before.
    pub(super) quiet_until: Timestamp,
}

impl Desk {
    pub(super) fn running(&self) -> MutexGuard<'_, BTreeSet<CrawlId>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn passes(&self) -> MutexGuard<'_, VecDeque<(CrawlId, String)>> {
        self.passes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn opened(&self) -> MutexGuard<'_, HashMap<CrawlId, HashSet<String>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a pass over all hosts of a crawl with open URLs, unless one waits to begin.
    pub(super) fn pass(&self, crawl: CrawlId) {
        let mut passes = self.passes();
        let waits = |(of, after): &(CrawlId, String)| *of == crawl && after.is_empty();
        if !passes.iter().any(waits) {
            passes.push_back((crawl, String::new()));
        }
    }
}

impl Fleet {
    /// Fills the index again and again; ends with an error.
    pub(super) async fn keep_filling(&self, desk: &Desk) -> Result<(), SchedulerError> {
        let (mut next_look, mut next_pass) = (Timestamp::EPOCH, self.clock.now() + PASS);
        loop {
            let now = self.clock.now();
            if now >= next_look {
                next_look = now + LOOK;
                // Nothing stands in the index, and yet crawls have open rows: those of an admission that was lost need not
                // wait for the slow pass.
                let may_stall = desk.passes().is_empty() && !desk.running().is_empty();
                if may_stall && patient(self.is_idle().await)? == Some(true) {
                    next_pass = now;
                }
            }
            if now >= next_pass {
                let running = desk.running().clone();
                for crawl in running {
                    desk.pass(crawl);
                }
                next_pass = now + PASS;
            }
            let worked = async {
                let low = self.front.low(HOSTS_PER_REFILL).await?;
                self.top_up(&low, desk).await?;
                self.go_on(desk).await
            };
            let pause = if patient(worked.await)?.is_some() { TICK } else { OUT_OF_REACH };
            self.clock.sleep_until(now + pause).await;
        }
    }

    async fn is_idle(&self) -> Result<bool, SchedulerError> {
        let counts = self.front.counts().await?;
        Ok(counts.queued + counts.leased + counts.handed_over == 0)
    }

    /// Goes on with the pass over all hosts with open URLs, a few at a time.
    async fn go_on(&self, desk: &Desk) -> Result<(), SchedulerError> {
        let Some((crawl, after)) = desk.passes().front().cloned() else { return Ok(()) };
        let hosts = self.store.open_hosts(crawl, &after, HOSTS_PER_REFILL).await?;
        if hosts.is_empty() {
            desk.passes().pop_front();
            return Ok(());
        }
        let low: Vec<Low> = hosts.into_iter().map(|host| Low { host, held: 0, room: FILL }).collect();
        let done = self.top_up(&low, desk).await?;
        if let (Some(last), Some(front)) = (low[..done].last(), desk.passes().front_mut()) {
            last.host.as_str().clone_into(&mut front.1);
        }
        Ok(())
    }

    /// Tops hosts up with the first open URLs of every crawl that runs. Answers how many of them, in their order, there was
    /// room for.
    async fn top_up(&self, low: &[Low], desk: &Desk) -> Result<usize, SchedulerError> {
        let mut done = 0;
        while done < low.len() {
            let mut left = self.front.room().await?;
            // While every host rests for the new epoch, to make room would be to empty what was just filled.
            if left == 0 && self.clock.now() >= desk.quiet_until {
                left = self.front.make_room().await?;
            }
            if left == 0 {
                break;
            }
            let mut fills = Vec::new();
            for Low { host, held, room } in &low[done..] {
                let most = (*room).min(left);
                fills.push(self.fill(host, held + most, desk));
                left -= most;
                if left == 0 {
                    break;
                }
            }
            done += fills.len();
            let _filling = desk.filling.lock().await;
            self.front.begin_refill().await?;
            let filled = stream::iter(fills).buffer_unordered(AT_ONCE).try_collect::<()>().await;
            self.front.end_refill().await?;
            filled?;
        }
        Ok(done)
    }

    async fn fill(&self, host: &HostKey, most: usize, desk: &Desk) -> Result<(), SchedulerError> {
        let (mut urls, mut complete) = (Vec::new(), true);
        let running = desk.running().clone();
        for crawl in running {
            let mut open = self.store.open_urls(crawl, host, most).await?;
            // One that was added a moment ago may come here before its crawl is looked at.
            let seeds = open.urls.iter().filter_map(|url| Some((&*url.url, url.origin.seed?)));
            self.open_scope(crawl, seeds, desk).await?;
            complete &= open.complete;
            urls.append(&mut open.urls);
        }
        self.front.refill(host, urls, complete).await?;
        Ok(())
    }
}

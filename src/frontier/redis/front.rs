//! The scheduler's side: it opens epochs, says that it is there, and fills the front of the queues.

use super::link::{Args, Mark};
use super::reply::{next, said_pace};
use super::scripts::Script;
use super::{RedisFrontier, Time, shards};
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Pace, Queued};
use crate::crawl::politeness::{DEFAULT_DELAY, Delay};
use crate::crawl::time::Timestamp;
use crate::frontier::{Blocked, Counts, CrawlSettings, Front, FrontierError, Low, NodeSeen, RunState};
use async_trait::async_trait;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Paces in one script.
const PER_SCRIPT: usize = 500;
/// The longest that one refill may take from its begin to its end: what is acknowledged meanwhile is noted.
const LONGEST_REFILL: Duration = Duration::from_secs(600);
/// A step of the server's clock against ours between two beats from which the index is taken for lost: every due time in it
/// is off by as much.
const STEP: Duration = Duration::from_millis(500);
/// Keys of older epochs looked at in one go, and the pause after it.
const SWEPT: usize = 500;
const SWEEP_PAUSE: Duration = Duration::from_millis(5);

/// What the scheduler remembers between its calls.
#[derive(Debug, Default)]
pub(super) struct Directing(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    settings: BTreeMap<CrawlId, CrawlSettings>,
    /// Crawls on their way out: where the scan of each shard goes on, whether any URL has left in this scan, and whether
    /// any was leased or handed over.
    leaving: HashMap<CrawlId, Scan>,
    /// The epoch that this process opened.
    opened: Option<u32>,
    /// How far the server's clock was ahead of ours at the last beat: at least and at most, since an answer may be long on its way.
    ahead: Option<(i64, i64)>,
}

/// A scan over the hosts of all shards for the URLs of one crawl.
#[derive(Debug, Clone)]
struct Scan {
    /// The shards that are not through, and where each goes on.
    cursors: HashMap<u32, String>,
    /// Whether it has found anything.
    found: bool,
}

impl Directing {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Front for RedisFrontier {
    async fn settings(&self, crawl: CrawlId, settings: CrawlSettings) -> Result<(), FrontierError> {
        {
            let mut state = self.directing.state();
            state.settings.insert(crawl, settings);
            state.leaving.remove(&crawl);
        }
        let said = async {
            self.leads().await?;
            self.say_settings(crawl, settings).await
        };
        match said.await {
            // Where none is open, or that of another scheduler, they are said to the epoch that this process opens.
            Err(FrontierError::Lost(_)) => Ok(()),
            said => said,
        }
    }

    async fn forget(&self, crawl: CrawlId) -> Result<bool, FrontierError> {
        self.leads().await?;
        let shards = self.link.session().await?.mark.shards;
        let scan = self.directing.state().leaving.remove(&crawl);
        let from_the_start =
            || Scan { cursors: (0..shards).map(|n| (n, "0".to_owned())).collect(), found: false };
        let mut scan = scan.unwrap_or_else(from_the_start);
        let looked_at: Vec<u32> = scan.cursors.keys().copied().collect();
        let call = |shard: &u32| (*shard, Args::new().number(crawl.0).add(&*scan.cursors[shard]));
        let replies = self.link.all(Script::Forget, looked_at.iter().map(call).collect()).await?;
        for (shard, reply) in looked_at.into_iter().zip(replies) {
            let mut parts = reply.parts(3)?;
            let cursor = next(&mut parts)?.text()?;
            let left = next(&mut parts)?.count()?;
            scan.found |= left > 0 || next(&mut parts)?.number()? > 0;
            if cursor == "0" && left == 0 {
                scan.cursors.remove(&shard);
            } else {
                scan.cursors.insert(shard, cursor);
            }
        }
        if scan.cursors.is_empty() && !scan.found {
            self.link.everywhere(Script::Forget, || Args::new().number(crawl.0).add("end")).await?;
            self.directing.state().settings.remove(&crawl);
            return Ok(true);
        }
        // One that has found something is followed by another: nothing may be on its way any more.
        if !scan.cursors.is_empty() {
            self.directing.state().leaving.insert(crawl, scan);
        }
        Ok(false)
    }

    async fn publish(&self, crawl: CrawlId, settings_json: String) -> Result<(), FrontierError> {
        self.leads().await?;
        self.change_rules(crawl, Args::new().number(crawl.0).add("publish").add(settings_json)).await
    }

    async fn beat(&self) -> Result<(), FrontierError> {
        self.leads().await?;
        let before = self.link.clock.now().as_micros();
        let replies = self.link.everywhere(Script::Beat, Args::new).await?;
        let after = self.link.clock.now().as_micros();
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        for reply in replies {
            let there = reply.number()?;
            least = least.min(there - after);
            most = most.max(there - before);
        }
        let earlier = self.directing.state().ahead.replace((least, most));
        let by = earlier.map_or(0, |(at_least, at_most)| (least - at_most).max(at_least - most));
        if by > STEP.as_micros() as i64 && matches!(self.link.settings.time, Time::Server) {
            let by = Duration::from_micros(by.unsigned_abs());
            return Err(FrontierError::Lost(format!(
                "the clock of the server was stepped by {by:?}: a new epoch is needed"
            )));
        }
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<NodeSeen>, FrontierError> {
        let reply = self.link.one(Script::Nodes, 0, Args::new().add("all")).await?;
        let mut nodes = Vec::new();
        for node in reply.list()? {
            let mut parts = node.parts(5)?;
            nodes.push(NodeSeen {
                name: next(&mut parts)?.text()?,
                seen: next(&mut parts)?.point()?,
                leases: next(&mut parts)?.count()?,
                handed_off: next(&mut parts)?.count()? as u64,
                draining: next(&mut parts)?.number()? == 1,
            });
        }
        nodes.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(nodes)
    }

    async fn drain(&self, node: &str) -> Result<bool, FrontierError> {
        let reply = self.link.one(Script::Nodes, 0, Args::new().add("drain").add(node)).await?;
        Ok(reply.number()? == 1)
    }

    async fn open_epoch(
        &self,
        epoch: u32,
        paces: Vec<(HostKey, Pace)>,
        resumed: bool,
    ) -> Result<(), FrontierError> {
        let settings = &self.link.settings;
        let (mut connection, run_id) = self.link.connection().await?;
        let mark = Mark { epoch, run_id, shards: settings.shards, lease: settings.limits.lease };
        // The first shard is where the others look: it is closed first and opened last.
        for shard in 0..mark.shards {
            self.link.mark(&mut connection, shard, epoch, None, false).await?;
        }
        self.link.opened(mark.clone()).await;
        let limits = &settings.limits;
        let share = |all: usize| all.div_ceil(mark.shards as usize);
        let calls = (0..mark.shards).map(|shard| {
            let args = Args::new().number(shard).number(mark.shards).number(u8::from(resumed));
            let args =
                args.number(limits.lease.as_micros()).number(share(limits.urls)).number(limits.host_urls);
            let args = args.number(share(limits.stream_entries)).number(share(limits.stream_bytes));
            (shard, args.number(share(limits.seen)).number(DEFAULT_DELAY.as_micros()))
        });
        self.link.all(Script::Open, calls.collect()).await?;
        let said = self.directing.state().settings.clone();
        for (crawl, settings) in said {
            self.say_settings(crawl, settings).await?;
        }
        self.say_paces(paces, mark.shards).await?;
        for shard in (0..mark.shards).rev() {
            self.link.mark(&mut connection, shard, epoch, Some(&mark), false).await?;
        }
        {
            let mut state = self.directing.state();
            state.opened = Some(epoch);
            state.leaving.clear();
            state.ahead = None;
        }
        self.sweep(epoch).await;
        Ok(())
    }

    async fn learn(&self, paces: Vec<(HostKey, Pace)>) -> Result<(), FrontierError> {
        self.leads().await?;
        let shards = self.link.session().await?.mark.shards;
        self.say_paces(paces, shards).await
    }

    async fn low(&self, most: usize) -> Result<Vec<Low>, FrontierError> {
        self.leads().await?;
        let mut low = Vec::new();
        for reply in self.link.everywhere(Script::Low, || Args::new().number(most)).await? {
            for host in reply.list()? {
                let mut parts = host.parts(3)?;
                let host = next(&mut parts)?.host()?;
                low.push(Low { host, held: next(&mut parts)?.count()?, room: next(&mut parts)?.count()? });
            }
        }
        low.truncate(most);
        Ok(low)
    }

    async fn room(&self) -> Result<usize, FrontierError> {
        self.leads().await?;
        let mut room = 0;
        for reply in self.link.everywhere(Script::Counts, Args::new).await? {
            room += next(&mut reply.parts(7)?.skip(5))?.count()?;
        }
        Ok(room)
    }

    async fn make_room(&self) -> Result<usize, FrontierError> {
        self.leads().await?;
        let mut left = 0;
        loop {
            let mut hosts = 0;
            for reply in self.link.everywhere(Script::MakeRoom, Args::new).await? {
                let mut parts = reply.parts(2)?;
                left += next(&mut parts)?.count()?;
                hosts += next(&mut parts)?.count()?;
            }
            if hosts == 0 {
                return Ok(left);
            }
        }
    }

    async fn refill(
        &self,
        host: &HostKey,
        urls: Vec<Queued>,
        complete: bool,
    ) -> Result<usize, FrontierError> {
        self.leads().await?;
        if urls.is_empty() {
            let shards = self.link.session().await?.mark.shards;
            let args = Args::new().add("refill").add(if complete { "1" } else { "0" });
            let args = args.add(host.as_str()).number(shards::kind(host)).add("0");
            self.link.one(Script::Admit, shards::of_host(host, shards), args).await?;
            return Ok(0);
        }
        let (queued, _) = self.queue("refill", complete, urls).await?;
        let count = queued.len();
        self.mark_seen(queued).await?;
        Ok(count)
    }

    async fn counts(&self) -> Result<Counts, FrontierError> {
        let mut counts = Counts::default();
        let mut possible = false;
        let mut budgets: HashMap<i64, (i64, i64)> = HashMap::new();
        for reply in self.link.everywhere(Script::Counts, Args::new).await? {
            let mut parts = reply.parts(7)?;
            counts.queued += next(&mut parts)?.count()?;
            counts.leased += next(&mut parts)?.count()?;
            counts.handed_over += next(&mut parts)?.count()?;
            counts.hosts += next(&mut parts)?.count()?;
            match &*next(&mut parts)?.text()? {
                "" => {}
                "0" => possible = true,
                at => {
                    let at = Timestamp::from_micros(at.parse().unwrap_or_default());
                    counts.next_due = Some(counts.next_due.map_or(at, |first| first.min(at)));
                }
            }
            let (_room, _expiry) = (next(&mut parts)?, next(&mut parts)?);
            while let Some(crawl) = parts.next() {
                let budget = budgets.entry(crawl.number()?).or_default();
                budget.0 = next(&mut parts)?.number()?;
                budget.1 += next(&mut parts)?.number()?;
                next(&mut parts)?;
            }
        }
        counts.budget_spent = budgets.values().any(|(most, stored)| stored >= most);
        if possible {
            counts.next_due = None;
        }
        Ok(counts)
    }

    async fn blocked(&self) -> Result<Blocked, FrontierError> {
        let mut blocked = Blocked::default();
        for reply in self.link.everywhere(Script::Blocked, Args::new).await? {
            let mut parts = reply.parts(3)?;
            blocked.hosts += next(&mut parts)?.count()?;
            blocked.urls += next(&mut parts)?.count()?;
            let until = next(&mut parts)?.text()?.parse().ok().map(Timestamp::from_micros);
            blocked.until = blocked.until.into_iter().chain(until).min();
        }
        Ok(blocked)
    }

    async fn begin_refill(&self) -> Result<(), FrontierError> {
        self.leads().await?;
        self.refilling(LONGEST_REFILL).await
    }

    async fn end_refill(&self) -> Result<(), FrontierError> {
        self.refilling(Duration::ZERO).await
    }
}

impl RedisFrontier {
    /// The number of the epoch that is open.
    pub async fn epoch(&self) -> Result<u32, FrontierError> {
        Ok(self.link.session().await?.mark.epoch)
    }

    /// Closes the epoch that is open, by hand: every process that holds to it is refused from then on, and the scheduler opens
    /// another one, as if the server had forgotten everything. Answers with its number.
    pub async fn close_epoch(&self) -> Result<u32, FrontierError> {
        let mark = self.link.session().await?.mark;
        let (mut connection, _) = self.link.connection().await?;
        // The first shard is where the others look.
        for shard in 0..mark.shards {
            self.link.mark(&mut connection, shard, mark.epoch, None, true).await?;
        }
        self.link.forget_epoch().await;
        Ok(mark.epoch)
    }

    /// Refuses where another epoch is open than the one that this process opened: another scheduler leads, or the index
    /// was lost. A process that opened none may look and tell.
    async fn leads(&self) -> Result<(), FrontierError> {
        let session = self.link.session().await?;
        match self.directing.state().opened {
            Some(opened) if opened != session.mark.epoch => Err(FrontierError::Lost(format!(
                "epoch {} is open and not {opened}: another scheduler leads",
                session.mark.epoch
            ))),
            _ => Ok(()),
        }
    }

    async fn refilling(&self, span: Duration) -> Result<(), FrontierError> {
        self.link.everywhere(Script::Refilling, || Args::new().number(span.as_micros())).await.map(drop)
    }

    async fn say_settings(&self, crawl: CrawlId, settings: CrawlSettings) -> Result<(), FrontierError> {
        let CrawlSettings { state, delay, max_pages, stored } = settings;
        let state = match state {
            RunState::Running => "running",
            RunState::Paused => "paused",
            RunState::Cancelled => "cancelled",
        };
        let (kind, delay) = match delay {
            Delay::Auto => ("auto", DEFAULT_DELAY),
            Delay::Fixed(delay) => ("fixed", delay),
        };
        let most = max_pages.map_or(-1, |most| i64::try_from(most).unwrap_or(i64::MAX));
        let shards = self.link.session().await?.mark.shards;
        let calls = (0..shards).map(|shard| {
            // What was stored is counted in one shard from there on: the sum over all is what counts.
            let stored = stored.map(|stored| if shard == 0 { stored } else { 0 });
            let stored = stored.map_or_else(String::new, |stored| stored.to_string());
            let args = Args::new().number(crawl.0).add(state).number(most).add(stored);
            (shard, args.add(kind).number(delay.as_micros()))
        });
        self.link.all(Script::Settings, calls.collect()).await.map(drop)
    }

    async fn say_paces(&self, paces: Vec<(HostKey, Pace)>, shards: u32) -> Result<(), FrontierError> {
        for some in paces.chunks(PER_SCRIPT) {
            let mut calls: HashMap<u32, Args> = HashMap::new();
            for (host, pace) in some.iter().filter(|(_, pace)| *pace != Pace::default()) {
                let args = calls.entry(shards::of_host(host, shards)).or_default();
                args.push(host.as_str());
                for said in said_pace(pace) {
                    args.push(said);
                }
            }
            self.link.all(Script::Paces, calls.into_iter().collect()).await?;
        }
        Ok(())
    }

    /// Deletes the keys of older epochs in the background; where it is cut off, the next epoch's does it.
    async fn sweep(&self, epoch: u32) {
        let Ok((mut connection, _)) = self.link.connection().await else { return };
        let namespace = self.link.settings.namespace.clone();
        let of_epoch = move |key: &str| -> Option<u32> {
            let rest = key.strip_prefix(&*namespace)?.strip_prefix(":{")?;
            rest.split_once("}:e")?.1.split_once(':')?.0.parse().ok()
        };
        let pattern = format!("{}:{{*}}:e*", self.link.settings.namespace);
        tokio::spawn(async move {
            let mut cursor = 0_u64;
            loop {
                let scan = redis::cmd("SCAN")
                    .arg(cursor)
                    .arg("MATCH")
                    .arg(&pattern)
                    .arg("COUNT")
                    .arg(SWEPT)
                    .to_owned();
                let Ok((next, keys)) = super::link::ask::<(u64, Vec<Vec<u8>>)>(&mut connection, &scan).await
                else {
                    return;
                };
                let is_old = |key: &&Vec<u8>| {
                    let text = String::from_utf8_lossy(key);
                    of_epoch(&text).is_some_and(|of| of < epoch)
                };
                let old: Vec<&Vec<u8>> = keys.iter().filter(is_old).collect();
                // One key a command: they may stand in different slots.
                let unlink =
                    old.iter().map(|key| redis::cmd("UNLINK").arg(*key).to_owned()).collect::<Vec<_>>();
                for command in unlink {
                    if super::link::ask::<i64>(&mut connection, &command).await.is_err() {
                        return;
                    }
                }
                cursor = next;
                if cursor == 0 {
                    return;
                }
                tokio::time::sleep(SWEEP_PAUSE).await;
            }
        });
    }
}

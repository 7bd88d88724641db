//! One lease from its first URL to its end.

use super::job::{LeaseJobs, NoJob};
use super::robots::Gate;
use super::{Held, Job, Node};
use crate::crawl::assess;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{Lease, Pace, Queued, Token};
use crate::crawl::politeness;
use crate::crawl::report::{Note, Report, RobotsNote};
use crate::crawl::time::Timestamp;
use crate::crawl::visit::{Failure, FailureClass, Visit};
use crate::fetch::{Fence, Request};
use crate::frontier::{HandOff, Handed, Release};
use futures_util::stream::{self, StreamExt};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How long a host rests whose lease a node could not use.
const REFUSED: Duration = Duration::from_secs(5);

/// A lease being visited: what its visits share.
pub(super) struct Visiting<'n> {
    pub(super) node: &'n Node,
    pub(super) host: HostKey,
    pub(super) token: Token,
    held: Arc<Held>,
    jobs: LeaseJobs,
    /// What the crawls of the index want between two requests.
    pub(super) gap: Duration,
    pace: Mutex<Pace>,
    /// Set when nothing more may be sent under this lease: the host rests, the lease is lost, or the node stops.
    ended: AtomicBool,
    stop: CancellationToken,
    /// Set when the host did not answer: the URLs of this lease share that attempt.
    silence: Mutex<Option<Failure>>,
    /// Held by the visit that asks for a robots.txt: one at a time.
    pub(super) asking: tokio::sync::Mutex<()>,
    farewell: Mutex<Farewell>,
}

/// What the index is told when the lease is given back.
#[derive(Default)]
struct Farewell {
    due: Timestamp,
    note: Option<Note>,
}

impl Node {
    /// Visits the URLs of a lease in their order, as far as the host's pace allows, and gives the rest back.
    pub(super) async fn visit_all(self: Arc<Self>, lease: Lease, held: Arc<Held>, stop: CancellationToken) {
        let jobs = match self.jobs.of(&*self.frontier, &lease).await {
            Ok(jobs) => jobs,
            Err(why) => return self.refuse(lease, &why).await,
        };
        let Lease { host, token, pace, delay: gap, urls, .. } = lease;
        let ended = AtomicBool::new(false);
        let visiting = Visiting {
            node: &self,
            host,
            token,
            held,
            jobs,
            gap,
            pace: Mutex::new(pace),
            ended,
            stop,
            silence: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            farewell: Mutex::default(),
        };
        visiting.keep_quiet(&urls).await;
        let left = urls.len();
        let together =
            if visiting.delay().is_zero() { visiting.jobs.per_host().clamp(1, left.max(1)) } else { 1 };
        if together == 1 {
            for url in urls {
                visiting.visit(url).await;
            }
        } else {
            stream::iter(urls).for_each_concurrent(together, |url| visiting.visit(url)).await;
        }
        visiting.give_back().await;
        self.held().remove(&token);
    }

    /// Gives back a lease whose URLs this node cannot visit; another one may, or this one a little later.
    async fn refuse(&self, lease: Lease, why: &NoJob) {
        tracing::warn!(%why, "a lease is given back");
        if let NoJob::Frontier(why) = why {
            self.heard(why);
        }
        let due = self.clock.now() + REFUSED;
        let release = Release { host: lease.host, token: lease.token, due, note: None };
        // Stale or out of reach: the lease lapses by itself.
        if let Err(why) = self.frontier.release(release).await {
            self.heard(&why);
        }
        self.held().remove(&lease.token);
    }
}

impl Visiting<'_> {
    /// What this node knows of a host, and the index does not know any more or never heard of, holds all the same; a block
    /// is said again.
    async fn keep_quiet(&self, urls: &[Queued]) {
        let now = self.node.clock.now();
        let Some(quiet) = self.node.quiet_hosts.after(now, &self.host) else { return };
        let known = self.pace().block_until;
        let note = match (quiet.block.filter(|until| known < Some(*until)), urls.first()) {
            (Some(until), Some(first)) => {
                let pace = self.block(until);
                Some(self.note(self.jobs.of(first.crawl), pace, None, now))
            }
            _ if quiet.due > now => None,
            _ => return,
        };
        self.end_lease(quiet.until(), note).await;
    }

    /// One URL: robots verdict, fence, request, outlinks, hand-off. Does nothing once the lease has ended.
    async fn visit(&self, url: Queued) {
        if self.is_over() {
            return;
        }
        let job = self.jobs.of(url.crawl);
        let silence = self.silence.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(failure) = silence {
            return self.report_unanswered(job, url, &failure, Timestamp::EPOCH, None).await;
        }
        let Ok(target) = Url::parse(&url.url) else {
            let failure =
                Failure { class: FailureClass::Protocol, detail: "the stored URL does not parse".into() };
            return self.report_unanswered(job, url, &failure, Timestamp::EPOCH, None).await;
        };
        let signals = match self.robots_gate(job, &target).await {
            Gate::Open(signals) => signals,
            Gate::Closed { rule } => {
                let report = assess::disallowed(url, self.token, rule, self.node.clock.now());
                return self.hand_off_page(job, &target, report, Timestamp::EPOCH, None, false).await;
            }
            Gate::Unanswered(failure, due, note) => {
                self.report_unanswered(job, url, &failure, due, Some(*note)).await;
                *self.silence.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                return;
            }
            Gate::Wait => return,
        };
        let withholding = &job.settings.withholding;
        if let Some(outcome) = withholding.before(&url, signals) {
            let report = assess::withheld(url, self.token, outcome, self.node.clock.now());
            return self.hand_off_page(job, &target, report, Timestamp::EPOCH, None, false).await;
        }
        let Some(visit) = self.request(job, Request::get(target.clone())).await else { return };
        let (due, note) = self.paced_by_page(job, &visit);
        let mut report = job.read(url, self.token, visit).await;
        withholding.after(&mut report, signals);
        let ends = note.is_some() || due > self.node.clock.now();
        self.hand_off_page(job, &target, report, due, note, ends).await;
    }

    async fn report_unanswered(
        &self,
        job: &Job,
        url: Queued,
        failure: &Failure,
        due: Timestamp,
        note: Option<Note>,
    ) {
        let now = self.node.clock.now();
        let report = job.with_rules(|rules| assess::unanswered(url, self.token, failure, rules, now));
        self.hand_off(report, due, note, false).await;
    }

    /// Hands off the report of a page, which brings the sitemaps of its authority if none has done so.
    async fn hand_off_page(
        &self,
        job: &Job,
        page: &Url,
        mut report: Report,
        due: Timestamp,
        note: Option<Note>,
        ends: bool,
    ) {
        let announced = job.announce(page, &mut report);
        let accepted = self.hand_off(report, due, note, ends).await;
        if let Some(announcement) = announced.filter(|_| accepted) {
            job.announced.add(announcement);
        }
    }

    /// Sends a request under the lease, unless its fence has passed; dropped when the lease is lost on the way, or when its fence
    /// passes since it could not be renewed: from its expiry on another node may ask the same host. The fence is looked at whenever
    /// something has happened to the request, and right before its head is written, so that a process that stood still for long
    /// sends nothing when it goes on.
    pub(super) async fn request(&self, job: &Job, request: Request) -> Option<Visit> {
        let sent = async {
            let _permit = self.node.requests.acquire().await.ok()?;
            // Looked at last: the permit may have been long in coming.
            if self.is_over() {
                return None;
            }
            let fence = Arc::clone(&self.held) as Arc<dyn Fence>;
            Some(job.fetch.get(Request { fence: Some(fence), ..request }).await)
        };
        tokio::select! {
            biased;
            () = self.held.lost.cancelled() => {}
            // For good: a renewal on its way may still move the fence, and the request be about to leave.
            () = self.fence() => self.held.lost.cancel(),
            visit = sent => return visit,
        }
        self.ended.store(true, Ordering::Relaxed);
        // It may have been asked just now; a lease that is void is given back in vain.
        let due = self.node.clock.now() + self.delay();
        let mut farewell = self.farewell.lock().unwrap_or_else(PoisonError::into_inner);
        farewell.due = farewell.due.max(due);
        None
    }

    /// Ends when the fence of the lease has passed, however often it was moved before.
    async fn fence(&self) {
        let clock = self.node.clock;
        let mut waking = pin!(clock.sleep_until(self.held.fence()));
        std::future::poll_fn(|context| {
            loop {
                // Not by the timer alone, which may be late where everything stood still.
                if clock.now() >= self.held.fence() {
                    return Poll::Ready(());
                }
                if waking.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                waking.set(clock.sleep_until(self.held.fence()));
            }
        })
        .await;
    }

    /// The next due time of the host after a page's request, and a note where its pace has changed.
    fn paced_by_page(&self, job: &Job, visit: &Visit) -> (Timestamp, Option<Note>) {
        let mut pace = self.pace();
        let before = *pace;
        *pace = politeness::after(before, visit);
        let due = self.next_due(visit, &pace);
        self.node.quiet_hosts.learn(&self.host, *pace, due);
        let note = (*pace != before).then(|| self.note(job, *pace, None, visit.finished));
        (due, note)
    }

    /// The same after a request for robots.txt, which is always noted.
    pub(super) fn paced(
        &self,
        job: &Job,
        visit: &Visit,
        robots: RobotsNote,
        crawl_delay: impl FnOnce(Option<Duration>) -> Option<Duration>,
    ) -> (Timestamp, Note) {
        let mut pace = self.pace();
        *pace = Pace { crawl_delay: crawl_delay(pace.crawl_delay), ..politeness::after(*pace, visit) };
        let due = self.next_due(visit, &pace);
        self.node.quiet_hosts.learn(&self.host, *pace, due);
        (due, self.note(job, *pace, Some(robots), visit.finished))
    }

    fn next_due(&self, visit: &Visit, pace: &Pace) -> Timestamp {
        politeness::next_due(visit.contact(), self.gap.max(pace.crawl_delay.unwrap_or_default()), pace)
    }

    pub(super) fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Blocks the host until then, on top of what its pace says.
    pub(super) fn block(&self, until: Timestamp) -> Pace {
        let mut pace = self.pace();
        pace.block_until = Some(pace.block_until.map_or(until, |before| before.max(until)));
        self.node.quiet_hosts.learn(&self.host, *pace, until);
        *pace
    }

    pub(super) fn lengthen_crawl_delay(&self, delay: Duration) -> Pace {
        let mut pace = self.pace();
        pace.crawl_delay = pace.crawl_delay.max(Some(delay));
        *pace
    }

    pub(super) fn note(&self, job: &Job, pace: Pace, robots: Option<RobotsNote>, at: Timestamp) -> Note {
        Note { crawl: job.crawl(), host: self.host.clone(), pace, robots, at }
    }

    pub(super) fn delay(&self) -> Duration {
        let pace = *self.pace();
        self.gap.max(pace.crawl_delay.unwrap_or_default())
    }

    pub(super) fn is_over(&self) -> bool {
        self.ended.load(Ordering::Relaxed) || self.stop.is_cancelled() || !self.held.is_safe()
    }

    /// Hands a report off. The index moves the URL from the lease to the handed-over set in the same step; a stale token ends the lease.
    async fn hand_off(&self, report: Report, due: Timestamp, note: Option<Note>, ends: bool) -> bool {
        // With several visits at a time, the others of this lease still have reports to hand off: the last one ends it.
        self.ended.fetch_or(ends, Ordering::Relaxed);
        let ends = ends && self.jobs.per_host() <= 1;
        let said = note.clone();
        let hand_off = HandOff { host: self.host.clone(), token: self.token, report, due, note, ends };
        match self.node.frontier.hand_off(hand_off).await {
            Ok(Handed::Accepted) => true,
            // Paused or cancelled: what is under way ends, and the rest is given back.
            Ok(Handed::Last) => {
                self.ended.store(true, Ordering::Relaxed);
                true
            }
            Ok(Handed::Stale) => {
                self.ended.store(true, Ordering::Relaxed);
                false
            }
            Err(why) => {
                self.node.heard(&why);
                // The host was asked all the same: where the lease can be given back, that says when it may be asked again.
                self.end_lease(due, said).await;
                false
            }
        }
    }

    /// Says that nothing more may be sent under this lease, and why the host rests. It is given back once the visits that are
    /// under way have ended: their reports need it.
    pub(super) async fn end_lease(&self, due: Timestamp, note: Option<Note>) {
        self.ended.store(true, Ordering::Relaxed);
        let earlier = {
            let mut farewell = self.farewell.lock().unwrap_or_else(PoisonError::into_inner);
            farewell.due = farewell.due.max(due);
            if note.is_some() { std::mem::replace(&mut farewell.note, note) } else { None }
        };
        if let Some(earlier) = earlier {
            // Stale or out of reach: the lease lapses by itself.
            if let Err(why) = self.node.frontier.note(self.token, earlier).await {
                self.node.heard(&why);
            }
        }
    }

    /// Gives the lease back; what was not visited is queued again.
    async fn give_back(self) {
        let Farewell { due, note } = self.farewell.into_inner().unwrap_or_else(PoisonError::into_inner);
        let release = Release { host: self.host, token: self.token, due, note };
        // Stale or out of reach: the lease lapses by itself.
        if let Err(why) = self.node.frontier.release(release).await {
            self.node.heard(&why);
        }
    }
}

//! robots.txt: asked for once an authority, at the host's pace, and kept while it is fresh.

mod cache;

pub(super) use cache::RobotsCache;

use super::Job;
use super::visiting::Visiting;
use crate::crawl::assess;
use crate::crawl::host::{Authority, HostKey};
use crate::crawl::politeness;
use crate::crawl::report::{Note, RobotsNote};
use crate::crawl::robots::{self as rules, Fetched, Refused, Rules, Signals};
use crate::crawl::time::Timestamp;
use crate::crawl::visit::{Failure, Visit};
use crate::fetch::Request;
use crate::frontier::{Borrowed, Handed, Release};
use cache::Known;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Bytes of a robots.txt that we read (RFC 9309 section 2.5 asks for 500 KiB at least).
const MAX_BYTES: usize = 512_000;
/// A robots.txt that was moved to a host that is never free is unreachable after this.
const MAX_PENDING: Duration = Duration::from_secs(300);
/// What robots.txt means for a crawl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Robots {
    /// It is asked for first and obeyed, for this product token.
    Obey {
        /// The product token.
        token: Arc<str>,
        /// What it means that it is refused.
        refused: Refused,
    },
    /// It is not asked for.
    Ignore,
}

/// The rules of an authority, as far as they say which sitemaps it has.
pub(super) enum Named {
    /// robots.txt was read, or there is none that says anything.
    Known(Option<Arc<Rules>>),
    /// It is not known now.
    Unknown,
}

impl Job {
    /// What the authority's robots.txt says of sitemaps.
    pub(super) fn sitemaps_named_by(&self, authority: &Authority) -> Named {
        if self.settings.robots == Robots::Ignore {
            return Named::Known(None);
        }
        match self.robots.get(authority) {
            Some(Known::Rules { rules, .. }) => Named::Known(Some(rules)),
            Some(Known::Allowed { .. }) => Named::Known(None),
            _ => Named::Unknown,
        }
    }
}

/// Whether a URL may be asked for now.
pub(super) enum Gate {
    /// Yes, and this is what the owner says of uses of it.
    Open(Signals),
    /// robots.txt forbids it, with the line.
    Closed { rule: String },
    /// The host did not answer when it was asked just now: an attempt of the URL without a request of its own, and
    /// what the host's pace became.
    Unanswered(Failure, Timestamp, Box<Note>),
    /// Not now: the lease was given back.
    Wait,
}

/// What asking for a robots.txt led to.
enum Ask {
    /// Look again at what is known.
    Again,
    /// The lease ends, or is lost.
    Wait,
    /// Nobody answered.
    Silent(Failure, Timestamp, Box<Note>),
}

impl Visiting<'_> {
    /// The verdict of robots.txt on `url`, which asks for the file first where it is not known.
    pub(super) async fn robots_gate(&self, job: &Job, url: &Url) -> Gate {
        let Robots::Obey { token, refused } = &job.settings.robots else {
            return Gate::Open(Signals::default());
        };
        let authority = Authority::of(url);
        let mut asking = None;
        loop {
            let now = self.node.clock.now();
            let (at, hops, since, failures) = match job.robots.get(&authority) {
                Some(Known::Allowed { until }) if until > now => return Gate::Open(Signals::default()),
                Some(Known::Rules { rules, until }) if until > now => {
                    let known = self.pace().crawl_delay;
                    // An index that was lost, or never heard of it, may not know what this node knows.
                    if let Some(delay) = rules.crawl_delay().filter(|delay| known < Some(*delay)) {
                        let pace = self.lengthen_crawl_delay(delay);
                        self.end_lease(now + delay, Some(self.note(job, pace, None, now))).await;
                        return Gate::Wait;
                    }
                    return verdict(&rules, url);
                }
                Some(Known::Unreachable { retry_at, .. }) if retry_at > now => {
                    self.rest(retry_at).await;
                    return Gate::Wait;
                }
                Some(Known::Pending { at, hops, since, failures }) if since + MAX_PENDING > now => {
                    (at, hops, since, failures)
                }
                Some(Known::Pending { failures, .. }) => {
                    let failures = failures + 1;
                    let retry_at = now + rules::unreachable_backoff(failures);
                    job.robots.put(&authority, Known::Unreachable { retry_at, failures });
                    continue;
                }
                Some(Known::Unreachable { failures, .. }) => (authority.robots_url(), 0, now, failures),
                _ => (authority.robots_url(), 0, now, 0),
            };
            if asking.is_none() {
                // Another visit of this lease may be asking: then its answer is ours.
                asking = Some(self.asking.lock().await);
                continue;
            }
            if self.is_over() {
                return Gate::Wait;
            }
            let refused = *refused;
            let asked = Asked { job, authority: &authority, at, hops, since, failures, token, refused };
            match self.ask(asked).await {
                Ask::Again => {}
                Ask::Wait => return Gate::Wait,
                Ask::Silent(failure, due, note) => return Gate::Unanswered(failure, due, note),
            }
        }
    }

    /// Asks for a robots.txt once.
    async fn ask(&self, asked: Asked<'_>) -> Ask {
        if HostKey::of(&asked.at) != self.host {
            return if self.ask_elsewhere(asked).await { Ask::Again } else { Ask::Wait };
        }
        let Some(visit) = self.request(asked.job, request(&asked.at)).await else { return Ask::Wait };
        let (known, verdict, detail) = asked.judge(&visit);
        let before = self.delay();
        let said = asked.note(verdict, detail, &visit, self.token);
        let (mut due, mut note) = self.paced(asked.job, &visit, said, |delay| {
            asked.job.robots.crawl_delay(asked.authority, &known, delay)
        });
        if let Some(failure) = visit.silence() {
            return Ask::Silent(failure.clone(), due, Box::new(note));
        }
        if let Known::Unreachable { retry_at, .. } = known {
            note.pace = self.block(retry_at);
            due = due.max(retry_at);
        }
        asked.job.robots.put(asked.authority, known);
        asked.job.announced.forget(asked.authority);
        // A pace that is as it was needs no commit before the next request.
        if due > self.node.clock.now() || self.delay() != before {
            self.end_lease(due, Some(note)).await;
            return Ask::Wait;
        }
        match self.node.frontier.note(self.token, note).await {
            Ok(Handed::Accepted | Handed::Last) => Ask::Again,
            Ok(_) => Ask::Wait,
            Err(why) => {
                self.node.heard(&why);
                Ask::Wait
            }
        }
    }

    /// Follows a redirect of robots.txt to another host under a one-request lease there. Never waits while it holds
    /// its own: where the other host is not free, this one is released until it is.
    async fn ask_elsewhere(&self, asked: Asked<'_>) -> bool {
        let host = HostKey::of(&asked.at);
        if let Some(quiet) = self.node.quiet_hosts.after(self.node.clock.now(), &host) {
            self.end_lease(quiet.until(), None).await;
            return false;
        }
        let borrowed_at = self.node.clock.now();
        let (token, pace) = match self.node.frontier.borrow_host(&host).await {
            Ok(Borrowed::Granted(token, pace)) => (token, pace),
            Ok(Borrowed::NotBefore(at)) => {
                self.end_lease(at, None).await;
                return false;
            }
            Err(why) => {
                self.node.heard(&why);
                return false;
            }
        };
        // Nobody renews a borrowed lease: from its expiry on another node may ask the same host.
        let fence = borrowed_at + self.node.settings.lease * 2 / 3;
        let visit = tokio::select! {
            biased;
            () = self.node.clock.sleep_until(fence) => None,
            visit = self.request(asked.job, request(&asked.at)) => visit,
        };
        // Where no answer was waited for, it may have been asked all the same.
        let mut due = self.node.clock.now() + self.gap.max(asked.job.settings.delay.of(host.host(), &pace));
        let mut note = None;
        let mut asked_delay = None;
        let mut retry_at = None;
        let mut settled = None;
        if let Some(visit) = &visit {
            let (known, verdict, detail) = asked.judge(visit);
            let mut after = politeness::after(pace, visit);
            asked_delay = known.delay();
            // The file may be that host's own, too: then its rules are known as well.
            let own = Authority::of(&asked.at);
            if asked.at == own.robots_url() && matches!(known, Known::Rules { .. } | Known::Allowed { .. }) {
                after.crawl_delay = asked.job.robots.crawl_delay(&own, &known, after.crawl_delay);
                asked.job.robots.put(&own, known.clone());
            }
            // What other crawls want counts there, too.
            let gap = self.gap.max(asked.job.settings.delay.of(host.host(), &after));
            due = politeness::next_due(visit.contact(), gap, &after);
            self.node.quiet_hosts.learn(&host, after, due);
            let said = asked.note(verdict, detail, visit, token);
            match &known {
                Known::Pending { .. } => {}
                Known::Unreachable { retry_at: at, .. } => {
                    (settled, retry_at) = (Some(said.clone()), Some(*at));
                }
                Known::Allowed { .. } | Known::Rules { .. } => settled = Some(said.clone()),
            }
            asked.job.robots.put(asked.authority, known);
            asked.job.announced.forget(asked.authority);
            let mut there = self.note(asked.job, after, Some(said), visit.finished);
            there.host = host.clone();
            note = Some(there);
        }
        if let Err(why) = self.node.frontier.release(Release { host, token, due, note }).await {
            self.node.heard(&why);
        }
        let Some(visit) = visit else { return false };
        if let Some(delay) = asked_delay {
            // This host's own pace follows the file, from now on since its last request is not known here.
            let pace = self.lengthen_crawl_delay(delay);
            self.end_lease(visit.finished + delay, Some(self.note(asked.job, pace, settled, visit.finished)))
                .await;
            return false;
        }
        if let Some(retry_at) = retry_at {
            let pace = self.block(retry_at);
            self.end_lease(retry_at, Some(self.note(asked.job, pace, settled, visit.finished))).await;
            return false;
        }
        if settled.is_none() {
            return true;
        }
        // The verdict of this host: its request was noted with the host that answered, and has one row all the same.
        let settled = self.note(asked.job, *self.pace(), settled, visit.finished);
        match self.node.frontier.note(self.token, settled).await {
            Ok(handed) => handed == Handed::Accepted,
            Err(why) => {
                self.node.heard(&why);
                false
            }
        }
    }

    async fn rest(&self, until: Timestamp) {
        self.end_lease(until, None).await;
    }
}

/// One request for a robots.txt.
struct Asked<'a> {
    job: &'a Job,
    authority: &'a Authority,
    at: Url,
    hops: u8,
    since: Timestamp,
    failures: u32,
    token: &'a str,
    refused: Refused,
}

impl Asked<'_> {
    /// What is known after the answer, its word in `hosts.robots`, and more of that for people.
    fn judge(&self, visit: &Visit) -> (Known, &'static str, String) {
        let until = rules::expires(visit);
        match rules::judge(visit, &self.at, self.hops, self.token, self.refused) {
            Fetched::AllowAll { why } => (Known::Allowed { until }, "allow-all", why),
            Fetched::Rules(rules) => {
                let closed = rules.why_closed().map(str::to_owned);
                let word = if closed.is_some() { "disallow-all" } else { "rules" };
                let detail = closed.or_else(|| rules.sitemaps_cut()).unwrap_or_default();
                (Known::Rules { rules: Arc::new(rules), until }, word, detail)
            }
            Fetched::Redirect(at) => {
                let (hops, to) = (self.hops + 1, at.as_str().to_owned());
                (Known::Pending { at, hops, since: self.since, failures: self.failures }, "redirect", to)
            }
            Fetched::Unreachable { retry_after, why } => {
                let failures = self.failures + 1;
                let span = retry_after.unwrap_or_else(|| rules::unreachable_backoff(failures));
                (Known::Unreachable { retry_at: visit.finished + span, failures }, "unreachable", why)
            }
        }
    }

    fn note(
        &self,
        verdict: &'static str,
        detail: String,
        visit: &Visit,
        token: crate::crawl::lease::Token,
    ) -> RobotsNote {
        let url = self.at.as_str().to_owned();
        RobotsNote { url, hop: self.hops, verdict, detail, fetch: assess::fetched(visit), token }
    }
}

fn request(at: &Url) -> Request {
    Request { max_body: Some(MAX_BYTES), ..Request::get(at.clone()) }
}

fn verdict(rules: &Rules, url: &Url) -> Gate {
    let verdict = rules.verdict(url);
    if verdict.allowed {
        return Gate::Open(rules.signals());
    }
    let mark = if verdict.rule.is_some() { "" } else { ":" };
    Gate::Closed { rule: format!("robots.txt{mark} {}", verdict.reason()) }
}

//! One URL visited as a node would, with everything that happens written down.

use super::identity::Identity;
use super::page::PageShown;
use super::shown::{Exchange, Hop, Next, RobotsShown, Shown, VERSION, millis};
use crate::cli::asking::{Asker, NotBefore, RobotsAnswer, Said};
use crate::cli::figures::{plural, span};
use crate::clock::Clock;
use crate::crawl::assess::{self, KeepLinks, Rules};
use crate::crawl::host::{Authority, HostKey};
use crate::crawl::lease::{CrawlId, Origin, Queued, Token};
use crate::crawl::report::{Outcome, Report};
use crate::crawl::robots::{Purpose, Signals};
use crate::crawl::scope::Scope;
use crate::crawl::time::Timestamp;
use crate::crawl::url::{UrlKey, canonical};
use crate::crawl::visit::{Head, Remarks, Visit};
use crate::fetch::Request;
use crate::node::Reading;
use crate::settings::{Robots, Settings};
use std::collections::HashSet;
use url::Url;

/// No lease is held: reports made here go nowhere.
const NO_LEASE: Token = Token(0);

/// Visits by hand.
pub(super) struct Visiting<'a> {
    pub(super) asker: Asker<'a>,
    /// The header fields of every request.
    pub(super) sent: &'a [(String, String)],
    pub(super) reading: &'a Reading,
    pub(super) clock: Clock,
    pub(super) settings: &'a Settings,
    /// Whether redirects are gone after.
    pub(super) follow: bool,
}

/// What came of the URL of a hop.
struct Came {
    request: Option<Exchange>,
    page: Option<PageShown>,
    next: Next,
    /// The redirect's target, as a crawl would queue it.
    target: Option<Queued>,
}

impl Came {
    fn without_request(next: Next) -> Self {
        Self { request: None, page: None, next, target: None }
    }
}

impl Visiting<'_> {
    /// Visits `url`, which was written as `text`, as the one seed of a crawl with `scope`.
    pub(super) async fn show(&mut self, text: &str, url: &Url, mut scope: Scope) -> Shown {
        let kind = self.settings.scope.kind;
        scope.add_seed(url, kind);
        let origin = Origin::seed(kind, self.settings.limits.depth, Origin::PRIORITY);
        let mut queued = Some(queue(url, origin));
        let mut written = text.to_owned();
        let mut seen = HashSet::new();
        let mut hops = Vec::new();
        while let Some(url) = queued.take() {
            let Ok(target) = Url::parse(&url.url) else { break };
            seen.insert(url.key);
            let identity = Identity::of(&written, &target);
            let in_words = belongs(&target, &scope, url.origin);
            let (robots, mut came) = self.visit(url, &target, &mut scope).await;
            if let Some(next) = came.target.take() {
                if seen.contains(&next.key) {
                    let words =
                        format!("nothing: the redirect leads to {}, which it knows already", next.url);
                    came.next = Next { action: "known", words, due: None };
                } else if self.follow {
                    written.clone_from(&next.url);
                    queued = Some(next);
                }
            }
            let Came { request, page, next, .. } = came;
            hops.push(Hop { identity, scope: in_words, robots, request, page, next });
        }
        Shown { version: VERSION, asked_for: text.to_owned(), hops }
    }

    /// robots.txt, then the request, then the rules.
    async fn visit(&mut self, url: Queued, target: &Url, scope: &mut Scope) -> (RobotsShown, Came) {
        let mut signals = Signals::default();
        let robots = if self.settings.politeness.robots == Robots::Ignore {
            RobotsShown::ignored(target)
        } else {
            let is_known = self.asker.knows_robots(target);
            let answer = self.asker.robots(target, &self.settings.identity.robots_token).await;
            let shown = RobotsShown::of(target, &answer, is_known);
            if let Some(next) = self.forbidden(&url, &answer.said, &shown, scope) {
                return (shown, Came::without_request(next));
            }
            if let Said::Rules(rules) = &answer.said {
                signals = rules.signals();
            }
            shown
        };
        let request = Request { keep_head: true, ..Request::get(target.clone()) };
        let came = match self.asker.get(request).await {
            Ok(visit) => self.read(url, visit, signals, scope).await,
            Err(NotBefore(due)) => {
                let due = due.ceil_millis();
                let words = format!("wait: {} is not to be asked before {due}", url.host);
                Came::without_request(Next { action: "wait", words, due: Some(due.to_string()) })
            }
        };
        (robots, came)
    }

    /// What a crawl would do where robots.txt, or that nobody knows it, forbids the request.
    fn forbidden(&self, url: &Queued, said: &Said, shown: &RobotsShown, scope: &Scope) -> Option<Next> {
        match said {
            // An attempt without a request.
            Said::Silent(failure) => {
                let (rules, now) = (self.rules(scope), self.clock.now());
                Some(self.next(&assess::unanswered(url.clone(), NO_LEASE, failure, &rules, now)))
            }
            Said::Unreachable { retry_at, .. } => {
                let retry_at = retry_at.ceil_millis();
                let words = format!(
                    "wait: robots.txt is asked for again at {retry_at}, and nothing is fetched before"
                );
                Some(Next { action: "wait", words, due: Some(retry_at.to_string()) })
            }
            _ if shown.verdict == "denied" => {
                let line = shown.line.map_or_else(String::new, |line| format!(" line {line}"));
                let words = format!("exclude it: robots.txt{line} disallows it, no request is sent");
                Some(Next { action: "exclude", words, due: None })
            }
            Said::Rules(rules) => {
                let outcome = self.settings.politeness.withholding.before(url, rules.signals())?;
                Some(self.next(&assess::withheld(url.clone(), NO_LEASE, outcome, self.clock.now())))
            }
            Said::Nothing(_) => None,
        }
    }

    async fn read(&self, url: Queued, visit: Visit, signals: Signals, scope: &mut Scope) -> Came {
        let (mut visit, page) = self.reading.parsed(visit, false).await;
        let head = visit.result.as_mut().ok().and_then(|answer| answer.head.take());
        let request = exchange(&url.url, &visit, head.as_deref(), self.sent);
        let mut report = match page {
            Ok(page) => assess::assess(url, NO_LEASE, visit, page, &self.rules(scope)),
            Err(why) => assess::unread(url, NO_LEASE, &visit, &why, &self.rules(scope)),
        };
        self.settings.politeness.withholding.after(&mut report, signals);
        let request =
            Exchange { remarks: report.fetch.as_ref().and_then(|fetch| words_of(fetch.remarks)), ..request };
        for (target, kind) in report.opens() {
            scope.add_seed(&target, kind);
        }
        let next = self.next(&report);
        let target = match report.outcome {
            Outcome::Redirected { .. } => report.found.pop().and_then(|found| {
                let target = Url::parse(&found.url).ok()?;
                Some(queue(&target, found.origin))
            }),
            _ => None,
        };
        let placeholder = Outcome::Redirected { to: String::new() };
        let page = match std::mem::replace(&mut report.outcome, placeholder) {
            Outcome::Stored(stored) => Some(PageShown::of(*stored, &report)),
            _ => None,
        };
        Came { request: Some(request), page, next, target }
    }

    fn rules<'s>(&'s self, scope: &'s Scope) -> Rules<'s> {
        let robots_name = &self.settings.identity.robots_token;
        Rules { scope, links: KeepLinks::All, retries: self.settings.limits.retries, robots_name }
    }

    /// What a crawl would do after this report.
    fn next(&self, report: &Report) -> Next {
        let plain = |action, words| Next { action, words, due: None };
        match &report.outcome {
            Outcome::Stored(_) => {
                let links = plural(report.found.len() as u64, "link");
                let skipped = match report.skipped.len() {
                    0 => String::new(),
                    skipped => format!(", skip {skipped}"),
                };
                plain("store", format!("store the page and follow {links}{skipped}"))
            }
            Outcome::Redirected { to } => {
                plain("redirect", format!("follow the redirect to {to} as a new URL"))
            }
            Outcome::Read { detail, .. } => plain("read", format!("read it as a sitemap: {detail}")),
            Outcome::Disallowed { rule } => plain("exclude", format!("exclude it: {rule}")),
            Outcome::Withheld { reason, detail } => {
                plain("exclude", format!("exclude it because {reason}: {detail}"))
            }
            Outcome::Failed { reason, detail } => {
                plain("dead-letter", format!("dead letter because {reason}: {detail}"))
            }
            Outcome::Retry { due, counts, reason, detail } => {
                let due = (*due).max(self.asker.due(&report.url.host)).ceil_millis();
                let wait = span(due.since(report.at));
                let attempts = self.settings.limits.retries + 1;
                let words = if *counts {
                    format!("retry at {due} (in {wait}), attempt 2 of {attempts}, because {reason}: {detail}")
                } else {
                    format!("ask again at {due} (in {wait}), no attempt used up, because {reason}: {detail}")
                };
                Next { action: if *counts { "retry" } else { "wait" }, words, due: Some(due.to_string()) }
            }
        }
    }
}

fn queue(url: &Url, origin: Origin) -> Queued {
    Queued {
        crawl: CrawlId(0),
        key: UrlKey::of(&canonical(url)),
        url: url.as_str().to_owned(),
        host: HostKey::of(url),
        origin,
        visit: 1,
        attempt: 1,
        throttled: 0,
        due: Timestamp::EPOCH,
    }
}

/// The verdict of the scope in words. A seed is not judged; what an outlink to it would hear is said beside.
fn belongs(url: &Url, scope: &Scope, origin: Origin) -> String {
    let what = if origin.hops > 0 { "in, as the target of a seed's redirect" } else { "in, as a seed" };
    let opens = scope.as_words();
    match scope.admits(url) {
        Ok(()) => format!("{what}; the scope is {opens}"),
        Err(out) => format!(
            "{what}; the scope is {opens}; a link to it would be skipped: {}: {}",
            out.reason, out.detail
        ),
    }
}

fn words_of(remarks: Remarks) -> Option<String> {
    (!remarks.is_empty()).then(|| remarks.to_string())
}

fn exchange(url: &str, visit: &Visit, head: Option<&Head>, sent: &[(String, String)]) -> Exchange {
    let fetched = assess::fetched(visit);
    let failure = visit.result.as_ref().err();
    Exchange {
        method: "GET",
        url: url.to_owned(),
        sent: sent.to_vec(),
        started: visit.started.to_string(),
        status: fetched.status,
        http: head.map(|head| head.version.clone()),
        peer: head.and_then(|head| head.peer).map(|peer| peer.to_string()),
        received: head.map_or_else(Vec::new, |head| head.fields.clone()),
        error: fetched.error,
        detail: failure.map(|failure| failure.detail.clone()),
        head_ms: fetched.first_byte.map(millis),
        total_ms: millis(fetched.total),
        wire_bytes: fetched.wire_bytes,
        body_bytes: fetched.body_bytes,
        remarks: words_of(fetched.remarks),
    }
}

/// `search=yes`, for each use that the file speaks of.
fn signals_shown(signals: Signals) -> Vec<String> {
    let said = |purpose: Purpose| Some(format!("{}={}", purpose.as_str(), signals.of(purpose)?.as_str()));
    Purpose::ALL.into_iter().filter_map(said).collect()
}

impl RobotsShown {
    fn ignored(url: &Url) -> Self {
        Self {
            verdict: "ignored",
            url: Authority::of(url).robots_url().into(),
            line: None,
            text: "not asked for".to_owned(),
            group: None,
            crawl_delay_ms: None,
            signals: Vec::new(),
            requests: Vec::new(),
        }
    }

    /// `is_known` where it was asked for, and shown, with an earlier URL.
    fn of(url: &Url, answer: &RobotsAnswer, is_known: bool) -> Self {
        let asked = if is_known { &[][..] } else { &answer.asked[..] };
        let requests = asked.iter().map(|(at, visit)| exchange(at.as_str(), visit, None, &[]));
        let unknown = Self { requests: requests.collect(), ..Self::ignored(url) };
        match &answer.said {
            Said::Rules(rules) => {
                let verdict = rules.verdict(url);
                let rule = verdict.rule;
                Self {
                    verdict: if verdict.allowed { "allowed" } else { "denied" },
                    line: rule.as_ref().map(|rule| rule.line),
                    text: match (&rule, &verdict.because) {
                        (Some(rule), _) => rule.text.clone(),
                        (None, Some(why)) => why.clone(),
                        (None, None) => "no rule matches".to_owned(),
                    },
                    signals: signals_shown(rules.signals()),
                    group: rule.map(|rule| rule.group),
                    crawl_delay_ms: rules.crawl_delay().map(millis),
                    ..unknown
                }
            }
            Said::Nothing(why) => {
                Self { verdict: "allowed", text: format!("no robots.txt: {why}"), ..unknown }
            }
            Said::Unreachable { why, .. } => Self { verdict: "unreachable", text: why.clone(), ..unknown },
            Said::Silent(failure) => {
                let text = format!("{}: {}", failure.class.as_str(), failure.detail);
                Self { verdict: "unreachable", text, ..unknown }
            }
        }
    }
}

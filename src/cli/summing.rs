//! Fills the end summary from the store and the board.

use super::board::Board;
use super::problems::{FailedUrl, Problems};
use super::running::store_flag;
use super::summary::{Data, Ended, Found, Pages, Reason, RequestClass, Requests, SCHEMA, Slowdown, Summary};
use crate::crawl::assess::Withholding;
use crate::crawl::report::reasons;
use crate::crawl::time::Timestamp;
use crate::crawl::traps::Rule;
use crate::scheduler::End;
use crate::settings::StoreUrl;
use crate::store::Tally;
use crate::store::totals::{RequestGroup, Totals};

/// What the process knows of the end beside the store.
pub(super) struct Ending<'a> {
    pub(super) name: &'a str,
    pub(super) store: &'a StoreUrl,
    /// The command that goes on with it.
    pub(super) resume: String,
    pub(super) started: Timestamp,
    pub(super) finished: Timestamp,
    pub(super) max_pages: Option<u64>,
    pub(super) board: &'a Board,
}

/// The summary, and the seeds that failed with their reasons.
pub(super) fn summarize(
    tally: Tally,
    totals: Totals,
    bytes: Option<u64>,
    ending: &Ending<'_>,
    end: End,
) -> (Summary, Vec<String>) {
    let seeds = totals.failed.iter().filter(|failed| failed.seed).map(|failed| {
        let detail = failed.detail.as_deref().unwrap_or_default();
        format!("{} {}: {detail}", failed.url, failed.reason)
    });
    let seeds = seeds.collect();
    let store_flag = store_flag(ending.name, ending.store);
    let skipped = totals.skipped.clone();
    let summary = Summary {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        crawl: ending.name.to_owned(),
        ended: ended(end, &tally, totals.open_hosts, ending),
        resume: ending.resume.clone(),
        started: ending.started,
        finished: ending.finished,
        found: found(&tally, &totals, end),
        pages: Pages {
            stored: tally.stored,
            new: tally.stored,
            changed: 0,
            unchanged: 0,
            duplicate_content: totals.duplicates,
        },
        requests: requests(&totals),
        slowdowns: slowdowns(ending.board, ending.finished),
        failures: reasons(&totals.failures),
        problems: problems(totals),
        data: Data { store: ending.store.place(), bytes },
        next: next(ending, &tally, &skipped, end, &store_flag),
        store_flag,
    };
    (summary, seeds)
}

fn ended(end: End, tally: &Tally, hosts: u64, ending: &Ending<'_>) -> Ended {
    match end {
        End::Finished => Ended::Finished,
        End::Limited => Ended::Limit { limit: limit(ending.max_pages.unwrap_or(tally.stored), tally.stored) },
        End::Waiting { until } => Ended::Waiting { urls: tally.open, hosts, until },
        End::Stopped => Ended::Paused,
        End::Left => Ended::Left,
        End::Cancelled => Ended::Cancelled,
    }
}

/// `30 pages`; where several nodes were at it, some more may have been under way when the last of them was stored.
fn limit(most: u64, stored: u64) -> String {
    let pages = super::figures::plural(most, "page");
    match stored.saturating_sub(most) {
        0 => pages,
        more => format!("{pages} ({more} more were on their way)"),
    }
}

fn found(tally: &Tally, totals: &Totals, end: End) -> Found {
    let mut not_fetched = reasons(&totals.skipped);
    // Withheld ones are excluded, too, and have a reason of their own.
    let withheld = not_fetched.iter().filter(|one| Withholding::REASONS.contains(&&*one.reason));
    let by_robots = tally.excluded.saturating_sub(withheld.map(|one| one.count).sum());
    if by_robots > 0 {
        not_fetched.push(Reason { reason: "robots".to_owned(), count: by_robots });
    }
    let skipped: u64 = not_fetched.iter().map(|reason| reason.count).sum();
    let waiting = if matches!(end, End::Waiting { .. }) { tally.open } else { 0 };
    Found {
        // Counted as rows, not as the sum of the parts that are shown.
        total: tally.open + tally.stored + tally.redirected + tally.failed + tally.read + skipped,
        stored: tally.stored,
        redirects: tally.redirected,
        failed: tally.failed,
        sitemaps: tally.read,
        not_fetched,
        queued: tally.open - waiting,
        waiting,
    }
}

fn reasons(counted: &[(String, u64)]) -> Vec<Reason> {
    counted.iter().map(|(reason, count)| Reason { reason: reason.clone(), count: *count }).collect()
}

fn requests(totals: &Totals) -> Requests {
    const CLASSES: [&str; 9] =
        ["2xx", "3xx", "404/410", "429", "4xx", "5xx", "no answer", "robots", "sitemaps"];
    let class = |group: &RequestGroup| match (group.kind.as_str(), group.status) {
        ("robots", _) => "robots",
        ("sitemap", _) => "sitemaps",
        (_, None) => "no answer",
        (_, Some(404 | 410)) => "404/410",
        (_, Some(429)) => "429",
        (_, Some(300..=399)) => "3xx",
        (_, Some(400..=499)) => "4xx",
        (_, Some(500..)) => "5xx",
        (_, Some(_)) => "2xx",
    };
    let count = |name: &str| {
        totals.requests.iter().filter(|group| class(group) == name).map(|group| group.count).sum()
    };
    let classes = CLASSES.map(|name| RequestClass { class: name.to_owned(), count: count(name), note: None });
    Requests {
        total: totals.requests.iter().map(|group| group.count).sum(),
        bytes: totals.requests.iter().map(|group| group.bytes).sum(),
        median_ms: totals.median_ms.map(|millis| millis as f64),
        p95_ms: totals.p95_ms.map(|millis| millis as f64),
        classes: classes.into(),
    }
}

fn slowdowns(board: &Board, now: Timestamp) -> Vec<Slowdown> {
    let slow = board.slow_hosts(now).into_iter();
    slow.map(|(host, slow)| Slowdown {
        host,
        reason: slow.status.map_or_else(|| "nothing".to_owned(), |status| status.to_string()),
        times: slow.times,
        waited_ms: u64::try_from(slow.waited(now).as_millis()).unwrap_or(u64::MAX),
        until: Some(slow.until).filter(|until| *until > now),
    })
    .collect()
}

fn problems(totals: Totals) -> Vec<super::problems::Problem> {
    let mut problems = Problems::default();
    for failed in totals.failed {
        let class = reasons::status(&failed.reason).map_or(failed.reason, |status| status.to_string());
        problems.add(FailedUrl { class, url: failed.url, detail: failed.detail, referrer: failed.found_on });
    }
    problems.finish()
}

fn next(ending: &Ending<'_>, tally: &Tally, skipped: &[(String, u64)], end: End, store: &str) -> Vec<String> {
    let mut next = Vec::new();
    if tally.open > 0 {
        next.push(match end {
            End::Limited => format!("{} --max-pages none", ending.resume),
            End::Left => format!("huntsman status{store}"),
            _ => ending.resume.clone(),
        });
    }
    let parked = skipped.iter().filter(|(reason, _)| Rule::from_word(reason).is_some());
    if let Some((rule, _)) = parked.max_by_key(|(_, count)| *count) {
        next.push(format!("huntsman release --rule {rule}{store}"));
    }
    next.push(format!("huntsman query \"select status, count(*) from fetches group by 1\"{store}"));
    next.push(format!("huntsman pages --limit 10{store}"));
    next
}

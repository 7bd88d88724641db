//! What the contract says a row holds, made from reports without any SQL: the model's half of every comparison.

use super::contents::{CrawlLine, DeadLetterLine, FetchLine, HostLine, PageLine, SkippedLine, UrlLine};
use crate::model_store::{Known, Row};
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::CrawlId;
use huntsman::crawl::report::{Fetched, Found, Note, Outcome, Report, RobotsNote, StoredPage};
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::traps::Held;
use huntsman::store::CrawlRow;
use std::time::Duration;

fn millis(span: Duration) -> i64 {
    span.as_millis() as i64
}

impl From<&CrawlRow> for CrawlLine {
    fn from(row: &CrawlRow) -> Self {
        Self {
            id: row.id.0,
            name: row.name.clone(),
            state: row.state.as_str().to_owned(),
            settings: row.settings.clone(),
            epoch: row.epoch.into(),
            run_ms: millis(row.ran),
        }
    }
}

impl HostLine {
    pub(crate) fn of(host: &HostKey, known: &Known) -> Self {
        let (robots, robots_status, robots_fetched_at) = known.robots.clone();
        Self {
            host: host.as_str().to_owned(),
            crawl_delay_ms: known.pace.crawl_delay.map(millis),
            block_until: known.pace.block_until.map(|until| until.to_string()),
            strikes: known.pace.strikes.into(),
            robots,
            robots_status,
            robots_fetched_at,
            noted_at: Timestamp::from_millis(known.at).to_string(),
        }
    }
}

impl From<&Row> for UrlLine {
    fn from(row: &Row) -> Self {
        let queued = &row.queued;
        let due = (row.state == "open" && queued.due > Timestamp::EPOCH).then(|| queued.due.to_string());
        Self {
            crawl_id: queued.crawl.0,
            url: queued.url.clone(),
            host: queued.host.as_str().to_owned(),
            state: row.state.to_owned(),
            reason: row.reason.clone(),
            depth: queued.origin.depth.into(),
            hops: queued.origin.hops.into(),
            max_depth: queued.origin.max_depth.map(i64::from),
            priority: queued.origin.priority.into(),
            seed: queued.origin.seed.map(|kind| ScopeKind::as_str(kind).to_owned()),
            visit: queued.visit.into(),
            attempt: queued.attempt.into(),
            throttled: queued.throttled.into(),
            due_at: due,
            redirect_to: row.redirect_to.clone(),
            found_on: row.found_on.clone(),
            found_at: row.found_at.to_string(),
            closed_at: row.closed_at.map(|at| at.to_string()),
        }
    }
}

pub(crate) fn page(report: &Report, stored: &StoredPage) -> PageLine {
    let Report { url, fetch, .. } = report;
    let page = &stored.page;
    let headings: Vec<_> = page.headings.iter().map(|one| (one.level, &one.text)).collect();
    let hash = u128::from_be_bytes(stored.content_hash);
    let words = [(page.robots.noindex, "noindex"), (page.robots.nofollow, "nofollow")];
    let words: Vec<_> = words.iter().filter(|(said, _)| *said).map(|(_, word)| *word).collect();
    PageLine {
        crawl_id: url.crawl.0,
        url: url.url.clone(),
        host: url.host.as_str().to_owned(),
        visit: url.visit.into(),
        status: fetch.as_ref().and_then(|fetch| fetch.status).unwrap_or_default().into(),
        title: page.title.clone(),
        description: page.description.clone(),
        canonical: page.canonical.clone(),
        robots: (!words.is_empty()).then(|| words.join(",")),
        headings: (!headings.is_empty()).then(|| serde_json::to_string(&headings).unwrap()),
        text: page.text.clone(),
        content_type: stored.content_type.clone(),
        bytes: fetch.as_ref().map_or(0, |fetch| fetch.body_bytes as i64),
        truncated: stored.truncated.map(str::to_owned),
        content_hash: format!("{hash:032x}"),
        depth: url.origin.depth.into(),
        fetched_at: fetch.as_ref().map_or(report.at, |fetch| fetch.started).to_string(),
        links_total: page.links_total as i64,
        links_packed: stored.links.clone(),
        signal_search: stored.signals.search.map(|said| said.as_str().to_owned()),
        signal_ai_input: stored.signals.ai_input.map(|said| said.as_str().to_owned()),
        signal_ai_train: stored.signals.ai_train.map(|said| said.as_str().to_owned()),
    }
}

pub(crate) fn fetch(report: &Report, fetch: &Fetched) -> FetchLine {
    let Report { url, outcome, .. } = report;
    let detail = match outcome {
        Outcome::Failed { detail, .. } | Outcome::Retry { detail, .. } | Outcome::Read { detail, .. } => {
            Some(detail.clone())
        }
        Outcome::Redirected { to } => Some(to.clone()),
        Outcome::Stored(_) | Outcome::Disallowed { .. } | Outcome::Withheld { .. } => None,
    };
    let detail = match (detail, fetch.remarks.to_string()) {
        (detail, remarks) if remarks.is_empty() => detail,
        (None, remarks) => Some(remarks),
        (Some(detail), remarks) if detail.is_empty() => Some(remarks),
        (Some(detail), remarks) => Some(format!("{detail}; {remarks}")),
    };
    let (visit, attempt) = (Some(url.visit.into()), Some(url.attempt.into()));
    let line = request(fetch, url.crawl.0, &url.url, url.host.as_str(), report.token.0);
    let kind = if report.is_sitemap() { "sitemap" } else { "page" }.to_owned();
    FetchLine { kind, visit, attempt, outcome: outcome.word().into(), detail, ..line }
}

pub(crate) fn robots_fetch(note: &Note, robots: &RobotsNote) -> FetchLine {
    let line = request(&robots.fetch, note.crawl.0, &robots.url, note.host.as_str(), robots.token.0);
    let attempt = Some(i64::from(robots.hop) + 1);
    let detail = (!robots.detail.is_empty()).then(|| robots.detail.clone());
    FetchLine { kind: "robots".into(), attempt, outcome: robots.verdict.into(), detail, ..line }
}

fn request(fetch: &Fetched, crawl_id: i64, url: &str, host: &str, token: i64) -> FetchLine {
    FetchLine {
        crawl_id,
        url: url.to_owned(),
        token,
        kind: String::new(),
        host: host.to_owned(),
        visit: None,
        attempt: None,
        status: fetch.status.map(i64::from),
        error: fetch.error.map(str::to_owned),
        outcome: String::new(),
        detail: None,
        started_at: fetch.started.to_string(),
        total_ms: millis(fetch.total),
        wire_bytes: fetch.wire_bytes as i64,
    }
}

pub(crate) fn dead_letter(
    report: &Report,
    reason: &str,
    detail: &str,
    found_on: Option<String>,
) -> DeadLetterLine {
    let Report { url, fetch, .. } = report;
    DeadLetterLine {
        crawl_id: url.crawl.0,
        url: url.url.clone(),
        host: url.host.as_str().to_owned(),
        visit: url.visit.into(),
        reason: reason.to_owned(),
        detail: Some(detail.to_owned()),
        status: fetch.as_ref().and_then(|fetch| fetch.status).map(i64::from),
        attempts: url.attempt.into(),
        found_on,
        died_at: report.at.to_string(),
    }
}

pub(crate) fn skipped(
    report: &Report,
    url: &str,
    reason: &str,
    detail: &str,
    found_on: Option<String>,
) -> SkippedLine {
    SkippedLine {
        crawl_id: report.url.crawl.0,
        url: url.to_owned(),
        reason: reason.to_owned(),
        detail: (!detail.is_empty()).then(|| detail.to_owned()),
        found_on,
        skipped_at: report.at.to_string(),
        parked: None,
        host: None,
        depth: None,
        hops: None,
        max_depth: None,
        priority: None,
    }
}

/// A URL that a rule parked, from what is counted.
pub(crate) fn held(
    crawl: CrawlId,
    found: &Found,
    held: &Held,
    found_on: Option<String>,
    at: Timestamp,
) -> SkippedLine {
    let line = SkippedLine {
        crawl_id: crawl.0,
        url: found.url.clone(),
        reason: held.rule.as_str().to_owned(),
        detail: Some(held.detail.clone()),
        found_on,
        skipped_at: at.to_string(),
        parked: None,
        host: None,
        depth: None,
        hops: None,
        max_depth: None,
        priority: None,
    };
    parked(line, found, &held.parked)
}

/// The same of a URL that is parked and waits for `what`.
pub(crate) fn parked(line: SkippedLine, found: &Found, what: &str) -> SkippedLine {
    SkippedLine {
        parked: Some(what.to_owned()),
        host: Some(found.host.as_str().to_owned()),
        depth: Some(found.origin.depth.into()),
        hops: Some(found.origin.hops.into()),
        max_depth: found.origin.max_depth.map(i64::from),
        priority: Some(found.origin.priority.into()),
        ..line
    }
}

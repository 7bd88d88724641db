//! What a batch writes, as rows, before any SQL: the same for every store.

mod parking;
mod watching;

pub(super) use parking::{ParkedRow, Unparked, parked_rows, unparked};
pub(super) use watching::{MOST_ROUNDS, held_rows, hosts, judged, note_emptied};

use crate::crawl::lease::{CrawlId, Queued};
use crate::crawl::page::Page;
use crate::crawl::report::{Entry, Fetched, Found, Note, Outcome, Report, RobotsNote, Skipped, StoredPage};
use crate::crawl::robots::{Consent, Purpose};
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use crate::store::Committed;
use hashbrown::HashSet;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// What names a row of `urls`.
pub(super) type RowKey = (CrawlId, UrlKey);

/// A report with the number of its entry, and the texts that several rows hold: copied once.
pub(super) struct Visited<'a> {
    pub(super) entry: usize,
    pub(super) report: &'a Report,
    pub(super) url: Arc<str>,
    pub(super) at: Arc<str>,
    pub(super) started: Option<Arc<str>>,
}

impl Visited<'_> {
    /// What names its row of `urls`.
    pub(super) fn row(&self) -> RowKey {
        (self.report.url.crawl, self.report.url.key)
    }

    /// When the page was asked for.
    pub(super) fn fetched_at(&self) -> &Arc<str> {
        self.started.as_ref().unwrap_or(&self.at)
    }
}

/// The visits of a batch.
pub(super) fn visits<'a>(batch: impl IntoIterator<Item = &'a Entry>) -> Vec<Visited<'a>> {
    batch.into_iter().enumerate().filter_map(visited).collect()
}

fn visited((entry, one): (usize, &Entry)) -> Option<Visited<'_>> {
    let Entry::Report(report) = one else { return None };
    let started = report.fetch.as_ref().map(|fetch| fetch.started.to_string().into());
    Some(Visited {
        entry,
        report,
        url: report.url.url.as_str().into(),
        at: report.at.to_string().into(),
        started,
    })
}

/// The first visit that is left of every URL, and the others: two reports on one URL cannot go through the gate in one
/// statement, and the first of them may be a stale one. All but a few batches need one round.
pub(super) fn round<'v, 'a>(visits: Vec<&'v Visited<'a>>) -> (Vec<&'v Visited<'a>>, Vec<&'v Visited<'a>>) {
    let mut keys = HashSet::with_capacity(visits.len());
    visits.into_iter().partition(|visit| keys.insert(visit.row()))
}

/// What the gate writes into the row of a URL.
pub(super) struct Closing<'a> {
    pub(super) state: &'static str,
    pub(super) reason: Option<&'a str>,
    pub(super) redirect_to: Option<&'a str>,
    pub(super) attempt: u32,
    pub(super) throttled: u32,
    pub(super) due: Option<Timestamp>,
}

/// How a visit closes its row.
pub(super) fn closing(report: &Report) -> Closing<'_> {
    let (state, reason, redirect_to) = match &report.outcome {
        Outcome::Stored(_) => ("stored", None, None),
        Outcome::Read { reason, .. } => ("read", reason.as_deref(), None),
        Outcome::Redirected { to } => ("redirected", None, Some(to.as_str())),
        Outcome::Disallowed { .. } => ("excluded", Some("robots"), None),
        Outcome::Withheld { reason, .. } => ("excluded", Some(*reason), None),
        Outcome::Failed { reason, .. } => ("failed", Some(reason.as_str()), None),
        Outcome::Retry { reason, .. } => ("open", Some(reason.as_str()), None),
    };
    let next = retry(report);
    let (attempt, throttled) = match &next {
        Some(next) => (next.attempt, next.throttled),
        None => (report.url.attempt, report.url.throttled),
    };
    Closing { state, reason, redirect_to, attempt, throttled, due: next.map(|next| next.due) }
}

/// The URL with its next attempt, where the outcome is a retry.
fn retry(report: &Report) -> Option<Queued> {
    let Outcome::Retry { due, counts, .. } = report.outcome else { return None };
    let due = due.ceil_millis();
    let url = report.url.clone();
    Some(if counts {
        Queued { attempt: url.attempt + 1, throttled: 0, due, ..url }
    } else {
        Queued { throttled: url.throttled + 1, due, ..url }
    })
}

/// The answers to a batch of so many entries, before what it admits is known.
pub(super) fn answers(entries: usize, passed: &[&Visited<'_>]) -> Vec<Committed> {
    let mut committed: Vec<Committed> = (0..entries).map(|_| Committed::default()).collect();
    for visit in passed {
        let answer = &mut committed[visit.entry];
        answer.effective = true;
        answer.stored = matches!(visit.report.outcome, Outcome::Stored(_));
        answer.retry = retry(visit.report);
    }
    committed
}

/// A URL found by an entry.
pub(super) struct Finding<'a> {
    pub(super) crawl: CrawlId,
    pub(super) found: &'a Found,
    pub(super) on: Option<Arc<str>>,
    pub(super) at: &'a Arc<str>,
    pub(super) entry: usize,
    /// Of the visit that found it; none for seeds and what was parked.
    pub(super) report: Option<&'a Report>,
    /// What it has waited for where it was parked; empty otherwise.
    pub(super) parked: &'a str,
}

impl Finding<'_> {
    /// What names its row of `urls`.
    pub(super) fn row(&self) -> RowKey {
        (self.crawl, self.found.key)
    }

    /// The URL as a new row is queued.
    pub(super) fn queued(&self) -> Queued {
        let Found { key, url, host, origin, .. } = self.found.clone();
        let (crawl, due) = (self.crawl, Timestamp::EPOCH);
        Queued { crawl, key, url, host, origin, visit: 1, attempt: 1, throttled: 0, due }
    }
}

/// What these visits found, each URL once, and the targets of seeds' redirects first: what is a seed and an outlink too is a
/// seed.
pub(super) fn findings<'a>(reports: &[&'a Visited<'a>]) -> Vec<Finding<'a>> {
    let mut known = HashSet::new();
    let each = |visit: &&'a Visited<'a>| {
        let Visited { entry, report, url, at, .. } = *visit;
        report.found.iter().map(|found| Finding {
            crawl: report.url.crawl,
            found,
            // Nearly all are found at the URL of the report, whose text is shared.
            on: match found.origin.sitemap {
                None => Some(Arc::clone(url)),
                Some(_) => report.found_on(found).map(Arc::from),
            },
            at,
            entry: *entry,
            report: Some(*report),
            parked: "",
        })
    };
    let all = reports.iter().flat_map(each);
    let (mut seeds, others): (Vec<_>, Vec<_>) = all.partition(|finding| finding.found.origin.is_moved_seed());
    seeds.extend(others);
    seeds.retain(|finding| known.insert(finding.row()));
    seeds
}

/// Those of the findings that are targets of seeds' redirects.
pub(super) fn moved_seeds<'f, 'a>(findings: &'f [Finding<'a>]) -> Vec<&'f Finding<'a>> {
    findings.iter().take_while(|finding| finding.found.origin.is_moved_seed()).collect()
}

/// Seeds as findings of nobody, each URL once.
pub(super) fn seeds<'a>(crawl: CrawlId, seeds: &'a [Found], at: &'a Arc<str>) -> Vec<Finding<'a>> {
    let mut known = HashSet::new();
    let new = seeds.iter().filter(|found| known.insert(found.key));
    new.map(|found| Finding { crawl, found, on: None, at, entry: 0, report: None, parked: "" }).collect()
}

/// The pages that these visits store.
pub(super) fn pages<'a>(
    reports: &[&'a Visited<'a>],
) -> impl Iterator<Item = (&'a Visited<'a>, &'a StoredPage)> {
    reports.iter().filter_map(|visit| match &visit.report.outcome {
        Outcome::Stored(page) => Some((*visit, &**page)),
        _ => None,
    })
}

/// Status and size of the answer that a page came with.
pub(super) fn status_and_bytes(report: &Report) -> (u16, u64) {
    let fetch = report.fetch.as_ref();
    let status = fetch.and_then(|fetch| fetch.status).unwrap_or_default();
    (status, fetch.map_or(0, |fetch| fetch.body_bytes))
}

/// The headings of a page as JSON; none where it has none.
pub(super) fn headings(page: &Page) -> Option<String> {
    (!page.headings.is_empty()).then(|| {
        let pairs: Vec<_> = page.headings.iter().map(|heading| (heading.level, &heading.text)).collect();
        serde_json::to_string(&pairs).expect("numbers and texts are JSON")
    })
}

/// What the page and its header ask of robots, as one comma list.
pub(super) fn robots_words(stored: &StoredPage) -> Option<String> {
    let robots = &stored.page.robots;
    let words = [
        (robots.noindex, "noindex"),
        (robots.nofollow, "nofollow"),
        (robots.noarchive, "noarchive"),
        (robots.nosnippet, "nosnippet"),
    ];
    let words: Vec<_> = words.into_iter().filter_map(|(said, word)| said.then_some(word)).collect();
    (!words.is_empty()).then(|| words.join(","))
}

/// What `Content-Signal` said of search, input of models and training, in the order of the columns.
pub(super) fn signals(stored: &StoredPage) -> [Option<&'static str>; 3] {
    Purpose::ALL.map(|purpose| stored.signals.of(purpose).map(Consent::as_str))
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The requests of these visits.
pub(super) fn requests<'a>(
    visits: &'a [Visited<'a>],
) -> impl Iterator<Item = (&'a Visited<'a>, &'a Fetched)> {
    visits.iter().filter_map(|visit| Some((visit, visit.report.fetch.as_ref()?)))
}

/// The kind of a visit's request, as `fetches.kind` has it.
pub(super) fn kind(report: &Report) -> &'static str {
    if report.is_sitemap() { "sitemap" } else { "page" }
}

/// What `fetches.detail` says of a visit: of its outcome, and what was odd about the answer.
pub(super) fn detail(report: &Report) -> Option<Cow<'_, str>> {
    let said = of_outcome(&report.outcome);
    let remarks = report.fetch.as_ref().map(|fetch| fetch.remarks).unwrap_or_default();
    match said {
        said if remarks.is_empty() => said.map(Cow::Borrowed),
        None | Some("") => Some(Cow::Owned(remarks.to_string())),
        Some(said) => Some(Cow::Owned(format!("{said}; {remarks}"))),
    }
}

fn of_outcome(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Failed { detail, .. } | Outcome::Retry { detail, .. } | Outcome::Read { detail, .. } => {
            Some(detail)
        }
        Outcome::Redirected { to } => Some(to),
        Outcome::Stored(_) | Outcome::Disallowed { .. } | Outcome::Withheld { .. } => None,
    }
}

/// A span in whole milliseconds, as `fetches` has it.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// The notes of a batch.
pub(super) fn notes<'a>(batch: impl IntoIterator<Item = &'a Entry>) -> impl Iterator<Item = &'a Note> {
    batch.into_iter().filter_map(|entry| match entry {
        Entry::Note(note) => Some(&**note),
        Entry::Report(_) => None,
    })
}

/// The robots.txt that the notes of a batch were made from.
pub(super) fn robots_requests<'a>(
    batch: impl IntoIterator<Item = &'a Entry>,
) -> impl Iterator<Item = (&'a Note, &'a RobotsNote)> {
    notes(batch).filter_map(|note| Some((note, note.robots.as_ref()?)))
}

/// The Crawl-delay of a note in milliseconds: rounded up, like every point in time, so that a host is never asked faster
/// than it said.
pub(super) fn crawl_delay_millis(note: &Note) -> Option<i64> {
    let millis = |delay: Duration| delay.as_nanos().div_ceil(1_000_000);
    note.pace.crawl_delay.map(|delay| i64::try_from(millis(delay)).unwrap_or(i64::MAX))
}

/// The visits that gave their URL up, with reason and evidence.
pub(super) fn failures<'a>(
    reports: &[&'a Visited<'a>],
) -> impl Iterator<Item = (&'a Visited<'a>, &'a str, &'a str)> {
    reports.iter().filter_map(|visit| match &visit.report.outcome {
        Outcome::Failed { reason, detail } => Some((*visit, reason.as_str(), detail.as_str())),
        _ => None,
    })
}

/// A row of `skipped`.
pub(super) struct SkippedRow<'a> {
    pub(super) visit: &'a Visited<'a>,
    pub(super) key: UrlKey,
    pub(super) url: &'a str,
    pub(super) reason: &'static str,
    pub(super) detail: Option<&'a str>,
}

/// What these visits skipped, each URL once a reason.
pub(super) fn skipped_rows<'a>(reports: &[&'a Visited<'a>]) -> Vec<SkippedRow<'a>> {
    let mut known = HashSet::new();
    let mut rows = Vec::new();
    for visit in reports {
        let report = visit.report;
        let mut add = |key, url, reason, detail: &'a str| {
            let detail = (!detail.is_empty()).then_some(detail);
            rows.push(SkippedRow { visit, key, url, reason, detail });
        };
        match &report.outcome {
            Outcome::Disallowed { rule } => add(report.url.key, &report.url.url, "robots", rule),
            Outcome::Withheld { reason, detail } => add(report.url.key, &report.url.url, *reason, detail),
            _ => {}
        }
        for Skipped { key, url, reason, detail, parked } in &report.skipped {
            if parked.is_none() && known.insert((report.url.crawl, *key, *reason)) {
                add(*key, url, reason, detail);
            }
        }
    }
    rows
}

//! Reports, notes and URLs as a crawl would make them, short enough to be read in a test.

use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Origin, Pace, Queued, Token};
use huntsman::crawl::page::Page;
use huntsman::crawl::report::{Entry, Fetched, Found, Note, Outcome, Report, Skipped, StoredPage};
use huntsman::crawl::robots::{Consent, Signals};
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::url::{self, UrlKey, canonical};
use huntsman::crawl::visit::Remarks;
use huntsman::store::{Committed, Store};
use std::time::Duration;

/// So many milliseconds into the test.
pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

/// A URL as found on a seed page.
pub(crate) fn found(url: &str) -> Found {
    let parsed = url::parse(url).unwrap();
    let origin = seed(url).origin.outlink();
    Found { key: UrlKey::of(&canonical(&parsed)), url: url.to_owned(), host: HostKey::of(&parsed), origin }
}

/// A URL as a seed.
pub(crate) fn seed(url: &str) -> Found {
    let parsed = url::parse(url).unwrap();
    let origin = Origin::seed(ScopeKind::Host, None, Origin::PRIORITY);
    Found { key: UrlKey::of(&canonical(&parsed)), url: url.to_owned(), host: HostKey::of(&parsed), origin }
}

/// A URL found and not followed.
pub(crate) fn skipped(url: &str, reason: &'static str) -> Skipped {
    let detail = format!("{reason} of {url}").into();
    Skipped { key: UrlKey::of(url), url: url.to_owned(), reason, detail, parked: None }
}

/// A crawl with these seeds, as queued.
pub(crate) async fn crawl(store: &dyn Store, name: &str, seeds: &[&str]) -> (CrawlId, Vec<Queued>) {
    // What is linked is numbered in many tests; what is parked has tests of its own.
    let crawl = store.open_crawl(name, r#"{"traps":"follow"}"#, at(0)).await.unwrap().id;
    let queued = store.accept(crawl, seeds.iter().map(|url| seed(url)).collect(), at(0)).await.unwrap();
    (crawl, queued)
}

/// Commits these reports as one batch.
pub(crate) async fn commit(store: &dyn Store, reports: Vec<Report>) -> Vec<Committed> {
    let batch: Vec<_> = reports.into_iter().map(entry).collect();
    store.commit(&batch).await.unwrap()
}

pub(crate) fn entry(report: Report) -> Entry {
    Entry::Report(Box::new(report))
}

/// A request that was answered with `status`.
pub(crate) fn fetch(status: u16) -> Fetched {
    Fetched {
        status: Some(status),
        error: None,
        started: at(10),
        first_byte: Some(Duration::from_millis(2)),
        total: Duration::from_millis(3),
        wire_bytes: 100,
        body_bytes: 200,
        remarks: Remarks::default(),
    }
}

/// A page with this title.
pub(crate) fn page(title: &str) -> StoredPage {
    StoredPage {
        page: Page { title: Some(title.to_owned()), ..Page::default() },
        content_type: Some("text/html".into()),
        robots_tag: None,
        etag: None,
        last_modified: None,
        content_hash: *UrlKey::of(title).as_bytes(),
        links: None,
        inside: 0,
        signals: Signals { ai_train: Some(Consent::No), search: Some(Consent::Yes), ai_input: None },
        truncated: None,
    }
}

fn report(url: &Queued, status: u16, outcome: Outcome) -> Report {
    Report {
        url: url.clone(),
        token: Token(1),
        fetch: Some(fetch(status)),
        outcome,
        at: at(20),
        found: Vec::new(),
        skipped: Vec::new(),
    }
}

/// The URL was fetched; its page is to be stored.
pub(crate) fn stored(url: &Queued) -> Report {
    report(url, 200, Outcome::Stored(Box::new(page("a title"))))
}

/// The same, and its page links there.
pub(crate) fn linking(url: &Queued, to: &[&str]) -> Report {
    Report { found: to.iter().map(|url| found(url)).collect(), ..stored(url) }
}

pub(crate) fn redirected(url: &Queued, to: &str) -> Report {
    let target = Found { origin: url.origin.redirect(), ..found(to) };
    Report { found: vec![target], ..report(url, 301, Outcome::Redirected { to: to.to_owned() }) }
}

pub(crate) fn disallowed(url: &Queued) -> Report {
    let outcome = Outcome::Disallowed { rule: "Disallow: /".into() };
    Report { fetch: None, ..report(url, 0, outcome) }
}

pub(crate) fn withheld(url: &Queued) -> Report {
    let outcome = Outcome::Withheld { reason: "content-signal", detail: "robots.txt says search=no".into() };
    report(url, 200, outcome)
}

pub(crate) fn failed(url: &Queued) -> Report {
    let outcome = Outcome::Failed { reason: "http-404".into(), detail: "the server answered 404".into() };
    report(url, 404, outcome)
}

/// To be tried again at `due`; `counts` unless the host only asked us to wait.
pub(crate) fn retry(url: &Queued, due: Timestamp, counts: bool) -> Report {
    let (reason, detail) = ("http-503".into(), "the server answered 503".into());
    report(url, 503, Outcome::Retry { due, counts, reason, detail })
}

/// Every outcome a visit can have.
pub(crate) fn every_outcome(url: &Queued) -> Vec<Report> {
    vec![
        stored(url),
        redirected(url, "http://h/elsewhere"),
        disallowed(url),
        withheld(url),
        failed(url),
        retry(url, at(900), true),
        retry(url, at(900), false),
    ]
}

/// A note on the pace of a host.
pub(crate) fn note(crawl: CrawlId, host: &str, pace: Pace, at: Timestamp) -> Note {
    Note { crawl, host: HostKey::from_stored(host), pace, robots: None, at }
}

pub(crate) fn noted(note: Note) -> Entry {
    Entry::Note(Box::new(note))
}

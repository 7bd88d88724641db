//! The one transaction that stores a batch: the gate first, then only what passed it.

use super::rows::{Statement, Values};
use crate::crawl::lease::{CrawlId, Queued};
use crate::crawl::report::{Entry, Fetched, Found, Note, Outcome, Report, Skipped, StoredPage};
use crate::crawl::scope::ScopeKind;
use crate::crawl::sitemap::Sitemap;
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use crate::store::Committed;
use sqlx::sqlite::SqliteRow;
use sqlx::{Executor, Row, SqliteConnection};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

const CLOSE_URLS: Statement = Statement { text: include_str!("sql/close_urls.sql"), columns: 12 };
const INSERT_URLS: Statement = Statement { text: include_str!("sql/insert_urls.sql"), columns: 12 };
const INSERT_PAGES: Statement = Statement { text: include_str!("sql/insert_pages.sql"), columns: 26 };
const INSERT_FETCHES: Statement = Statement { text: include_str!("sql/insert_fetches.sql"), columns: 17 };
const INSERT_SKIPPED: Statement = Statement { text: include_str!("sql/insert_skipped.sql"), columns: 7 };
const RELEASE_SKIPPED: Statement = Statement { text: include_str!("sql/release_skipped.sql"), columns: 2 };
const INSERT_DEAD_LETTERS: Statement =
    Statement { text: include_str!("sql/insert_dead_letters.sql"), columns: 10 };
const NOTE_HOSTS: Statement = Statement { text: include_str!("sql/note_hosts.sql"), columns: 8 };

const ROLLBACK: &str = "ROLLBACK";

type RowKey = (CrawlId, UrlKey);

/// Commits seeds; see [`crate::store::Store::accept`].
pub(super) async fn accept(
    connection: &mut SqliteConnection,
    crawl: CrawlId,
    seeds: Vec<Found>,
    now: Timestamp,
) -> Result<Vec<Queued>, sqlx::Error> {
    let at = now.to_string().into();
    let mut known = HashSet::new();
    let seeds: Vec<Finding<'_>> = seeds
        .iter()
        .filter(|found| known.insert(found.key))
        .map(|found| Finding { crawl, found, on: None, at: &at, entry: 0 })
        .collect();
    begin(connection).await?;
    let admitted = insert_urls(connection, seeds).await;
    let admitted = end(connection, admitted).await?;
    Ok(admitted.into_iter().map(|(_, queued)| queued).collect())
}

/// Commits a batch; see [`crate::store::Store::commit`].
pub(super) async fn commit(
    connection: &mut SqliteConnection,
    batch: &[Entry],
) -> Result<Vec<Committed>, sqlx::Error> {
    begin(connection).await?;
    let committed = write(connection, batch).await;
    end(connection, committed).await
}

/// Begins a transaction. By statements of our own: `SQLite` ends one by itself when the disk is full, and a library that
/// counts transactions would take no further one.
async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    if connection.execute(BEGIN).await.is_err() {
        // One that was given up half way may still be open.
        _ = connection.execute(ROLLBACK).await;
        connection.execute(BEGIN).await?;
    }
    Ok(())
}

/// Ends it: with all that was written, or with nothing.
async fn end<T>(
    connection: &mut SqliteConnection,
    written: Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    let ended = match written {
        Ok(written) => connection.execute("COMMIT").await.map(|_| written),
        Err(why) => Err(why),
    };
    if ended.is_err() {
        _ = connection.execute(ROLLBACK).await;
    }
    ended
}

async fn write(connection: &mut SqliteConnection, batch: &[Entry]) -> Result<Vec<Committed>, sqlx::Error> {
    let mut committed: Vec<Committed> = batch.iter().map(|_| Committed::default()).collect();
    let visits: Vec<Visited<'_>> = batch.iter().enumerate().filter_map(visited).collect();

    let reports = close_urls(connection, &visits).await?;
    for passed in &reports {
        let outcome = &passed.report.outcome;
        committed[passed.entry].effective = true;
        committed[passed.entry].stored = matches!(outcome, Outcome::Stored(_));
        committed[passed.entry].retry = retry(passed.report);
    }
    insert_fetches(connection, &visits).await?;
    insert_robots_fetches(connection, batch).await?;
    insert_pages(connection, &reports).await?;
    insert_dead_letters(connection, &reports).await?;
    for (entry, queued) in insert_urls(connection, findings(&reports)).await? {
        committed[entry].admitted.push(queued);
    }
    insert_skipped(connection, &reports).await?;
    note_hosts(connection, batch).await?;
    Ok(committed)
}

/// A report with the number of its entry, and the texts that several rows hold: copied once.
struct Visited<'a> {
    entry: usize,
    report: &'a Report,
    url: Arc<str>,
    at: Arc<str>,
    started: Option<Arc<str>>,
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

/// A URL found by an entry.
struct Finding<'a> {
    crawl: CrawlId,
    found: &'a Found,
    on: Option<Arc<str>>,
    at: &'a Arc<str>,
    entry: usize,
}

/// The gate: sends the visits through it, in their order; answers with those that were open.
async fn close_urls<'a>(
    connection: &mut SqliteConnection,
    visits: &'a [Visited<'a>],
) -> Result<Vec<&'a Visited<'a>>, sqlx::Error> {
    let mut visits: Vec<&'a Visited<'a>> = visits.iter().collect();
    let mut passed = Vec::with_capacity(visits.len());
    // Two reports on one URL cannot go through the gate in one statement, and the first of them may be a stale one:
    // each round takes the first report that is left of every URL. All but a few batches need one round.
    while !visits.is_empty() {
        let mut keys = HashSet::with_capacity(visits.len());
        let (mut round, later): (Vec<_>, Vec<_>) =
            visits.into_iter().partition(|visit| keys.insert((visit.report.url.crawl, visit.report.url.key)));
        let closed = CLOSE_URLS.run(connection, round.clone(), bind_closing).await?;
        let closed: HashSet<RowKey> = closed.iter().filter_map(row_key).collect();
        round.retain(|visit| closed.contains(&(visit.report.url.crawl, visit.report.url.key)));
        passed.append(&mut round);
        visits = later;
    }
    passed.sort_by_key(|visit| visit.entry);
    Ok(passed)
}

fn bind_closing(visit: &Visited<'_>, values: &mut Values) {
    let Report { url, outcome, .. } = visit.report;
    let (state, reason, redirect_to) = match outcome {
        Outcome::Stored(_) => ("stored", None, None),
        Outcome::Read { reason, .. } => ("read", reason.as_deref(), None),
        Outcome::Redirected { to } => ("redirected", None, Some(to.as_str())),
        Outcome::Disallowed { .. } => ("excluded", Some("robots"), None),
        Outcome::Failed { reason, .. } => ("failed", Some(reason.as_str()), None),
        Outcome::Retry { reason, .. } => ("open", Some(reason.as_str()), None),
    };
    let next = retry(visit.report);
    let next = next.as_ref().unwrap_or(url);
    let due = matches!(outcome, Outcome::Retry { .. }).then(|| next.due.to_string());
    values.key(url.key).add(url.crawl.0).add(url.visit).add(url.attempt).add(url.throttled);
    values.text(state).add(next.attempt).add(next.throttled).add(due).maybe(reason).maybe(redirect_to);
    values.add(Arc::clone(&visit.at));
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

fn row_key(row: &SqliteRow) -> Option<RowKey> {
    Some((CrawlId(row.get("crawl_id")), UrlKey::from_slice(row.get::<&[u8], _>("url_key"))?))
}

fn findings<'a>(reports: &[&'a Visited<'a>]) -> Vec<Finding<'a>> {
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
        })
    };
    reports.iter().flat_map(each).filter(|finding| known.insert((finding.crawl, finding.found.key))).collect()
}

/// Accepts URLs; answers with the new ones and the entries that found them.
async fn insert_urls(
    connection: &mut SqliteConnection,
    findings: Vec<Finding<'_>>,
) -> Result<Vec<(usize, Queued)>, sqlx::Error> {
    let rows = INSERT_URLS
        .run(connection, findings.iter().collect(), |finding, values| {
            let Found { key, url, host, origin, .. } = finding.found;
            values.add(finding.crawl.0).key(*key).text(url).add(host.shared());
            values.add(origin.depth).add(origin.hops).add(origin.max_depth).add(origin.priority);
            values.maybe(origin.seed.map(ScopeKind::as_str)).maybe(origin.sitemap.map(Sitemap::as_str));
            values.add(finding.on.clone());
            values.add(Arc::clone(finding.at));
        })
        .await?;
    let new: HashSet<RowKey> = rows.iter().filter_map(row_key).collect();
    let released = new.iter().copied().collect();
    RELEASE_SKIPPED
        .run(connection, released, |(crawl, key), values| {
            values.key(key).add(crawl.0);
        })
        .await?;
    let queued = |finding: Finding<'_>| {
        let Found { key, url, host, origin, .. } = finding.found.clone();
        let crawl = finding.crawl;
        let due = Timestamp::EPOCH;
        (finding.entry, Queued { crawl, key, url, host, origin, visit: 1, attempt: 1, throttled: 0, due })
    };
    let is_new = |finding: &Finding<'_>| new.contains(&(finding.crawl, finding.found.key));
    Ok(findings.into_iter().filter(is_new).map(queued).collect())
}

async fn insert_pages(
    connection: &mut SqliteConnection,
    reports: &[&Visited<'_>],
) -> Result<(), sqlx::Error> {
    let stored = reports.iter().filter_map(|visit| match &visit.report.outcome {
        Outcome::Stored(page) => Some((*visit, &**page)),
        _ => None,
    });
    INSERT_PAGES
        .run(connection, stored.collect(), |(visit, stored), values| bind_page(visit, stored, values))
        .await?;
    Ok(())
}

fn bind_page(visit: &Visited<'_>, stored: &StoredPage, values: &mut Values) {
    let Report { url, fetch, .. } = visit.report;
    let page = &stored.page;
    let headings = (!page.headings.is_empty()).then(|| {
        let pairs: Vec<_> = page.headings.iter().map(|heading| (heading.level, &heading.text)).collect();
        serde_json::to_string(&pairs).expect("numbers and texts are JSON")
    });
    let extracted = page.extracted.as_ref().map(ToString::to_string);
    values.add(url.crawl.0).key(url.key).add(url.visit).add(Arc::clone(&visit.url)).add(url.host.shared());
    values.add(fetch.as_ref().and_then(|fetch| fetch.status).unwrap_or_default());
    values.maybe(page.title.as_deref()).maybe(page.description.as_deref()).maybe(page.canonical.as_deref());
    values.add(robots_words(stored)).maybe(page.language.as_deref()).add(headings);
    values.maybe(page.text.as_deref()).add(extracted).maybe(stored.content_type.as_deref());
    values.maybe((!page.charset.is_empty()).then_some(&*page.charset));
    values.add(fetch.as_ref().map_or(0, |fetch| fetch.body_bytes.cast_signed())).maybe(stored.truncated);
    values.add(hex(&stored.content_hash));
    values.maybe(stored.etag.as_deref()).maybe(stored.last_modified.as_deref());
    values.add(url.origin.depth).add(Arc::clone(visit.started.as_ref().unwrap_or(&visit.at)));
    values
        .add(page.links_total.cast_signed())
        .add(page.links_dropped.cast_signed())
        .maybe(stored.links.as_deref());
}

/// What the page and its header ask of robots, as one comma list.
fn robots_words(stored: &StoredPage) -> Option<String> {
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

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

async fn insert_fetches(
    connection: &mut SqliteConnection,
    visits: &[Visited<'_>],
) -> Result<(), sqlx::Error> {
    let sent = visits.iter().filter_map(|visit| Some((visit, visit.report.fetch.as_ref()?)));
    INSERT_FETCHES
        .run(connection, sent.collect(), |(visit, fetch), values| {
            let Report { url, outcome, token, .. } = visit.report;
            let kind = if visit.report.is_sitemap() { "sitemap" } else { "page" };
            let detail = match outcome {
                Outcome::Failed { detail, .. }
                | Outcome::Retry { detail, .. }
                | Outcome::Read { detail, .. } => Some(detail.as_str()),
                Outcome::Redirected { to } => Some(to.as_str()),
                _ => None,
            };
            values.add(url.crawl.0).key(url.key).add(token.0).text(kind).add(Arc::clone(&visit.url));
            values.add(url.host.shared()).add(Some(url.visit)).add(Some(url.attempt));
            let started = visit.started.clone().expect("a request has a start");
            bind_request(fetch, outcome.word(), detail, started, values);
        })
        .await?;
    Ok(())
}

async fn insert_robots_fetches(
    connection: &mut SqliteConnection,
    batch: &[Entry],
) -> Result<(), sqlx::Error> {
    let sent = batch.iter().filter_map(|entry| match entry {
        Entry::Note(note) => Some((&**note, note.robots.as_ref()?)),
        Entry::Report(_) => None,
    });
    INSERT_FETCHES
        .run(connection, sent.collect(), |(note, robots), values| {
            values.add(note.crawl.0).key(UrlKey::of(&robots.url)).add(robots.token.0).text("robots");
            values.text(&robots.url).add(note.host.shared()).add(None::<u32>).add(u32::from(robots.hop) + 1);
            let started = robots.fetch.started.to_string().into();
            let detail = Some(robots.detail.as_str()).filter(|detail| !detail.is_empty());
            bind_request(&robots.fetch, robots.verdict, detail, started, values);
        })
        .await?;
    Ok(())
}

fn bind_request(
    fetch: &Fetched,
    outcome: &'static str,
    detail: Option<&str>,
    started: Arc<str>,
    values: &mut Values,
) {
    let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    values.add(fetch.status).maybe(fetch.error).text(outcome).maybe(detail).add(started);
    values.add(fetch.first_byte.map(millis)).add(millis(fetch.total));
    values.add(fetch.wire_bytes.cast_signed()).add(fetch.body_bytes.cast_signed());
}

async fn insert_dead_letters(
    connection: &mut SqliteConnection,
    reports: &[&Visited<'_>],
) -> Result<(), sqlx::Error> {
    let failed = reports.iter().filter(|visit| matches!(visit.report.outcome, Outcome::Failed { .. }));
    INSERT_DEAD_LETTERS
        .run(connection, failed.collect(), |visit, values| {
            let Report { url, outcome, fetch, .. } = visit.report;
            let Outcome::Failed { reason, detail } = outcome else { unreachable!("filtered above") };
            values.add(url.crawl.0).key(url.key).add(Arc::clone(&visit.url)).add(url.host.shared());
            values
                .add(url.visit)
                .text(reason)
                .text(detail)
                .add(fetch.as_ref().and_then(|fetch| fetch.status));
            values.add(url.attempt).add(Arc::clone(&visit.at));
        })
        .await?;
    Ok(())
}

async fn insert_skipped(
    connection: &mut SqliteConnection,
    reports: &[&Visited<'_>],
) -> Result<(), sqlx::Error> {
    let mut known = HashSet::new();
    let mut rows: Vec<(&Visited<'_>, UrlKey, &str, &'static str, &str)> = Vec::new();
    for visit in reports {
        if let Outcome::Disallowed { rule } = &visit.report.outcome {
            rows.push((visit, visit.report.url.key, &visit.report.url.url, "robots", rule));
        }
        for Skipped { key, url, reason, detail } in &visit.report.skipped {
            if known.insert((visit.report.url.crawl, *key, *reason)) {
                rows.push((visit, *key, url, reason, detail));
            }
        }
    }
    INSERT_SKIPPED
        .run(connection, rows, |(visit, key, url, reason, detail), values| {
            values.add(visit.report.url.crawl.0).key(key).text(url).text(reason);
            values
                .maybe((!detail.is_empty()).then_some(detail))
                .add(Arc::clone(&visit.url))
                .add(Arc::clone(&visit.at));
        })
        .await?;
    Ok(())
}

async fn note_hosts(connection: &mut SqliteConnection, batch: &[Entry]) -> Result<(), sqlx::Error> {
    let notes = batch.iter().filter_map(|entry| match entry {
        Entry::Note(note) => Some(&**note),
        Entry::Report(_) => None,
    });
    NOTE_HOSTS
        .run(connection, notes.collect(), |note: &Note, values| {
            let Note { host, pace, robots, at, .. } = note;
            // Rounded up, like every point in time: a host is never asked faster than it said.
            let millis = |delay: Duration| delay.as_nanos().div_ceil(1_000_000);
            let delay = pace.crawl_delay.map(|delay| i64::try_from(millis(delay)).unwrap_or(i64::MAX));
            values
                .add(host.as_str())
                .add(delay)
                .add(pace.block_until.map(|until| until.ceil_millis().to_string()));
            values.add(pace.strikes).add(robots.as_ref().map(|robots| robots.verdict));
            values.add(robots.as_ref().and_then(|robots| robots.fetch.status));
            values.add(robots.as_ref().map(|robots| robots.fetch.started.to_string())).add(at.to_string());
        })
        .await?;
    Ok(())
}

//! The one transaction that stores a batch: the gate first, then only what passed it.

use super::rows::{Statement, Values};
use crate::crawl::lease::{CrawlId, Queued};
use crate::crawl::report::{Entry, Fetched, Found, Note, Outcome, Report, Skipped, StoredPage};
use crate::crawl::scope::ScopeKind;
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use crate::store::Committed;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};
use std::collections::HashSet;
use std::fmt::Write;
use std::time::Duration;

const CLOSE_URLS: Statement = Statement { text: include_str!("sql/close_urls.sql"), columns: 12 };
const INSERT_URLS: Statement = Statement { text: include_str!("sql/insert_urls.sql"), columns: 11 };
const INSERT_PAGES: Statement = Statement { text: include_str!("sql/insert_pages.sql"), columns: 25 };
const INSERT_FETCHES: Statement = Statement { text: include_str!("sql/insert_fetches.sql"), columns: 17 };
const INSERT_SKIPPED: Statement = Statement { text: include_str!("sql/insert_skipped.sql"), columns: 7 };
const RELEASE_SKIPPED: Statement = Statement { text: include_str!("sql/release_skipped.sql"), columns: 2 };
const INSERT_DEAD_LETTERS: Statement =
    Statement { text: include_str!("sql/insert_dead_letters.sql"), columns: 10 };
const NOTE_HOSTS: Statement = Statement { text: include_str!("sql/note_hosts.sql"), columns: 8 };

type RowKey = (CrawlId, UrlKey);

/// Commits seeds; see [`crate::store::Store::accept`].
pub(super) async fn accept(
    connection: &mut SqliteConnection,
    crawl: CrawlId,
    seeds: Vec<Found>,
    now: Timestamp,
) -> Result<Vec<Queued>, sqlx::Error> {
    let at = now.to_string();
    let mut known = HashSet::new();
    let seeds: Vec<Finding<'_>> = seeds
        .iter()
        .filter(|found| known.insert(found.key))
        .map(|found| Finding { crawl, found, on: None, at: &at, entry: 0 })
        .collect();
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let admitted = insert_urls(&mut transaction, seeds).await?;
    transaction.commit().await?;
    Ok(admitted.into_iter().map(|(_, queued)| queued).collect())
}

/// Commits a batch; see [`crate::store::Store::commit`].
pub(super) async fn commit(
    connection: &mut SqliteConnection,
    batch: &[Entry],
) -> Result<Vec<Committed>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut committed: Vec<Committed> = batch.iter().map(|_| Committed::default()).collect();

    let reports = close_urls(&mut transaction, batch).await?;
    for passed in &reports {
        let outcome = &passed.report.outcome;
        committed[passed.entry].effective = true;
        committed[passed.entry].stored = matches!(outcome, Outcome::Stored(_));
        committed[passed.entry].retry = retry(passed.report);
    }
    insert_fetches(&mut transaction, batch).await?;
    insert_pages(&mut transaction, &reports).await?;
    insert_dead_letters(&mut transaction, &reports).await?;
    for (entry, queued) in insert_urls(&mut transaction, findings(&reports)).await? {
        committed[entry].admitted.push(queued);
    }
    insert_skipped(&mut transaction, &reports).await?;
    note_hosts(&mut transaction, batch).await?;

    transaction.commit().await?;
    Ok(committed)
}

/// A report that passed the gate, with the number of its entry and its time as text.
struct Passed<'a> {
    entry: usize,
    report: &'a Report,
    at: String,
}

/// A URL found by an entry.
struct Finding<'a> {
    crawl: CrawlId,
    found: &'a Found,
    on: Option<&'a str>,
    at: &'a str,
    entry: usize,
}

/// Sends the reports through the gate, in their order; answers with those that passed.
async fn close_urls<'a>(
    connection: &mut SqliteConnection,
    batch: &'a [Entry],
) -> Result<Vec<Passed<'a>>, sqlx::Error> {
    let mut reports: Vec<Passed<'a>> = batch
        .iter()
        .enumerate()
        .filter_map(|(entry, one)| match one {
            Entry::Report(report) => Some(Passed { entry, report, at: report.at.to_string() }),
            Entry::Note(_) => None,
        })
        .collect();
    let mut passed = Vec::with_capacity(reports.len());
    // Two reports on one URL cannot go through the gate in one statement, and the first of them may be a stale one:
    // each round takes the first report that is left of every URL. All but a few batches need one round.
    while !reports.is_empty() {
        let mut keys = HashSet::with_capacity(reports.len());
        let (mut round, later): (Vec<_>, Vec<_>) =
            reports.into_iter().partition(|one| keys.insert((one.report.url.crawl, one.report.url.key)));
        let closed = CLOSE_URLS.run(connection, round.iter().collect(), bind_closing).await?;
        let closed: HashSet<RowKey> = closed.iter().filter_map(row_key).collect();
        round.retain(|one| closed.contains(&(one.report.url.crawl, one.report.url.key)));
        passed.append(&mut round);
        reports = later;
    }
    passed.sort_by_key(|one| one.entry);
    Ok(passed)
}

fn bind_closing(passed: &Passed<'_>, values: &mut Values) {
    let Report { url, outcome, .. } = passed.report;
    let (state, reason, redirect_to) = match outcome {
        Outcome::Stored(_) => ("stored", None, None),
        Outcome::Redirected { to } => ("redirected", None, Some(to.as_str())),
        Outcome::Disallowed { .. } => ("excluded", Some("robots"), None),
        Outcome::Failed { reason, .. } => ("failed", Some(reason.as_str()), None),
        Outcome::Retry { reason, .. } => ("open", Some(reason.as_str()), None),
    };
    let next = retry(passed.report);
    let next = next.as_ref().unwrap_or(url);
    let due = matches!(outcome, Outcome::Retry { .. }).then(|| next.due.to_string());
    values
        .add(url.key.as_bytes().to_vec())
        .add(url.crawl.0)
        .add(url.visit)
        .add(url.attempt)
        .add(url.throttled);
    values
        .add(state)
        .add(next.attempt)
        .add(next.throttled)
        .add(due)
        .add(reason)
        .add(redirect_to)
        .add(&passed.at);
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

fn findings<'a>(reports: &'a [Passed<'a>]) -> Vec<Finding<'a>> {
    let mut known = HashSet::new();
    let each = |passed: &'a Passed<'a>| {
        let Report { url, found, .. } = passed.report;
        let finding = |found| Finding {
            crawl: url.crawl,
            found,
            on: Some(&url.url),
            at: &passed.at,
            entry: passed.entry,
        };
        found.iter().map(finding)
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
            values.add(finding.crawl.0).add(key.as_bytes().to_vec()).add(url).add(host.as_str());
            values.add(origin.depth).add(origin.hops).add(origin.max_depth).add(origin.priority);
            values.add(origin.seed.map(ScopeKind::as_str)).add(finding.on).add(finding.at);
        })
        .await?;
    let new: HashSet<RowKey> = rows.iter().filter_map(row_key).collect();
    let released = new.iter().copied().collect();
    RELEASE_SKIPPED
        .run(connection, released, |(crawl, key), values| {
            values.add(key.as_bytes().to_vec()).add(crawl.0);
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

async fn insert_pages(connection: &mut SqliteConnection, reports: &[Passed<'_>]) -> Result<(), sqlx::Error> {
    let pages: Vec<(&Passed<'_>, &StoredPage)> = reports
        .iter()
        .filter_map(|passed| match &passed.report.outcome {
            Outcome::Stored(page) => Some((passed, &**page)),
            _ => None,
        })
        .collect();
    INSERT_PAGES.run(connection, pages, |(passed, stored), values| bind_page(passed, stored, values)).await?;
    Ok(())
}

fn bind_page(passed: &Passed<'_>, stored: &StoredPage, values: &mut Values) {
    let Report { url, fetch, .. } = passed.report;
    let page = &stored.page;
    let headings = (!page.headings.is_empty()).then(|| {
        let pairs: Vec<_> = page.headings.iter().map(|heading| (heading.level, &heading.text)).collect();
        serde_json::to_string(&pairs).expect("numbers and texts are JSON")
    });
    let extracted = page.extracted.as_ref().map(ToString::to_string);
    let started = fetch.as_ref().map(|fetch| fetch.started.to_string());
    values
        .add(url.crawl.0)
        .add(url.key.as_bytes().to_vec())
        .add(url.visit)
        .add(&url.url)
        .add(url.host.as_str());
    values.add(fetch.as_ref().and_then(|fetch| fetch.status).unwrap_or_default());
    values.add(page.title.as_deref()).add(page.description.as_deref()).add(page.canonical.as_deref());
    values.add(robots_words(stored)).add(page.language.as_deref()).add(headings).add(page.text.as_deref());
    values
        .add(extracted)
        .add(stored.content_type.as_deref())
        .add((!page.charset.is_empty()).then_some(&*page.charset));
    values.add(fetch.as_ref().map_or(0, |fetch| fetch.body_bytes.cast_signed())).add(stored.truncated);
    values.add(hex(&stored.content_hash)).add(stored.etag.as_deref()).add(stored.last_modified.as_deref());
    values.add(url.origin.depth).add(started.as_deref().unwrap_or(&passed.at));
    values.add(page.links_total.cast_signed()).add(stored.links.as_deref());
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
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn insert_fetches(connection: &mut SqliteConnection, batch: &[Entry]) -> Result<(), sqlx::Error> {
    let rows = batch.iter().filter(|entry| match entry {
        Entry::Report(report) => report.fetch.is_some(),
        Entry::Note(note) => note.robots.is_some(),
    });
    INSERT_FETCHES.run(connection, rows.collect(), bind_fetch).await?;
    Ok(())
}

fn bind_fetch(entry: &Entry, values: &mut Values) {
    match entry {
        Entry::Report(report) => {
            let Report { url, outcome, token, .. } = &**report;
            let detail = match outcome {
                Outcome::Failed { detail, .. } | Outcome::Retry { detail, .. } => Some(detail.as_str()),
                Outcome::Redirected { to } => Some(to.as_str()),
                _ => None,
            };
            values.add(url.crawl.0).add(url.key.as_bytes().to_vec()).add(token.0).add("page").add(&url.url);
            values.add(url.host.as_str()).add(Some(url.visit)).add(Some(url.attempt));
            bind_request(report.fetch.as_ref(), outcome.word(), detail, values);
        }
        Entry::Note(note) => {
            let robots = note.robots.as_ref();
            let url = robots.map_or("", |robots| robots.url.as_str());
            values
                .add(note.crawl.0)
                .add(UrlKey::of(url).as_bytes().to_vec())
                .add(robots.map(|robots| robots.token.0));
            values.add("robots").add(url).add(note.host.as_str()).add(None::<u32>).add(None::<u32>);
            let verdict = robots.map_or("", |robots| robots.verdict);
            bind_request(robots.map(|robots| &robots.fetch), verdict, None, values);
        }
    }
}

fn bind_request(fetch: Option<&Fetched>, outcome: &'static str, detail: Option<&str>, values: &mut Values) {
    let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    values
        .add(fetch.and_then(|fetch| fetch.status))
        .add(fetch.and_then(|fetch| fetch.error))
        .add(outcome)
        .add(detail);
    values.add(fetch.map(|fetch| fetch.started.to_string()));
    values
        .add(fetch.and_then(|fetch| fetch.first_byte).map(millis))
        .add(fetch.map(|fetch| millis(fetch.total)));
    values.add(fetch.map(|fetch| fetch.wire_bytes.cast_signed()));
    values.add(fetch.map(|fetch| fetch.body_bytes.cast_signed()));
}

async fn insert_dead_letters(
    connection: &mut SqliteConnection,
    reports: &[Passed<'_>],
) -> Result<(), sqlx::Error> {
    let failed = reports.iter().filter(|passed| matches!(passed.report.outcome, Outcome::Failed { .. }));
    INSERT_DEAD_LETTERS
        .run(connection, failed.collect(), |passed, values| {
            let Report { url, outcome, fetch, .. } = passed.report;
            let Outcome::Failed { reason, detail } = outcome else { unreachable!("filtered above") };
            values.add(url.crawl.0).add(url.key.as_bytes().to_vec()).add(&url.url).add(url.host.as_str());
            values.add(url.visit).add(reason).add(detail).add(fetch.as_ref().and_then(|fetch| fetch.status));
            values.add(url.attempt).add(&passed.at);
        })
        .await?;
    Ok(())
}

async fn insert_skipped(
    connection: &mut SqliteConnection,
    reports: &[Passed<'_>],
) -> Result<(), sqlx::Error> {
    let mut known = HashSet::new();
    let mut rows: Vec<(&Passed<'_>, UrlKey, &str, &'static str, &str)> = Vec::new();
    for passed in reports {
        if let Outcome::Disallowed { rule } = &passed.report.outcome {
            rows.push((passed, passed.report.url.key, &passed.report.url.url, "robots", rule));
        }
        for Skipped { key, url, reason, detail } in &passed.report.skipped {
            if known.insert((passed.report.url.crawl, *key, *reason)) {
                rows.push((passed, *key, url, reason, detail));
            }
        }
    }
    INSERT_SKIPPED
        .run(connection, rows, |(passed, key, url, reason, detail), values| {
            values.add(passed.report.url.crawl.0).add(key.as_bytes().to_vec()).add(url).add(reason);
            values.add((!detail.is_empty()).then_some(detail)).add(&passed.report.url.url).add(&passed.at);
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

//! The one transaction that stores a batch: the gate first, then only what passed it.

use super::rows::{Statement, Values, Written};
use super::{parking, watching};
use crate::crawl::lease::{CrawlId, Queued};
use crate::crawl::report::{Entry, Fetched, Found, Note, Report, StoredPage};
use crate::crawl::scope::ScopeKind;
use crate::crawl::sitemap::Sitemap;
use crate::crawl::time::Timestamp;
use crate::crawl::traps::Guard;
use crate::crawl::url::UrlKey;
use crate::store::Committed;
use crate::store::batch::{self, Closing, Finding, RowKey, SkippedRow, Visited};
use hashbrown::HashSet;
use sqlx::sqlite::SqliteRow;
use sqlx::{Executor, Row, SqliteConnection};
use std::sync::Arc;

const CLOSE_URLS: Statement = Statement { text: include_str!("sql/close_urls.sql"), columns: 12 };
const INSERT_URLS: Statement = Statement { text: include_str!("sql/insert_urls.sql"), columns: 12 };
const MOVE_SEEDS: Statement = Statement { text: include_str!("sql/move_seeds.sql"), columns: 7 };
const INSERT_PAGES: Statement = Statement { text: include_str!("sql/insert_pages.sql"), columns: 29 };
const INSERT_FETCHES: Statement = Statement { text: include_str!("sql/insert_fetches.sql"), columns: 17 };
const INSERT_SKIPPED: Statement = Statement { text: include_str!("sql/insert_skipped.sql"), columns: 7 };
const RELEASE_SKIPPED: Statement = Statement { text: include_str!("sql/release_skipped.sql"), columns: 2 };
const INSERT_DEAD_LETTERS: Statement =
    Statement { text: include_str!("sql/insert_dead_letters.sql"), columns: 10 };
const NOTE_HOSTS: Statement = Statement { text: include_str!("sql/note_hosts.sql"), columns: 8 };

const ROLLBACK: &str = "ROLLBACK";

/// Commits seeds; see [`crate::store::Store::accept`].
pub(super) async fn accept(
    connection: &mut SqliteConnection,
    crawl: CrawlId,
    seeds: Vec<Found>,
    now: Timestamp,
) -> Result<Vec<Queued>, sqlx::Error> {
    let at = now.to_string().into();
    let seeds = batch::seeds(crawl, &seeds, &at);
    begin(connection).await?;
    let admitted = insert_seeds(connection, crawl, seeds).await;
    let admitted = end(connection, admitted).await?;
    Ok(admitted.into_iter().map(|(_, queued)| queued).collect())
}

pub(super) async fn insert_seeds(
    connection: &mut SqliteConnection,
    crawl: CrawlId,
    seeds: Vec<Finding<'_>>,
) -> Result<Vec<(usize, Queued)>, sqlx::Error> {
    let admitted = insert_urls(connection, &seeds).await?;
    let mut guard = Guard::default();
    watching::know(connection, &mut guard, batch::hosts(&[], &seeds)).await?;
    let new: HashSet<UrlKey> = admitted.iter().map(|(_, queued)| queued.key).collect();
    for seed in seeds.iter().filter(|seed| new.contains(&seed.found.key)) {
        guard.force(crawl, seed.found);
    }
    watching::keep(connection, &guard).await?;
    if !admitted.is_empty() {
        sqlx::query(include_str!("sql/reopen.sql")).bind(crawl.0).execute(connection).await?;
    }
    Ok(admitted)
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
pub(super) async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    const BEGIN: &str = "BEGIN IMMEDIATE";
    if connection.execute(BEGIN).await.is_err() {
        // One that was given up half way may still be open.
        _ = connection.execute(ROLLBACK).await;
        connection.execute(BEGIN).await?;
    }
    Ok(())
}

/// Ends it: with all that was written, or with nothing.
pub(super) async fn end<T>(
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
    let visits = batch::visits(batch);
    let reports = close_urls(connection, &visits).await?;
    let mut committed = batch::answers(batch.len(), &reports);
    insert_fetches(connection, &visits).await?;
    insert_robots_fetches(connection, batch).await?;
    insert_pages(connection, &reports).await?;
    insert_dead_letters(connection, &reports).await?;
    let findings = batch::findings(&reports);
    move_seeds(connection, &findings).await?;
    let mut guard = Guard::default();
    watching::know(connection, &mut guard, batch::hosts(&reports, &findings)).await?;
    for visit in &reports {
        guard.closed(visit.report);
    }
    let judged = batch::judged(&mut guard, findings);
    let mut new = HashSet::new();
    for (entry, queued) in insert_urls(connection, &judged.accepted).await? {
        new.insert((queued.crawl, queued.key));
        committed[entry].admitted.push(queued);
    }
    judged.settle(&mut guard, &new);
    judged.tell(&mut committed);
    insert_skipped(connection, &reports).await?;
    parking::insert(connection, batch::parked_rows(&reports)).await?;
    parking::insert(connection, batch::held_rows(&judged.held)).await?;
    if let Some(first) = reports.first() {
        let opened = watching::make_use_of_room(connection, &mut guard, &first.at).await?;
        committed[first.entry].admitted.extend(opened);
    }
    watching::keep(connection, &guard).await?;
    note_hosts(connection, batch).await?;
    Ok(committed)
}

/// The gate: sends the visits through it, in their order; answers with those that were open.
async fn close_urls<'a>(
    connection: &mut SqliteConnection,
    visits: &'a [Visited<'a>],
) -> Result<Vec<&'a Visited<'a>>, sqlx::Error> {
    let mut visits: Vec<&'a Visited<'a>> = visits.iter().collect();
    let mut passed = Vec::with_capacity(visits.len());
    while !visits.is_empty() {
        let (mut round, later) = batch::round(visits);
        let closed = CLOSE_URLS.ask(connection, round.clone(), bind_closing).await?;
        let closed: HashSet<RowKey> = closed.iter().filter_map(row_key).collect();
        round.retain(|visit| closed.contains(&visit.row()));
        passed.append(&mut round);
        visits = later;
    }
    passed.sort_by_key(|visit| visit.entry);
    Ok(passed)
}

fn bind_closing(visit: &Visited<'_>, values: &mut Values) {
    let url = &visit.report.url;
    let Closing { state, reason, redirect_to, attempt, throttled, due } = batch::closing(visit.report);
    values.key(url.key).add(url.crawl.0).add(url.visit).add(url.attempt).add(url.throttled);
    values.text(state).add(attempt).add(throttled).add(due.map(|due| due.to_string()));
    values.maybe(reason).maybe(redirect_to).add(Arc::clone(&visit.at));
}

fn row_key(row: &SqliteRow) -> Option<RowKey> {
    Some((CrawlId(row.get("crawl_id")), UrlKey::from_slice(row.get::<&[u8], _>("url_key"))?))
}

/// Makes seeds of open URLs that seeds redirect to.
async fn move_seeds(connection: &mut SqliteConnection, findings: &[Finding<'_>]) -> Result<(), sqlx::Error> {
    MOVE_SEEDS
        .run(connection, batch::moved_seeds(findings), |finding, values| {
            let Found { key, origin, .. } = finding.found;
            values.key(*key).add(finding.crawl.0).add(origin.depth).add(origin.hops).add(origin.max_depth);
            values.add(origin.priority).maybe(origin.seed.map(ScopeKind::as_str));
        })
        .await?;
    Ok(())
}

/// Accepts URLs; answers with the new ones and the entries that found them.
pub(super) async fn insert_urls(
    connection: &mut SqliteConnection,
    findings: &[Finding<'_>],
) -> Result<Vec<(usize, Queued)>, sqlx::Error> {
    let written = INSERT_URLS
        .run(connection, findings.iter().collect(), |finding, values| {
            let Found { key, url, host, origin, .. } = finding.found;
            values.add(finding.crawl.0).key(*key).text(url).add(host.shared());
            values.add(origin.depth).add(origin.hops).add(origin.max_depth).add(origin.priority);
            values.maybe(origin.seed.map(ScopeKind::as_str)).maybe(origin.sitemap.map(Sitemap::as_str));
            values.add(finding.on.clone());
            values.add(Arc::clone(finding.at));
        })
        .await?;
    let new: Vec<&Finding<'_>> = if written.rows == findings.len() {
        findings.iter().collect()
    } else {
        let new = new_urls(connection, written).await?;
        findings.iter().filter(|finding| new.contains(&finding.row())).collect()
    };
    RELEASE_SKIPPED
        .run(connection, new.iter().map(|finding| finding.row()).collect(), |(crawl, key), values| {
            values.key(key).add(crawl.0);
        })
        .await?;
    Ok(new.into_iter().map(|finding| (finding.entry, finding.queued())).collect())
}

/// The URLs that were just written: their ids follow one another, since nobody else writes.
async fn new_urls(
    connection: &mut SqliteConnection,
    written: Written,
) -> Result<HashSet<RowKey>, sqlx::Error> {
    const NEW: &str = "SELECT crawl_id, url_key FROM urls WHERE id > ?";
    if written.rows == 0 {
        return Ok(HashSet::new());
    }
    let rows = sqlx::query(NEW).bind(written.last - written.rows as i64).fetch_all(connection).await?;
    Ok(rows.iter().filter_map(row_key).collect())
}

async fn insert_pages(
    connection: &mut SqliteConnection,
    reports: &[&Visited<'_>],
) -> Result<(), sqlx::Error> {
    INSERT_PAGES
        .run(connection, batch::pages(reports).collect(), |(visit, stored), values| {
            bind_page(visit, stored, values);
        })
        .await?;
    Ok(())
}

fn bind_page(visit: &Visited<'_>, stored: &StoredPage, values: &mut Values) {
    let url = &visit.report.url;
    let page = &stored.page;
    let (status, bytes) = batch::status_and_bytes(visit.report);
    let extracted = page.extracted.as_ref().map(ToString::to_string);
    values.add(url.crawl.0).key(url.key).add(url.visit).add(Arc::clone(&visit.url)).add(url.host.shared());
    values.add(status);
    values.maybe(page.title.as_deref()).maybe(page.description.as_deref()).maybe(page.canonical.as_deref());
    values.add(batch::robots_words(stored)).maybe(page.language.as_deref()).add(batch::headings(page));
    values.maybe(page.text.as_deref()).add(extracted).maybe(stored.content_type.as_deref());
    values.maybe((!page.charset.is_empty()).then_some(&*page.charset));
    values.add(bytes.cast_signed()).maybe(stored.truncated);
    values.add(batch::hex(&stored.content_hash));
    values.maybe(stored.etag.as_deref()).maybe(stored.last_modified.as_deref());
    values.add(url.origin.depth).add(Arc::clone(visit.fetched_at()));
    values
        .add(page.links_total.cast_signed())
        .add(page.links_dropped.cast_signed())
        .maybe(stored.links.as_deref());
    for said in batch::signals(stored) {
        values.maybe(said);
    }
}

async fn insert_fetches(
    connection: &mut SqliteConnection,
    visits: &[Visited<'_>],
) -> Result<(), sqlx::Error> {
    INSERT_FETCHES
        .run(connection, batch::requests(visits).collect(), |(visit, fetch), values| {
            let Report { url, outcome, token, .. } = visit.report;
            let (kind, detail) = (batch::kind(visit.report), batch::detail(visit.report));
            values.add(url.crawl.0).key(url.key).add(token.0).text(kind).add(Arc::clone(&visit.url));
            values.add(url.host.shared()).add(Some(url.visit)).add(Some(url.attempt));
            let started = visit.started.clone().expect("a request has a start");
            bind_request(fetch, outcome.word(), detail.as_deref(), started, values);
        })
        .await?;
    Ok(())
}

async fn insert_robots_fetches(
    connection: &mut SqliteConnection,
    batch: &[Entry],
) -> Result<(), sqlx::Error> {
    INSERT_FETCHES
        .run(connection, batch::robots_requests(batch).collect(), |(note, robots), values| {
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
    values.add(fetch.status).maybe(fetch.error).text(outcome).maybe(detail).add(started);
    values.add(fetch.first_byte.map(batch::millis)).add(batch::millis(fetch.total));
    values.add(fetch.wire_bytes.cast_signed()).add(fetch.body_bytes.cast_signed());
}

async fn insert_dead_letters(
    connection: &mut SqliteConnection,
    reports: &[&Visited<'_>],
) -> Result<(), sqlx::Error> {
    INSERT_DEAD_LETTERS
        .run(connection, batch::failures(reports).collect(), |(visit, reason, detail), values| {
            let Report { url, fetch, .. } = visit.report;
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
    INSERT_SKIPPED
        .run(connection, batch::skipped_rows(reports), |row, values| {
            let SkippedRow { visit, key, url, reason, detail } = row;
            values.add(visit.report.url.crawl.0).key(key).text(url).text(reason).maybe(detail);
            values.add(Arc::clone(&visit.url)).add(Arc::clone(&visit.at));
        })
        .await?;
    Ok(())
}

async fn note_hosts(connection: &mut SqliteConnection, batch: &[Entry]) -> Result<(), sqlx::Error> {
    NOTE_HOSTS
        .run(connection, batch::notes(batch).collect(), |note: &Note, values| {
            let Note { host, pace, robots, at, .. } = note;
            values
                .add(host.as_str())
                .add(batch::crawl_delay_millis(note))
                .add(pace.block_until.map(|until| until.ceil_millis().to_string()));
            values.add(pace.strikes).add(robots.as_ref().map(|robots| robots.verdict));
            values.add(robots.as_ref().and_then(|robots| robots.fetch.status));
            values.add(robots.as_ref().map(|robots| robots.fetch.started.to_string())).add(at.to_string());
        })
        .await?;
    Ok(())
}

//! The one transaction that stores a batch: the gate first, then only what passed it.
//!
//! Several processes commit at once. Every statement locks or adds its rows in the order of their keys, and the
//! statements come in one order, so that two batches never wait for each other.

use super::columns::{Rows, int};
use super::{parking, scrub, watching};
use crate::crawl::lease::{CrawlId, Queued};
use crate::crawl::report::{Entry, Fetched, Found, Note, Report, StoredPage};
use crate::crawl::scope::ScopeKind;
use crate::crawl::sitemap::Sitemap;
use crate::crawl::time::Timestamp;
use crate::crawl::traps::Guard;
use crate::crawl::url::UrlKey;
use crate::store::Committed;
use crate::store::batch::{self, Finding, RowKey, Visited};
use hashbrown::HashSet;
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};
use std::borrow::Cow;

/// URLs in one statement. A batch may find hundreds of thousands.
pub(super) const MOST_URLS: usize = 20_000;
/// Bytes of texts of pages in one statement, roughly; the database takes a gigabyte.
const MOST_PAGE_BYTES: usize = 64 << 20;

/// Commits seeds; see [`crate::store::Store::accept`]. The row of the crawl is locked first, so that the crawl is not
/// taken for finished meanwhile.
pub(super) async fn accept(
    connection: &mut PgConnection,
    crawl: CrawlId,
    seeds: &[Found],
    now: Timestamp,
) -> Result<Vec<Queued>, sqlx::Error> {
    let at = now.to_string().into();
    let seeds = batch::seeds(crawl, seeds, &at);
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT 1 FROM crawls WHERE id = $1 FOR NO KEY UPDATE")
        .bind(crawl.0)
        .execute(&mut *transaction)
        .await?;
    let admitted = insert_urls(&mut transaction, &seeds).await?;
    count_new(&mut transaction, crawl, &seeds, &admitted).await?;
    transaction.commit().await?;
    Ok(admitted.into_iter().map(|(_, queued)| queued).collect())
}

/// Counts URLs that were opened whatever the rules say, and takes a finished crawl up again.
pub(super) async fn count_new(
    connection: &mut PgConnection,
    crawl: CrawlId,
    found: &[Finding<'_>],
    opened: &[(usize, Queued)],
) -> Result<(), sqlx::Error> {
    if opened.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("sql/reopen.sql")).bind(crawl.0).execute(&mut *connection).await?;
    let mut guard = Guard::default();
    watching::know(connection, &mut guard, batch::hosts(&[], found)).await?;
    let new: HashSet<UrlKey> = opened.iter().map(|(_, queued)| queued.key).collect();
    for finding in found.iter().filter(|finding| new.contains(&finding.found.key)) {
        guard.force(crawl, finding.found);
    }
    watching::keep(connection, &guard).await
}

/// Commits a batch; see [`crate::store::Store::commit`].
pub(super) async fn commit(
    connection: &mut PgConnection,
    batch: &[&Entry],
) -> Result<Vec<Committed>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let committed = write(&mut transaction, batch).await?;
    transaction.commit().await?;
    Ok(committed)
}

/// Tries a batch out: what it would write, and nothing of it stays.
pub(super) async fn rehearse(connection: &mut PgConnection, batch: &[&Entry]) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    write(&mut transaction, batch).await?;
    transaction.rollback().await
}

async fn write(connection: &mut PgConnection, batch: &[&Entry]) -> Result<Vec<Committed>, sqlx::Error> {
    let visits = batch::visits(batch.iter().copied());
    let reports = close_urls(connection, &visits).await?;
    let mut committed = batch::answers(batch.len(), &reports);
    insert_fetches(connection, &visits, batch).await?;
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
    let mut parked = batch::parked_rows(&reports);
    parked.extend(batch::held_rows(&judged.held));
    parking::insert(connection, &parked).await?;
    if let Some(first) = reports.first() {
        let opened = watching::make_use_of_room(connection, &mut guard, &first.at).await?;
        committed[first.entry].admitted.extend(opened);
    }
    note_hosts(connection, batch).await?;
    watching::keep(connection, &guard).await?;
    Ok(committed)
}

fn row_key(row: &PgRow) -> Option<RowKey> {
    Some((CrawlId(row.get(0)), UrlKey::from_slice(row.get::<&[u8], _>(1))?))
}

/// The gate: sends the visits through it, in their order; answers with those that were open.
async fn close_urls<'a>(
    connection: &mut PgConnection,
    visits: &'a [Visited<'a>],
) -> Result<Vec<&'a Visited<'a>>, sqlx::Error> {
    let mut visits: Vec<&'a Visited<'a>> = visits.iter().collect();
    let mut passed = Vec::with_capacity(visits.len());
    while !visits.is_empty() {
        let (mut round, later) = batch::round(visits);
        let closings: Vec<_> = round.iter().map(|visit| (*visit, batch::closing(visit.report))).collect();
        let closed = Rows::new(include_str!("sql/close_urls.sql"), &closings)
            .column(|(visit, _)| &visit.report.url.key.as_bytes()[..])
            .column(|(visit, _)| visit.report.url.crawl.0)
            .column(|(visit, _)| int(visit.report.url.visit))
            .column(|(visit, _)| int(visit.report.url.attempt))
            .column(|(visit, _)| int(visit.report.url.throttled))
            .column(|(_, closing)| closing.state)
            .column(|(_, closing)| int(closing.attempt))
            .column(|(_, closing)| int(closing.throttled))
            .column(|(_, closing)| closing.due.map(|due| due.to_string()))
            .column(|(_, closing)| scrub::maybe(closing.reason))
            .column(|(_, closing)| scrub::maybe(closing.redirect_to))
            .column(|(visit, _)| &*visit.at)
            .fetch_all(connection)
            .await?;
        let closed: HashSet<RowKey> = closed.iter().filter_map(row_key).collect();
        round.retain(|visit| closed.contains(&visit.row()));
        passed.append(&mut round);
        visits = later;
    }
    passed.sort_by_key(|visit| visit.entry);
    Ok(passed)
}

/// Makes seeds of open URLs that seeds redirect to.
async fn move_seeds(connection: &mut PgConnection, findings: &[Finding<'_>]) -> Result<(), sqlx::Error> {
    Rows::new(include_str!("sql/move_seeds.sql"), &batch::moved_seeds(findings))
        .column(|finding| &finding.found.key.as_bytes()[..])
        .column(|finding| finding.crawl.0)
        .column(|finding| int(finding.found.origin.depth))
        .column(|finding| i16::from(finding.found.origin.hops))
        .column(|finding| finding.found.origin.max_depth.map(int))
        .column(|finding| i16::from(finding.found.origin.priority))
        .column(|finding| finding.found.origin.seed.map(ScopeKind::as_str))
        .execute(connection)
        .await
}

/// Accepts URLs; answers with the new ones and the entries that found them.
pub(super) async fn insert_urls(
    connection: &mut PgConnection,
    findings: &[Finding<'_>],
) -> Result<Vec<(usize, Queued)>, sqlx::Error> {
    let mut new: HashSet<RowKey> = HashSet::new();
    for findings in findings.chunks(MOST_URLS) {
        let rows = Rows::new(include_str!("sql/insert_urls.sql"), findings)
            .column(|finding| finding.crawl.0)
            .column(|finding| &finding.found.key.as_bytes()[..])
            .column(|finding| scrub::text(&finding.found.url))
            .column(|finding| scrub::text(finding.found.host.as_str()))
            .column(|finding| int(finding.found.origin.depth))
            .column(|finding| i16::from(finding.found.origin.hops))
            .column(|finding| finding.found.origin.max_depth.map(int))
            .column(|finding| i16::from(finding.found.origin.priority))
            .column(|finding| finding.found.origin.seed.map(ScopeKind::as_str))
            .column(|finding| finding.found.origin.sitemap.map(Sitemap::as_str))
            .column(|finding| scrub::maybe(finding.on.as_deref()))
            .column(|finding| &**finding.at)
            .fetch_all(connection)
            .await?;
        new.extend(rows.iter().filter_map(row_key));
    }
    let new = findings.iter().filter(|finding| new.contains(&finding.row()));
    Ok(new.map(|finding| (finding.entry, finding.queued())).collect())
}

async fn insert_pages(connection: &mut PgConnection, reports: &[&Visited<'_>]) -> Result<(), sqlx::Error> {
    let pages: Vec<PageRow<'_>> = batch::pages(reports).map(PageRow::new).collect();
    let mut left = &pages[..];
    while !left.is_empty() {
        let mut bytes = 0;
        let fits = left.iter().take_while(|row| {
            bytes += row.stored.weight();
            bytes <= MOST_PAGE_BYTES
        });
        let (now, later) = left.split_at(fits.count().max(1));
        insert_page_rows(connection, now).await?;
        left = later;
    }
    Ok(())
}

/// A page with the texts that are made for its row.
struct PageRow<'a> {
    visit: &'a Visited<'a>,
    stored: &'a StoredPage,
    headings: Option<String>,
    extracted: Option<String>,
}

impl<'a> PageRow<'a> {
    fn new((visit, stored): (&'a Visited<'a>, &'a StoredPage)) -> Self {
        let headings = batch::headings(&stored.page);
        let extracted = stored.page.extracted.as_ref().map(ToString::to_string);
        Self { visit, stored, headings, extracted }
    }

    fn text<'r>(&'r self, field: impl Fn(&'r StoredPage) -> Option<&'r str>) -> Option<Cow<'r, str>> {
        scrub::maybe(field(self.stored))
    }
}

async fn insert_page_rows(connection: &mut PgConnection, rows: &[PageRow<'_>]) -> Result<(), sqlx::Error> {
    Rows::new(include_str!("sql/insert_pages.sql"), rows)
        .column(|row| row.visit.report.url.crawl.0)
        .column(|row| &row.visit.report.url.key.as_bytes()[..])
        .column(|row| int(row.visit.report.url.visit))
        .column(|row| scrub::text(&row.visit.url))
        .column(|row| scrub::text(row.visit.report.url.host.as_str()))
        .column(|row| i32::from(batch::status_and_bytes(row.visit.report).0))
        .column(|row| row.text(|stored| stored.page.title.as_deref()))
        .column(|row| row.text(|stored| stored.page.description.as_deref()))
        .column(|row| row.text(|stored| stored.page.canonical.as_deref()))
        .column(|row| batch::robots_words(row.stored))
        .column(|row| row.text(|stored| stored.page.language.as_deref()))
        .column(|row| row.headings.as_deref().map(scrub::json))
        .column(|row| row.text(|stored| stored.page.text.as_deref()))
        .column(|row| row.extracted.as_deref().map(scrub::json))
        .column(|row| row.text(|stored| stored.content_type.as_deref()))
        .column(|row| row.text(|stored| Some(&*stored.page.charset).filter(|name| !name.is_empty())))
        .column(|row| batch::status_and_bytes(row.visit.report).1.cast_signed())
        .column(|row| row.stored.truncated)
        .column(|row| batch::hex(&row.stored.content_hash))
        .column(|row| row.text(|stored| stored.etag.as_deref()))
        .column(|row| row.text(|stored| stored.last_modified.as_deref()))
        .column(|row| int(row.visit.report.url.origin.depth))
        .column(|row| &**row.visit.fetched_at())
        .column(|row| row.stored.page.links_total.cast_signed())
        .column(|row| row.stored.page.links_dropped.cast_signed())
        .column(|row| row.stored.links.as_deref().map(scrub::json))
        .column(|row| batch::signals(row.stored)[0])
        .column(|row| batch::signals(row.stored)[1])
        .column(|row| batch::signals(row.stored)[2])
        .execute(connection)
        .await
}

/// A row of `fetches`.
struct FetchRow<'a> {
    crawl: CrawlId,
    key: UrlKey,
    token: i64,
    kind: &'static str,
    url: &'a str,
    host: &'a str,
    visit: Option<u32>,
    /// Of robots.txt: the hop, from 1.
    attempt: u32,
    outcome: &'static str,
    detail: Option<Cow<'a, str>>,
    fetch: &'a Fetched,
}

fn page_request<'a>((visit, fetch): (&'a Visited<'a>, &'a Fetched)) -> FetchRow<'a> {
    let Report { url, outcome, token, .. } = visit.report;
    FetchRow {
        crawl: url.crawl,
        key: url.key,
        token: token.0,
        kind: batch::kind(visit.report),
        url: &url.url,
        host: url.host.as_str(),
        visit: Some(url.visit),
        attempt: url.attempt,
        outcome: outcome.word(),
        detail: batch::detail(visit.report),
        fetch,
    }
}

async fn insert_fetches(
    connection: &mut PgConnection,
    visits: &[Visited<'_>],
    entries: &[&Entry],
) -> Result<(), sqlx::Error> {
    let of_robots = batch::robots_requests(entries.iter().copied()).map(|(note, robots)| FetchRow {
        crawl: note.crawl,
        key: UrlKey::of(&robots.url),
        token: robots.token.0,
        kind: "robots",
        url: &robots.url,
        host: note.host.as_str(),
        visit: None,
        attempt: u32::from(robots.hop) + 1,
        outcome: robots.verdict,
        detail: Some(robots.detail.as_str()).filter(|detail| !detail.is_empty()).map(Cow::Borrowed),
        fetch: &robots.fetch,
    });
    let rows: Vec<FetchRow<'_>> = batch::requests(visits).map(page_request).chain(of_robots).collect();
    Rows::new(include_str!("sql/insert_fetches.sql"), &rows)
        .column(|row| row.crawl.0)
        .column(|row| &row.key.as_bytes()[..])
        .column(|row| row.token)
        .column(|row| row.kind)
        .column(|row| scrub::text(row.url))
        .column(|row| scrub::text(row.host))
        .column(|row| row.visit.map(int))
        .column(|row| int(row.attempt))
        .column(|row| row.fetch.status.map(i32::from))
        .column(|row| row.fetch.error)
        .column(|row| row.outcome)
        .column(|row| scrub::maybe(row.detail.as_deref()))
        .column(|row| row.fetch.started.to_string())
        .column(|row| row.fetch.first_byte.map(batch::millis))
        .column(|row| batch::millis(row.fetch.total))
        .column(|row| row.fetch.wire_bytes.cast_signed())
        .column(|row| row.fetch.body_bytes.cast_signed())
        .execute(connection)
        .await
}

async fn insert_dead_letters(
    connection: &mut PgConnection,
    reports: &[&Visited<'_>],
) -> Result<(), sqlx::Error> {
    let mut rows: Vec<_> = batch::failures(reports).collect();
    rows.sort_by_key(|(visit, ..)| (visit.report.url.key.as_bytes(), visit.report.url.crawl));
    Rows::new(include_str!("sql/insert_dead_letters.sql"), &rows)
        .column(|(visit, ..)| visit.report.url.crawl.0)
        .column(|(visit, ..)| &visit.report.url.key.as_bytes()[..])
        .column(|(visit, ..)| scrub::text(&visit.url))
        .column(|(visit, ..)| scrub::text(visit.report.url.host.as_str()))
        .column(|(visit, ..)| int(visit.report.url.visit))
        .column(|(_, reason, _)| scrub::text(reason))
        .column(|(.., detail)| scrub::text(detail))
        .column(|(visit, ..)| visit.report.fetch.as_ref().and_then(|fetch| fetch.status).map(i32::from))
        .column(|(visit, ..)| int(visit.report.url.attempt))
        .column(|(visit, ..)| &*visit.at)
        .execute(connection)
        .await
}

async fn insert_skipped(connection: &mut PgConnection, reports: &[&Visited<'_>]) -> Result<(), sqlx::Error> {
    for rows in batch::skipped_rows(reports).chunks(MOST_URLS) {
        Rows::new(include_str!("sql/insert_skipped.sql"), rows)
            .column(|row| row.visit.report.url.crawl.0)
            .column(|row| &row.key.as_bytes()[..])
            .column(|row| scrub::text(row.url))
            .column(|row| row.reason)
            .column(|row| scrub::maybe(row.detail))
            .column(|row| scrub::text(&row.visit.url))
            .column(|row| &*row.visit.at)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Writes what is known of hosts. Notes on one host go one after the other: what the second keeps depends on the first.
async fn note_hosts(connection: &mut PgConnection, entries: &[&Entry]) -> Result<(), sqlx::Error> {
    let mut notes: Vec<&Note> = batch::notes(entries.iter().copied()).collect();
    while !notes.is_empty() {
        let mut hosts = HashSet::with_capacity(notes.len());
        let (round, later): (Vec<_>, Vec<_>) = notes.into_iter().partition(|note| hosts.insert(&note.host));
        Rows::new(include_str!("sql/note_hosts.sql"), &round)
            .column(|note| scrub::text(note.host.as_str()))
            .column(|note| batch::crawl_delay_millis(note))
            .column(|note| note.pace.block_until.map(|until| until.ceil_millis().to_string()))
            .column(|note| int(note.pace.strikes))
            .column(|note| note.robots.as_ref().map(|robots| robots.verdict))
            .column(|note| note.robots.as_ref().and_then(|robots| robots.fetch.status).map(i32::from))
            .column(|note| note.robots.as_ref().map(|robots| robots.fetch.started.to_string()))
            .column(|note| note.at.to_string())
            .execute(connection)
            .await?;
        notes = later;
    }
    Ok(())
}

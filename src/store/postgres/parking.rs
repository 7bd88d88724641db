//! URLs that are parked, and how they are opened.

use super::columns::{Rows, int};
use super::commit::{MOST_URLS, count_new, insert_urls};
use super::{byte, scrub, unsigned};
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Origin, Queued};
use crate::crawl::report::Found;
use crate::crawl::time::Timestamp;
use crate::crawl::traps::Rule;
use crate::crawl::url::UrlKey;
use crate::store::WhichParked;
use crate::store::batch::{self, ParkedRow, Unparked};
use sqlx::postgres::PgRow;
use sqlx::{Connection, PgConnection, Row};

/// Opens parked URLs; see [`crate::store::Store::release`].
pub(super) async fn release(
    connection: &mut PgConnection,
    crawl: CrawlId,
    which: &WhichParked,
    most: usize,
    now: Timestamp,
) -> Result<Vec<Queued>, sqlx::Error> {
    loop {
        let mut transaction = connection.begin().await?;
        sqlx::query("SELECT 1 FROM crawls WHERE id = $1 FOR NO KEY UPDATE")
            .bind(crawl.0)
            .execute(&mut *transaction)
            .await?;
        let (looked_at, opened) = open_parked(&mut transaction, crawl, which, most, now).await?;
        transaction.commit().await?;
        // What was open already is parked no longer, and no answer.
        if looked_at == 0 || !opened.is_empty() {
            return Ok(opened);
        }
    }
}

/// Answers with how many were parked, and with those that are open now.
async fn open_parked(
    connection: &mut PgConnection,
    crawl: CrawlId,
    which: &WhichParked,
    most: usize,
    now: Timestamp,
) -> Result<(usize, Vec<Queued>), sqlx::Error> {
    let WhichParked { rule, host, key } = which;
    let rows = sqlx::query(include_str!("sql/parked.sql"))
        .bind(crawl.0)
        .bind(rule.map(Rule::as_str))
        .bind(host.as_ref().map(HostKey::as_str))
        .bind(key.map(|key| key.as_bytes().to_vec()))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
    let parked: Vec<Unparked> = rows.iter().filter_map(unparked).collect();
    let at = now.to_string().into();
    let found = batch::unparked(&parked, &at);
    let opened = insert_urls(connection, &found).await?;
    unpark(connection, parked.iter().map(|parked| parked.id).collect()).await?;
    count_new(connection, crawl, &found, &opened).await?;
    Ok((rows.len(), opened.into_iter().map(|(_, queued)| queued).collect()))
}

/// Takes rows of `skipped` away.
pub(super) async fn unpark(connection: &mut PgConnection, ids: Vec<i64>) -> Result<(), sqlx::Error> {
    if !ids.is_empty() {
        sqlx::query(include_str!("sql/unpark.sql")).bind(ids).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A parked URL of a row.
pub(super) fn unparked(row: &PgRow) -> Option<Unparked> {
    let origin = Origin {
        depth: unsigned(row, "depth"),
        hops: byte(row, "hops"),
        max_depth: row.get::<Option<i32>, _>("max_depth").map(i32::unsigned_abs),
        priority: byte(row, "priority"),
        seed: None,
        sitemap: None,
    };
    let key = UrlKey::from_slice(row.get::<&[u8], _>("url_key"))?;
    let host = HostKey::from_stored(row.get("host"));
    let found = Found { key, url: row.get("url"), host, origin };
    Some(Unparked {
        id: row.get("id"),
        crawl: CrawlId(row.get("crawl_id")),
        found,
        on: row.get::<Option<&str>, _>("found_on").map(Into::into),
        parked: row.get::<&str, _>("parked").into(),
    })
}

/// Writes rows of `skipped` that can be opened.
pub(super) async fn insert(connection: &mut PgConnection, rows: &[ParkedRow<'_>]) -> Result<(), sqlx::Error> {
    for rows in rows.chunks(MOST_URLS) {
        Rows::new(include_str!("sql/insert_parked.sql"), rows)
            .column(|row| row.crawl.0)
            .column(|row| &row.key.as_bytes()[..])
            .column(|row| scrub::text(row.url))
            .column(|row| row.reason)
            .column(|row| scrub::maybe(row.detail.as_deref()))
            .column(|row| scrub::maybe(row.on.as_deref()))
            .column(|row| &**row.at)
            .column(|row| scrub::text(&row.parked))
            .column(|row| scrub::text(row.host.as_str()))
            .column(|row| int(row.origin.depth))
            .column(|row| i16::from(row.origin.hops))
            .column(|row| row.origin.max_depth.map(int))
            .column(|row| i16::from(row.origin.priority))
            .execute(connection)
            .await?;
    }
    Ok(())
}

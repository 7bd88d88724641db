//! What the end summary says of a crawl, from SQL alone.

use super::connection::{Tries, patiently};
use super::{PostgresStore, on};
use crate::crawl::lease::CrawlId;
use crate::store::StoreError;
use crate::store::totals::{FailedRow, MOST_FAILED, RequestGroup, Totals};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

impl PostgresStore {
    /// Adds up a crawl.
    pub async fn totals(&self, crawl: CrawlId) -> Result<Totals, StoreError> {
        on!(self.reader, line => totals(&mut line, crawl)).map_err(|why| self.error(&why))
    }
}

fn count(row: &PgRow, at: usize) -> u64 {
    row.get::<i64, _>(at).unsigned_abs()
}

async fn totals(connection: &mut PgConnection, crawl: CrawlId) -> Result<Totals, sqlx::Error> {
    let skipped = rows(connection, include_str!("sql/count_skipped.sql"), crawl).await?;
    let requests = rows(connection, include_str!("sql/count_fetches.sql"), crawl).await?;
    let failures = rows(connection, include_str!("sql/count_failed.sql"), crawl).await?;
    let duplicates = rows(connection, include_str!("sql/count_duplicates.sql"), crawl).await?;
    let open_hosts = rows(connection, include_str!("sql/count_open_hosts.sql"), crawl).await?;
    let failed = sqlx::query(include_str!("sql/failed.sql"))
        .bind(crawl.0)
        .bind(MOST_FAILED)
        .fetch_all(&mut *connection)
        .await?;
    let requests: Vec<RequestGroup> = requests.iter().map(request_group).collect();
    let answers: u64 = requests.iter().filter(|group| group.status.is_some()).map(|group| group.count).sum();
    Ok(Totals {
        open_hosts: open_hosts.iter().map(|row| count(row, 0)).sum(),
        skipped: skipped.iter().map(|row| (row.get(0), count(row, 1))).collect(),
        requests,
        median_ms: percentile(connection, crawl, answers, 50).await?,
        p95_ms: percentile(connection, crawl, answers, 95).await?,
        duplicates: duplicates.iter().map(|row| count(row, 0)).sum(),
        failures: failures.iter().map(|row| (row.get(0), count(row, 1))).collect(),
        failed: failed.iter().map(failed_row).collect(),
    })
}

async fn rows(
    connection: &mut PgConnection,
    statement: &'static str,
    crawl: CrawlId,
) -> Result<Vec<PgRow>, sqlx::Error> {
    sqlx::query(statement).bind(crawl.0).fetch_all(connection).await
}

fn request_group(row: &PgRow) -> RequestGroup {
    let status: Option<i32> = row.get(1);
    RequestGroup {
        kind: row.get(0),
        status: status.and_then(|status| u16::try_from(status).ok()),
        count: count(row, 2),
        bytes: count(row, 3),
    }
}

fn failed_row(row: &PgRow) -> FailedRow {
    FailedRow {
        reason: row.get(0),
        url: row.get(1),
        detail: row.get(2),
        found_on: row.get(3),
        seed: row.get(4),
    }
}

async fn percentile(
    connection: &mut PgConnection,
    crawl: CrawlId,
    answers: u64,
    percent: u64,
) -> Result<Option<i64>, sqlx::Error> {
    let before = answers.saturating_mul(percent).div_ceil(100).saturating_sub(1);
    sqlx::query_scalar(include_str!("sql/percentile.sql"))
        .bind(crawl.0)
        .bind(before.cast_signed())
        .fetch_optional(connection)
        .await
}

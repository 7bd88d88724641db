//! What the end summary says of a crawl, from SQL alone.

use super::{SqliteStore, writing};
use crate::crawl::lease::CrawlId;
use crate::store::StoreError;
use crate::store::totals::{FailedRow, MOST_FAILED, RequestGroup, Totals};
use sqlx::{Row, SqliteConnection};

impl SqliteStore {
    /// Adds up a crawl.
    pub async fn totals(&self, crawl: CrawlId) -> Result<Totals, StoreError> {
        let mut reader = self.reader.lock().await;
        totals(&mut reader, crawl).await.map_err(|why| writing(&why))
    }
}

async fn totals(connection: &mut SqliteConnection, crawl: CrawlId) -> Result<Totals, sqlx::Error> {
    let count = |row: &sqlx::sqlite::SqliteRow, at: usize| row.get::<i64, _>(at).unsigned_abs();
    let skipped =
        sqlx::query(include_str!("sql/count_skipped.sql")).bind(crawl.0).fetch_all(&mut *connection).await?;
    let requests =
        sqlx::query(include_str!("sql/count_fetches.sql")).bind(crawl.0).fetch_all(&mut *connection).await?;
    let requests: Vec<RequestGroup> = requests
        .iter()
        .map(|row| RequestGroup {
            kind: row.get(0),
            status: row.get(1),
            count: count(row, 2),
            bytes: count(row, 3),
        })
        .collect();
    let answers: u64 = requests.iter().filter(|group| group.status.is_some()).map(|group| group.count).sum();
    let duplicates: i64 =
        sqlx::query_scalar("SELECT count(*) - count(DISTINCT content_hash) FROM pages WHERE crawl_id = ?")
            .bind(crawl.0)
            .fetch_one(&mut *connection)
            .await?;
    let failed = sqlx::query(include_str!("sql/failed.sql"))
        .bind(crawl.0)
        .bind(MOST_FAILED)
        .fetch_all(&mut *connection)
        .await?;
    let failures =
        sqlx::query(include_str!("sql/count_failed.sql")).bind(crawl.0).fetch_all(&mut *connection).await?;
    let open_hosts: i64 = sqlx::query_scalar(include_str!("sql/count_open_hosts.sql"))
        .bind(crawl.0)
        .fetch_one(&mut *connection)
        .await?;
    Ok(Totals {
        open_hosts: open_hosts.unsigned_abs(),
        failures: failures.iter().map(|row| (row.get(0), count(row, 1))).collect(),
        skipped: skipped.iter().map(|row| (row.get(0), count(row, 1))).collect(),
        requests,
        median_ms: percentile(connection, crawl, answers, 50).await?,
        p95_ms: percentile(connection, crawl, answers, 95).await?,
        duplicates: duplicates.unsigned_abs(),
        failed: failed
            .iter()
            .map(|row| FailedRow {
                reason: row.get(0),
                url: row.get(1),
                detail: row.get(2),
                found_on: row.get(3),
                seed: row.get(4),
            })
            .collect(),
    })
}

async fn percentile(
    connection: &mut SqliteConnection,
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

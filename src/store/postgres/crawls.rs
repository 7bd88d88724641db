//! The crawls of an installation.

use super::connection::{Tries, patiently};
use super::{PostgresStore, crawl_row, on, scrub};
use crate::crawl::lease::CrawlId;
use crate::crawl::time::Timestamp;
use crate::store::{CrawlRow, CrawlState, Crawls, StoreError};
use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use std::time::Duration;

const TOUCH: &str = "UPDATE crawls SET epoch = epoch + 1 WHERE id = $1";
const SETTINGS: &str = "UPDATE crawls SET settings = $1 WHERE id = $2";

#[async_trait]
impl Crawls for PostgresStore {
    async fn crawls(&self) -> Result<Vec<CrawlRow>, StoreError> {
        let rows =
            on!(self.reader, line => sqlx::query(include_str!("sql/crawls.sql")).fetch_all(&mut *line));
        Ok(rows.map_err(|why| self.error(&why))?.iter().map(crawl_row).collect())
    }

    async fn crawl(&self, name: &str) -> Result<Option<CrawlRow>, StoreError> {
        let row = on!(self.reader, line => sqlx::query(include_str!("sql/crawl.sql")).bind(name).fetch_optional(&mut *line));
        Ok(row.map_err(|why| self.error(&why))?.as_ref().map(crawl_row))
    }

    async fn change_settings(&self, crawl: CrawlId, settings: &str) -> Result<(), StoreError> {
        let change = || sqlx::query(SETTINGS).bind(scrub::json(settings)).bind(crawl.0);
        let changed = on!(self.writer, line => change().execute(&mut *line));
        changed.map(drop).map_err(|why| self.error(&why))
    }

    async fn touch(&self, crawl: CrawlId) -> Result<(), StoreError> {
        let touch = || sqlx::query(TOUCH).bind(crawl.0);
        let touched = on!(self.writer, line => touch().execute(&mut *line));
        touched.map(drop).map_err(|why| self.error(&why))
    }

    async fn change_state(
        &self,
        crawl: CrawlId,
        from: &[CrawlState],
        to: CrawlState,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let from: Vec<&str> = from.iter().map(|state| state.as_str()).collect();
        let change = || {
            let query = sqlx::query(include_str!("sql/change_state.sql"));
            query.bind(to.as_str()).bind(now.to_string()).bind(crawl.0).bind(from.clone())
        };
        let changed = on!(self.writer, line => change().execute(&mut *line));
        changed.map(|changed| changed.rows_affected() == 1).map_err(|why| self.error(&why))
    }

    async fn finish(&self, crawl: CrawlId, ran: Duration, now: Timestamp) -> Result<bool, StoreError> {
        on!(self.writer, line => finish(&mut line, crawl, ran, now)).map_err(|why| self.error(&why))
    }
}

async fn finish(
    connection: &mut PgConnection,
    crawl: CrawlId,
    ran: Duration,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT 1 FROM crawls WHERE id = $1 FOR NO KEY UPDATE")
        .bind(crawl.0)
        .execute(&mut *transaction)
        .await?;
    // A look of its own, after the lock: it sees what was committed until then.
    let has_open: bool = sqlx::query_scalar(include_str!("sql/has_open.sql"))
        .bind(crawl.0)
        .fetch_one(&mut *transaction)
        .await?;
    if has_open {
        transaction.rollback().await?;
        return Ok(false);
    }
    sqlx::query(include_str!("sql/set_state.sql"))
        .bind(CrawlState::Finished.as_str())
        .bind(i64::try_from(ran.as_millis()).unwrap_or(i64::MAX))
        .bind(now.to_string())
        .bind(crawl.0)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(true)
}

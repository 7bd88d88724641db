//! Who leads the installation: a row, by the clock of the database.

use super::connection::{Tries, patiently};
use super::{PostgresStore, on};
use crate::store::{Fence, Leader, Leadership, StoreError};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl Leadership for PostgresStore {
    async fn lead(&self, holder: &str, span: Duration) -> Result<Option<Fence>, StoreError> {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        let lead = || sqlx::query_scalar(include_str!("sql/lead.sql")).bind(holder).bind(millis);
        let fence: Result<Option<i64>, _> = on!(self.writer, line => lead().fetch_optional(&mut *line));
        fence.map(|fence| fence.map(Fence)).map_err(|why| self.error(&why))
    }

    async fn resign(&self, fence: Fence) -> Result<(), StoreError> {
        let resign = || sqlx::query(include_str!("sql/resign.sql")).bind(fence.0);
        let done = on!(self.writer, line => resign().execute(&mut *line));
        done.map(drop).map_err(|why| self.error(&why))
    }

    async fn draw_epoch(&self, fence: Fence) -> Result<Option<u32>, StoreError> {
        let draw = || sqlx::query_scalar(include_str!("sql/draw_epoch.sql")).bind(fence.0);
        let epoch: Result<Option<i64>, _> = on!(self.writer, line => draw().fetch_optional(&mut *line));
        let epoch = epoch.map_err(|why| self.error(&why))?;
        Ok(epoch.and_then(|epoch| u32::try_from(epoch).ok()))
    }
    async fn leader(&self) -> Result<Option<Leader>, StoreError> {
        const LEADER: &str = include_str!("sql/leader.sql");
        let row: Result<Option<(String, i64, i64)>, _> =
            on!(self.reader, line => sqlx::query_as(LEADER).fetch_optional(&mut *line));
        let row = row.map_err(|why| self.error(&why))?;
        Ok(row.map(|(holder, fence, left)| {
            let left = Duration::from_millis(left.unsigned_abs());
            Leader { holder, fence: Fence(fence), left }
        }))
    }
}

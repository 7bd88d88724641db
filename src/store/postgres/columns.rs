//! Statements that take many rows, each column as one array: one round trip, one plan, whatever the number of rows.

use sqlx::postgres::{PgArguments, PgBindIterExt, PgHasArrayType, PgRow};
use sqlx::query::Query;
use sqlx::{Encode, PgConnection, Postgres, Type};

/// A number as an `integer` column can hold it.
pub(super) fn int(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A statement over rows, with the columns that are bound so far.
pub(super) struct Rows<'r, R> {
    rows: &'r [R],
    query: Query<'static, Postgres, PgArguments>,
}

impl<'r, R> Rows<'r, R> {
    /// A statement whose parameters are arrays of one length.
    pub(super) fn new(statement: &'static str, rows: &'r [R]) -> Self {
        Self { rows, query: sqlx::query(statement) }
    }

    /// Binds the next column. No rows, no values: then the statement is not run at all.
    pub(super) fn column<T>(mut self, value: impl Fn(&'r R) -> T) -> Self
    where
        T: Encode<'r, Postgres> + Type<Postgres> + PgHasArrayType,
    {
        if !self.rows.is_empty() {
            self.query = self.query.bind(self.rows.iter().map(value).bind_iter());
        }
        self
    }

    /// Runs it and answers with what it returns.
    pub(super) async fn fetch_all(self, connection: &mut PgConnection) -> Result<Vec<PgRow>, sqlx::Error> {
        if self.rows.is_empty() {
            return Ok(Vec::new());
        }
        self.query.fetch_all(connection).await
    }

    /// Runs it.
    pub(super) async fn execute(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        if !self.rows.is_empty() {
            self.query.execute(connection).await?;
        }
        Ok(())
    }
}

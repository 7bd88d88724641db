//! A store read beside the process that crawls with it: no lock, no writes, whatever the statement says.

use super::{APPLICATION_ID, MIGRATIONS, opening, writing};
use crate::store::StoreError;
use crate::store::reading::{Age, Value};
use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Row, SqliteConnection, TypeInfo, ValueRef};
use std::path::Path;
use std::time::Duration;

/// A read-only connection.
#[derive(Debug)]
pub struct Reader {
    connection: SqliteConnection,
    version: i64,
}

impl Reader {
    /// Opens the store at `path`, which must be there; `None` where it has no tables yet, and so no crawl. A crawl may be
    /// running on it.
    pub async fn open(path: &Path) -> Result<Option<Self>, StoreError> {
        if !path.exists() {
            return Err(StoreError::Unusable(format!("there is no store {}", path.display())));
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("query_only", "1")
            .disable_statement_logging();
        let failed = |why: sqlx::Error| opening(path, &why);
        let mut connection = options.connect().await.map_err(failed)?;
        let id: i32 =
            sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await.map_err(failed)?;
        let (tables, crawls): (i64, i64) =
            sqlx::query_as("SELECT count(*), count(*) FILTER (WHERE name = 'crawls') FROM sqlite_schema")
                .fetch_one(&mut connection)
                .await
                .map_err(failed)?;
        if id != APPLICATION_ID && tables > 0 {
            return Err(StoreError::Unusable(format!(
                "{} is a SQLite file of another program",
                path.display()
            )));
        }
        if crawls == 0 {
            return Ok(None);
        }
        let version = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        Ok(Some(Self { connection, version }))
    }

    /// The number of the last change to its tables, as `migrations` has them.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// Whose tables it has.
    pub fn age(&self) -> Age {
        let ours = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
        Age::of(self.version, ours)
    }

    /// Runs one reading statement and hands each row to `take`, after the names of the columns. `take` says whether it
    /// wants more. Parameters are bound in order.
    ///
    /// # Errors
    /// The inner error is that of the statement: a mistake of whoever wrote it.
    pub async fn rows(
        &mut self,
        statement: &str,
        parameters: &[Value],
        mut take: impl FnMut(&[String], Vec<Value>) -> bool,
    ) -> Result<Result<(), String>, StoreError> {
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for parameter in parameters {
            query = match parameter {
                Value::Null => query.bind(None::<i64>),
                Value::Integer(number) => query.bind(*number),
                Value::Real(number) => query.bind(*number),
                Value::Text(text) => query.bind(text.clone()),
                Value::Bytes(bytes) => query.bind(bytes.clone()),
            };
        }
        let mut names: Option<Vec<String>> = None;
        let mut rows = query.fetch(&mut self.connection);
        loop {
            match rows.try_next().await {
                Ok(None) => return Ok(Ok(())),
                Ok(Some(row)) => {
                    let names = names.get_or_insert_with(|| {
                        row.columns().iter().map(|column| column.name().to_owned()).collect()
                    });
                    if !take(names, values(&row)) {
                        return Ok(Ok(()));
                    }
                }
                Err(why) if matches!(super::primary_code(&why), Some(11 | 26)) => return Err(writing(&why)),
                Err(sqlx::Error::Database(why)) => return Ok(Err(why.message().to_owned())),
                Err(why) => return Err(writing(&why)),
            }
        }
    }
}

fn values(row: &SqliteRow) -> Vec<Value> {
    (0..row.columns().len()).map(|at| value(row, at)).collect()
}

fn value(row: &SqliteRow, at: usize) -> Value {
    let Ok(raw) = row.try_get_raw(at) else { return Value::Null };
    if raw.is_null() {
        return Value::Null;
    }
    match raw.type_info().name() {
        "INTEGER" | "BOOLEAN" => Value::Integer(row.get_unchecked(at)),
        "REAL" => Value::Real(row.get_unchecked(at)),
        "BLOB" => Value::Bytes(row.get_unchecked(at)),
        _ => Value::Text(String::from_utf8_lossy(row.get_unchecked::<&[u8], _>(at)).into_owned()),
    }
}

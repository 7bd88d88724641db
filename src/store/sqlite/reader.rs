//! A store read beside the process that crawls with it: no lock, no writes, whatever the statement says.

use super::{APPLICATION_ID, opening, writing};
use crate::store::StoreError;
use futures_util::TryStreamExt;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Column, ConnectOptions, Row, SqliteConnection, TypeInfo, ValueRef};
use std::path::Path;
use std::time::Duration;

/// A value as `SQLite` has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating point number.
    Real(f64),
    /// Text; bytes that are no UTF-8 are replaced.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A read-only connection.
#[derive(Debug)]
pub struct Reader(SqliteConnection);

impl Reader {
    /// Opens the store at `path`, which must be there. A crawl may be running on it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Unusable(format!("there is no store {}", path.display())));
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("query_only", "1")
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(|why| opening(path, &why))?;
        let id: i32 = sqlx::query_scalar("PRAGMA application_id")
            .fetch_one(&mut connection)
            .await
            .map_err(|why| opening(path, &why))?;
        if id != APPLICATION_ID {
            return Err(StoreError::Unusable(format!(
                "{} is a SQLite file of another program",
                path.display()
            )));
        }
        Ok(Self(connection))
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
        let mut rows = query.fetch(&mut self.0);
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

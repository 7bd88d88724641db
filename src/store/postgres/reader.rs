//! A database read beside the processes that crawl with it: in a transaction that can only read, whatever the statement
//! says, and with a bound on its time. What it answers looks as it does from a file.

use super::connection::{connect, reading};
use super::errors::{is_lost, store_error};
use super::migrating::MIGRATIONS;
use super::{options, place};
use crate::store::StoreError;
use crate::store::reading::{Age, Value};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Column, Executor, PgConnection, Postgres, Row, TypeInfo, ValueRef};

/// How long a statement may run.
const STATEMENT_TIMEOUT: &str = "10min";
/// Rows that are read at a time, so that an answer of any size takes little memory.
const FETCH: &str = "FETCH FORWARD 500 FROM answer";

/// A connection that only reads.
pub struct Reader {
    place: String,
    connection: PgConnection,
    version: i64,
}

impl Reader {
    /// Opens the store at `url`, which must be there; `None` where it has no tables yet, and so no crawl. Crawls may be
    /// running on it.
    pub async fn open(url: &str) -> Result<Option<Self>, StoreError> {
        let options = options(url)?;
        let place = place(&options);
        let options = reading(options)
            .options([("default_transaction_read_only", "on"), ("statement_timeout", STATEMENT_TIMEOUT)]);
        let mut connection = connect(&options).await.map_err(|why| store_error(&place, &why))?;
        let ours = "SELECT to_regclass('crawls') IS NOT NULL AND to_regclass('_sqlx_migrations') IS NOT NULL";
        let ours = sqlx::query_scalar::<_, bool>(ours).fetch_one(&mut connection).await;
        if !ours.map_err(|why| store_error(&place, &why))? {
            return Ok(None);
        }
        let version = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations";
        let version = sqlx::query_scalar(version).fetch_one(&mut connection).await;
        let version = version.map_err(|why| store_error(&place, &why))?;
        Ok(Some(Self { place, connection, version }))
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
        take: impl FnMut(&[String], Vec<Value>) -> bool,
    ) -> Result<Result<(), String>, StoreError> {
        let read = self.read(statement, parameters, take).await;
        let ended = match &read {
            Err(why) if is_lost(why) => Ok(()),
            _ => self.connection.execute("ROLLBACK").await.map(drop),
        };
        match read.and(ended) {
            Ok(()) => Ok(Ok(())),
            Err(sqlx::Error::Database(told)) if !is_ours(told.code().as_deref()) => {
                Ok(Err(told.message().to_owned()))
            }
            Err(why) => Err(store_error(&self.place, &why)),
        }
    }

    /// The answer, read in portions and as text, which every type has.
    async fn read(
        &mut self,
        statement: &str,
        parameters: &[Value],
        mut take: impl FnMut(&[String], Vec<Value>) -> bool,
    ) -> Result<(), sqlx::Error> {
        self.connection.execute("BEGIN READ ONLY").await?;
        let word = statement.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next();
        if word.is_some_and(|word| word.eq_ignore_ascii_case("explain")) {
            let rows = bound(statement.to_owned(), parameters).fetch_all(&mut self.connection).await?;
            hand_over(&rows, &mut take);
            return Ok(());
        }
        // One statement and no other: the server takes no second one together with parameters.
        let cursor = format!("DECLARE answer NO SCROLL CURSOR FOR {statement}");
        bound(cursor, parameters).execute(&mut self.connection).await?;
        loop {
            let rows = sqlx::raw_sql(FETCH).fetch_all(&mut self.connection).await?;
            if rows.is_empty() || !hand_over(&rows, &mut take) {
                return Ok(());
            }
        }
    }
}

/// Whether an error is one of the database, not of the statement.
fn is_ours(code: Option<&str>) -> bool {
    code.is_none_or(|code| ["08", "53", "57P", "XX"].iter().any(|class| code.starts_with(class)))
}

fn bound(statement: String, parameters: &[Value]) -> Query<'_, Postgres, PgArguments> {
    let mut query = sqlx::query(AssertSqlSafe(statement)).persistent(false);
    for parameter in parameters {
        query = match parameter {
            Value::Null => query.bind(None::<String>),
            Value::Integer(number) => query.bind(*number),
            Value::Real(number) => query.bind(*number),
            Value::Text(text) => query.bind(text.clone()),
            Value::Bytes(bytes) => query.bind(bytes.clone()),
        };
    }
    query
}

/// Hands rows over; `false` where no more are wanted.
fn hand_over(rows: &[PgRow], take: &mut impl FnMut(&[String], Vec<Value>) -> bool) -> bool {
    let Some(first) = rows.first() else { return true };
    let names: Vec<String> = first.columns().iter().map(|column| column.name().to_owned()).collect();
    rows.iter().all(|row| take(&names, (0..names.len()).map(|at| value(row, at)).collect()))
}

/// A value as a store in a file would have it.
fn value(row: &PgRow, at: usize) -> Value {
    let Ok(raw) = row.try_get_raw(at) else { return Value::Null };
    if raw.is_null() {
        return Value::Null;
    }
    let kind = raw.type_info().name().to_owned();
    let text = match raw.as_bytes() {
        Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Err(_) => return Value::Null,
    };
    from_text(&kind, text)
}

/// A value of a type from what the database writes for it.
fn from_text(kind: &str, text: String) -> Value {
    let real = |text: String| text.parse().map_or(Value::Text(text), Value::Real);
    match kind {
        "INT2" | "INT4" | "INT8" | "OID" => text.parse().map_or(Value::Text(text), Value::Integer),
        // A sum of whole numbers is one, of any size.
        "NUMERIC" => text.parse().map_or_else(|_| real(text.clone()), Value::Integer),
        "FLOAT4" | "FLOAT8" => real(text),
        "BOOL" => Value::Integer(i64::from(text == "t")),
        "BYTEA" => text.strip_prefix("\\x").and_then(bytes).map_or(Value::Text(text), Value::Bytes),
        _ => Value::Text(text),
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        hex.chars().map(|digit| digit.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_a_file() {
        let of = |kind: &str, text: &str| from_text(kind, text.to_owned());
        assert_eq!(of("INT8", "-7"), Value::Integer(-7));
        assert_eq!(of("NUMERIC", "12"), Value::Integer(12));
        assert_eq!(of("NUMERIC", "12.50000"), Value::Real(12.5));
        assert_eq!(of("FLOAT8", "1e-3"), Value::Real(0.001));
        assert_eq!((of("BOOL", "t"), of("BOOL", "f")), (Value::Integer(1), Value::Integer(0)));
        assert_eq!(of("BYTEA", "\\x00ff1a"), Value::Bytes(vec![0, 255, 26]));
        assert_eq!(of("TEXT", "12"), Value::Text("12".into()));
        assert_eq!(of("JSON", "[1]"), Value::Text("[1]".into()));
    }
}

//! Statements that take many rows: one round trip to the database thread for a whole batch.

use crate::crawl::url::UrlKey;
use hashbrown::HashMap;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Rows in one statement: the largest of these that fit, again and again, so that few texts are ever prepared.
const CHUNKS: [usize; 8] = [128, 64, 32, 16, 8, 4, 2, 1];
/// The mark in a statement's text where the rows go.
const MARK: &str = "/*rows*/";

/// The statements the connection keeps prepared must cover every chunk of every statement.
pub(super) const STATEMENT_CACHE: usize = 160;

/// A statement with a mark for its rows.
pub(super) struct Statement {
    /// The text of its `.sql` file.
    pub(super) text: &'static str,
    /// Values in a row.
    pub(super) columns: usize,
}

/// The values of the rows of one statement, in order.
#[derive(Default)]
pub(super) struct Values(SqliteArguments);

impl Values {
    /// Adds a text: one copy, where [`Values::add`] of a `&str` makes two allocations.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.add(Arc::<str>::from(text))
    }

    /// Adds a text or NULL.
    pub(super) fn maybe(&mut self, text: Option<&str>) -> &mut Self {
        self.add(text.map(Arc::<str>::from))
    }

    /// Adds the key of a URL.
    pub(super) fn key(&mut self, key: UrlKey) -> &mut Self {
        self.add(key.as_bytes().to_vec())
    }

    /// Adds the next value.
    pub(super) fn add<'t, T: Encode<'t, Sqlite> + Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        self.0.add(value).expect("text, numbers and bytes always encode");
        self
    }
}

/// A statement with the values of some rows.
type Prepared = Query<'static, Sqlite, SqliteArguments>;

/// What a statement over many rows has written.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Written {
    /// Rows that it has made or changed.
    pub(super) rows: usize,
    /// The id of the last one, where it has made any.
    pub(super) last: i64,
}

impl Statement {
    /// Runs the statement over all rows; `bind` adds the values of one. Answers with what it returns.
    pub(super) async fn ask<R>(
        &self,
        connection: &mut SqliteConnection,
        rows: Vec<R>,
        bind: impl FnMut(R, &mut Values),
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut returned = Vec::new();
        for query in self.chunks(rows, bind) {
            returned.extend(query.fetch_all(&mut *connection).await?);
        }
        Ok(returned)
    }

    /// The same where it returns nothing.
    pub(super) async fn run<R>(
        &self,
        connection: &mut SqliteConnection,
        rows: Vec<R>,
        bind: impl FnMut(R, &mut Values),
    ) -> Result<Written, sqlx::Error> {
        let mut written = Written::default();
        for query in self.chunks(rows, bind) {
            let done = query.execute(&mut *connection).await?;
            if done.rows_affected() > 0 {
                written.rows += done.rows_affected() as usize;
                written.last = done.last_insert_rowid();
            }
        }
        Ok(written)
    }

    /// The statement with the rows of each chunk, one after the other.
    fn chunks<R>(
        &self,
        rows: Vec<R>,
        mut bind: impl FnMut(R, &mut Values),
    ) -> impl Iterator<Item = Prepared> {
        let mut rows = rows.into_iter();
        std::iter::from_fn(move || {
            let size = CHUNKS.into_iter().find(|size| *size <= rows.len())?;
            let mut values = Values::default();
            values.0.reserve(size * self.columns, 0);
            rows.by_ref().take(size).for_each(|row| bind(row, &mut values));
            debug_assert_eq!(values.0.len(), size * self.columns, "every column is bound: {}", self.text);
            Some(sqlx::query_with(AssertSqlSafe(self.expanded(size)), values.0))
        })
    }

    /// The text with `size` rows of placeholders; made once.
    fn expanded(&self, size: usize) -> Arc<str> {
        type Texts = Mutex<HashMap<(&'static str, usize), Arc<str>>>;
        static TEXTS: OnceLock<Texts> = OnceLock::new();
        let mut texts = TEXTS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let row = format!("({})", vec!["?"; self.columns].join(", "));
            self.text.replace(MARK, &vec![row; size].join(", ")).into()
        };
        Arc::clone(texts.entry((self.text, size)).or_insert_with(make))
    }
}

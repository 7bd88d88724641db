//! The stores that the contract is held against.

use super::contents::Contents;
use crate::model_store::ModelStore;
use huntsman::crawl::lease::CrawlId;
use huntsman::store::Store;
use huntsman::store::sqlite::SqliteStore;
use huntsman::store::totals::Totals;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, FromRow, SqliteConnection};
use std::borrow::Cow;
use std::path::{Path, PathBuf};
use tokio::sync::Mutex;

/// A store that the promises are held against: what a new one has to bring.
pub(crate) trait Backend: Sized {
    /// An empty store.
    async fn new() -> Self;
    /// The same where it is quick rather than safe: what the disk keeps is tested elsewhere.
    async fn quick() -> Self {
        Self::new().await
    }
    /// Its port.
    fn store(&self) -> &dyn Store;
    /// All that is in it.
    async fn contents(&self) -> Contents;
    /// The same store as the next process finds it.
    async fn reopened(self) -> Self;
    /// A text as this store can hold it.
    fn kept(text: &str) -> Cow<'_, str> {
        text.into()
    }
}

/// A backend whose tables are SQL.
pub(crate) trait SqlBackend: Backend {
    /// Makes the database refuse each new row of `table`...
    async fn refuse(&self, table: &str);
    /// ... and take them again.
    async fn relent(&self);
    /// The first column of a query, as text.
    async fn texts(&self, query: &str) -> Vec<Option<String>>;
    /// What the end summary says of a crawl.
    async fn totals(&self, crawl: CrawlId) -> Totals;
    /// The function of its SQL that makes a JSON array.
    const JSON_ARRAY: &str;
}

/// `SQLite` in a real file.
pub(crate) struct Sqlite {
    store: SqliteStore,
    folder: tempfile::TempDir,
    /// What `contents` reads with, kept from one time to the next.
    reading: Mutex<Option<SqliteConnection>>,
}

impl Sqlite {
    /// A store in a file in `folder`.
    pub(crate) async fn within(folder: tempfile::TempDir) -> Self {
        let store = SqliteStore::open(&folder.path().join("t.db")).await.unwrap();
        Self { store, folder, reading: Mutex::default() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("t.db")
    }

    /// A connection of our own, beside those of the store.
    pub(crate) async fn connection(&self) -> SqliteConnection {
        connection(&self.path()).await
    }

    /// The store apart from its folder, which goes when the second is dropped.
    pub(crate) fn into_parts(self) -> (SqliteStore, tempfile::TempDir) {
        (self.store, self.folder)
    }
}

pub(crate) async fn connection(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).row_buffer_size(4_096);
    options.disable_statement_logging().connect().await.unwrap()
}

impl Backend for Sqlite {
    async fn new() -> Self {
        Self::within(tempfile::tempdir().unwrap()).await
    }

    async fn quick() -> Self {
        Self::within(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()).await
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    async fn contents(&self) -> Contents {
        let mut reading = self.reading.lock().await;
        if reading.is_none() {
            *reading = Some(self.connection().await);
        }
        contents(reading.as_mut().unwrap()).await
    }

    async fn reopened(self) -> Self {
        let path = self.path();
        let (store, folder) = self.into_parts();
        drop(store);
        // The connections close on threads of their own; the lock goes with the store.
        Self { store: SqliteStore::open(&path).await.unwrap(), folder, reading: Mutex::default() }
    }
}

impl SqlBackend for Sqlite {
    const JSON_ARRAY: &str = "json_array";

    async fn totals(&self, crawl: CrawlId) -> Totals {
        self.store.totals(crawl).await.unwrap()
    }

    async fn refuse(&self, table: &str) {
        let trigger = format!(
            "CREATE TRIGGER refused BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'refused'); END"
        );
        self.texts(&trigger).await;
    }

    async fn relent(&self) {
        self.texts("DROP TRIGGER refused").await;
    }

    async fn texts(&self, query: &str) -> Vec<Option<String>> {
        let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
        query.fetch_all(&mut self.connection().await).await.unwrap()
    }
}

/// Reads every table of a store.
pub(crate) async fn contents(connection: &mut SqliteConnection) -> Contents {
    let contents = Contents {
        crawls: rows(connection, "crawls").await,
        hosts: rows(connection, "hosts").await,
        urls: rows(connection, "urls").await,
        pages: rows(connection, "pages").await,
        fetches: rows(connection, "fetches").await,
        skipped: rows(connection, "skipped").await,
        dead_letters: rows(connection, "dead_letters").await,
    };
    contents.sorted()
}

async fn rows<T>(connection: &mut SqliteConnection, table: &str) -> Vec<T>
where
    T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
{
    sqlx::query_as(AssertSqlSafe(format!("SELECT * FROM {table}"))).fetch_all(connection).await.unwrap()
}

impl Backend for ModelStore {
    async fn new() -> Self {
        Self::default()
    }

    fn store(&self) -> &dyn Store {
        self
    }

    async fn contents(&self) -> Contents {
        ModelStore::contents(self)
    }

    async fn reopened(self) -> Self {
        self
    }
}

//! The stores that the contract is held against.

use super::contents::Contents;
use crate::model_store::ModelStore;
use huntsman::store::Store;
use huntsman::store::sqlite::SqliteStore;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, ConnectOptions, FromRow, SqliteConnection};
use std::path::{Path, PathBuf};

/// A store that the promises are held against: what a new one has to bring.
pub(crate) trait Backend: Sized {
    /// An empty store.
    async fn new() -> Self;
    /// Its port.
    fn store(&self) -> &dyn Store;
    /// All that is in it.
    async fn contents(&self) -> Contents;
    /// The same store as the next process finds it.
    async fn reopened(self) -> Self;
}

/// A backend whose tables are SQL.
pub(crate) trait SqlBackend: Backend {
    /// Makes the database refuse each new row of `table`...
    async fn refuse(&self, table: &str);
    /// ... and take them again.
    async fn relent(&self);
    /// The first column of a query, as text.
    async fn texts(&self, query: &str) -> Vec<Option<String>>;
}

/// `SQLite` in a real file.
pub(crate) struct Sqlite {
    store: SqliteStore,
    folder: tempfile::TempDir,
}

impl Sqlite {
    /// A store in a file in `folder`.
    pub(crate) async fn within(folder: tempfile::TempDir) -> Self {
        Self { store: SqliteStore::open(&folder.path().join("t.db")).await.unwrap(), folder }
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

    pub(crate) fn as_sqlite(&self) -> &SqliteStore {
        &self.store
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

    fn store(&self) -> &dyn Store {
        &self.store
    }

    async fn contents(&self) -> Contents {
        contents(&mut self.connection().await).await
    }

    async fn reopened(self) -> Self {
        let path = self.path();
        let (store, folder) = self.into_parts();
        drop(store);
        // The connections close on threads of their own; the lock goes with the store.
        Self { store: SqliteStore::open(&path).await.unwrap(), folder }
    }
}

impl SqlBackend for Sqlite {
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

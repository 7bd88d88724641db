//! The store in a database of its own on our server, for the contract and the traces.

use super::backends::{Backend, SqlBackend};
use super::contents::Contents;
use crate::servers::postgres::{Server, shared};
use huntsman::crawl::lease::CrawlId;
use huntsman::store::postgres::PostgresStore;
use huntsman::store::totals::Totals;
use huntsman::store::{Store, StoreError};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Executor, FromRow, PgConnection};
use std::borrow::Cow;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Postgres, in a database that no other test has.
pub(crate) struct Postgres {
    store: PostgresStore,
    server: Arc<Server>,
    database: String,
    /// What the tests read with, kept from one time to the next.
    reading: Mutex<PgConnection>,
}

impl Postgres {
    /// A new database on `server`.
    pub(crate) async fn on(server: Arc<Server>) -> Self {
        let database = server.new_database("").await;
        let store = PostgresStore::open(&server.url(&database)).await.unwrap();
        let reading = Mutex::new(server.connect(&database).await);
        Self { store, server, database, reading }
    }

    /// The address of the database.
    pub(crate) fn url(&self) -> String {
        self.server.url(&self.database)
    }

    /// The store, for what the port does not say.
    pub(crate) fn as_postgres(&self) -> &PostgresStore {
        &self.store
    }

    /// A store in the same database, as another process has it.
    pub(crate) async fn another(&self) -> PostgresStore {
        PostgresStore::open(&self.url()).await.unwrap()
    }

    /// The error of another process that opens it.
    pub(crate) async fn another_unmigrated(&self) -> StoreError {
        PostgresStore::open(&self.url()).await.expect_err("refused")
    }

    /// The same store, its connections to be opened anew, as after a pause of the database.
    pub(crate) async fn with_new_connections(self) -> Self {
        self.store.close().await.unwrap();
        self
    }

    /// Runs a statement of the test.
    pub(crate) async fn execute(&self, statement: &str) {
        self.reading.lock().await.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
    }

    /// The number that a query of the test answers with.
    pub(crate) async fn number(&self, query: &str) -> i64 {
        let connection = &mut *self.reading.lock().await;
        sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(connection).await.unwrap()
    }

    /// Reads anew after the server was away.
    pub(crate) async fn reconnect(&self) {
        *self.reading.lock().await = self.server.connect(&self.database).await;
    }
}

impl Backend for Postgres {
    async fn new() -> Self {
        Self::on(shared().await).await
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    async fn contents(&self) -> Contents {
        let connection = &mut *self.reading.lock().await;
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

    async fn reopened(self) -> Self {
        let Self { store, server, database, reading } = self;
        drop(store);
        let store = PostgresStore::open(&server.url(&database)).await.unwrap();
        Self { store, server, database, reading }
    }

    fn kept(text: &str) -> Cow<'_, str> {
        text.replace('\0', "\u{fffd}").into()
    }
}

/// The rows of a table; numbers as the widest and JSON as text, which is what `SQLite` has.
async fn rows<T>(connection: &mut PgConnection, table: &str) -> Vec<T>
where
    T: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT column_name::text, data_type::text FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
    )
    .bind(table)
    .fetch_all(&mut *connection)
    .await
    .unwrap();
    let columns: Vec<String> = columns
        .iter()
        .map(|(name, kind)| match kind.as_str() {
            "integer" | "smallint" => format!("{name}::bigint AS {name}"),
            "json" => format!("{name}::text AS {name}"),
            _ => name.clone(),
        })
        .collect();
    let query = format!("SELECT {} FROM {table}", columns.join(", "));
    sqlx::query_as(AssertSqlSafe(query)).fetch_all(connection).await.unwrap()
}

impl SqlBackend for Postgres {
    const JSON_ARRAY: &str = "json_build_array";

    async fn totals(&self, crawl: CrawlId) -> Totals {
        self.store.totals(crawl).await.unwrap()
    }

    async fn refuse(&self, table: &str) {
        self.execute(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
             AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$",
        )
        .await;
        let trigger = "FOR EACH ROW EXECUTE FUNCTION refuse()";
        self.execute(&format!("CREATE TRIGGER refused BEFORE INSERT ON {table} {trigger}")).await;
    }

    async fn relent(&self) {
        let table = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'refused'";
        for table in self.texts(table).await {
            self.execute(&format!("DROP TRIGGER refused ON {}", table.unwrap())).await;
        }
    }

    async fn texts(&self, query: &str) -> Vec<Option<String>> {
        let query = sqlx::query_scalar(AssertSqlSafe(query.to_owned()));
        query.fetch_all(&mut *self.reading.lock().await).await.unwrap()
    }
}

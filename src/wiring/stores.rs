//! The store that an address names, opened for a crawl in one process.

use super::lead::{self, Lead};
use crate::crawl::lease::CrawlId;
use crate::settings::StoreUrl;
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::SqliteStore;
use crate::store::totals::Totals;
use crate::store::{Crawls, Store, StoreError};
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A store that this process alone crawls with.
pub enum OwnStore {
    /// A file, locked.
    Sqlite(Arc<SqliteStore>),
    /// A database, led.
    Postgres(Arc<PostgresStore>, Lead),
}

impl OwnStore {
    /// Opens the store. `waiting` is told where another process has it, or was killed a moment ago.
    pub async fn open(url: &StoreUrl, waiting: impl FnOnce()) -> Result<Self, StoreError> {
        match url {
            StoreUrl::Sqlite(path) => Ok(Self::Sqlite(Arc::new(SqliteStore::open(path).await?))),
            StoreUrl::Postgres(url) => {
                let store = Arc::new(PostgresStore::open(url.expose()).await?);
                let lead = Lead::take(store.clone(), lead::ALONE, store.place(), waiting).await?;
                Ok(Self::Postgres(store, lead))
            }
        }
    }

    /// Its port.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => store.clone(),
            Self::Postgres(store, _) => store.clone(),
        }
    }

    /// Fires when another process may crawl with it; never for a file, whose lock ends with the process.
    pub fn lost(&self) -> CancellationToken {
        match self {
            Self::Sqlite(_) => CancellationToken::new(),
            Self::Postgres(_, lead) => lead.lost(),
        }
    }

    /// The names of the crawls in it, the oldest first.
    pub async fn crawl_names(&self) -> Result<Vec<String>, StoreError> {
        match self {
            Self::Sqlite(store) => store.crawl_names().await,
            Self::Postgres(store, _) => {
                Ok(store.crawls().await?.into_iter().map(|crawl| crawl.name).collect())
            }
        }
    }

    /// The settings of a crawl, where there is one of that name.
    pub async fn settings(&self, name: &str) -> Result<Option<String>, StoreError> {
        match self {
            Self::Sqlite(store) => store.settings(name).await,
            Self::Postgres(store, _) => Ok(store.crawl(name).await?.map(|crawl| crawl.settings)),
        }
    }

    /// Replaces the settings of a crawl.
    pub async fn change_settings(&self, crawl: CrawlId, settings: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => store.change_settings(crawl, settings).await,
            Self::Postgres(store, _) => store.change_settings(crawl, settings).await,
        }
    }

    /// Adds up a crawl.
    pub async fn totals(&self, crawl: CrawlId) -> Result<Totals, StoreError> {
        match self {
            Self::Sqlite(store) => store.totals(crawl).await,
            Self::Postgres(store, _) => store.totals(crawl).await,
        }
    }

    /// Bytes that it takes, its log included, where that can be told.
    pub async fn bytes(&self) -> Option<u64> {
        match self {
            Self::Sqlite(store) => file_bytes(store.path()),
            Self::Postgres(store, _) => store.bytes().await.ok(),
        }
    }

    /// Ends its use: a file stands alone after this, and a database is free for the next at once.
    pub async fn close(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(store) => match Arc::into_inner(store) {
                Some(store) => store.close().await,
                None => Ok(()),
            },
            Self::Postgres(store, lead) => {
                lead.resign().await?;
                store.close().await
            }
        }
    }
}

fn file_bytes(path: &Path) -> Option<u64> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let file = std::fs::metadata(path).ok()?.len();
    Some(file + std::fs::metadata(log).map_or(0, |log| log.len()))
}

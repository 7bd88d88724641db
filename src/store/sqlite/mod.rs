//! The truth in one `SQLite` file: write-ahead log, one writer, group commits that are on the disk when they return.
//!
//! `synchronous = FULL`: a commit survives the power cut, not only the death of the process. One process crawls with
//! a file at a time, held by a lock on a file beside it that the kernel drops with the process; readers need none.

mod commit;
mod parking;
pub mod reader;
mod rows;
mod totals;
mod watching;

use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Origin, Pace, Queued};
use crate::crawl::report::{Entry, Found};
use crate::crawl::sitemap::Sitemap;
use crate::crawl::time::Timestamp;
use crate::crawl::url::UrlKey;
use crate::store::{
    Committed, CrawlRow, CrawlState, OpenUrls, SeedRow, Store, StoreError, Tally, WhichParked,
};
use async_trait::async_trait;
use rows::{STATEMENT_CACHE, Statement};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::Mutex;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Marks a file as ours (`PRAGMA application_id`): "HUNT".
const APPLICATION_ID: i32 = 0x4855_4e54;
/// How long a write waits for a reader's checkpoint or another writer.
const BUSY: Duration = Duration::from_secs(10);
/// Page cache of the writing connection, negative for KiB: the indexes by key are written all over.
const WRITER_CACHE_KIB: &str = "-32768";
/// Page cache of the reading one, which reads a host's open rows once; what it sorts beyond that goes to a file.
const READER_CACHE_KIB: &str = "-4096";
/// Bytes of a page of a new file: a stored page with its packed links is a few KiB, and 4 KiB would be cut to pieces. Larger
/// ones cost more than they save once the indexes by key no longer fit the cache.
const PAGE_BYTES: u32 = 8_192;
/// The log is checkpointed when it has so many pages.
const CHECKPOINT_PAGES: &str = "4000";
/// Rows that the database thread may be ahead of their reader: all of one statement, so that it wakes the reader once.
const ROW_BUFFER: usize = 1_024;

/// A store in one file, opened for writing.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    /// One connection for commits...
    writer: Mutex<SqliteConnection>,
    /// ... and one for reading, so that a refill never waits for a commit.
    reader: Mutex<SqliteConnection>,
    _lock: File,
}

impl SqliteStore {
    /// Opens the store at `path`, making it if there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// `Busy` where another process crawls with it, `Unusable` for what is not a store of ours or of a newer version,
    /// `Unavailable` where the file cannot be written.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|why| {
                StoreError::Unavailable(format!("cannot make the folder {}: {why}", folder.display()))
            })?;
        }
        let lock = lock(path).await?;
        let options = options(path).create_if_missing(true);
        let writer = options.clone().pragma("cache_size", WRITER_CACHE_KIB).pragma("temp_store", "memory");
        let mut writer = writer.connect().await.map_err(|why| opening(path, &why))?;
        prepare(path, &mut writer).await?;
        let reader = options.read_only(true).pragma("cache_size", READER_CACHE_KIB);
        let reader = reader.connect().await.map_err(|why| opening(path, &why))?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            _lock: lock,
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the crawls in it, the oldest first.
    pub async fn crawl_names(&self) -> Result<Vec<String>, StoreError> {
        let mut reader = self.reader.lock().await;
        let names = sqlx::query_scalar("SELECT name FROM crawls ORDER BY id").fetch_all(&mut *reader).await;
        names.map_err(|why| writing(&why))
    }

    /// The settings that a crawl was started with, where there is one of that name.
    pub async fn settings(&self, name: &str) -> Result<Option<String>, StoreError> {
        let mut reader = self.reader.lock().await;
        let settings = sqlx::query_scalar("SELECT settings FROM crawls WHERE name = ?").bind(name);
        settings.fetch_optional(&mut *reader).await.map_err(|why| writing(&why))
    }

    /// The crawl of that name, which is not opened by this.
    pub async fn crawl(&self, name: &str) -> Result<Option<CrawlRow>, StoreError> {
        const CRAWL: &str =
            "SELECT id, name, state, settings, epoch, run_ms, seeded FROM crawls WHERE name = ?";
        let mut reader = self.reader.lock().await;
        let row = sqlx::query(CRAWL).bind(name).fetch_optional(&mut *reader).await;
        Ok(row.map_err(|why| writing(&why))?.as_ref().map(|row| crawl_row(row, true)))
    }

    /// Replaces the settings of a crawl.
    pub async fn change_settings(&self, crawl: CrawlId, settings: &str) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        let update = sqlx::query("UPDATE crawls SET settings = ? WHERE id = ?").bind(settings).bind(crawl.0);
        update.execute(&mut *writer).await.map(drop).map_err(|why| writing(&why))
    }

    /// Every stored page with its title.
    pub async fn titles(&self) -> Result<Vec<(String, Option<String>)>, StoreError> {
        let mut reader = self.reader.lock().await;
        let titles = sqlx::query_as("SELECT url, title FROM pages ORDER BY id").fetch_all(&mut *reader).await;
        titles.map_err(|why| writing(&why))
    }

    /// Folds the log into the file and closes it: after this the file stands alone.
    pub async fn close(self) -> Result<(), StoreError> {
        self.reader.into_inner().close().await.map_err(|why| writing(&why))?;
        let mut writer = self.writer.into_inner();
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut writer)
            .await
            .map_err(|why| writing(&why))?;
        writer.close().await.map_err(|why| writing(&why))
    }
}

/// How often a lock that is held is asked for, and the pause after each.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .foreign_keys(false)
        .statement_cache_capacity(STATEMENT_CACHE)
        .row_buffer_size(ROW_BUFFER)
        .page_size(PAGE_BYTES)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .disable_statement_logging()
}

/// Takes the lock beside the file. The kernel drops it when the process ends, however it ends; a child that it has just begun may
/// hold it until it has become another program, so one that is held is asked for again for a moment.
async fn lock(path: &Path) -> Result<File, StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let cannot =
        |why: std::io::Error| StoreError::Unavailable(format!("cannot write {}: {why}", path.display()));
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&name).map_err(cannot)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
            Err(TryLockError::Error(why)) => return Err(cannot(why)),
        }
    }
    Err(StoreError::Busy(format!("another huntsman crawls with {}; wait for it or stop it", path.display())))
}

/// Checks that the file is ours and not newer than this program, and makes or updates the tables.
async fn prepare(path: &Path, connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let failed = |why: sqlx::Error| opening(path, &why);
    let id: i32 =
        sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await.map_err(failed)?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if id != APPLICATION_ID && tables > 0 {
        return Err(StoreError::Unusable(format!(
            "{} is a SQLite file of another program; choose another path with --store",
            path.display()
        )));
    }
    // The log is a property of the file: set once it is known to be ours.
    sqlx::query("PRAGMA journal_mode = WAL").execute(&mut *connection).await.map_err(failed)?;
    if id != APPLICATION_ID {
        sqlx::query("PRAGMA application_id = 0x48554e54").execute(&mut *connection).await.map_err(failed)?;
    }
    MIGRATIONS.run(connection).await.map_err(|why| match why {
        MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
            StoreError::Unusable(format!(
                "{} was written by a newer huntsman (its tables are version {version}); use that one",
                path.display()
            ))
        }
        MigrateError::Execute(why) | MigrateError::ExecuteMigration(why, _) => opening(path, &why),
        other => StoreError::Unusable(format!("the tables of {} cannot be updated: {other}", path.display())),
    })
}

/// An error while opening, in words that say what can be done.
fn opening(path: &Path, why: &sqlx::Error) -> StoreError {
    match primary_code(why) {
        Some(26 | 11) => StoreError::Unusable(format!(
            "{} is not a store of ours or is damaged ({why}); choose another path with --store",
            path.display()
        )),
        _ => StoreError::Unavailable(format!("{}: {}", path.display(), plain(why))),
    }
}

/// An error of a later statement.
fn writing(why: &sqlx::Error) -> StoreError {
    match primary_code(why) {
        Some(11 | 26) => StoreError::Unusable(format!("the store is damaged: {}", plain(why))),
        _ => StoreError::Unavailable(plain(why)),
    }
}

/// The primary result code of `SQLite`: 11 corrupt, 13 full, 26 not a database...
fn primary_code(why: &sqlx::Error) -> Option<u32> {
    let code = why.as_database_error()?.code()?;
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

fn plain(why: &sqlx::Error) -> String {
    match primary_code(why) {
        Some(13) => "the disk is full; free some space, then go on with `huntsman resume`".into(),
        Some(8) => "the file or its folder is read-only".into(),
        Some(14) => "the file cannot be opened; check the folder and its rights".into(),
        _ => why.to_string(),
    }
}

fn crawl_row(row: &SqliteRow, reopened: bool) -> CrawlRow {
    CrawlRow {
        id: CrawlId(row.get("id")),
        name: row.get("name"),
        state: CrawlState::from_stored(row.get("state")),
        settings: row.get("settings"),
        epoch: row.get("epoch"),
        ran: Duration::from_millis(row.get::<i64, _>("run_ms").unsigned_abs()),
        seeded: row.get("seeded"),
        reopened,
    }
}

fn queued(row: &SqliteRow, crawl: CrawlId, host: &HostKey) -> Option<Queued> {
    let seed: Option<String> = row.get("seed");
    Some(Queued {
        crawl,
        key: UrlKey::from_slice(row.get::<&[u8], _>("url_key"))?,
        url: row.get("url"),
        host: host.clone(),
        origin: Origin {
            depth: row.get("depth"),
            hops: row.get("hops"),
            max_depth: row.get("max_depth"),
            priority: row.get("priority"),
            seed: seed.and_then(|kind| kind.parse().ok()),
            sitemap: row.get::<Option<&str>, _>("sitemap").and_then(Sitemap::from_stored),
        },
        visit: row.get("visit"),
        attempt: row.get("attempt"),
        throttled: row.get("throttled"),
        due: row.get::<Option<&str>, _>("due_at").and_then(Timestamp::parse).unwrap_or(Timestamp::EPOCH),
    })
}

const KNOWN: Statement = Statement {
    text: "SELECT crawl_id, url_key FROM urls WHERE (url_key, crawl_id) IN (VALUES /*rows*/)",
    columns: 2,
};

#[async_trait]
impl Store for SqliteStore {
    async fn open_crawl(&self, name: &str, settings: &str, now: Timestamp) -> Result<CrawlRow, StoreError> {
        let mut writer = self.writer.lock().await;
        let row = sqlx::query(include_str!("sql/open_crawl.sql"))
            .bind(name)
            .bind(settings)
            .bind(now.to_string())
            .fetch_one(&mut *writer)
            .await
            .map_err(|why| writing(&why))?;
        let reopened = sqlx::query_scalar("SELECT sum(epoch) > 1 FROM crawls").fetch_one(&mut *writer).await;
        Ok(crawl_row(&row, reopened.map_err(|why| writing(&why))?))
    }

    async fn accept(
        &self,
        crawl: CrawlId,
        seeds: Vec<Found>,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        let mut writer = self.writer.lock().await;
        commit::accept(&mut writer, crawl, seeds, now).await.map_err(|why| writing(&why))
    }

    async fn commit(&self, batch: &[Entry]) -> Result<Vec<Committed>, StoreError> {
        let mut writer = self.writer.lock().await;
        commit::commit(&mut writer, batch).await.map_err(|why| writing(&why))
    }

    async fn open_urls(&self, crawl: CrawlId, host: &HostKey, most: usize) -> Result<OpenUrls, StoreError> {
        let mut reader = self.reader.lock().await;
        let rows = sqlx::query(include_str!("sql/open_urls.sql"))
            .bind(crawl.0)
            .bind(host.as_str())
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(&mut *reader)
            .await
            .map_err(|why| writing(&why))?;
        let complete = rows.len() < most;
        Ok(OpenUrls { urls: rows.iter().filter_map(|row| queued(row, crawl, host)).collect(), complete })
    }

    async fn open_hosts(&self, crawl: CrawlId, after: &str, most: usize) -> Result<Vec<HostKey>, StoreError> {
        let mut reader = self.reader.lock().await;
        let rows = sqlx::query(include_str!("sql/open_hosts.sql"))
            .bind(crawl.0)
            .bind(after)
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(&mut *reader)
            .await
            .map_err(|why| writing(&why))?;
        Ok(rows.iter().map(|row| HostKey::from_stored(row.get(0))).collect())
    }

    async fn paces(&self) -> Result<Vec<(HostKey, Pace)>, StoreError> {
        let mut reader = self.reader.lock().await;
        let rows = sqlx::query(include_str!("sql/paces.sql"))
            .fetch_all(&mut *reader)
            .await
            .map_err(|why| writing(&why))?;
        let pace = |row: &SqliteRow| Pace {
            crawl_delay: row
                .get::<Option<i64>, _>(1)
                .map(|millis| Duration::from_millis(millis.unsigned_abs())),
            block_until: row.get::<Option<&str>, _>(2).and_then(Timestamp::parse),
            strikes: row.get(3),
        };
        Ok(rows.iter().map(|row| (HostKey::from_stored(row.get(0)), pace(row))).collect())
    }

    async fn seeds(&self, crawl: CrawlId) -> Result<Vec<SeedRow>, StoreError> {
        const SEEDS: &str = "SELECT url, seed, found_on IS NULL FROM urls WHERE crawl_id = ? AND seed IS NOT NULL ORDER BY id";
        let mut reader = self.reader.lock().await;
        let rows = sqlx::query(SEEDS).bind(crawl.0).fetch_all(&mut *reader).await;
        let seed = |row: &SqliteRow| {
            let scope = row.get::<&str, _>(1).parse().ok()?;
            Some(SeedRow { url: row.get(0), scope, named: row.get(2) })
        };
        Ok(rows.map_err(|why| writing(&why))?.iter().filter_map(seed).collect())
    }

    async fn set_seeded(&self, crawl: CrawlId, seeded: bool) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        let update = sqlx::query("UPDATE crawls SET seeded = ? WHERE id = ?").bind(seeded).bind(crawl.0);
        update.execute(&mut *writer).await.map(drop).map_err(|why| writing(&why))
    }

    async fn release(
        &self,
        crawl: CrawlId,
        which: &WhichParked,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        let mut writer = self.writer.lock().await;
        parking::release(&mut writer, crawl, which, most, now).await.map_err(|why| writing(&why))
    }

    async fn tally(&self, crawl: CrawlId) -> Result<Tally, StoreError> {
        let mut reader = self.reader.lock().await;
        let row = sqlx::query(include_str!("sql/tally.sql"))
            .bind(crawl.0)
            .fetch_one(&mut *reader)
            .await
            .map_err(|why| writing(&why))?;
        let count = |state: &str| row.get::<i64, _>(state).unsigned_abs();
        Ok(Tally {
            open: count("open"),
            stored: count("stored"),
            redirected: count("redirected"),
            failed: count("failed"),
            excluded: count("excluded"),
            read: count("read"),
        })
    }

    async fn set_state(
        &self,
        crawl: CrawlId,
        state: CrawlState,
        ran: Duration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        sqlx::query(include_str!("sql/set_state.sql"))
            .bind(state.as_str())
            .bind(i64::try_from(ran.as_millis()).unwrap_or(i64::MAX))
            .bind(now.to_string())
            .bind(crawl.0)
            .execute(&mut *writer)
            .await
            .map_err(|why| writing(&why))?;
        Ok(())
    }

    async fn known(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, StoreError> {
        let mut reader = self.reader.lock().await;
        let rows = KNOWN
            .ask(&mut reader, keys.to_vec(), |key, values| {
                values.add(key.as_bytes().to_vec()).add(crawl.0);
            })
            .await
            .map_err(|why| writing(&why))?;
        let known: std::collections::HashSet<_> =
            rows.iter().filter_map(|row| UrlKey::from_slice(row.get::<&[u8], _>("url_key"))).collect();
        Ok(keys.iter().map(|key| known.contains(key)).collect())
    }
}

#[cfg(test)]
mod tests;

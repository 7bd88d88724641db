//! The truth in a Postgres database: several processes write to it at once.
//!
//! The same contract, tables and columns as the store in a file. A store has one connection that writes and one that
//! reads; both are opened anew after the database was away.

mod columns;
mod commit;
mod connection;
mod crawls;
mod errors;
mod leadership;
mod migrating;
mod parking;
mod poison;
pub mod reader;
mod scrub;
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
use connection::{Line, Tries, patiently};
use sqlx::Row;
use sqlx::postgres::{PgConnectOptions, PgRow};
use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

/// Runs a call on the connection of a line, again where it may go through at once.
macro_rules! on {
    ($line:expr, $connection:ident => $call:expr) => {{
        let mut tries = Tries::default();
        loop {
            let mut $connection = match $line.hold().await {
                Ok(held) => held,
                Err(why) => break Err(why),
            };
            let is_fresh = $connection.is_fresh();
            match patiently($call).await {
                Ok(answer) => {
                    $connection.keep();
                    break Ok(answer);
                }
                Err(why) => {
                    drop($connection);
                    if let Err(why) = tries.again(why, is_fresh).await {
                        break Err(why);
                    }
                }
            }
        }
    }};
}
use on;

/// A store in a database, opened for writing.
pub struct PostgresStore {
    /// Which database, without its password.
    place: String,
    /// One connection for commits...
    writer: Line,
    /// ... and one for reading, so that a refill never waits for a commit.
    reader: Line,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("place", &self.place).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Opens the store at `url` (`postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters and the environment
    /// that Postgres knows), and makes its tables or brings them up to date. Several processes may do so at once.
    ///
    /// # Errors
    /// `Unusable` for what is no database of ours, of a newer version or not UTF-8; `Unavailable` where it cannot be
    /// reached or written now.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let options = options(url)?;
        let place = place(&options);
        migrating::prepare(&place, &options).await?;
        Ok(Self {
            writer: Line::new(connection::writing(options.clone())),
            reader: Line::new(connection::reading(options)),
            place,
        })
    }

    /// Which database this is, without its password.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Every stored page with its title.
    pub async fn titles(&self) -> Result<Vec<(String, Option<String>)>, StoreError> {
        let titles = "SELECT url, title FROM pages ORDER BY id";
        on!(self.reader, line => sqlx::query_as(titles).fetch_all(&mut *line)).map_err(|why| self.error(&why))
    }

    /// Bytes that the database takes.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        let size = "SELECT pg_database_size(current_database())";
        let size: Result<i64, _> = on!(self.reader, line => sqlx::query_scalar(size).fetch_one(&mut *line));
        size.map(i64::unsigned_abs).map_err(|why| self.error(&why))
    }

    /// Ends both connections.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.reader.close().await.map_err(|why| self.error(&why))?;
        self.writer.close().await.map_err(|why| self.error(&why))
    }

    fn error(&self, why: &sqlx::Error) -> StoreError {
        errors::store_error(&self.place, why)
    }

    /// Commits a batch as it is.
    async fn write(&self, batch: &[&Entry]) -> Result<Vec<Committed>, sqlx::Error> {
        on!(self.writer, line => commit::commit(&mut line, batch))
    }
}

/// The address, read.
fn options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = url.parse().map_err(|why: sqlx::Error| {
        StoreError::Unusable(format!("the address of the database cannot be read: {why}"))
    })?;
    Ok(connection::common(options))
}

/// The port at which a database of this address is asked; `None` for an address that cannot be read.
pub fn port(url: &str) -> Option<u16> {
    url.parse().ok().map(|options: PgConnectOptions| options.get_port())
}

/// Where the database is, without its password.
fn place(options: &PgConnectOptions) -> String {
    let socket = options.get_socket().map(|socket| socket.display().to_string());
    let host = socket.unwrap_or_else(|| options.get_host().to_owned());
    let user = options.get_username();
    format!("postgres://{user}@{host}:{}/{}", options.get_port(), options.get_database().unwrap_or(user))
}

fn count(row: &PgRow, column: &str) -> u64 {
    row.get::<i64, _>(column).unsigned_abs()
}

/// A number of ours that stands in an `integer` column.
fn unsigned(row: &PgRow, column: &str) -> u32 {
    row.get::<i32, _>(column).unsigned_abs()
}

/// A small number of ours that stands in a `smallint` column.
fn byte(row: &PgRow, column: &str) -> u8 {
    u8::try_from(row.get::<i16, _>(column)).unwrap_or(u8::MAX)
}

fn crawl_row(row: &PgRow) -> CrawlRow {
    CrawlRow {
        id: CrawlId(row.get("id")),
        name: row.get("name"),
        state: CrawlState::from_stored(row.get("state")),
        settings: row.get("settings"),
        epoch: unsigned(row, "epoch"),
        ran: Duration::from_millis(count(row, "run_ms")),
        seeded: row.get::<i16, _>("seeded") != 0,
        reopened: row.get("reopened"),
    }
}

fn queued(row: &PgRow, crawl: CrawlId, host: &HostKey) -> Option<Queued> {
    let seed: Option<String> = row.get("seed");
    Some(Queued {
        crawl,
        key: UrlKey::from_slice(row.get::<&[u8], _>("url_key"))?,
        url: row.get("url"),
        host: host.clone(),
        origin: Origin {
            depth: unsigned(row, "depth"),
            hops: byte(row, "hops"),
            max_depth: row.get::<Option<i32>, _>("max_depth").map(i32::unsigned_abs),
            priority: byte(row, "priority"),
            seed: seed.and_then(|kind| kind.parse().ok()),
            sitemap: row.get::<Option<&str>, _>("sitemap").and_then(Sitemap::from_stored),
        },
        visit: unsigned(row, "visit"),
        attempt: unsigned(row, "attempt"),
        throttled: unsigned(row, "throttled"),
        due: row.get::<Option<&str>, _>("due_at").and_then(Timestamp::parse).unwrap_or(Timestamp::EPOCH),
    })
}

fn pace(row: &PgRow) -> (HostKey, Pace) {
    let delay: Option<i64> = row.get("crawl_delay_ms");
    let pace = Pace {
        crawl_delay: delay.map(|millis| Duration::from_millis(millis.unsigned_abs())),
        block_until: row.get::<Option<&str>, _>("block_until").and_then(Timestamp::parse),
        strikes: unsigned(row, "strikes"),
    };
    (HostKey::from_stored(row.get("host")), pace)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

#[async_trait]
impl Store for PostgresStore {
    async fn open_crawl(&self, name: &str, settings: &str, now: Timestamp) -> Result<CrawlRow, StoreError> {
        let open = || {
            let query = sqlx::query(include_str!("sql/open_crawl.sql"));
            query.bind(name).bind(scrub::json(settings)).bind(now.to_string())
        };
        let row = on!(self.writer, line => open().fetch_one(&mut *line));
        row.map(|row| crawl_row(&row)).map_err(|why| self.error(&why))
    }

    async fn accept(
        &self,
        crawl: CrawlId,
        seeds: Vec<Found>,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        on!(self.writer, line => commit::accept(&mut line, crawl, &seeds, now))
            .map_err(|why| self.error(&why))
    }

    async fn commit(&self, batch: &[Entry]) -> Result<Vec<Committed>, StoreError> {
        let batch: Vec<&Entry> = batch.iter().collect();
        let committed = match self.write(&batch).await {
            Err(why) if errors::is_poison(&why) => self.write_the_rest(&batch, why).await,
            other => other,
        };
        committed.map_err(|why| self.error(&why))
    }

    async fn open_urls(&self, crawl: CrawlId, host: &HostKey, most: usize) -> Result<OpenUrls, StoreError> {
        let open = || {
            let query = sqlx::query(include_str!("sql/open_urls.sql"));
            query.bind(crawl.0).bind(host.as_str()).bind(limit(most))
        };
        let rows = on!(self.reader, line => open().fetch_all(&mut *line)).map_err(|why| self.error(&why))?;
        let complete = rows.len() < most;
        Ok(OpenUrls { urls: rows.iter().filter_map(|row| queued(row, crawl, host)).collect(), complete })
    }

    async fn open_hosts(&self, crawl: CrawlId, after: &str, most: usize) -> Result<Vec<HostKey>, StoreError> {
        let open = || {
            let query = sqlx::query(include_str!("sql/open_hosts.sql"));
            query.bind(crawl.0).bind(after).bind(limit(most))
        };
        let rows = on!(self.reader, line => open().fetch_all(&mut *line)).map_err(|why| self.error(&why))?;
        Ok(rows.iter().map(|row| HostKey::from_stored(row.get(0))).collect())
    }

    async fn paces(&self) -> Result<Vec<(HostKey, Pace)>, StoreError> {
        let rows = on!(self.reader, line => {
            sqlx::query(include_str!("sql/paces.sql")).fetch_all(&mut *line)
        });
        Ok(rows.map_err(|why| self.error(&why))?.iter().map(pace).collect())
    }

    async fn seeds(&self, crawl: CrawlId) -> Result<Vec<SeedRow>, StoreError> {
        let rows = on!(self.reader, line => {
            sqlx::query(include_str!("sql/seeds.sql")).bind(crawl.0).fetch_all(&mut *line)
        });
        let seed = |row: &PgRow| {
            let scope = row.get::<&str, _>(1).parse().ok()?;
            Some(SeedRow { url: row.get(0), scope, named: row.get(2) })
        };
        Ok(rows.map_err(|why| self.error(&why))?.iter().filter_map(seed).collect())
    }

    async fn set_seeded(&self, crawl: CrawlId, seeded: bool) -> Result<(), StoreError> {
        const SEEDED: &str = "UPDATE crawls SET seeded = $1 WHERE id = $2";
        let set = || sqlx::query(SEEDED).bind(i16::from(seeded)).bind(crawl.0);
        let set = on!(self.writer, line => set().execute(&mut *line));
        set.map(drop).map_err(|why| self.error(&why))
    }

    async fn release(
        &self,
        crawl: CrawlId,
        which: &WhichParked,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Queued>, StoreError> {
        on!(self.writer, line => parking::release(&mut line, crawl, which, most, now))
            .map_err(|why| self.error(&why))
    }

    async fn tally(&self, crawl: CrawlId) -> Result<Tally, StoreError> {
        let row = on!(self.reader, line => {
            sqlx::query(include_str!("sql/tally.sql")).bind(crawl.0).fetch_one(&mut *line)
        });
        let row = row.map_err(|why| self.error(&why))?;
        Ok(Tally {
            open: count(&row, "open"),
            stored: count(&row, "stored"),
            redirected: count(&row, "redirected"),
            failed: count(&row, "failed"),
            excluded: count(&row, "excluded"),
            read: count(&row, "read"),
        })
    }

    async fn set_state(
        &self,
        crawl: CrawlId,
        state: CrawlState,
        ran: Duration,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let set = || {
            let ran = i64::try_from(ran.as_millis()).unwrap_or(i64::MAX);
            let query = sqlx::query(include_str!("sql/set_state.sql"));
            query.bind(state.as_str()).bind(ran).bind(now.to_string()).bind(crawl.0)
        };
        let set = on!(self.writer, line => set().execute(&mut *line));
        set.map(drop).map_err(|why| self.error(&why))
    }

    async fn known(&self, crawl: CrawlId, keys: &[UrlKey]) -> Result<Vec<bool>, StoreError> {
        let known = || {
            let bytes: Vec<&[u8]> = keys.iter().map(|key| &key.as_bytes()[..]).collect();
            sqlx::query(include_str!("sql/known.sql")).bind(crawl.0).bind(bytes)
        };
        let rows = on!(self.reader, line => known().fetch_all(&mut *line)).map_err(|why| self.error(&why))?;
        let known: HashSet<_> = rows.iter().filter_map(|row| UrlKey::from_slice(row.get(0))).collect();
        Ok(keys.iter().map(|key| known.contains(key)).collect())
    }
}

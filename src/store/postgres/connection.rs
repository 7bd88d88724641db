//! Connections to the database, each opened when it is needed and given up when anything failed on it.
//!
//! No pool: a store has one connection that writes and one that reads, like the one in a file. A connection is taken out
//! while it is used and put back only after a success, so that a call that fails, is dropped half way or gets no answer
//! leaves nothing behind: the server rolls back what a lost connection had begun.

use super::errors::{is_contention, is_lost};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// How long a connection may take to open.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long any call may take before the connection is taken for dead: longer than [`STATEMENT_TIMEOUT`].
const PATIENCE: Duration = Duration::from_secs(75);
/// The server gives a statement up after this.
const STATEMENT_TIMEOUT: &str = "60s";
/// ... and one that waits for a lock after this.
const LOCK_TIMEOUT: &str = "30s";
/// ... and ends a transaction in which nothing was asked for so long: a process that is frozen in the middle of a batch
/// must not keep the others waiting.
const IDLE_TIMEOUT: &str = "10s";
/// How often a transaction that lost against another is tried again, or a connection that was lost while it lay idle.
const TRIES: u32 = 6;
/// The pause before the first of these; it doubles, and up to as much again is added by chance.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// The settings of every connection of ours.
pub(super) fn common(options: PgConnectOptions) -> PgConnectOptions {
    let named = options.get_application_name().is_some();
    let options = if named { options } else { options.application_name("huntsman") };
    options.disable_statement_logging()
}

/// The settings of a connection that writes. A commit that returned is on the disk, whatever the server's default; and
/// all that a batch asks for is rows by their key, which the planner would look for by reading whole tables while it
/// believes them to be small.
pub(super) fn writing(options: PgConnectOptions) -> PgConnectOptions {
    reading(options).options([
        ("synchronous_commit", "on"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("plan_cache_mode", "force_generic_plan"),
        ("jit", "off"),
    ])
}

/// The settings of a connection that reads for a role.
pub(super) fn reading(options: PgConnectOptions) -> PgConnectOptions {
    options.options([
        ("statement_timeout", STATEMENT_TIMEOUT),
        ("lock_timeout", LOCK_TIMEOUT),
        ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
    ])
}

/// Opens a connection, within a bound.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let connecting: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(options.connect());
    tokio::time::timeout(CONNECTING, connecting).await.unwrap_or_else(|_| Err(no_answer()))
}

/// An answer, or the error that there was none in time.
pub(super) async fn patiently<T>(
    call: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(PATIENCE, call).await.unwrap_or_else(|_| Err(no_answer()))
}

fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(io::ErrorKind::TimedOut.into())
}

/// One connection, used by one caller at a time.
pub(super) struct Line {
    options: PgConnectOptions,
    kept: Mutex<Option<PgConnection>>,
}

impl Line {
    /// A line that opens with its first use.
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options, kept: Mutex::new(None) }
    }

    /// The connection, opened if there is none.
    pub(super) async fn hold(&self) -> Result<Held<'_>, sqlx::Error> {
        let mut kept = self.kept.lock().await;
        let (connection, is_fresh) = match kept.take() {
            Some(connection) => (connection, false),
            None => (connect(&self.options).await?, true),
        };
        Ok(Held { kept, connection, is_fresh })
    }

    /// Ends the connection, if there is one, in good order.
    pub(super) async fn close(&self) -> Result<(), sqlx::Error> {
        match self.kept.lock().await.take() {
            Some(connection) => sqlx::Connection::close(connection).await,
            None => Ok(()),
        }
    }
}

/// A connection in use; dropped, it is closed.
pub(super) struct Held<'a> {
    kept: MutexGuard<'a, Option<PgConnection>>,
    connection: PgConnection,
    is_fresh: bool,
}

impl Held<'_> {
    /// Whether it was opened for this use; one that lay idle may have been lost meanwhile.
    pub(super) fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// Keeps the connection for the next caller.
    pub(super) fn keep(mut self) {
        *self.kept = Some(self.connection);
    }
}

impl Deref for Held<'_> {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// How often a call was tried, and whether it may be tried again.
#[derive(Default)]
pub(super) struct Tries(u32);

impl Tries {
    /// Waits a little where the call may go through if it is tried again at once; else hands the error on.
    pub(super) async fn again(&mut self, why: sqlx::Error, is_fresh: bool) -> Result<(), sqlx::Error> {
        let worth_it = is_contention(&why) || (is_lost(&why) && !is_fresh);
        self.0 += 1;
        if !worth_it || self.0 >= TRIES {
            return Err(why);
        }
        if is_contention(&why) {
            let pause = FIRST_PAUSE * 2_u32.pow(self.0 - 1);
            let chance = RandomState::new().hash_one(self.0) % pause.as_micros() as u64;
            tokio::time::sleep(pause + Duration::from_micros(chance)).await;
        }
        Ok(())
    }
}

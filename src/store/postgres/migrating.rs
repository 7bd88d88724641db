//! Makes the tables or brings them up to date, and refuses what is no database of ours.

use super::connection::connect;
use super::errors::store_error;
use crate::store::StoreError;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// The oldest server that is known to do: what is older is no longer maintained by its makers.
const OLDEST: i32 = 140_000;
/// How long a process waits for another one that updates the tables.
const WAIT: &str = "60s";

/// Checks the database and makes or updates the tables. Of several processes that start at once one does so and the
/// others wait (sqlx takes an advisory lock of the database).
pub(super) async fn prepare(place: &str, options: &PgConnectOptions) -> Result<(), StoreError> {
    let failed = |why: sqlx::Error| store_error(place, &why);
    let options = options.clone().options([("lock_timeout", WAIT)]);
    let mut connection = connect(&options).await.map_err(failed)?;
    check_server(place, &mut connection).await?;
    // `run` asks for more of its argument than a future that moves between threads can promise.
    MIGRATIONS.run_direct(None, &mut connection, false).await.map_err(|why| migrating(place, why))?;
    connection.close().await.map_err(failed)
}

async fn check_server(place: &str, connection: &mut PgConnection) -> Result<(), StoreError> {
    let asked = "SELECT current_setting('server_version_num')::integer, current_setting('server_encoding')";
    let (version, encoding): (i32, String) =
        sqlx::query_as(asked).fetch_one(connection).await.map_err(|why| store_error(place, &why))?;
    if version < OLDEST {
        return Err(StoreError::Unusable(format!(
            "{place}: the server is Postgres {}; huntsman needs {} or newer",
            version / 10_000,
            OLDEST / 10_000
        )));
    }
    if encoding != "UTF8" {
        return Err(StoreError::Unusable(format!(
            "{place}: the database holds its text as {encoding}; make one with  createdb --encoding UTF8 --template template0"
        )));
    }
    Ok(())
}

fn migrating(place: &str, why: MigrateError) -> StoreError {
    match why {
        MigrateError::VersionMissing(version) | MigrateError::VersionTooNew(version, _) => {
            StoreError::Unusable(format!(
                "{place} was written by a newer huntsman or by another program (its tables are version {version}); use that one, or a database of its own"
            ))
        }
        MigrateError::Execute(why) | MigrateError::ExecuteMigration(why, _) => store_error(place, &why),
        other => StoreError::Unusable(format!("the tables of {place} cannot be updated: {other}")),
    }
}

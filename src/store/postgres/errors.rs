//! What the database says, as what the crawler and its operator can do.

use crate::store::StoreError;
use std::io;

/// The SQLSTATE of an error of the database.
fn sqlstate(why: &sqlx::Error) -> Option<String> {
    Some(why.as_database_error()?.code()?.into_owned())
}

/// Whether the transaction lost against another and may simply be tried again.
pub(super) fn is_contention(why: &sqlx::Error) -> bool {
    matches!(sqlstate(why).as_deref(), Some("40001" | "40P01"))
}

/// Whether the connection is gone, by whosever fault.
pub(super) fn is_lost(why: &sqlx::Error) -> bool {
    match why {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        _ => sqlstate(why).is_some_and(|code| {
            code.starts_with("08") || matches!(&*code, "57P01" | "57P02" | "57P03" | "57P05" | "25P03")
        }),
    }
}

/// Whether a value is to blame: the same rows will be refused again, others will not.
pub(super) fn is_poison(why: &sqlx::Error) -> bool {
    match why {
        sqlx::Error::Encode(_) => true,
        _ => sqlstate(why).is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class))),
    }
}

/// What the database said of a value, in one line: the evidence.
pub(super) fn evidence(why: &sqlx::Error) -> String {
    match why.as_database_error() {
        Some(told) => {
            let code = told.code().unwrap_or_default();
            format!("the database refused it: {} (SQLSTATE {code})", told.message())
        }
        None => format!("the database refused it: {why}"),
    }
}

/// An error in the words of the port. `place` says which database, without its password.
pub(super) fn store_error(place: &str, why: &sqlx::Error) -> StoreError {
    let unavailable = |text: String| StoreError::Unavailable(format!("{place}: {text}"));
    let unusable = |text: String| StoreError::Unusable(format!("{place}: {text}"));
    let Some(code) = sqlstate(why) else { return without_code(place, why) };
    let told = why.as_database_error().map(|told| told.message().to_owned()).unwrap_or_default();
    match &*code {
        "53100" => unavailable("the disk of the database is full; free some space there".into()),
        "53300" => unavailable(
            "the database takes no more connections; raise its max_connections or stop something else".into(),
        ),
        "53200" => unavailable("the database is out of memory".into()),
        "25006" => unavailable(
            "the database is read-only; name the primary, or turn default_transaction_read_only off".into(),
        ),
        "57P01" | "57P02" | "57P03" => unavailable(format!("the database is restarting ({told})")),
        "57014" | "55P03" | "25P03" => {
            unavailable(format!("the database is too slow or something holds its tables locked ({told})"))
        }
        "28P01" | "28000" => unusable(format!("{told}; check the user and the password in --store")),
        "3D000" => unusable(format!("{told}; create it first, with  createdb --encoding UTF8")),
        "42501" => {
            unusable(format!("{told}; the user in --store needs the right to create and write tables"))
        }
        "42P01" | "42703" | "42804" | "42883" | "42P07" => {
            unusable(format!("its tables are not those of huntsman ({told}); use a database of its own"))
        }
        "XX001" | "XX002" => unusable(format!("the database is damaged: {told}")),
        _ => unavailable(format!("{told} (SQLSTATE {code})")),
    }
}

fn without_code(place: &str, why: &sqlx::Error) -> StoreError {
    match why {
        sqlx::Error::Io(cause) if cause.kind() == io::ErrorKind::TimedOut => {
            StoreError::Unavailable(format!("{place}: no answer in time; check the network and the database"))
        }
        sqlx::Error::Io(cause) => StoreError::Unavailable(format!(
            "{place}: cannot be reached ({cause}); check that the database runs and that the address is right"
        )),
        sqlx::Error::Tls(cause) => StoreError::Unusable(format!(
            "{place}: no secure connection ({cause}); see sslmode and sslrootcert in the manual of Postgres"
        )),
        sqlx::Error::Configuration(cause) => StoreError::Unusable(format!("{place}: {cause}")),
        other => StoreError::Unavailable(format!("{place}: {other}")),
    }
}

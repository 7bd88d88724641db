//! How long the tests of the faults take: their short form with every test run, or the long one that `tests/chaos` asks for.

use huntsman::settings::environment::variable;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The long form: `tests/chaos --full`.
pub(crate) fn is_full() -> bool {
    variable("CHAOS").is_some_and(|form| form == "full")
}

/// The one or the other.
pub(crate) fn of<T>(short: T, full: T) -> T {
    if is_full() { full } else { short }
}

/// A number that `tests/chaos` was given.
pub(crate) fn number(name: &str) -> Option<u64> {
    let text = variable(name)?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// The binary under test: that of this build, or the one that `tests/chaos` has built for speed.
pub(crate) fn binary() -> PathBuf {
    variable("CHAOS_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_huntsman").into(), PathBuf::from)
}

/// How long a server that is up may take to answer.
pub(crate) const BLINK: Duration = Duration::from_secs(2);

#[expect(clippy::disallowed_methods, reason = "real processes, real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

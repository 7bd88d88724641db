//! The whole program: the real binary against servers of ours, judged by their logs, the file it wrote and its exit code.

mod compose;
mod drift;
mod exits;
mod fetch;
mod flags;
mod kill_nine;
mod odd_stores;
mod politeness;
mod postgres;
pub(crate) mod raw_server;
mod reading;
mod real_pages;
mod robots;
mod robots_fetching;
mod sitemaps;
mod trails;
mod waiting;

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The binary under test, in `folder`, with no settings but those of the arguments.
pub(crate) fn huntsman(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_huntsman"));
    command.current_dir(folder).args(arguments).arg("--no-config");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    huntsman(folder, arguments).output().unwrap()
}

/// Starts it with its output thrown away, for tests that kill it.
pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Child {
    huntsman(folder, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What it said, for assertions and their messages.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The rows of a query, columns separated by `|`, read by the sqlite3 shell: another program than ours.
pub(crate) fn sql(store: &Path, query: &str) -> Vec<String> {
    let output = Command::new("sqlite3").arg(store).arg(query).output().expect("the sqlite3 shell");
    assert!(output.status.success(), "{query}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// Waits until `condition` holds, for a minute at most.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "real servers, real time")]
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

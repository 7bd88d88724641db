//! `huntsman query`: one statement that reads.

use super::args::{Global, QueryArgs};
use super::exit::{ExitCode, Failure};
use super::stores::Opened;

/// Prints what the statement answers. The connection is read-only, so that no statement can change the crawl.
pub(super) fn run(args: &QueryArgs, global: &Global) -> Result<ExitCode, Failure> {
    let word = args.sql.trim_start().split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let reads = ["select", "with", "values", "explain", "pragma"];
    if !reads.iter().any(|known| word.eq_ignore_ascii_case(known)) {
        return Err(Failure::usage(format!("{word:?} is no statement that reads"))
            .hint("a query begins with SELECT, WITH, VALUES, EXPLAIN or PRAGMA"));
    }
    Opened::open(args.settings.entries.clone(), global)?.print(&args.sql, &[], args.format)
}

//! `huntsman pages`: the stored pages, filtered.

use super::args::{Global, PagesArgs};
use super::exit::{ExitCode, Failure};
use super::stores::Opened;
use super::table::Value;
use crate::clock::Clock;

const PAGES: &str = "\
SELECT status, title, url, bytes, depth, fetched_at FROM pages
WHERE (?1 IS NULL OR host = ?1) AND (?2 IS NULL OR status BETWEEN ?2 AND ?3) AND (?4 IS NULL OR instr(lower(title), lower(?4)) > 0)
  AND (?5 IS NULL OR fetched_at >= ?5) AND (?6 IS NULL OR fetched_at < ?6)
ORDER BY id LIMIT ?7";

/// Prints them in the order in which they were stored.
pub(super) fn run(args: &PagesArgs, global: &Global) -> Result<ExitCode, Failure> {
    let now = Clock::start().now();
    let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
    let status = |pick: fn(&super::args::StatusFilter) -> u16| {
        args.status.as_ref().map_or(Value::Null, |filter| Value::Integer(pick(filter).into()))
    };
    let parameters = [
        text(&args.host),
        status(|filter| filter.least),
        status(|filter| filter.most),
        text(&args.title),
        text(&args.since.map(|when| when.from(now).to_string())),
        text(&args.until.map(|when| when.from(now).to_string())),
        Value::Integer(i64::try_from(args.limit).unwrap_or(i64::MAX)),
    ];
    Opened::open(args.settings.entries.clone(), global)?.print(PAGES, &parameters, args.format)
}

//! `huntsman pages`: the stored pages, filtered.

use super::args::{Global, PagesArgs};
use super::exit::{ExitCode, Failure};
use super::stores::Opened;
use super::table::Value;
use crate::clock::Clock;

/// In words that every store understands.
const PAGES: &str = "\
SELECT status, title, url, bytes, depth, fetched_at FROM pages
WHERE (CAST($1 AS TEXT) IS NULL OR host = $1)
  AND (CAST($2 AS BIGINT) IS NULL OR status BETWEEN CAST($2 AS BIGINT) AND CAST($3 AS BIGINT))
  AND (CAST($4 AS TEXT) IS NULL OR lower(title) LIKE lower($4) ESCAPE '\\')
  AND (CAST($5 AS TEXT) IS NULL OR fetched_at >= $5) AND (CAST($6 AS TEXT) IS NULL OR fetched_at < $6)
ORDER BY id LIMIT CAST($7 AS BIGINT)";

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
        text(&args.title.as_deref().map(anywhere)),
        text(&args.since.map(|when| when.from(now).to_string())),
        text(&args.until.map(|when| when.from(now).to_string())),
        Value::Integer(i64::try_from(args.limit).unwrap_or(i64::MAX)),
    ];
    Opened::open(args.settings.entries.clone(), global)?.print(PAGES, &parameters, args.format)
}

/// The pattern of LIKE that finds `text` anywhere.
fn anywhere(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}

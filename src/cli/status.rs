//! `huntsman status`: how far the crawls of a store are.

use super::args::{Global, StatusArgs};
use super::exit::{ExitCode, Failure};
use super::stores::{Opened, no_crawl};
use super::table::{Format, Value};

const STATUS: &str = "\
SELECT c.name, c.state, count(u.id) AS urls, coalesce(sum(u.state = 'open'), 0) AS open,
       coalesce(sum(u.state = 'stored'), 0) AS stored, coalesce(sum(u.state = 'redirected'), 0) AS redirected,
       coalesce(sum(u.state = 'failed'), 0) AS failed, coalesce(sum(u.state = 'excluded'), 0) AS excluded,
       coalesce(sum(u.state = 'read'), 0) AS sitemaps,
       (SELECT min(block_until) FROM hosts WHERE block_until > strftime('%Y-%m-%dT%H:%M:%fZ', 'now')) AS next_host_free,
       c.started_at, c.ended_at
FROM crawls AS c LEFT JOIN urls AS u ON u.crawl_id = c.id
WHERE ?1 IS NULL OR c.name = ?1
GROUP BY c.id ORDER BY c.id";

const ANY: &str = "SELECT 1 FROM crawls LIMIT 1";

/// Prints a row a crawl.
pub(super) fn run(args: &StatusArgs, global: &Global) -> Result<ExitCode, Failure> {
    let named = args.settings.clone().with_argument("name", args.name.as_deref());
    let mut opened = Opened::open(named, global)?;
    let name = opened.name.clone().map_or(Value::Null, Value::Text);
    if opened.rows(ANY, &[])?.is_empty() {
        return Err(no_crawl(&opened.path));
    }
    if opened.name.is_some() && opened.rows(STATUS, std::slice::from_ref(&name))?.is_empty() {
        let (name, path) = (args.name.as_deref().unwrap_or_default(), opened.path.display());
        return Err(Failure::usage(format!("{path} holds no crawl {name:?}")));
    }
    opened.print(STATUS, &[name], if args.json { Format::Json } else { Format::Table })
}

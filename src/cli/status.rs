//! `huntsman status`: how far the crawls of a store are.

mod fleet;

use super::args::{Global, StatusArgs};
use super::escape;
use super::exit::{ExitCode, Failure};
use super::running::runtime;
use super::stores::{Opened, no_crawl};
use super::table::{Format, Value};
use crate::clock::Clock;
use crate::crawl::traps::Rule;
use crate::settings;
use fleet::Standing;
use std::io::{Write, stdout};

const STATUS: &str = "\
SELECT c.name, c.state, count(u.id) AS urls, count(*) FILTER (WHERE u.state = 'open') AS open,
       count(*) FILTER (WHERE u.state = 'stored') AS stored,
       count(*) FILTER (WHERE u.state = 'redirected') AS redirected,
       count(*) FILTER (WHERE u.state = 'failed') AS failed, count(*) FILTER (WHERE u.state = 'excluded') AS excluded,
       count(*) FILTER (WHERE u.state = 'read') AS sitemaps,
       (SELECT count(*) FROM skipped AS s WHERE s.crawl_id = c.id AND s.reason IN (/*rules*/)) AS parked,
       (SELECT min(block_until) FROM hosts WHERE block_until > $2) AS next_host_free,
       c.started_at, c.ended_at
FROM crawls AS c LEFT JOIN urls AS u ON u.crawl_id = c.id
WHERE CAST($1 AS TEXT) IS NULL OR c.name = $1
GROUP BY c.id ORDER BY c.id";

const ANY: &str = "SELECT 1 FROM crawls LIMIT 1";

/// The statement, which reads a store of any version.
fn status() -> String {
    let rules: Vec<String> = Rule::ALL.into_iter().map(|rule| format!("'{}'", rule.as_str())).collect();
    STATUS.replace("/*rules*/", &rules.join(", "))
}

/// Prints a row a crawl.
pub(super) fn run(args: &StatusArgs, global: &Global) -> Result<ExitCode, Failure> {
    let named = args.settings.clone().with_argument("name", args.name.as_deref());
    let entries = named.clone();
    let status = status();
    let mut opened = Opened::open(named, global)?;
    let name = opened.name.clone().map_or(Value::Null, Value::Text);
    if opened.rows(ANY, &[])?.is_empty() {
        return Err(no_crawl(&opened.store));
    }
    let parameters = [name, Value::Text(Clock::start().now().to_string())];
    if opened.name.is_some() && opened.rows(&status, &parameters)?.is_empty() {
        let (name, store) = (args.name.as_deref().unwrap_or_default(), opened.store.place());
        return Err(Failure::usage(format!("{store} holds no crawl {name:?}")));
    }
    let layers = settings::load(&global.config_file(), entries)?;
    if layers.installation()?.frontier.is_none() {
        return opened.print(&status, &parameters, if args.json { Format::Json } else { Format::Table });
    }
    let standing = runtime()?.block_on(Standing::ask(&layers, &opened.store))?;
    if args.json {
        let mut crawls = Vec::new();
        opened.print_to(&mut crawls, &status, &parameters, Format::Json)?;
        let crawls = serde_json::from_slice(&crawls).map_err(anyhow::Error::from)?;
        writeln!(stdout(), "{:#}", standing.json(&crawls))?;
    } else {
        opened.print(&status, &parameters, Format::Table)?;
        for line in standing.lines() {
            writeln!(stdout(), "{}", escape::visible(&line))?;
        }
    }
    standing.code()
}

//! `huntsman why`: the trail of one URL.

use super::args::{Global, WhyArgs};
use super::escape::visible;
use super::exit::{ExitCode, Failure};
use super::stores::Opened;
use super::table::Value;
use crate::crawl::host::HostKey;
use crate::crawl::url::{self, UrlKey, canonical};
use std::io::{Write, stdout};

const ROW: &str = "\
SELECT c.name, u.state, u.reason, u.depth, u.hops, u.seed, u.found_on, u.found_at, u.attempt, u.due_at, u.redirect_to, u.url
FROM urls AS u JOIN crawls AS c ON c.id = u.crawl_id
WHERE u.url_key = ?1 AND (?2 IS NULL OR c.name = ?2)";
const SKIPPED: &str = "\
SELECT c.name, s.reason, s.detail, s.found_on, s.skipped_at FROM skipped AS s JOIN crawls AS c ON c.id = s.crawl_id
WHERE s.url_key = ?1 AND (?2 IS NULL OR c.name = ?2) ORDER BY s.id";
const FETCHES: &str = "\
SELECT f.started_at, f.attempt, f.status, f.error, f.outcome, f.detail, f.total_ms, f.bytes
FROM fetches AS f JOIN crawls AS c ON c.id = f.crawl_id
WHERE f.url_key = ?1 AND (?2 IS NULL OR c.name = ?2) ORDER BY f.id";
const REDIRECTED_HERE: &str = "\
SELECT u.url FROM urls AS u JOIN crawls AS c ON c.id = u.crawl_id
WHERE u.redirect_to = ?1 AND (?2 IS NULL OR c.name = ?2) LIMIT 5";
const HOST: &str =
    "SELECT robots, robots_status, crawl_delay_ms, block_until, strikes FROM hosts WHERE host = ?1";
const IS_SITEMAP: &str = "\
SELECT 1 FROM urls AS u JOIN crawls AS c ON c.id = u.crawl_id
WHERE u.url_key = ?1 AND u.state = 'read' AND (?2 IS NULL OR c.name = ?2)";
const DROPPED: &str = "\
SELECT count(*), sum(p.links_dropped) FROM pages AS p JOIN crawls AS c ON c.id = p.crawl_id
WHERE p.links_dropped > 0 AND (?1 IS NULL OR c.name = ?1)";
const DROPPED_HERE: &str = "\
SELECT p.links_dropped FROM pages AS p JOIN crawls AS c ON c.id = p.crawl_id
WHERE p.url_key = ?1 AND p.links_dropped > 0 AND (?2 IS NULL OR c.name = ?2)";
/// The change to the tables that brought `pages.links_dropped`.
const LINKS_DROPPED_SINCE: i64 = 4;
const DEAD: &str = "SELECT reason, detail, attempts, died_at FROM dead_letters WHERE url_key = ?1";

/// Prints how the URL was normalised, where it was found, which rule spoke, and each attempt.
pub(super) fn run(args: &WhyArgs, global: &Global) -> Result<ExitCode, Failure> {
    let mut opened = Opened::open(args.settings.entries.clone(), global)?;
    let name = opened.name.clone().map_or(Value::Null, Value::Text);
    let parsed = url::parse(&args.url).or_else(|why| {
        let guessed =
            if args.url.contains(':') { None } else { url::parse(&format!("https://{}", args.url)).ok() };
        guessed.ok_or(why)
    });
    let mut trail = Trail(Vec::new());
    let (identity, key, host) = match &parsed {
        Ok(url) => (canonical(url).into_owned(), UrlKey::of(&canonical(url)), Some(HostKey::of(url))),
        Err(_) => (args.url.clone(), url::evidence(None, &args.url).0, None),
    };
    let key = Value::Bytes(key.as_bytes().to_vec());
    trail.say("asked for", &args.url);
    match &parsed {
        Ok(url) => {
            trail.say("fetched as", url.as_str());
            trail.say("identity", &identity);
        }
        Err(why) => trail.say("no URL", &why.to_string()),
    }
    let by_key = [key.clone(), name.clone()];
    let rows = opened.rows(ROW, &by_key)?;
    let skipped = opened.rows(SKIPPED, &by_key)?;
    for row in &rows {
        let [.., found_on] = texts::<7>(row);
        let place = place(&mut opened, &found_on, &name)?;
        trail.accepted(row, &place);
    }
    for row in &skipped {
        let [_, reason, detail, found_on, at] = texts(row);
        let place = place(&mut opened, &found_on, &name)?;
        trail.say("skipped", &format!("{reason}: {detail}; found {place} at {at}"));
    }
    for row in opened.rows(REDIRECTED_HERE, &[Value::Text(identity.clone()), name.clone()])? {
        let [from] = texts(&row);
        trail.say("redirected here", &from);
    }
    for row in opened.rows(FETCHES, &by_key)? {
        let [at, attempt, status, error, outcome, detail, took, bytes] = texts(&row);
        let answer = if status.is_empty() { error } else { status };
        trail.say(
            "request",
            &format!("{at}  attempt {attempt}: {answer}, {outcome}, {took} ms, {bytes} bytes  {detail}"),
        );
    }
    for row in opened.rows(DEAD, std::slice::from_ref(&key))? {
        let [reason, detail, attempts, at] = texts(&row);
        trail.say("given up", &format!("{reason} after {attempts} attempts at {at}: {detail}"));
    }
    // Stores of before do not count them.
    let counts_dropped = opened.version() >= LINKS_DROPPED_SINCE;
    let here = if counts_dropped { opened.rows(DROPPED_HERE, &by_key)? } else { Vec::new() };
    for row in here {
        let [dropped] = texts(&row);
        trail.say(
            "links",
            &format!("{dropped} of this page were not followed: it has more than are read of a page"),
        );
    }
    if let Some(host) = host {
        for row in opened.rows(HOST, &[Value::Text(host.as_str().to_owned())])? {
            let [robots, status, delay, blocked, strikes] = texts(&row);
            let shown = |text: String| if text.is_empty() { "-".to_owned() } else { text };
            let (delay, blocked) = (shown(delay), shown(blocked));
            trail.say("host", &format!("{host}: robots.txt {robots} (status {}), crawl delay {delay} ms, blocked until {blocked}, strikes {strikes}", shown(status)));
        }
    }
    if rows.is_empty() && skipped.is_empty() {
        trail.say(
            "verdict",
            "never found by this crawl: no page that was fetched links to it, and it is no seed",
        );
        let dropped =
            if counts_dropped { opened.rows(DROPPED, std::slice::from_ref(&name))? } else { Vec::new() };
        for row in dropped {
            let [pages, links] = texts(&row);
            if pages != "0" {
                trail.say(
                    "unless",
                    &format!(
                        "it is one of {links} links of {pages} pages with more links than are read of a page"
                    ),
                );
            }
        }
    }
    let mut out = stdout().lock();
    for (label, text) in trail.0 {
        writeln!(out, "{label:<16} {}", visible(&text))?;
    }
    Ok(ExitCode::Done)
}

/// Where a URL was found, in words.
fn place(opened: &mut Opened, found_on: &str, name: &Value) -> Result<String, Failure> {
    let Ok(url) = url::parse(found_on) else {
        // Neither a seed nor found anywhere: a guess of ours.
        return Ok("by nobody: it is the usual path of a sitemap".to_owned());
    };
    if url.path() == "/robots.txt" {
        return Ok(format!("as a sitemap in {found_on}"));
    }
    let key = Value::Bytes(UrlKey::of(&canonical(&url)).as_bytes().to_vec());
    let is_sitemap = !opened.rows(IS_SITEMAP, &[key, name.clone()])?.is_empty();
    Ok(if is_sitemap { format!("in the sitemap {found_on}") } else { format!("on {found_on}") })
}

/// The lines of the answer.
struct Trail(Vec<(&'static str, String)>);

impl Trail {
    fn say(&mut self, label: &'static str, text: &str) {
        self.0.push((label, text.to_owned()));
    }

    fn accepted(&mut self, row: &[Value], place: &str) {
        let [name, state, reason, depth, hops, seed, _, found_at, attempt, due, redirect, url] = texts(row);
        self.say("crawl", &name);
        self.say("state", &if reason.is_empty() { state } else { format!("{state} ({reason})") });
        let origin =
            if seed.is_empty() { format!("found {place}") } else { format!("a seed (scope {seed})") };
        self.say("accepted", &format!("{found_at}, {origin}, depth {depth}, redirects {hops}, as {url}"));
        if !redirect.is_empty() {
            self.say("redirects to", &redirect);
        }
        if !due.is_empty() {
            self.say("due", &format!("attempt {attempt} not before {due}"));
        }
    }
}

/// The values of a row as texts; NULL is empty.
fn texts<const N: usize>(row: &[Value]) -> [String; N] {
    let mut values = row.iter().map(Value::text);
    std::array::from_fn(|_| values.next().unwrap_or_default())
}

//! `huntsman why`: the trail of one URL.

mod robots;
mod statements;

use super::args::{Global, WhyArgs};
use super::escape::visible;
use super::exit::{ExitCode, Failure};
use super::shell;
use super::stores::Opened;
use super::table::Value;
use crate::crawl::traps::Rule;
use crate::crawl::url::{self, UrlKey, canonical};
use ::url::{Position, Url};
use statements::{
    DEAD, DROPPED, DROPPED_HERE, FETCHES, IS_SITEMAP, LINKS_DROPPED_SINCE, REDIRECTS, ROW, SKIPPED,
};
use std::io::{Write, stdout};

/// Reasons for which a URL is excluded that was accepted.
const EXCLUDED: [&str; 3] = ["robots", "content-signal", "noindex"];
/// Redirects to the URL that are shown.
const SHOWN_REDIRECTS: usize = 5;

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
    trail.say("asked for", &args.url);
    let key = match &parsed {
        Ok(url) => {
            trail.say("fetched as", url.as_str());
            trail.say("identity", &canonical(url));
            UrlKey::of(&canonical(url))
        }
        Err(why) => {
            trail.say("no URL", &why.to_string());
            url::evidence(None, &args.url).0
        }
    };
    let parsed = parsed.ok();
    let asked = parsed.as_ref().map_or(args.url.as_str(), Url::as_str);
    Asking { opened: &mut opened, key, name, trail: &mut trail, asked }.all(parsed.as_ref())?;
    let mut out = stdout().lock();
    for (label, text) in trail.0 {
        writeln!(out, "{label:<16} {}", visible(&text))?;
    }
    Ok(ExitCode::Done)
}

/// One question, and the answer as far as it is known.
struct Asking<'a> {
    opened: &'a mut Opened,
    key: UrlKey,
    /// The crawl that was asked about; NULL for all.
    name: Value,
    trail: &'a mut Trail,
    /// The URL that was asked about.
    asked: &'a str,
}

impl Asking<'_> {
    fn all(&mut self, url: Option<&Url>) -> Result<(), Failure> {
        let rows = self.by_key(ROW)?;
        let skipped = self.by_key(SKIPPED)?;
        for row in &rows {
            let place = self.origin(row)?;
            self.trail.accepted(row, &place);
        }
        for row in &skipped {
            self.skipped(row, &rows)?;
        }
        if let Some(url) = url {
            self.redirected_here(url)?;
        }
        self.attempts()?;
        let mut is_robots_txt = false;
        if let Some(url) = url {
            robots::asked(self.opened, url, &self.name, self.trail)?;
            is_robots_txt = robots::is_robots_txt(self.opened, url, &self.name)?;
            let is_open = rows.iter().any(|row| texts::<2>(row)[1] == "open");
            robots::host(self.opened, url, is_open, self.trail)?;
        }
        if !rows.is_empty() || !skipped.is_empty() {
            return Ok(());
        }
        if is_robots_txt {
            let verdict =
                "asked for as a robots.txt, not as a page: nothing links to it as a page, and it is no seed";
            self.trail.say("verdict", verdict);
            return Ok(());
        }
        self.never_found()
    }

    fn by_key(&mut self, statement: &str) -> Result<Vec<Vec<Value>>, Failure> {
        let key = Value::Bytes(self.key.as_bytes().to_vec());
        self.opened.rows(statement, &[key, self.name.clone()])
    }

    /// Where an accepted URL came from, in words.
    fn origin(&mut self, row: &[Value]) -> Result<String, Failure> {
        let [.., seed, found_on] = texts::<7>(row);
        if seed.is_empty() { self.found(&found_on) } else { Ok(format!("a seed (scope {seed})")) }
    }

    /// Where a URL was found, in words.
    fn found(&mut self, found_on: &str) -> Result<String, Failure> {
        let Ok(url) = url::parse(found_on) else {
            // Neither a seed nor found anywhere: a guess of ours.
            return Ok("found by nobody: it is the usual path of a sitemap".to_owned());
        };
        if url.path() == "/robots.txt" {
            return Ok(format!("found as a sitemap in {found_on}"));
        }
        let key = Value::Bytes(UrlKey::of(&canonical(&url)).as_bytes().to_vec());
        let is_sitemap = !self.opened.rows(IS_SITEMAP, &[key, self.name.clone()])?.is_empty();
        Ok(if is_sitemap {
            format!("found in the sitemap {found_on}")
        } else {
            format!("found on {found_on}")
        })
    }

    /// A reason not to fetch the URL. What robots.txt forbids was accepted first: it was found where that was.
    fn skipped(&mut self, row: &[Value], accepted: &[Vec<Value>]) -> Result<(), Failure> {
        let [name, reason, detail, found_on, at] = texts(row);
        let accepted =
            accepted.iter().find(|row| EXCLUDED.contains(&&*reason) && texts::<1>(row) == [name.as_str()]);
        let place = match accepted {
            Some(row) => self.origin(row)?,
            None => self.found(&found_on)?,
        };
        self.trail.say("skipped", &format!("{reason}: {detail}; {place} at {at}"));
        if Rule::from_word(&reason).is_some() {
            let url = shell::quoted(self.asked);
            let store = shell::store_flag(&self.opened.store);
            let command = format!("huntsman release {url} --name {}{store}", shell::quoted(&name));
            self.trail.say("parked", &format!("nothing is lost; fetch it all the same:  {command}"));
        }
        Ok(())
    }

    /// URLs that redirect to what is the same as this one. The redirect keeps its target as it was sent, so that all redirects
    /// to this origin are looked at.
    fn redirected_here(&mut self, url: &Url) -> Result<(), Failure> {
        let origin = &url[..Position::BeforePath];
        // Behind the slash of every path comes the zero.
        let between =
            [Value::Text(format!("{origin}/")), Value::Text(format!("{origin}0")), self.name.clone()];
        let mut from = Vec::new();
        let key = self.key;
        self.opened.each(REDIRECTS, &between, |row| {
            let [url, to] = texts(&row);
            if url::parse(&to).is_ok_and(|to| UrlKey::of(&canonical(&to)) == key) {
                from.push(url);
            }
            from.len() < SHOWN_REDIRECTS
        })?;
        for url in from {
            self.trail.say("redirected here", &url);
        }
        Ok(())
    }

    fn attempts(&mut self) -> Result<(), Failure> {
        for row in self.by_key(FETCHES)? {
            let [at, attempt, status, error, outcome, detail, took, bytes] = texts(&row);
            let answer = if status.is_empty() { error } else { status };
            self.trail.say(
                "request",
                &format!("{at}  attempt {attempt}: {answer}, {outcome}, {took} ms, {bytes} bytes  {detail}"),
            );
        }
        for row in self.by_key(DEAD)? {
            let [reason, detail, attempts, at] = texts(&row);
            self.trail.say("given up", &format!("{reason} after {attempts} attempts at {at}: {detail}"));
        }
        if self.opened.version() < LINKS_DROPPED_SINCE {
            return Ok(());
        }
        for row in self.by_key(DROPPED_HERE)? {
            let [dropped] = texts(&row);
            self.trail.say(
                "links",
                &format!("{dropped} of this page were not followed: it has more than are read of a page"),
            );
        }
        Ok(())
    }

    fn never_found(&mut self) -> Result<(), Failure> {
        self.trail.say(
            "verdict",
            "never found by this crawl: no page that was fetched links to it, and it is no seed",
        );
        if self.opened.version() < LINKS_DROPPED_SINCE {
            return Ok(());
        }
        for row in self.opened.rows(DROPPED, std::slice::from_ref(&self.name))? {
            let [pages, links] = texts(&row);
            if pages != "0" {
                self.trail.say(
                    "unless",
                    &format!(
                        "it is one of {links} links of {pages} pages with more links than are read of a page"
                    ),
                );
            }
        }
        Ok(())
    }
}

/// The lines of the answer.
struct Trail(Vec<(&'static str, String)>);

impl Trail {
    fn say(&mut self, label: &'static str, text: &str) {
        self.0.push((label, text.to_owned()));
    }

    fn accepted(&mut self, row: &[Value], origin: &str) {
        let [name, state, reason, depth, hops, _, _, found_at, attempt, due, redirect, url] = texts(row);
        self.say("crawl", &name);
        self.say("state", &if reason.is_empty() { state } else { format!("{state} ({reason})") });
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

//! `huntsman robots`: what a robots.txt says of URLs, a line each.

use super::args::{Global, RobotsArgs};
use super::escape::visible;
use super::exit::{ExitCode, Failure};
use super::running::runtime;
use crate::clock::Clock;
use crate::crawl::host::Authority;
use crate::crawl::robots::{Fetched, MAX_BYTES, MAX_HOPS, Rules, is_product_token, judge};
use crate::crawl::url;
use crate::fetch::{Fetch, Request};
use crate::settings;
use crate::wiring::embedded::client;
use ::url::Url;
use std::collections::HashMap;
use std::io::{Write, stdout};

/// Prints `allow` or `deny`, the URL, and the rule with its line. Asks for each robots.txt once, unless there is a file.
pub(super) fn run(args: &RobotsArgs, global: &Global) -> Result<ExitCode, Failure> {
    let settings = settings::load(&global.config_file(), args.settings.entries.clone())?.settings()?;
    let token = args.agent.as_deref().unwrap_or(&settings.identity.robots_token);
    if !is_product_token(token) {
        return Err(Failure::usage(format!("--agent {token:?}: a product token has letters, - and _ only")));
    }
    let urls = args.urls.iter().map(|text| {
        url::parse(text).map_err(|why| {
            Failure::usage(format!("{text:?}: {why}")).hint("give a URL such as https://example.org/a")
        })
    });
    let urls = urls.collect::<Result<Vec<Url>, Failure>>()?;
    let mut out = stdout().lock();
    if let Some(file) = &args.file {
        let body =
            std::fs::read(file).map_err(|why| Failure::usage(format!("--file {}: {why}", file.display())))?;
        let rules = Rules::parse(&body, token);
        for url in &urls {
            writeln!(out, "{}", said(url, &rules))?;
        }
        return Ok(ExitCode::Done);
    }
    let runtime = runtime()?;
    let client = client(&settings, &urls, Clock::start())?;
    let mut known: HashMap<Authority, Result<Rules, String>> = HashMap::new();
    for url in &urls {
        let authority = Authority::of(url);
        let rules = known
            .entry(authority.clone())
            .or_insert_with(|| runtime.block_on(fetch(&client, authority.robots_url(), token)));
        match rules {
            Ok(rules) => writeln!(out, "{}", said(url, rules))?,
            Err(why) => writeln!(
                out,
                "deny   {}  robots.txt is unreachable: {}",
                visible(url.as_str()),
                visible(why)
            )?,
        }
    }
    Ok(ExitCode::Done)
}

async fn fetch(client: &dyn Fetch, mut at: Url, token: &str) -> Result<Rules, String> {
    for hops in 0..=MAX_HOPS {
        let visit = client.get(Request { max_body: Some(MAX_BYTES), ..Request::get(at.clone()) }).await;
        match judge(&visit, &at, hops, token) {
            Fetched::Rules(rules) => return Ok(rules),
            Fetched::AllowAll { .. } => return Ok(Rules::default()),
            Fetched::Unreachable { why, .. } => return Err(why),
            Fetched::Redirect(to) => at = to,
        }
    }
    Err("too many redirects".to_owned())
}

fn said(url: &Url, rules: &Rules) -> String {
    let verdict = rules.verdict(url);
    let word = if verdict.allowed { "allow" } else { "deny " };
    let rule = verdict.rule.map_or_else(
        || "no rule".to_owned(),
        |rule| format!("line {}: {} (group {})", rule.line, visible(&rule.text), visible(&rule.group)),
    );
    format!("{word}  {}  {rule}", visible(url.as_str()))
}

//! `huntsman robots`: what a robots.txt says of URLs, a line each.

use super::args::{Global, RobotsArgs};
use super::asking::{Asker, Said};
use super::escape::visible;
use super::exit::{ExitCode, Failure};
use super::running::runtime;
use crate::clock::Clock;
use crate::crawl::host::Authority;
use crate::crawl::robots::{Rules, is_product_token};
use crate::crawl::url;
use crate::settings;
use crate::telemetry::Terminal;
use crate::wiring::embedded::client;
use ::url::Url;
use std::io::{Write, stdout};

/// Prints `allow` or `deny`, the URL, and the rule with its line. Asks for each robots.txt once, unless there is a file.
pub(super) fn run(args: &RobotsArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
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
        warn_of_sitemaps(&file.display().to_string(), &rules, terminal);
        for url in &urls {
            writeln!(out, "{}", said(url, &rules))?;
        }
        return Ok(ExitCode::Done);
    }
    let runtime = runtime()?;
    let clock = Clock::start();
    let client = client(&settings, &urls, clock)?;
    let mut asker = Asker::new(&client, &settings, clock, terminal);
    for url in &urls {
        let is_new = !asker.knows_robots(url);
        let answer = runtime.block_on(asker.robots(url, token));
        if let (true, Said::Rules(rules)) = (is_new, &answer.said) {
            warn_of_sitemaps(Authority::of(url).robots_url().as_str(), rules, terminal);
        }
        let why = match &answer.said {
            Said::Rules(rules) => {
                writeln!(out, "{}", said(url, rules))?;
                continue;
            }
            Said::Nothing(_) => {
                writeln!(out, "{}", said(url, &Rules::default()))?;
                continue;
            }
            Said::Unreachable { why, .. } => why.clone(),
            Said::Silent(failure) => format!("{}: {}", failure.class.as_str(), failure.detail),
        };
        let url = visible(url.as_str());
        writeln!(out, "deny   {url}  robots.txt is unreachable: {}", visible(&why))?;
    }
    Ok(ExitCode::Done)
}

fn warn_of_sitemaps(robots: &str, rules: &Rules, terminal: &Terminal) {
    if let Some(text) = rules.sitemaps_cut() {
        let warning = terminal.paint().yellow("warning:");
        terminal.line(&format!("{warning} {}: {text}", visible(robots)));
    }
}

fn said(url: &Url, rules: &Rules) -> String {
    let verdict = rules.verdict(url);
    let word = if verdict.allowed { "allow" } else { "deny " };
    let rule = verdict.rule.as_ref().map_or_else(
        || verdict.reason(),
        |rule| format!("line {}: {} (group {})", rule.line, visible(&rule.text), visible(&rule.group)),
    );
    format!("{word}  {}  {rule}", visible(url.as_str()))
}

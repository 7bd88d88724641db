//! `huntsman fetch`: what a crawl would see of a URL, and do with it. No store is needed, and none is written.

mod identity;
mod page;
mod render;
mod shown;
mod visiting;

use super::args::{FetchArgs, FetchFormat, Global};
use super::asking::Asker;
use super::escape;
use super::exit::{ExitCode, Failure};
use super::running::{ANY_CERTIFICATE, runtime};
use crate::clock::Clock;
use crate::crawl::lease::CrawlId;
use crate::crawl::scope::Scope;
use crate::crawl::seeds::parse_url;
use crate::settings::{self, Certificates, Robots};
use crate::telemetry::Terminal;
use crate::wiring::embedded;
use ::url::Url;
use std::io::{Write, stdout};
use visiting::Visiting;

/// Shows each URL, visited as a seed of its own. Done if one of them answered with a page, or with a redirect that was
/// not to be followed.
pub(super) fn run(args: &FetchArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let settings = settings::load(&global.config_file(), args.settings.entries.clone())?.settings()?;
    let urls = args.urls.iter().map(|text| {
        parse_url(text.trim()).map_err(|why| {
            Failure::usage(format!("{text:?}: {why}")).hint("give a URL such as https://example.org/a")
        })
    });
    let urls = urls.collect::<Result<Vec<Url>, Failure>>()?;
    let scope = Scope::new(&settings.scope).map_err(Failure::usage)?;
    if settings.politeness.robots == Robots::Ignore {
        let warning = terminal.paint().yellow("warning:");
        terminal.line(&format!(
            "{warning} robots.txt is ignored; the owners of these sites have not agreed to that"
        ));
    }
    if settings.network.certificates == Certificates::AcceptAny {
        let warning = terminal.paint().yellow("warning:");
        terminal.line(&format!("{warning} {ANY_CERTIFICATE}"));
    }
    let runtime = runtime()?;
    let clock = Clock::start();
    let client = embedded::client(&settings, &urls, clock)?;
    let reading = embedded::reading(&settings, CrawlId(0))?;
    let mut visiting = Visiting {
        asker: Asker::new(&client, &settings, clock, terminal),
        sent: client.sent(),
        reading: &reading,
        clock,
        settings: &settings,
        follow: args.follow,
    };
    let mut code = ExitCode::NothingFetched;
    for (at, (url, text)) in urls.iter().zip(&args.urls).enumerate() {
        let shown = runtime.block_on(visiting.show(text, url, scope.clone()));
        if shown.hops.last().is_some_and(|hop| hop.next.is_success()) {
            code = ExitCode::Done;
        }
        let mut out = stdout().lock();
        match args.format {
            FetchFormat::Text => {
                if at > 0 {
                    writeln!(out)?;
                }
                for line in render::lines(&shown, global.verbose > 0) {
                    writeln!(out, "{line}")?;
                }
            }
            FetchFormat::Json => {
                let shown = serde_json::to_value(&shown).map_err(anyhow::Error::from)?;
                writeln!(out, "{}", escape::json(&shown))?;
            }
        }
        out.flush()?;
    }
    Ok(code)
}

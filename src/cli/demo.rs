//! `huntsman demo`: a simulated web, a crawl of it with everything shown, and the store held against the truth.

use super::args::{DemoArgs, Global};
use super::exit::{ExitCode, Failure};
use super::running::{Run, runtime};
use crate::crawl::seeds::SeedList;
use crate::settings::table::Setting;
use crate::settings::units::show_span;
use crate::settings::{self, ConfigFile, Entry, Origin, Raw, StoreUrl};
use crate::store::sqlite::SqliteStore;
use crate::telemetry::Terminal;
use crate::testweb::{RobotsKind, Settings, Testweb, Truth};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const NAME: &str = "demo";
/// Differences that are printed.
const SHOWN: usize = 5;

/// Runs it. Exit code 1 where the store differs from the truth.
pub(super) fn run(args: &DemoArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let path = store_path(args)?;
    forget(&path)?;
    let web = Settings {
        seed: args.seed,
        hosts: args.hosts,
        pages: args.pages,
        error_rate: 0.05,
        redirects: 0.05,
        robots: RobotsKind::Rules,
        ..Settings::default()
    };
    // The web has a runtime of its own, so that neither disturbs the other.
    let servers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let web = servers
        .block_on(Testweb::start(web))
        .map_err(|why| anyhow::Error::new(why).context("the simulated web cannot listen on loopback"))?;
    let seed = web.seeds().first().cloned().unwrap_or_default();
    let pages = web.truth().count();
    say(
        global,
        terminal,
        &format!("A simulated web of {} hosts and {pages} URLs listens on loopback, from {seed}", args.hosts),
    );
    say(global, terminal, "");
    let runtime = runtime()?;
    let layers = settings::load(&ConfigFile::Ignored, entries(args, &path))?;
    let run = Run {
        layers,
        name: NAME.to_owned(),
        seeds: None,
        first: SeedList::parse(seed.as_bytes()).map_err(anyhow::Error::from)?.seeds,
        terminal,
        quiet: global.quiet,
        verbose: global.detail(),
    };
    let ended = runtime.block_on(run.run())?;
    if ended.code != ExitCode::Done {
        return Ok(ended.code);
    }
    let stored = runtime.block_on(stored(&path))?;
    let differences = compare(web.truth(), stored);
    let reconciles = ended.summary.reconciles();
    drop(web);
    if differences.is_empty() && reconciles {
        let stored = ended.summary.found.stored;
        say(
            global,
            terminal,
            &format!(
                "Checked: the {stored} stored pages are the {stored} that can be reached, title by title; the totals add up."
            ),
        );
        return Ok(ExitCode::Done);
    }
    for difference in differences.iter().take(SHOWN) {
        terminal.line(&super::escape::visible(difference));
    }
    let what = if reconciles { "the store differs from the truth" } else { "the totals do not add up" };
    Err(Failure::new(ExitCode::Internal, anyhow::anyhow!("{what}: {} differences", differences.len())))
}

fn say(global: &Global, terminal: &Terminal, line: &str) {
    if !global.quiet {
        terminal.line(line);
    }
}

fn store_path(args: &DemoArgs) -> Result<PathBuf, Failure> {
    let layers = settings::load(&ConfigFile::Ignored, args.settings.entries.clone())?;
    match layers.settings()?.place.store_for(NAME) {
        StoreUrl::Sqlite(path) => Ok(path),
        StoreUrl::Postgres(_) => Err(Failure::usage("a demo starts anew each time, in a file of its own")
            .hint("choose one with --store sqlite:PATH")),
    }
}

/// A demo starts anew: the file of an earlier one goes, but nothing else does.
fn forget(path: &Path) -> Result<(), Failure> {
    if !path.exists() {
        return Ok(());
    }
    let names = runtime()?.block_on(async {
        let store = SqliteStore::open(path).await?;
        let names = store.crawl_names().await?;
        store.close().await?;
        Ok::<_, Failure>(names)
    })?;
    if names.iter().any(|name| name != NAME) {
        return Err(Failure::usage(format!("{} holds crawls that are no demo", path.display()))
            .hint("choose another file with --store sqlite:PATH"));
    }
    std::fs::remove_file(path)?;
    Ok(())
}

fn entries(args: &DemoArgs, path: &Path) -> Vec<Entry> {
    let values = [
        ("store", format!("sqlite:{}", path.display())),
        ("name", NAME.to_owned()),
        ("scope", "any".to_owned()),
        // One is enough to see it, and the demo is over before the second would be due.
        ("retries", "1".to_owned()),
        ("delay", show_span(args.delay)),
    ];
    let entry = |(name, value): (&str, String)| {
        let setting = Setting::find(name)?;
        Some(Entry { setting, raw: Raw::One(value), origin: Origin::Flag(setting.flag()) })
    };
    values.into_iter().filter_map(entry).collect()
}

/// Every stored page with its title.
async fn stored(path: &Path) -> Result<BTreeMap<String, Option<String>>, Failure> {
    let store = SqliteStore::open(path).await?;
    let titles = store.titles().await?;
    store.close().await?;
    Ok(titles.into_iter().collect())
}

/// What is missing, too much, or has another title.
fn compare(truth: impl Iterator<Item = Truth>, mut stored: BTreeMap<String, Option<String>>) -> Vec<String> {
    let mut differences = Vec::new();
    for page in truth.filter(|page| page.reachable && page.status == Some(200)) {
        match stored.remove(&page.url) {
            None => differences.push(format!("missing: {}", page.url)),
            Some(title) if title != page.title => {
                differences.push(format!("title of {}: {title:?} instead of {:?}", page.url, page.title));
            }
            Some(_) => {}
        }
    }
    differences.extend(stored.into_keys().map(|url| format!("not reachable, yet stored: {url}")));
    differences
}

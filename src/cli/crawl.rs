//! `huntsman crawl` and `huntsman resume`.

use super::args::{CrawlArgs, Global, ResumeArgs};
use super::config::warn_of_misspelt;
use super::exit::{ExitCode, Failure};
use super::running::{Run, runtime, store_path};
use super::seeds::{BadLines, SeedSource};
use crate::settings::{self, StoreUrl};
use crate::store::sqlite::SqliteStore;
use crate::telemetry::Terminal;
use std::path::{Path, PathBuf};

/// Crawls from seeds. A crawl of that name that is there already goes on, with these seeds too.
pub(super) fn run(args: CrawlArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let layers = settings::load(&global.config_file(), args.settings.entries)?;
    warn_of_misspelt(&layers, terminal);
    let settings = layers.settings()?;
    let bad_lines = if args.strict { BadLines::Refuse } else { BadLines::Report };
    let mut seeds = SeedSource::open(&args.seeds, bad_lines, terminal)?;
    let first = seeds.next_batch()?.unwrap_or_default();
    let seed = first.first().ok_or_else(|| Failure::usage("no seed"))?;
    let name = settings.place.name_for(&seed.url);
    let run = Run {
        layers,
        name,
        seeds: Some(seeds),
        first,
        terminal,
        quiet: global.quiet,
        verbose: global.verbose > 0,
    };
    Ok(runtime()?.block_on(run.run())?.code)
}

/// Goes on with a crawl that was interrupted, killed, or waits.
pub(super) fn resume(args: ResumeArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let entries = args.settings.with_argument("name", args.name.as_deref());
    let layers = settings::load(&global.config_file(), entries)?;
    warn_of_misspelt(&layers, terminal);
    let settings = layers.settings()?;
    let runtime = runtime()?;
    let path = match (&settings.place.store, &settings.place.name) {
        (Some(StoreUrl::Sqlite(path)), _) => path.clone(),
        (None, Some(name)) => store_path(&settings, name),
        (None, None) => only_store()?,
    };
    if !path.exists() {
        return Err(Failure::usage(format!("there is no store {}", path.display()))
            .hint("huntsman crawl SEED starts a crawl; --store says where another one is"));
    }
    let names = runtime.block_on(async {
        let store = SqliteStore::open(&path).await?;
        let names = store.crawl_names().await?;
        store.close().await?;
        Ok::<_, Failure>(names)
    })?;
    let name = choose(&names, settings.place.name.as_deref(), &path)?;
    let layers = layers.with(super::flags::store_entry(&path));
    let run = Run {
        layers,
        name,
        seeds: None,
        first: Vec::new(),
        terminal,
        quiet: global.quiet,
        verbose: global.verbose > 0,
    };
    Ok(runtime.block_on(run.run())?.code)
}

/// The one store of `./crawls`.
fn only_store() -> Result<PathBuf, Failure> {
    let files = std::fs::read_dir("crawls").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut stores: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|end| end == "db")).collect();
    stores.sort();
    match &stores[..] {
        [one] => Ok(one.clone()),
        [] => Err(Failure::usage("there is no crawl in ./crawls").hint("name one with --store sqlite:PATH")),
        several => {
            let names: Vec<_> = several
                .iter()
                .filter_map(|path| path.file_stem())
                .map(|name| name.to_string_lossy())
                .collect();
            Err(Failure::usage("there are several crawls in ./crawls")
                .hint(format!("name one: {}", names.join(", "))))
        }
    }
}

fn choose(names: &[String], asked: Option<&str>, path: &Path) -> Result<String, Failure> {
    match (asked, names) {
        (Some(asked), _) if names.iter().any(|name| name == asked) => Ok(asked.to_owned()),
        (None, [one]) => Ok(one.clone()),
        (_, []) => Err(Failure::usage(format!("{} holds no crawl", path.display()))),
        (asked, _) => {
            let what =
                asked.map_or_else(|| "several crawls".to_owned(), |asked| format!("no crawl {asked:?}"));
            Err(Failure::usage(format!("{} holds {what}", path.display()))
                .hint(format!("name one: {}", names.join(", "))))
        }
    }
}

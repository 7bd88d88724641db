//! `huntsman crawl` and `huntsman resume`.

use super::args::{CrawlArgs, Global, ResumeArgs};
use super::config::warn_of_misspelt;
use super::exit::{ExitCode, Failure};
use super::running::{Run, runtime};
use super::seeds::{BadLines, SeedSource};
use super::{roles, steering, stores};
use crate::settings::{self, Layers, Secret, Settings, StoreUrl};
use crate::store::postgres::PostgresStore;
use crate::telemetry::Terminal;
use crate::wiring::stores::OwnStore;

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
        verbose: global.detail(),
    };
    let ended = match settings.installation.frontier {
        Some(index) => runtime()?.block_on(run.run_joined(&index)),
        None => runtime()?.block_on(run.run()),
    };
    Ok(ended?.code)
}

/// Goes on with a crawl that was interrupted, killed, or waits.
pub(super) fn resume(args: ResumeArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let entries = args.settings.with_argument("name", args.name.as_deref());
    let layers = settings::load(&global.config_file(), entries)?;
    warn_of_misspelt(&layers, terminal);
    let settings = layers.settings()?;
    let index = settings.installation.frontier.clone();
    if index.is_some() {
        roles::database(&settings.place)?;
    }
    let place = stores::find(&settings.place)?;
    if matches!(place, StoreUrl::Postgres(_))
        && let Some(code) = steering::unpause(&layers, &settings.place, global, terminal)?
    {
        return Ok(code);
    }
    if let Some(index) = index {
        return resume_joined(layers, &settings, &index, global, terminal);
    }
    let runtime = runtime()?;
    let names = runtime.block_on(async {
        let store = OwnStore::open(&place, || {}).await?;
        let names = store.crawl_names().await?;
        store.close().await?;
        Ok::<_, Failure>(names)
    })?;
    let name = stores::choose(&names, settings.place.name.as_deref(), &place)?;
    let layers = layers.with(super::flags::store_entry(&place));
    let run = Run {
        layers,
        name,
        seeds: None,
        first: Vec::new(),
        terminal,
        quiet: global.quiet,
        verbose: global.detail(),
    };
    Ok(runtime.block_on(run.run())?.code)
}

/// Goes on with a crawl of an installation in which nobody leads: this process does all that is left to do.
fn resume_joined(
    layers: Layers,
    settings: &Settings,
    index: &Secret,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitCode, Failure> {
    let url = roles::database(&settings.place)?;
    let runtime = runtime()?;
    let name = runtime.block_on(async {
        let store = PostgresStore::open(&url).await?;
        Ok::<_, Failure>(steering::find(&store, &settings.place).await?.0.name)
    })?;
    let (quiet, verbose) = (global.quiet, global.detail());
    let run = Run { layers, name, seeds: None, first: Vec::new(), terminal, quiet, verbose };
    Ok(runtime.block_on(run.run_joined(index))?.code)
}

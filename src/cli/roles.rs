//! `huntsman scheduler`, `node` and `storage`: each a process of its own, as many as are wanted, until SIGTERM.

use super::args::{Global, NodeArgs, SchedulerArgs, StorageArgs};
use super::config::warn_of_misspelt;
use super::exit::{ExitCode, Failure};
use super::running::runtime;
use super::seeds::{BadLines, SeedSource};
use crate::clock::Clock;
use crate::crawl::lease::CrawlId;
use crate::crawl::seeds::Seed;
use crate::node::DRAIN;
use crate::settings::{self, Layers, Place, Secret, Settings, StoreUrl};
use crate::store::Store;
use crate::store::postgres::PostgresStore;
use crate::telemetry::Terminal;
use crate::wiring::fleet::{self, Seeding};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Accepts the seeds, if there are any, and leads the installation or stands by.
pub(super) fn scheduler(
    args: SchedulerArgs,
    global: &Global,
    terminal: &Terminal,
) -> Result<ExitCode, Failure> {
    let layers = settings::load(&global.config_file(), args.settings.entries)?;
    let index = index(&layers)?;
    let store = database(&layers.place()?)?;
    warn_of_misspelt(&layers, terminal);
    let bad_lines = if args.strict { BadLines::Refuse } else { BadLines::Report };
    let seeds =
        if args.seeds.is_empty() { None } else { Some(SeedSource::open(&args.seeds, bad_lines, terminal)?) };
    let lease = layers.installation()?.lease;
    run(async move |clock, stop| {
        if let Some(seeds) = seeds {
            add(&layers, seeds, &store, clock).await?;
        }
        Ok(fleet::run_scheduler(index.expose(), &store, lease, clock, &stop).await?)
    })
}

/// Visits what the index hands out.
pub(super) fn node(args: NodeArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let layers = settings::load(&global.config_file(), args.settings.entries)?;
    let index = index(&layers)?;
    warn_of_misspelt(&layers, terminal);
    layers.settings()?;
    run(async move |clock, stop| Ok(fleet::run_node(layers, None, index.expose(), clock, &stop).await?))
}

/// Writes what the nodes report.
pub(super) fn storage(args: StorageArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let layers = settings::load(&global.config_file(), args.settings.entries)?;
    let index = index(&layers)?;
    let store = database(&layers.place()?)?;
    warn_of_misspelt(&layers, terminal);
    run(async move |clock, stop| {
        Ok(fleet::run_storage(index.expose(), &store, clock, Arc::new(|_| {}), &stop).await?)
    })
}

/// Runs a role until a signal ends it: exit 0 once it has drained, or has had its time for that; a second signal ends it at
/// once.
fn run(role: impl AsyncFnOnce(Clock, CancellationToken) -> Result<(), Failure>) -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    let ended = runtime.block_on(async {
        let stop = CancellationToken::new();
        listen(stop.clone())?;
        tokio::select! {
            ended = role(Clock::start(), stop.clone()) => ended?,
            () = patience(&stop) => {
                tracing::warn!("what is in hand does not end, and is left to others: it lapses by itself");
            }
        }
        Ok(ExitCode::Done)
    });
    // Whatever a thread of it is blocked on is not waited for.
    runtime.shutdown_background();
    ended
}

/// Ends when a role was told to end so long ago that it waits for a server that does not answer. Nothing is lost by that: it could as
/// well have been killed.
async fn patience(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(DRAIN).await;
}

fn listen(stop: CancellationToken) -> Result<(), Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        loop {
            let code = tokio::select! {
                _ = interrupt.recv() => ExitCode::Interrupted,
                _ = terminate.recv() => ExitCode::Terminated,
            };
            if stop.is_cancelled() {
                std::process::exit(i32::from(code as u8));
            }
            tracing::info!("ending: what is in hand is finished first, 10 s at most");
            stop.cancel();
        }
    });
    Ok(())
}

/// Begins a crawl, or adds seeds to one that is there.
async fn add(layers: &Layers, mut seeds: SeedSource, store: &str, clock: Clock) -> Result<(), Failure> {
    let settings = layers.settings()?;
    let Some(first) = tokio::task::block_in_place(|| seeds.next_batch())? else {
        return Err(Failure::usage("no seed"));
    };
    let name = settings.place.name_for(&first[0].url);
    let stored = serde_json::to_string(&layers.to_stored()).map_err(anyhow::Error::from)?;
    let store = PostgresStore::open(store).await?;
    let row = store.open_crawl(&name, &stored, clock.now()).await?;
    let seeding = accept(&store, row.id, &settings, first, &mut seeds, clock).await?;
    store.close().await?;
    tracing::info!(crawl = name, seeds = seeding.counts().0, "the seeds are in");
    Ok(())
}

/// Accepts the seeds of a source into a crawl, from `first` on.
pub(super) async fn accept(
    store: &dyn Store,
    crawl: CrawlId,
    settings: &Settings,
    first: Vec<Seed>,
    seeds: &mut SeedSource,
    clock: Clock,
) -> Result<Seeding, Failure> {
    let mut seeding = Seeding::begin(store, crawl, settings, clock).await?;
    let mut batch = Some(first);
    while let Some(some) = batch {
        seeding.accept(store, &some).await?;
        batch = tokio::task::block_in_place(|| seeds.next_batch())?;
    }
    seeding.end(store).await?;
    Ok(seeding)
}

/// Where the index of the installation is.
pub(super) fn index(layers: &Layers) -> Result<Secret, Failure> {
    layers.installation()?.frontier.ok_or_else(|| {
        Failure::usage("which installation? --frontier says where its Redis is")
            .hint("--frontier redis://127.0.0.1, or the variable HUNTSMAN_FRONTIER")
    })
}

/// The database that holds the crawls of an installation.
pub(super) fn database(place: &Place) -> Result<String, Failure> {
    let hint = "--store postgres://USER@HOST/DATABASE, or the variable HUNTSMAN_STORE";
    match &place.store {
        Some(StoreUrl::Postgres(url)) => Ok(url.expose().to_owned()),
        Some(StoreUrl::Sqlite(_)) => Err(Failure::usage(
            "an installation of several processes keeps its crawls in Postgres; a file is for `huntsman crawl`",
        )
        .hint(hint)),
        None => Err(Failure::usage("which database? --store says where the crawls are kept").hint(hint)),
    }
}

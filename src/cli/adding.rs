//! `huntsman add`: seeds into a crawl that is there. A finished one runs again.

use super::args::{AddArgs, Global};
use super::config::warn_of_misspelt;
use super::exit::{ExitCode, Failure};
use super::figures::plural;
use super::running::runtime;
use super::seeds::{BadLines, SeedSource};
use super::{steering, stores};
use crate::clock::Clock;
use crate::settings::{self, Layers, StoreUrl, StoredSettings};
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::SqliteStore;
use crate::store::{CrawlRow, CrawlState, Crawls, Store};
use crate::telemetry::Terminal;
use crate::wiring::fleet::Seeding;

/// Accepts the seeds into the store: a scheduler that leads admits them, `resume` does where none does.
pub(super) fn run(args: AddArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let layers = settings::load(&global.config_file(), args.settings.entries)?;
    warn_of_misspelt(&layers, terminal);
    let place = layers.place()?;
    if layers.installation()?.frontier.is_some() {
        super::roles::database(&place)?;
    }
    let url = stores::find(&place)?;
    let bad_lines = if args.strict { BadLines::Refuse } else { BadLines::Report };
    let seeds = SeedSource::open(&args.seeds, bad_lines, terminal)?;
    let clock = Clock::start();
    runtime()?.block_on(async {
        let (row, seeding, is_led) = match &url {
            StoreUrl::Sqlite(path) => {
                let store = SqliteStore::open(path).await?;
                let names = store.crawl_names().await?;
                let name = stores::choose(&names, place.name.as_deref(), &url)?;
                let row = store.crawl(&name).await?.expect("it was chosen among them");
                let seeding = accept(&store, &row, &layers, seeds, clock).await?;
                store.close().await?;
                (row, seeding, false)
            }
            StoreUrl::Postgres(address) => {
                let store = PostgresStore::open(address.expose()).await?;
                let leader = steering::leader(&store).await?;
                let place = settings::Place { store: Some(url.clone()), name: place.name.clone() };
                let (row, _) = steering::find(&store, &place).await?;
                let seeding = accept(&store, &row, &layers, seeds, clock).await?;
                store.touch(row.id).await?;
                store.close().await?;
                (row, seeding, leader.is_some())
            }
        };
        if !global.quiet {
            say(&row, &seeding, is_led, terminal);
        }
        Ok(ExitCode::Done)
    })
}

/// Accepts the seeds as the crawl was started: what it opens and how deep it goes is what its settings say.
async fn accept(
    store: &dyn Store,
    row: &CrawlRow,
    layers: &Layers,
    mut seeds: SeedSource,
    clock: Clock,
) -> Result<Seeding, Failure> {
    let stored: StoredSettings = serde_json::from_str(&row.settings).unwrap_or_default();
    let settings = layers.clone().with_stored(&stored).settings()?;
    let mut seeding = Seeding::new(row.id, &settings, clock);
    while let Some(some) = tokio::task::block_in_place(|| seeds.next_batch())? {
        seeding.accept(store, &some).await?;
    }
    Ok(seeding)
}

fn say(row: &CrawlRow, seeding: &Seeding, is_led: bool, terminal: &Terminal) {
    let ((seeds, new), name) = (seeding.counts(), &row.name);
    let state = match row.state {
        CrawlState::Finished if new > 0 && is_led => "; it runs again",
        CrawlState::Running | CrawlState::Finished if is_led => "",
        CrawlState::Finished if new == 0 => "",
        _ => "; huntsman resume visits them",
    };
    terminal.line(&format!("{} for {name}, {new} new{state}", plural(seeds, "seed")));
}

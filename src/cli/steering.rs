//! `huntsman pause`, `cancel`, and `resume` of a crawl that an installation runs: the scheduler that leads sees the change.

use super::args::{Global, SteerArgs};
use super::config::warn_of_misspelt;
use super::exit::{ExitCode, Failure};
use super::running::runtime;
use super::{roles, shell, stores};
use crate::clock::Clock;
use crate::settings::{self, Layers, Place, StoreUrl, StoredSettings};
use crate::store::postgres::PostgresStore;
use crate::store::{CrawlRow, CrawlState, Crawls, Leader, Leadership, Store, StoreError};
use crate::telemetry::Terminal;
use crate::wiring::lead;

/// Nothing of the crawl is leased any more; what is under way ends.
pub(super) fn pause(args: SteerArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let from = [CrawlState::Running];
    steer(args, global, terminal, &from, CrawlState::Paused, "is paused; visits under way end")
}

/// The crawl is given up: its URLs leave the index. What is in the store stays there.
pub(super) fn cancel(args: SteerArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let from = [CrawlState::Running, CrawlState::Paused, CrawlState::Waiting, CrawlState::Limited];
    let said = "is cancelled; its URLs leave the index, what is stored stays";
    steer(args, global, terminal, &from, CrawlState::Cancelled, said)
}

fn steer(
    args: SteerArgs,
    global: &Global,
    terminal: &Terminal,
    from: &[CrawlState],
    to: CrawlState,
    done: &str,
) -> Result<ExitCode, Failure> {
    let entries = args.settings.with_argument("name", args.name.as_deref());
    let layers = settings::load(&global.config_file(), entries)?;
    warn_of_misspelt(&layers, terminal);
    let place = layers.place()?;
    layers.installation()?;
    let url = installation(&place)?;
    runtime()?.block_on(async {
        let store = PostgresStore::open(&url).await?;
        let leader = leader(&store).await?;
        let (row, place) = find(&store, &place).await?;
        let changed = store.change_state(row.id, from, to, Clock::start().now()).await?;
        let (name, state) = (&row.name, row.state.as_str());
        if !changed && row.state != to {
            let what = if to == CrawlState::Paused { "paused" } else { "cancelled" };
            return Err(Failure::usage(format!("{name} is {state}: there is nothing to be {what}")));
        }
        if !global.quiet {
            terminal.line(&format!("{name} {done}. Go on:  {}", resume_command(name, &layers, &place)?));
            say_idle(leader.as_ref(), terminal);
        }
        Ok(ExitCode::Done)
    })
}

/// Lets a crawl go on that an installation has; with the settings of now over those that it had. `None` where no scheduler
/// leads: then this process is to run it itself.
pub(super) fn unpause(
    layers: &Layers,
    place: &Place,
    global: &Global,
    terminal: &Terminal,
) -> Result<Option<ExitCode>, Failure> {
    let url = installation(place)?;
    runtime()?.block_on(async {
        let store = PostgresStore::open(&url).await?;
        if store.leader().await?.is_none_or(|leader| !is_scheduler(&leader)) {
            return Ok(None);
        }
        let (row, _) = find(&store, place).await?;
        let before: StoredSettings = serde_json::from_str(&row.settings).unwrap_or_default();
        let layers = layers.clone().with_stored(&before);
        let settings = layers.settings()?;
        let has_room = match settings.limits.max_pages {
            Some(most) => store.tally(row.id).await?.stored < most,
            None => true,
        };
        let name = &row.name;
        if row.state == CrawlState::Limited && !has_room {
            return Err(Failure::usage(format!("{name} has as many pages as --max-pages allows"))
                .hint("raise it: --max-pages N, or --max-pages none"));
        }
        let mut after = layers.to_stored();
        // The names of values that are not kept are those of the process that began it.
        for (name, raw) in &before {
            after.entry(name.clone()).or_insert_with(|| raw.clone());
        }
        let is_changed = after != before;
        if is_changed {
            let text = serde_json::to_string(&after).map_err(anyhow::Error::from)?;
            store.change_settings(row.id, &text).await?;
        }
        let from = [CrawlState::Paused, CrawlState::Waiting, CrawlState::Limited, CrawlState::Cancelled];
        let goes_on = store.change_state(row.id, &from, CrawlState::Running, Clock::start().now()).await?;
        if !global.quiet {
            let settings = if is_changed { ", with the settings of now" } else { "" };
            terminal.line(&match (goes_on, row.state) {
                (true, _) => format!("{name} goes on{settings}"),
                (false, CrawlState::Finished) => format!("Nothing is left of {name}; it is finished"),
                (false, _) => format!("{name} runs already{settings}"),
            });
        }
        Ok(Some(ExitCode::Done))
    })
}

/// The database of an installation; of a crawl in a file, what pauses it.
fn installation(place: &Place) -> Result<String, Failure> {
    match &place.store {
        Some(StoreUrl::Sqlite(_)) => Err(Failure::usage("a crawl in a file is run by one process")
            .hint("Ctrl-C there pauses it; huntsman resume goes on")),
        _ => roles::database(place),
    }
}

/// Who leads; a process that runs one crawl alone hears of no change.
pub(super) async fn leader(store: &PostgresStore) -> Result<Option<Leader>, StoreError> {
    let leader = store.leader().await?;
    if leader.as_ref().is_some_and(|leader| !is_scheduler(leader)) {
        let place = store.place();
        return Err(StoreError::Busy(format!(
            "another huntsman crawls with {place}, by itself; wait for it, or stop it with Ctrl-C there"
        )));
    }
    Ok(leader)
}

pub(super) fn is_scheduler(leader: &Leader) -> bool {
    leader.holder.starts_with(lead::SCHEDULER)
}

/// Says that nobody leads, where that is so.
pub(super) fn say_idle(leader: Option<&Leader>, terminal: &Terminal) {
    if leader.is_none() {
        terminal.line("No scheduler leads now: this counts once one does");
    }
}

/// The crawl that is meant: the one that is named, or the only one.
pub(super) async fn find(store: &PostgresStore, place: &Place) -> Result<(CrawlRow, StoreUrl), Failure> {
    let Some(url) = &place.store else { unreachable!("its store was opened") };
    let rows = store.crawls().await?;
    let names: Vec<String> = rows.iter().map(|row| row.name.clone()).collect();
    let name = stores::choose(&names, place.name.as_deref(), url)?;
    let row = rows.into_iter().find(|row| row.name == name).expect("it was chosen among them");
    Ok((row, url.clone()))
}

/// The command that goes on with it.
fn resume_command(name: &str, layers: &Layers, place: &StoreUrl) -> Result<String, Failure> {
    let index = layers.installation()?.frontier;
    let index = index.map_or_else(String::new, |index| shell::frontier_flag(&index));
    Ok(format!("huntsman resume {name}{index}{}", shell::store_flag(place)))
}

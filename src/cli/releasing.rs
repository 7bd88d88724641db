//! `huntsman release`: opens URLs that a rule against traps, or a budget, parked.

use super::args::{Global, ReleaseArgs};
use super::config::warn_of_misspelt;
use super::exit::{ExitCode, Failure};
use super::figures::plural;
use super::running::runtime;
use super::{shell, steering, stores};
use crate::clock::Clock;
use crate::crawl::host::HostKey;
use crate::crawl::traps::Rule;
use crate::crawl::url::{self, UrlKey, canonical};
use crate::settings::{self, Place, StoreUrl};
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::SqliteStore;
use crate::store::{CrawlRow, CrawlState, Crawls, Store, WhichParked};
use crate::telemetry::Terminal;

/// URLs opened in one transaction.
const BATCH: usize = 2_000;

/// Opens them in the store: a scheduler that leads admits them, `resume` does where none does.
pub(super) fn run(args: ReleaseArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let which = asked_for(&args)?;
    let layers = settings::load(&global.config_file(), args.settings.entries)?;
    warn_of_misspelt(&layers, terminal);
    let place = layers.place()?;
    if layers.installation()?.frontier.is_some() {
        super::roles::database(&place)?;
    }
    let url = stores::find(&place)?;
    runtime()?.block_on(async {
        let (row, released, is_led) = match &url {
            StoreUrl::Sqlite(path) => {
                let store = SqliteStore::open(path).await?;
                let names = store.crawl_names().await?;
                let name = stores::choose(&names, place.name.as_deref(), &url)?;
                let row = store.crawl(&name).await?.expect("it was chosen among them");
                let released = release(&store, &row, &which).await?;
                store.close().await?;
                (row, released, false)
            }
            StoreUrl::Postgres(address) => {
                let store = PostgresStore::open(address.expose()).await?;
                let leader = steering::leader(&store).await?;
                let place = Place { store: Some(url.clone()), name: place.name.clone() };
                let (row, _) = steering::find(&store, &place).await?;
                let released = release(&store, &row, &which).await?;
                store.touch(row.id).await?;
                store.close().await?;
                (row, released, leader.is_some())
            }
        };
        if released == 0 {
            let query = shell::quoted(
                "select reason, host, count(*) from skipped where parked is not null group by 1, 2",
            );
            return Err(Failure::usage(format!("nothing of {} is parked that was asked for", row.name))
                .hint(format!("huntsman query {query}{} lists what is", shell::store_flag(&url))));
        }
        if !global.quiet {
            terminal.line(&said(&row, released, is_led));
        }
        Ok(ExitCode::Done)
    })
}

/// What is asked for, one question for each URL that is named.
fn asked_for(args: &ReleaseArgs) -> Result<Vec<WhichParked>, Failure> {
    let host = args.host.as_deref().map(HostKey::from_stored);
    let one = |key| WhichParked { rule: args.rule, host: host.clone(), key };
    if args.urls.is_empty() {
        if args.rule.is_none() && host.is_none() {
            return Err(Failure::usage("nothing is named that is to be released")
                .hint("name URLs, a host (--host), or a rule (--rule)"));
        }
        return Ok(vec![one(None)]);
    }
    let key = |text: &String| {
        let url = url::parse(text).map_err(|why| Failure::usage(format!("{text:?}: {why}")))?;
        Ok(one(Some(UrlKey::of(&canonical(&url)))))
    };
    args.urls.iter().map(key).collect()
}

async fn release(store: &dyn Store, row: &CrawlRow, which: &[WhichParked]) -> Result<u64, Failure> {
    let clock = Clock::start();
    let mut released = 0;
    for which in which {
        loop {
            let opened = store.release(row.id, which, BATCH, clock.now()).await?.len();
            if opened == 0 {
                break;
            }
            released += opened as u64;
        }
    }
    Ok(released)
}

fn said(row: &CrawlRow, released: u64, is_led: bool) -> String {
    let state = match row.state {
        CrawlState::Finished if is_led => "; it runs again",
        CrawlState::Running if is_led => "",
        _ => "; huntsman resume visits them",
    };
    format!("{} of {} released{state}", plural(released, "URL"), row.name)
}

/// A rule by its word.
pub(super) fn parse_rule(word: &str) -> Result<Rule, String> {
    Rule::from_word(word).ok_or_else(|| {
        let words: Vec<_> = Rule::ALL.into_iter().map(Rule::as_str).collect();
        format!("no rule; there are {}", words.join(", "))
    })
}

//! `huntsman nodes`, `drain` and `recover`: what is asked of the index of an installation.

use super::args::{DrainArgs, Global, NodesArgs, RecoverArgs};
use super::exit::{ExitCode, Failure};
use super::figures::plural;
use super::running::runtime;
use super::table::{Format, Rows, Screen, Value};
use super::{roles, steering};
use crate::clock::Clock;
use crate::frontier::redis::RedisFrontier;
use crate::frontier::{Front, FrontierError, NodeSeen};
use crate::settings::{self, Entry, Layers};
use crate::store::postgres::PostgresStore;
use crate::telemetry::Terminal;
use crate::wiring::fleet;
use std::io::{BufWriter, stdout};
use std::time::Duration;

/// How long `recover` waits for the scheduler to open another epoch.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

/// The columns of a node.
const COLUMNS: [&str; 5] = ["node", "leases", "handed_off", "last_beat_ms", "draining"];

impl From<FrontierError> for Failure {
    fn from(why: FrontierError) -> Self {
        Self::new(ExitCode::Frontier, why)
    }
}

/// The index of the installation, looked at by a process that is none of its parts.
pub(super) async fn look(layers: &Layers, clock: Clock) -> Result<RedisFrontier, Failure> {
    let (index, lease) = (roles::index(layers)?, layers.installation()?.lease);
    Ok(fleet::connect_now(index.expose(), "operator", lease, clock).await?)
}

fn layers(entries: Vec<Entry>, global: &Global) -> Result<Layers, Failure> {
    Ok(settings::load(&global.config_file(), entries)?)
}

/// Prints a row a node.
pub(super) fn run(args: NodesArgs, global: &Global) -> Result<ExitCode, Failure> {
    let layers = layers(args.settings.entries, global)?;
    let clock = Clock::start();
    let nodes = runtime()?.block_on(async {
        let index = look(&layers, clock).await?;
        Ok::<_, Failure>(index.nodes().await?)
    })?;
    let format = if args.json { Format::Json } else { Format::Table };
    let names = COLUMNS.map(str::to_owned).to_vec();
    let mut rows = Rows::new(BufWriter::new(stdout()), format, Screen::stdout(), names);
    for node in nodes {
        rows.push(row(node, clock))?;
    }
    rows.finish()?;
    Ok(ExitCode::Done)
}

fn row(node: NodeSeen, clock: Clock) -> Vec<Value> {
    let NodeSeen { name, seen, leases, handed_off, draining } = node;
    let ago = i64::try_from(clock.now().since(seen).as_millis()).unwrap_or(i64::MAX);
    vec![
        Value::Text(name),
        Value::Integer(leases as i64),
        Value::Integer(handed_off.cast_signed()),
        Value::Integer(ago),
        Value::Text(if draining { "yes" } else { "no" }.to_owned()),
    ]
}

/// The same as members of a JSON object.
pub(super) fn json(node: &NodeSeen, clock: Clock) -> serde_json::Value {
    let ago = clock.now().since(node.seen).as_millis();
    serde_json::json!({
        "node": node.name, "leases": node.leases, "handed_off": node.handed_off,
        "last_beat_ms": u64::try_from(ago).unwrap_or(u64::MAX), "draining": node.draining,
    })
}

/// Asks a node to leave: it leases nothing more, ends what it has in hand, and its process exits with 0.
pub(super) fn drain(args: DrainArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let layers = layers(args.settings.entries, global)?;
    runtime()?.block_on(async {
        let index = look(&layers, Clock::start()).await?;
        let node = &args.node;
        if !index.drain(node).await? {
            let known: Vec<String> = index.nodes().await?.into_iter().map(|node| node.name).collect();
            let hint = if known.is_empty() {
                "no node has asked for anything in the last hour".to_owned()
            } else {
                format!("name one: {}", known.join(", "))
            };
            return Err(Failure::usage(format!("there is no node {node:?}")).hint(hint));
        }
        if !global.quiet {
            terminal.line(&format!("{node} leases nothing more, ends what it has in hand, and leaves"));
        }
        Ok(ExitCode::Done)
    })
}

/// Has the index thrown away and filled anew from the store.
pub(super) fn recover(args: RecoverArgs, global: &Global, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let layers = layers(args.settings.entries, global)?;
    let url = roles::database(&layers.place()?)?;
    roles::index(&layers)?;
    let clock = Clock::start();
    runtime()?.block_on(async {
        let store = PostgresStore::open(&url).await?;
        if steering::leader(&store).await?.is_none() {
            let what = "no scheduler leads this installation, and only one opens an epoch of the index";
            return Err(Failure::new(ExitCode::Frontier, anyhow::anyhow!("{what}"))
                .hint("start one: it opens a new epoch and fills it from Postgres anyway"));
        }
        let index = look(&layers, clock).await?;
        let closed = match index.close_epoch().await {
            Ok(epoch) => format!("Epoch {epoch} of the index is closed"),
            // The scheduler is about to open one.
            Err(FrontierError::Lost(_)) => "No epoch of the index was open".to_owned(),
            Err(why) => return Err(why.into()),
        };
        let until = clock.now() + PATIENCE;
        let opened = loop {
            match index.epoch().await {
                Ok(epoch) => break epoch,
                Err(why) if clock.now() >= until => return Err(why.into()),
                Err(_) => clock.sleep_until(clock.now() + LOOK).await,
            }
        };
        let open: u64 = open_urls(&store).await?;
        if !global.quiet {
            terminal.line(&format!(
                "{closed}; epoch {opened} is open, and the scheduler fills it from Postgres, {} that wait. Nodes have dropped their \
                 leases; hosts are asked again after two lease lengths and their delay",
                plural(open, "URL")
            ));
        }
        Ok(ExitCode::Done)
    })
}

/// Open URLs of the crawls that run.
async fn open_urls(store: &PostgresStore) -> Result<u64, Failure> {
    use crate::store::{CrawlState, Crawls, Store};
    let mut open = 0;
    for row in store.crawls().await?.into_iter().filter(|row| row.state == CrawlState::Running) {
        open += store.tally(row.id).await?.open;
    }
    Ok(open)
}

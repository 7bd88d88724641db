//! What `huntsman status` says of an installation beside its crawls: who leads, what stands in the index, which nodes.

use crate::cli::exit::{ExitCode, Failure};
use crate::cli::figures::{count, plural, span};
use crate::cli::{nodes, steering};
use crate::clock::Clock;
use crate::frontier::{Blocked, Counts, Front, FrontierError, NodeSeen};
use crate::settings::{Layers, StoreUrl};
use crate::store::postgres::PostgresStore;
use crate::store::{Leader, Leadership};

/// An installation as it stands.
pub(super) struct Standing {
    /// `None` without a database.
    leader: Option<Leader>,
    /// Why the index says nothing, or what it says.
    index: Result<Index, Failure>,
    clock: Clock,
}

struct Index {
    epoch: u32,
    counts: Counts,
    blocked: Blocked,
    nodes: Vec<NodeSeen>,
}

impl Standing {
    /// Asks both servers. An index that is out of reach is no reason to say nothing of the rest.
    pub(super) async fn ask(layers: &Layers, store: &StoreUrl) -> Result<Self, Failure> {
        let clock = Clock::start();
        let leader = match store {
            StoreUrl::Postgres(url) => PostgresStore::open(url.expose()).await?.leader().await?,
            StoreUrl::Sqlite(_) => None,
        };
        let index = match nodes::look(layers, clock).await {
            Ok(index) => async {
                let (epoch, counts) = (index.epoch().await?, index.counts().await?);
                let (blocked, nodes) = (index.blocked().await?, index.nodes().await?);
                Ok::<_, FrontierError>(Index { epoch, counts, blocked, nodes })
            }
            .await
            .map_err(Failure::from),
            Err(why) => Err(why),
        };
        Ok(Self { leader, index, clock })
    }

    /// The code of the command: the index could not be looked at, or all is said.
    pub(super) fn code(self) -> Result<ExitCode, Failure> {
        self.index.map(|_| ExitCode::Done)
    }

    /// Lines for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let leader = self.leader.as_ref().map_or_else(
            || "nobody: start huntsman scheduler".to_owned(),
            |leader| format!("{}, for {} more unless it says so again", leader.holder, span(leader.left)),
        );
        let mut lines = vec![format!("leads  {leader}")];
        let Ok(Index { epoch, counts, blocked, nodes }) = &self.index else { return lines };
        let Counts { queued, leased, handed_over, hosts, .. } = counts;
        lines.push(format!(
            "index  epoch {epoch}: {} of {} queued, {} leased, {} handed over and not written yet, {} waiting",
            plural(*queued as u64, "URL"),
            plural(*hosts as u64, "host"),
            count(*leased as u64),
            count(*handed_over as u64),
            plural(blocked.hosts as u64, "host"),
        ));
        for node in nodes {
            let NodeSeen { name, seen, leases, handed_off, draining } = node;
            let ago = span(self.clock.now().since(*seen));
            let leaving = if *draining { ", leaving" } else { "" };
            let (leases, handed) = (plural(*leases as u64, "lease"), count(*handed_off));
            lines.push(format!(
                "node   {name}: {leases}, {handed} handed off, last heard of {ago} ago{leaving}"
            ));
        }
        lines
    }

    /// The same as members of a JSON object, beside its crawls.
    pub(super) fn json(&self, crawls: &serde_json::Value) -> serde_json::Value {
        let leader = self.leader.as_ref().map(|leader| {
            serde_json::json!({
                "holder": leader.holder, "fence": leader.fence.0,
                "left_ms": u64::try_from(leader.left.as_millis()).unwrap_or(u64::MAX),
                "is_scheduler": steering::is_scheduler(leader),
            })
        });
        let index = self.index.as_ref().ok().map(|Index { epoch, counts, blocked, .. }| {
            serde_json::json!({
                "epoch": epoch, "queued": counts.queued, "leased": counts.leased, "lag": counts.handed_over,
                "hosts": counts.hosts, "waiting_hosts": blocked.hosts,
                "next_due": counts.next_due.map(|at| at.to_string()),
            })
        });
        let nodes: Vec<_> = self.index.as_ref().map_or_else(
            |_| Vec::new(),
            |index| index.nodes.iter().map(|node| nodes::json(node, self.clock)).collect(),
        );
        serde_json::json!({ "crawls": crawls, "leader": leader, "index": index, "nodes": nodes })
    }
}

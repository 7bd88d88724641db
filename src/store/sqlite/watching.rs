//! The counts of the rules against traps, and what they let in later.

use super::commit::insert_urls;
use super::parking::{self, unparked};
use super::rows::Statement;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Queued};
use crate::crawl::traps::{Budgets, Guard, Room, Watch, WatchName};
use crate::store::batch::{self, Unparked};
use hashbrown::HashSet;
use sqlx::{Row, SqliteConnection};
use std::sync::Arc;

const WATCHES: Statement = Statement { text: include_str!("sql/watches.sql"), columns: 2 };
const WAITING: Statement = Statement { text: include_str!("sql/waiting.sql"), columns: 3 };
const KEEP_WATCHES: Statement = Statement { text: include_str!("sql/keep_watches.sql"), columns: 3 };

/// Adds what is known of these hosts.
pub(super) async fn know(
    connection: &mut SqliteConnection,
    guard: &mut Guard,
    hosts: Vec<(CrawlId, &HostKey)>,
) -> Result<(), sqlx::Error> {
    let crawls: HashSet<CrawlId> = hosts.iter().map(|(crawl, _)| *crawl).collect();
    for crawl in crawls {
        let settings: Option<String> = sqlx::query_scalar("SELECT settings FROM crawls WHERE id = ?")
            .bind(crawl.0)
            .fetch_optional(&mut *connection)
            .await?;
        guard.allow(crawl, settings.as_deref().map(Budgets::of_settings).unwrap_or_default());
    }
    let names = guard.unknown(Guard::names(hosts));
    let rows = WATCHES
        .ask(connection, names, |(crawl, name): WatchName, values| {
            values.add(crawl.0).add(name);
        })
        .await?;
    for row in rows {
        let name = (CrawlId(row.get(0)), row.get::<&str, _>(1).into());
        guard.know(name, Watch::from_bytes(row.get(2)));
    }
    Ok(())
}

/// Keeps what has changed.
pub(super) async fn keep(connection: &mut SqliteConnection, guard: &Guard) -> Result<(), sqlx::Error> {
    let changed = guard.changes().map(|(name, _, now)| (name.clone(), now.to_bytes())).collect();
    KEEP_WATCHES
        .run(connection, changed, |((crawl, name), state): (WatchName, Vec<u8>), values| {
            values.add(crawl.0).add(name).add(state);
        })
        .await?;
    Ok(())
}

/// Opens what is parked and has room now, as found at `at`.
pub(super) async fn make_use_of_room(
    connection: &mut SqliteConnection,
    guard: &mut Guard,
    at: &Arc<str>,
) -> Result<Vec<Queued>, sqlx::Error> {
    let mut opened = Vec::new();
    for _ in 0..batch::MOST_ROUNDS {
        let before = opened.len();
        for rooms in guard.rooms() {
            opened.append(&mut fill(connection, guard, &rooms, at).await?);
        }
        if opened.len() == before {
            break;
        }
    }
    Ok(opened)
}

async fn fill(
    connection: &mut SqliteConnection,
    guard: &mut Guard,
    rooms: &[Room],
    at: &Arc<str>,
) -> Result<Vec<Queued>, sqlx::Error> {
    let rows = WAITING
        .ask(connection, rooms.iter().collect(), |room: &Room, values| {
            let most = i64::try_from(room.most).unwrap_or(i64::MAX);
            values.add(room.crawl.0).add(Arc::clone(&room.parked)).add(most);
        })
        .await?;
    let waiting: Vec<Unparked> = rows.iter().filter_map(unparked).collect();
    batch::note_emptied(guard, rooms, &waiting);
    know(connection, guard, waiting.iter().map(|one| (one.crawl, &one.found.host)).collect()).await?;
    let judged = batch::judged(guard, batch::unparked(&waiting, at));
    let new = insert_urls(connection, &judged.accepted).await?;
    judged.settle(guard, &new.iter().map(|(_, queued)| (queued.crawl, queued.key)).collect());
    parking::unpark(connection, judged.unparked(&waiting)).await?;
    parking::insert(connection, batch::held_rows(judged.moved())).await?;
    Ok(new.into_iter().map(|(_, queued)| queued).collect())
}

//! The counts of the rules against traps, and what they let in later. Several processes count at once: each decides by what it
//! read, and adds what it counted to what stands there when it writes.

use super::columns::Rows;
use super::commit::insert_urls;
use super::parking::{self, unparked};
use super::scrub;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Queued};
use crate::crawl::traps::{Budgets, Guard, Room, Watch, WatchName};
use crate::store::batch::{self, Unparked};
use hashbrown::{HashMap, HashSet};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};
use std::sync::Arc;

/// Adds what is known of these hosts.
pub(super) async fn know(
    connection: &mut PgConnection,
    guard: &mut Guard,
    hosts: Vec<(CrawlId, &HostKey)>,
) -> Result<(), sqlx::Error> {
    let crawls: HashSet<CrawlId> = hosts.iter().map(|(crawl, _)| *crawl).collect();
    for crawl in crawls {
        let settings: Option<String> = sqlx::query_scalar("SELECT settings FROM crawls WHERE id = $1")
            .bind(crawl.0)
            .fetch_optional(&mut *connection)
            .await?;
        guard.allow(crawl, settings.as_deref().map(Budgets::of_settings).unwrap_or_default());
    }
    let names = guard.unknown(Guard::names(hosts));
    let rows = Rows::new(include_str!("sql/watches.sql"), &names)
        .column(|(crawl, _)| crawl.0)
        .column(|(_, name)| scrub::text(name))
        .fetch_all(connection)
        .await?;
    for (name, watch) in rows.iter().map(watch) {
        guard.know(name, watch);
    }
    Ok(())
}

fn watch(row: &PgRow) -> (WatchName, Watch) {
    ((CrawlId(row.get(0)), row.get::<&str, _>(1).into()), Watch::from_bytes(row.get(2)))
}

/// Keeps what has changed: the last thing that a transaction does.
pub(super) async fn keep(connection: &mut PgConnection, guard: &Guard) -> Result<(), sqlx::Error> {
    let changes: Vec<_> = guard.changes().collect();
    let current = Rows::new(include_str!("sql/hold_watches.sql"), &changes)
        .column(|((crawl, _), ..)| crawl.0)
        .column(|((_, name), ..)| scrub::text(name))
        .fetch_all(connection)
        .await?;
    let current: HashMap<WatchName, Watch> = current.iter().map(watch).collect();
    let nothing = Watch::default();
    let kept: Vec<(&WatchName, Vec<u8>)> = changes
        .into_iter()
        .map(|(name, before, now)| {
            (name, now.rebased(before, current.get(name).unwrap_or(&nothing)).to_bytes())
        })
        .collect();
    Rows::new(include_str!("sql/keep_watches.sql"), &kept)
        .column(|((crawl, _), _)| crawl.0)
        .column(|((_, name), _)| scrub::text(name))
        .column(|(_, state)| &state[..])
        .execute(connection)
        .await
}

/// Opens what is parked and has room now, as found at `at`.
pub(super) async fn make_use_of_room(
    connection: &mut PgConnection,
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
    connection: &mut PgConnection,
    guard: &mut Guard,
    rooms: &[Room],
    at: &Arc<str>,
) -> Result<Vec<Queued>, sqlx::Error> {
    let rows = Rows::new(include_str!("sql/waiting.sql"), rooms)
        .column(|room| room.crawl.0)
        .column(|room| scrub::text(&room.parked))
        .column(|room| i64::try_from(room.most).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    let waiting: Vec<Unparked> = rows.iter().filter_map(unparked).collect();
    batch::note_emptied(guard, rooms, &waiting);
    know(connection, guard, waiting.iter().map(|one| (one.crawl, &one.found.host)).collect()).await?;
    let judged = batch::judged(guard, batch::unparked(&waiting, at));
    let new = insert_urls(connection, &judged.accepted).await?;
    judged.settle(guard, &new.iter().map(|(_, queued)| (queued.crawl, queued.key)).collect());
    parking::unpark(connection, judged.unparked(&waiting)).await?;
    parking::insert(connection, &batch::held_rows(judged.moved())).await?;
    Ok(new.into_iter().map(|(_, queued)| queued).collect())
}

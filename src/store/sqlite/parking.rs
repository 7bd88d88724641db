//! URLs that are parked, and how they are opened.

use super::commit::{begin, end, insert_seeds};
use super::rows::Statement;
use crate::crawl::host::HostKey;
use crate::crawl::lease::{CrawlId, Origin, Queued};
use crate::crawl::report::Found;
use crate::crawl::time::Timestamp;
use crate::crawl::traps::Rule;
use crate::crawl::url::UrlKey;
use crate::store::WhichParked;
use crate::store::batch::{self, ParkedRow, Unparked};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use std::sync::Arc;

const INSERT_PARKED: Statement = Statement { text: include_str!("sql/insert_parked.sql"), columns: 13 };
const UNPARK: Statement = Statement { text: include_str!("sql/unpark.sql"), columns: 1 };

/// Opens parked URLs; see [`crate::store::Store::release`].
pub(super) async fn release(
    connection: &mut SqliteConnection,
    crawl: CrawlId,
    which: &WhichParked,
    most: usize,
    now: Timestamp,
) -> Result<Vec<Queued>, sqlx::Error> {
    loop {
        begin(connection).await?;
        let opened = open_parked(connection, crawl, which, most, now).await;
        let (looked_at, opened) = end(connection, opened).await?;
        // What was open already is parked no longer, and no answer.
        if looked_at == 0 || !opened.is_empty() {
            return Ok(opened);
        }
    }
}

/// Answers with how many were parked, and with those that are open now.
async fn open_parked(
    connection: &mut SqliteConnection,
    crawl: CrawlId,
    which: &WhichParked,
    most: usize,
    now: Timestamp,
) -> Result<(usize, Vec<Queued>), sqlx::Error> {
    let WhichParked { rule, host, key } = which;
    let rows = sqlx::query(include_str!("sql/parked.sql"))
        .bind(crawl.0)
        .bind(rule.map(Rule::as_str))
        .bind(host.as_ref().map(HostKey::as_str))
        .bind(key.map(|key| key.as_bytes().to_vec()))
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
    let parked: Vec<Unparked> = rows.iter().filter_map(unparked).collect();
    let at = now.to_string().into();
    let opened = insert_seeds(connection, crawl, batch::unparked(&parked, &at)).await?;
    let ids = parked.iter().map(|parked| parked.id).collect();
    unpark(connection, ids).await?;
    Ok((rows.len(), opened.into_iter().map(|(_, queued)| queued).collect()))
}

/// Takes rows of `skipped` away.
pub(super) async fn unpark(connection: &mut SqliteConnection, ids: Vec<i64>) -> Result<(), sqlx::Error> {
    UNPARK.run(connection, ids, |id: i64, values| _ = values.add(id)).await?;
    Ok(())
}

/// A parked URL of a row.
pub(super) fn unparked(row: &SqliteRow) -> Option<Unparked> {
    let origin = Origin {
        depth: row.get("depth"),
        hops: row.get("hops"),
        max_depth: row.get("max_depth"),
        priority: row.get("priority"),
        seed: None,
        sitemap: None,
    };
    let key = UrlKey::from_slice(row.get::<&[u8], _>("url_key"))?;
    let host = HostKey::from_stored(row.get("host"));
    let found = Found { key, url: row.get("url"), host, origin };
    Some(Unparked {
        id: row.get("id"),
        crawl: CrawlId(row.get("crawl_id")),
        found,
        on: row.get::<Option<&str>, _>("found_on").map(Arc::from),
        parked: row.get::<&str, _>("parked").into(),
    })
}

/// Writes rows of `skipped` that can be opened.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    rows: Vec<ParkedRow<'_>>,
) -> Result<(), sqlx::Error> {
    INSERT_PARKED
        .run(connection, rows, |row, values| {
            let ParkedRow { crawl, key, url, host, origin, reason, detail, parked, on, at } = row;
            values.add(crawl.0).key(key).text(url).text(reason).add(detail).add(on).add(Arc::clone(at));
            values.add(parked).add(host.shared());
            values.add(origin.depth).add(origin.hops).add(origin.max_depth).add(origin.priority);
        })
        .await?;
    Ok(())
}

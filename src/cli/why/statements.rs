//! What `why` asks of a store. Each is answered by an index, however large the store; a test holds that.

/// By key and name: the row of the URL.
pub(super) const ROW: &str = "\
SELECT c.name, u.state, u.reason, u.depth, u.hops, u.seed, u.found_on, u.found_at, u.attempt, u.due_at, u.redirect_to, u.url
FROM urls AS u JOIN crawls AS c ON c.id = u.crawl_id
WHERE u.url_key = $1 AND (CAST($2 AS TEXT) IS NULL OR c.name = $2)";
/// By key and name: the reasons not to fetch it.
pub(super) const SKIPPED: &str = "\
SELECT c.name, s.reason, s.detail, s.found_on, s.skipped_at FROM skipped AS s JOIN crawls AS c ON c.id = s.crawl_id
WHERE s.url_key = $1 AND (CAST($2 AS TEXT) IS NULL OR c.name = $2) ORDER BY s.id";
/// By key and name: its requests.
pub(super) const FETCHES: &str = "\
SELECT f.started_at, f.attempt, f.status, f.error, f.outcome, f.detail, f.total_ms, f.bytes
FROM fetches AS f JOIN crawls AS c ON c.id = f.crawl_id
WHERE f.url_key = $1 AND f.kind <> 'robots' AND (CAST($2 AS TEXT) IS NULL OR c.name = $2) ORDER BY f.id";
/// By key, name and number: the latest requests for it as a robots.txt.
pub(super) const ROBOTS: &str = "\
SELECT f.started_at, f.id, f.url, f.status, f.error, f.outcome, f.detail, f.total_ms
FROM fetches AS f JOIN crawls AS c ON c.id = f.crawl_id
WHERE f.url_key = $1 AND f.kind = 'robots' AND (CAST($2 AS TEXT) IS NULL OR c.name = $2) ORDER BY f.id DESC LIMIT CAST($3 AS BIGINT)";
/// From and to a text, and by name: redirects to what lies between.
pub(super) const REDIRECTS: &str = "\
SELECT u.url, u.redirect_to FROM urls AS u JOIN crawls AS c ON c.id = u.crawl_id
WHERE u.redirect_to >= $1 AND u.redirect_to < $2 AND (CAST($3 AS TEXT) IS NULL OR c.name = $3)";
/// By name of the host.
pub(super) const HOST: &str =
    "SELECT robots, robots_status, crawl_delay_ms, block_until, strikes FROM hosts WHERE host = $1";
/// By key and name: whether it is a sitemap that was read.
pub(super) const IS_SITEMAP: &str = "\
SELECT 1 FROM urls AS u JOIN crawls AS c ON c.id = u.crawl_id
WHERE u.url_key = $1 AND u.state = 'read' AND (CAST($2 AS TEXT) IS NULL OR c.name = $2)";
/// By name: links that no page had room for. Not before version [`LINKS_DROPPED_SINCE`].
pub(super) const DROPPED: &str = "\
SELECT count(*), sum(p.links_dropped) FROM crawls AS c JOIN pages AS p ON p.crawl_id = c.id
WHERE p.links_dropped > 0 AND (CAST($1 AS TEXT) IS NULL OR c.name = $1)";
/// By key and name: the same of one page.
pub(super) const DROPPED_HERE: &str = "\
SELECT p.links_dropped FROM pages AS p JOIN crawls AS c ON c.id = p.crawl_id
WHERE p.url_key = $1 AND p.links_dropped > 0 AND (CAST($2 AS TEXT) IS NULL OR c.name = $2)";
/// The change to the tables that brought `pages.links_dropped`.
pub(super) const LINKS_DROPPED_SINCE: i64 = 4;
/// By key and name: why it was given up.
pub(super) const DEAD: &str = "\
SELECT d.reason, d.detail, d.attempts, d.died_at FROM dead_letters AS d JOIN crawls AS c ON c.id = d.crawl_id
WHERE d.url_key = $1 AND (CAST($2 AS TEXT) IS NULL OR c.name = $2)";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::reading::Value;
    use crate::store::sqlite::SqliteStore;
    use crate::store::sqlite::reader::Reader;

    #[tokio::test]
    async fn every_statement_is_answered_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        SqliteStore::open(&path).await.unwrap().close().await.unwrap();
        let mut reader = Reader::open(&path).await.unwrap().unwrap();
        let statements =
            [ROW, SKIPPED, FETCHES, ROBOTS, REDIRECTS, HOST, IS_SITEMAP, DROPPED, DROPPED_HERE, DEAD];
        for statement in statements {
            let mut plan = Vec::new();
            let explain = format!("EXPLAIN QUERY PLAN {statement}");
            let read = reader.rows(&explain, &[], |_, row| {
                plan.extend(row.into_iter().filter_map(|value| match value {
                    Value::Text(text) => Some(text),
                    _ => None,
                }));
                true
            });
            read.await.unwrap().unwrap();
            // A store has few crawls, and the index that is scanned holds only the pages that are counted.
            let is_small =
                |step: &str| step == "SCAN c" || step.ends_with("USING COVERING INDEX pages_dropped");
            let scans: Vec<_> =
                plan.iter().filter(|step| step.starts_with("SCAN") && !is_small(step)).collect();
            assert!(!plan.is_empty() && scans.is_empty(), "{statement}\n{plan:?}");
        }
    }
}

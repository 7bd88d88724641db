//! Stores that an earlier version wrote.

use super::*;
use crate::crawl::scope::ScopeKind;
use sqlx::Executor;

#[tokio::test]
async fn a_store_of_the_first_version_is_brought_up_to_date_with_all_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.db");
    let mut old = options(&path).create_if_missing(true).connect().await.unwrap();
    old.execute("PRAGMA application_id = 0x48554e54").await.unwrap();
    let first = MIGRATIONS.iter().filter(|one| one.version == 1).cloned().collect();
    Migrator::with_migrations(first).run(&mut old).await.unwrap();
    let key = UrlKey::of("http://h/a");
    sqlx::query(
        "INSERT INTO crawls (id, name, state, settings, created_at) VALUES (1, 'c', 'paused', '{}', 't');
         INSERT INTO urls (id, crawl_id, url_key, url, host, depth, seed, attempt, found_on, found_at)
         VALUES (7, 1, ?1, 'http://h/a', 'h', 3, 'host', 2, 'http://h/', 't');
         INSERT INTO fetches (id, crawl_id, url_key, token, kind, url, host, visit, attempt, status, outcome, started_at,
                              total_ms, wire_bytes, bytes)
         VALUES (9, 1, ?1, 5, 'page', 'http://h/a', 'h', 1, 1, 500, 'retry', 't', 12, 34, 56)",
    )
    .bind(key.as_bytes().to_vec())
    .execute(&mut old)
    .await
    .unwrap();
    old.close().await.unwrap();

    let store = SqliteStore::open(&path).await.unwrap();
    let open = store.open_urls(CrawlId(1), &HostKey::from_stored("h"), 10).await.unwrap().urls;
    let [url] = &open[..] else { panic!("{open:?}") };
    assert_eq!((url.key, &*url.url, url.attempt), (key, "http://h/a", 2));
    assert_eq!((url.origin.depth, url.origin.seed, url.origin.sitemap), (3, Some(ScopeKind::Host), None));
    let mut reader = store.reader.lock().await;
    let fetch = "SELECT id || kind || status || outcome || total_ms || wire_bytes || bytes FROM fetches";
    let fetch: String = sqlx::query_scalar(fetch).fetch_one(&mut *reader).await.unwrap();
    assert_eq!(fetch, "9page500retry123456");
}

//! What a death in the middle of a transaction leaves behind: all of a commit or nothing of it, and a store that goes on.

use super::backends::{Backend, Sqlite, connection, contents};
use super::contents::Contents;
use super::made::{at, commit, crawl, entry, failed, linking, retry, stored};
use crate::rng::Rng;
use huntsman::crawl::lease::Queued;
use huntsman::crawl::report::Entry;
use huntsman::store::Store;
use huntsman::store::sqlite::SqliteStore;
use std::fs;
use std::future::poll_fn;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::task::Poll;

/// The log beside a store.
fn log_of(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// A few commits of every kind; after each, what the store holds and how long its log is.
async fn history(backend: &Sqlite) -> Vec<(u64, Contents)> {
    let store = backend.store();
    let (_, mut urls) = crawl(store, "t", &["http://h/", "http://i/", "http://j/"]).await;
    let mut states = Vec::new();
    for step in 0..6 {
        let length = fs::metadata(log_of(&backend.path())).unwrap().len();
        states.push((length, backend.contents().await));
        let new: Vec<_> = (0..30).map(|n| format!("http://h/{step}/{n}/{}", "x".repeat(200))).collect();
        let new: Vec<_> = new.iter().map(String::as_str).collect();
        let url = |n: usize| urls[n].clone();
        let batch = vec![linking(&url(0), &new), failed(&url(1)), retry(&url(2), at(900), true)];
        let committed = commit(store, batch).await;
        urls.clone_from(&committed[0].admitted);
    }
    states
}

/// A power cut leaves the log cut off anywhere: the store opens with exactly the commits that were whole.
#[tokio::test]
async fn a_log_that_is_cut_anywhere_leaves_whole_commits() {
    let backend = Sqlite::new().await;
    let states = history(&backend).await;
    let (file, log) = (fs::read(backend.path()).unwrap(), fs::read(log_of(&backend.path())).unwrap());
    let (first, last) = (states[0].0, states[states.len() - 1].0);
    assert!(first < last && last < log.len() as u64, "the history is in the log");
    let mut cuts: Vec<u64> =
        states.iter().flat_map(|(end, _)| [*end, end.saturating_sub(1), end + 1]).collect();
    let mut rng = Rng::new(7);
    cuts.extend((0..30).map(|_| rng.range(first..log.len() as u64)));
    for cut in cuts.into_iter().filter(|cut| *cut >= first) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        fs::write(&path, &file).unwrap();
        fs::write(log_of(&path), &log[..cut as usize]).unwrap();
        let store = SqliteStore::open(&path).await.unwrap();
        let expected = states.iter().rfind(|(end, _)| *end <= cut).unwrap();
        let found = contents(&mut connection(&path).await).await;
        assert_eq!(found.difference(&expected.1), None, "the log is cut at {cut} of {}", log.len());
        let row = store.open_crawl("t", "{}", at(1)).await.unwrap();
        assert_eq!(row.epoch, 2, "and work can go on");
    }
}

/// The outcome of a future, unless it takes more than `polls`: then it is dropped.
async fn polled<F: Future>(future: F, mut polls: usize) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    poll_fn(|context| {
        if polls == 0 {
            return Poll::Ready(None);
        }
        polls -= 1;
        match future.as_mut().poll(context) {
            Poll::Pending if polls == 0 => Poll::Ready(None),
            polled => polled.map(Some),
        }
    })
    .await
}

fn whole_batch(urls: &[Queued]) -> Vec<Entry> {
    vec![entry(linking(&urls[0], &["http://h/new"])), entry(failed(&urls[1])), entry(stored(&urls[2]))]
}

#[tokio::test]
async fn a_commit_that_is_dropped_at_any_step_is_whole_or_nothing() {
    let mut dropped = 0;
    for polls in 1..=12 {
        let backend = Sqlite::new().await;
        let (_, urls) = crawl(backend.store(), "t", &["http://h/", "http://i/", "http://j/"]).await;
        let before = backend.contents().await;
        let batch = whole_batch(&urls);
        let done = polled(backend.store().commit(&batch), polls).await.is_some();
        let again = backend.store().commit(&batch).await.unwrap();
        let contents = backend.contents().await;
        assert_eq!(
            (contents.pages.len(), contents.dead_letters.len(), contents.urls.len()),
            (2, 1, 4),
            "{polls}"
        );
        assert_ne!(contents, before);
        let effective = again.iter().filter(|one| one.effective).count();
        assert!(effective == 0 || (effective == 3 && !done), "{polls}: {effective} of 3 were left to do");
        dropped += usize::from(!done);
    }
    // How many steps a commit takes depends on the threads; that some were dropped on the way is what is tested.
    assert!(dropped > 0, "no commit was dropped");
}

/// Another process writes half of a batch into the very tables, far enough that it is in the log, and is killed.
#[tokio::test]
async fn a_process_that_is_killed_in_a_transaction_leaves_the_store_as_it_was() {
    let backend = Sqlite::new().await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/", "http://i/", "http://j/"]).await;
    let before = backend.contents().await;
    let path = backend.path();
    let (store, _folder) = backend.into_parts();
    drop(store);

    let log = fs::metadata(log_of(&path)).map_or(0, |log| log.len());
    let mut writer = Command::new("sqlite3")
        .arg(&path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the sqlite3 shell");
    let statements =
        ".bail on\n.timeout 10000\nPRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;
        UPDATE urls SET state = 'stored';
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)
        INSERT INTO urls (crawl_id, url_key, url, host, depth, found_at)
        SELECT 1, randomblob(16), 'http://h/' || n, 'h', 0, '' FROM n;
        SELECT 'half way';\n";
    let mut input = writer.stdin.take().unwrap();
    input.write_all(statements.as_bytes()).unwrap();
    input.flush().unwrap();
    let told = BufReader::new(writer.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    assert_eq!(told, "half way");
    assert!(fs::metadata(log_of(&path)).unwrap().len() > log + 50_000, "half of it is in the log");
    writer.kill().unwrap();
    writer.wait().unwrap();

    let store = SqliteStore::open(&path).await.unwrap();
    assert_eq!(contents(&mut connection(&path).await).await.difference(&before), None);
    assert!(store.commit(&whole_batch(&urls)).await.unwrap().iter().all(|one| one.effective));
    let whole: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection(&path).await).await.unwrap();
    assert_eq!(whole, "ok");
}

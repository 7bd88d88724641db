//! Files that are no store of ours, or not now: refused with the class that says what can be done, and left as they were.

use super::backends::{Backend, Sqlite, connection};
use super::made::{at, crawl};
use huntsman::store::StoreError;
use huntsman::store::sqlite::SqliteStore;
use huntsman::store::sqlite::reader::Reader;
use sqlx::{AssertSqlSafe, Connection};
use std::fs;
use std::path::Path;

async fn execute(path: &Path, statement: &str) {
    let mut connection = connection(path).await;
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Opens the file as a store, and answers with the error; the file must be as it was.
async fn refused(path: &Path) -> StoreError {
    let before = fs::read(path).unwrap();
    let why = SqliteStore::open(path).await.expect_err("refused");
    assert!(fs::read(path).unwrap() == before, "{} was changed", path.display());
    why
}

/// A store with one crawl, closed.
async fn closed_store(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("t.db");
    let store = SqliteStore::open(&path).await.unwrap();
    crawl(&store, "t", &["http://h/"]).await;
    store.close().await.unwrap();
    path
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed_store(folder.path()).await;
    let newer = "INSERT INTO _sqlx_migrations
                 SELECT 9999, 'newer', installed_on, 1, checksum, 0 FROM _sqlx_migrations LIMIT 1";
    execute(&path, newer).await;
    let why = refused(&path).await;
    assert!(matches!(&why, StoreError::Unusable(text) if text.contains("newer huntsman")), "{why}");
}

#[tokio::test]
async fn tables_that_somebody_else_changed_are_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed_store(folder.path()).await;
    execute(&path, "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await;
    let why = refused(&path).await;
    assert!(matches!(why, StoreError::Unusable(_)), "{why}");
}

#[tokio::test]
async fn a_file_of_another_program_is_unusable_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    fs::write(&path, "").unwrap();
    execute(&path, "CREATE TABLE notes (x)").await;
    let why = refused(&path).await;
    assert!(matches!(&why, StoreError::Unusable(text) if text.contains("another program")), "{why}");
    let why = Reader::open(&path).await.expect_err("refused");
    assert!(matches!(&why, StoreError::Unusable(text) if text.contains("another program")), "{why}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_unusable_and_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.db");
    fs::write(&path, "no database, but a text of some length\n".repeat(100)).unwrap();
    let why = refused(&path).await;
    assert!(matches!(&why, StoreError::Unusable(text) if text.contains("not a store of ours")), "{why}");
    assert!(matches!(Reader::open(&path).await, Err(StoreError::Unusable(_))));
}

#[tokio::test]
async fn a_damaged_store_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let path = closed_store(folder.path()).await;
    let mut bytes = fs::read(&path).unwrap();
    bytes[100..4_096].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let why = SqliteStore::open(&path).await.expect_err("refused");
    assert!(matches!(why, StoreError::Unusable(_)), "{why}");
}

#[tokio::test]
async fn a_store_in_use_is_busy_until_its_process_ends() {
    let backend = Sqlite::new().await;
    crawl(backend.store(), "t", &["http://h/"]).await;
    let why = SqliteStore::open(&backend.path()).await.expect_err("refused");
    assert!(matches!(&why, StoreError::Busy(text) if text.contains("another huntsman")), "{why}");
    let mut reader =
        Reader::open(&backend.path()).await.expect("readers need no lock").expect("it has tables");
    let mut rows = 0;
    let read = reader.rows("SELECT 1 FROM urls", &[], |_, _| {
        rows += 1;
        true
    });
    read.await.unwrap().unwrap();
    assert_eq!(rows, 1);
    let backend = backend.reopened().await;
    assert_eq!(backend.store().open_crawl("t", "{}", at(1)).await.unwrap().epoch, 2);
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    for path in ["file/t.db", "file/deeper/t.db", "folder"] {
        let why = SqliteStore::open(&folder.path().join(path)).await.expect_err("refused");
        assert!(matches!(why, StoreError::Unavailable(_)), "{path}: {why}");
    }
    let missing = folder.path().join("missing.db");
    assert!(matches!(Reader::open(&missing).await, Err(StoreError::Unusable(_))));
    assert!(!missing.exists(), "reading makes no file");
}

#[tokio::test]
async fn an_empty_file_and_a_missing_folder_become_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.db");
    fs::write(&empty, "").unwrap();
    for path in [empty, folder.path().join("a/b/t.db")] {
        let store = SqliteStore::open(&path).await.unwrap();
        crawl(&store, "t", &["http://h/"]).await;
        store.close().await.unwrap();
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        assert!(!Path::new(&log).exists(), "closed, the file stands alone");
        assert_eq!(SqliteStore::open(&path).await.unwrap().crawl_names().await.unwrap(), ["t"]);
    }
}

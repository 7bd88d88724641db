//! Databases that are no store of ours, or not now: refused with the class that says what can be done.

use super::backends::Backend;
use super::made::{crawl, entry, seed, stored};
use super::postgres::Postgres;
use crate::servers::disk::{self, SmallDisk};
use crate::servers::postgres::{Server, shared};
use huntsman::store::postgres::PostgresStore;
use huntsman::store::{Store, StoreError};
use sqlx::Executor;
use std::time::Duration;

/// Opens a database and answers with the error.
async fn refused(url: &str) -> StoreError {
    PostgresStore::open(url).await.expect_err("refused")
}

#[track_caller]
fn says(why: &StoreError, class: fn(String) -> StoreError, words: &[&str]) {
    let text = why.to_string();
    let same = std::mem::discriminant(&class(String::new())) == std::mem::discriminant(why);
    assert!(same && words.iter().all(|word| text.contains(word)), "{why:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_at_once_make_the_tables_once() {
    let server = shared().await;
    let url = server.url(&server.new_database("").await);
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let url = url.clone();
        tasks.push(tokio::spawn(async move { PostgresStore::open(&url).await.map(drop) }));
    }
    for task in tasks {
        task.await.unwrap().expect("opened");
    }
    crawl(&PostgresStore::open(&url).await.unwrap(), "t", &["http://h/"]).await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_unusable() {
    let backend = Postgres::new().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 SELECT 9999, 'newer', true, checksum, 0 FROM _sqlx_migrations LIMIT 1";
    backend.execute(newer).await;
    says(&refused(&backend.url()).await, StoreError::Unusable, &["newer huntsman"]);
}

#[tokio::test]
async fn tables_that_somebody_else_made_or_changed_are_unusable() {
    let backend = Postgres::new().await;
    backend.execute(r"UPDATE _sqlx_migrations SET checksum = '\x00' WHERE version = 1").await;
    says(&refused(&backend.url()).await, StoreError::Unusable, &["cannot be updated"]);

    let server = shared().await;
    let database = server.new_database("").await;
    server.connect(&database).await.execute("CREATE TABLE pages (x integer)").await.unwrap();
    let why = refused(&server.url(&database)).await;
    says(&why, StoreError::Unusable, &["not those of huntsman", "database of its own"]);
}

#[tokio::test]
async fn a_database_that_is_not_utf8_or_not_there_is_unusable() {
    let server = shared().await;
    let ascii = "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
    let ascii = server.new_database(ascii).await;
    says(&refused(&server.url(&ascii)).await, StoreError::Unusable, &["SQL_ASCII", "createdb"]);
    says(&refused(&server.url("missing")).await, StoreError::Unusable, &["missing", "createdb"]);
    let why = refused("postgres://u@[half/x").await;
    assert!(matches!(why, StoreError::Unusable(_)), "{why}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable_and_its_password_is_not_told() {
    let why = refused("postgres://u:s3cret@127.0.0.1:1/x").await;
    says(&why, StoreError::Unavailable, &["postgres://u@127.0.0.1:1/x", "cannot be reached"]);
    assert!(!why.to_string().contains("s3cret"));
    let backend = Postgres::new().await;
    assert!(!format!("{:?}", backend.as_postgres()).contains("options"));
}

#[tokio::test]
async fn a_database_that_is_read_only_is_unavailable_until_it_is_not() {
    let backend = Postgres::new().await;
    let (id, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let setting = |value: &str| {
        format!(
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = {value}', current_database()); END $$"
        )
    };
    backend.execute(&setting("on")).await;
    let other = backend.another_unmigrated();
    says(&other.await, StoreError::Unavailable, &["read-only"]);
    let backend = backend.with_new_connections().await;
    let batch = [entry(stored(&urls[0]))];
    says(&backend.store().commit(&batch).await.unwrap_err(), StoreError::Unavailable, &["read-only"]);
    let why = backend.store().accept(id, vec![seed("http://h/a")], super::made::at(1)).await.unwrap_err();
    says(&why, StoreError::Unavailable, &["read-only"]);
    assert_eq!(backend.store().tally(id).await.unwrap().open, 1, "it can be read");
    backend.execute(&format!("SET default_transaction_read_only = off; {}", setting("off"))).await;
    assert!(backend.store().commit(&batch).await.unwrap()[0].stored, "it goes on without being opened anew");
}

#[tokio::test]
async fn a_server_without_room_for_a_connection_is_unavailable() {
    let backend = Postgres::new().await;
    let role = format!("few_{}", std::process::id());
    backend.execute(&format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 1 SUPERUSER")).await;
    backend.execute(&format!("ALTER ROLE {role} NOSUPERUSER")).await;
    for what in ["SCHEMA public", "ALL TABLES IN SCHEMA public", "ALL SEQUENCES IN SCHEMA public"] {
        backend.execute(&format!("GRANT ALL ON {what} TO {role}")).await;
    }
    let url = backend.url().replace("huntsman@", &format!("{role}@"));
    let store = PostgresStore::open(&url).await.unwrap();
    // The server still counts the connection that made the tables, for as long as its process takes to end.
    let holds_it = async {
        while store.paces().await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), holds_it).await.expect("the one connection is free");
    let why = PostgresStore::open(&url).await.unwrap_err();
    says(&why, StoreError::Unavailable, &["no more connections"]);
}

/// A server on a file system of 100 MiB that fills up, and is given room again.
#[tokio::test]
async fn a_full_disk_is_unavailable_until_there_is_room() {
    let Some(disk) = SmallDisk::mount("100m") else {
        println!("not tested here: a small file system needs the right to mount one");
        return;
    };
    let settings = ["shared_buffers=1MB", "wal_level=minimal", "max_wal_senders=0", "max_wal_size=32MB"];
    let server = std::sync::Arc::new(Server::made_in(disk.folder().join("pg"), &settings));
    server.run().await;
    let backend = Postgres::on(std::sync::Arc::clone(&server)).await;
    let (_, urls) = crawl(backend.store(), "t", &["http://h/"]).await;
    let ballast = disk.folder().join("ballast");
    disk::fill(&ballast);
    let mut page = super::made::page("t");
    let numbers: Vec<String> = (0..400_000).map(|n| format!("{n:x}")).collect();
    page.page.text = Some(numbers.join(" "));
    let outcome = huntsman::crawl::report::Outcome::Stored(Box::new(page));
    let batch = [entry(huntsman::crawl::report::Report { outcome, ..stored(&urls[0]) })];
    let why = backend.store().commit(&batch).await.expect_err("the disk is full");
    says(&why, StoreError::Unavailable, &["the disk of the database is full"]);
    std::fs::remove_file(&ballast).unwrap();
    assert!(backend.store().commit(&batch).await.unwrap()[0].stored, "the same batch goes through later");
}

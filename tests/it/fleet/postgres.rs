//! A Postgres that is restarted, full, slow or at odds with itself.

use super::faults::held;
use super::form;
use super::installation::{Installation, Plan};
use crate::servers::disk::{self, SmallDisk};
use sqlx::{Connection, Executor, PgConnection};
use std::time::Duration;

/// F12: smart, fast and immediate restarts, and connections that are ended from outside, in the middle of batches.
#[test]
fn a_postgres_that_is_restarted_in_the_middle_of_batches_loses_nothing() {
    let installation = Installation::start(Plan { pages: 60, own_postgres: true, ..Plan::default() });
    let mut crew = installation.crew(2, 2);
    installation.wait_for_share(10);
    for (number, signal) in ["INT", "QUIT", "TERM", "INT"].into_iter().enumerate() {
        let server = installation.server();
        server.signal(signal);
        std::thread::sleep(Duration::from_millis(300));
        if signal == "TERM" {
            // A smart shutdown waits for every client to leave, which none of ours does.
            server.signal("INT");
        }
        installation.runtime.block_on(server.restart_when_ended());
        let then = installation.pages();
        installation.wait("pages after a restart", Duration::from_secs(30), || {
            installation.pages() > then || installation.pages() == installation.web.truth.len() as i64
        });
        crew.assert_all_run();
        if number == 1 {
            for _ in 0..5 {
                installation.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE application_name = 'huntsman' AND pid <> pg_backend_pid()",
                );
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(0);
    crew.end();
    let name = "a_postgres_that_is_restarted_in_the_middle_of_batches_loses_nothing";
    held("F12", name, &format!("four restarts, five times all connections ended; {verdict}"));
}

/// F14: the disk of the database is full, then has room again.
#[test]
fn a_postgres_whose_disk_is_full_is_waited_for_and_drops_nothing() {
    let small = SmallDisk::mount("140m").expect("the right to mount a file system: run the tests as root");
    let folder = small.folder().join("pg");
    let plan = Plan {
        pages: 60,
        page_size: 64,
        own_postgres: true,
        postgres_folder: Some(folder),
        ..Plan::default()
    };
    let installation = Installation::start(plan);
    let mut crew = installation.crew(2, 1);
    installation.wait_for_share(5);
    let ballast = small.folder().join("ballast");
    disk::fill(&ballast);
    let full = || crew.storages[0].said().contains("disk of the database is full");
    installation.wait("word of the full disk", Duration::from_secs(60), full);
    std::thread::sleep(Duration::from_secs(form::of(3, 60)));
    crew.assert_all_run();
    std::fs::remove_file(&ballast).unwrap();
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(0);
    crew.end();
    held("F14", "a_postgres_whose_disk_is_full_is_waited_for_and_drops_nothing", &verdict.to_string());
}

/// F15: transactions that the database refuses since another one came first.
#[test]
fn storage_stages_that_get_into_each_others_way_try_again() {
    let installation = Installation::start(Plan { own_postgres: true, ..Plan::default() });
    // Far stricter than what we ask for, so that stages collide at all.
    let name = installation.texts("SELECT current_database()::text").remove(0);
    installation
        .execute(&format!("ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'"));
    let crew = installation.crew(2, 4);
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(0);
    let failed = "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    let failed = installation.number(failed).unwrap();
    let serious = installation.logs().matches("40001").count();
    crew.end();
    let seen = format!("{failed} transactions rolled back, {serious} of them said; {verdict}");
    held("F15", "storage_stages_that_get_into_each_others_way_try_again", &seen);
}

/// F17: somebody holds a lock on the tables.
#[test]
fn tables_that_are_locked_are_waited_for_and_status_answers_meanwhile() {
    let installation = Installation::start(Plan::default());
    let crew = installation.crew(2, 1);
    installation.wait_for_share(20);
    let span = Duration::from_secs(form::of(5, 60));
    let (before, status) = installation.runtime.block_on(async {
        let mut lock = PgConnection::connect(&installation.store).await.unwrap();
        lock.execute("BEGIN").await.unwrap();
        lock.execute("LOCK TABLE urls, pages, hosts IN EXCLUSIVE MODE").await.unwrap();
        let before: i64 =
            sqlx::query_scalar("SELECT count(*) FROM pages").fetch_one(&mut lock).await.unwrap();
        let status =
            crate::program::run(installation.folder.path(), &["status", "--store", &installation.store]);
        tokio::time::sleep(span).await;
        let after: i64 = sqlx::query_scalar("SELECT count(*) FROM pages").fetch_one(&mut lock).await.unwrap();
        assert_eq!(before, after, "the lock holds");
        lock.execute("COMMIT").await.unwrap();
        (before, status)
    });
    assert!(status.status.success(), "{}", crate::program::said(&status));
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(0);
    crew.end();
    let name = "tables_that_are_locked_are_waited_for_and_status_answers_meanwhile";
    held("F17", name, &format!("locked for {span:?} at {before} pages; {verdict}"));
}

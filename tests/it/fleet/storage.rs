//! Storage stages that die between two steps, or stand still.

use super::Weather;
use super::faults::held;
use super::form;
use super::installation::{Installation, Plan};
use sqlx::{Connection, Executor, PgConnection};
use std::time::Duration;

/// F02: SIGKILL after the commit and before the acknowledgement.
#[test]
fn a_storage_stage_that_dies_between_commit_and_acknowledgement_doubles_nothing() {
    let mut installation = Installation::start(Plan { pages: 20, ..Plan::default() });
    let (line, index) = installation.line_to_redis();
    let mut crew = installation.crew(2, 0);
    let storage = installation.storage_at("cut", &index, &installation.store);
    installation.wait_for_share(20);
    // The stage has asked Redis what it must know and waits in its transaction; then nothing reaches Redis any more.
    let (before, after) = installation.runtime.block_on(async {
        let mut lock = PgConnection::connect(&installation.store).await.unwrap();
        // Each report has a row there, that of a page that failed, too.
        let reports = "SELECT count(*) FROM fetches";
        let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        lock.execute("BEGIN").await.unwrap();
        lock.execute("LOCK TABLE urls IN EXCLUSIVE MODE").await.unwrap();
        let before: i64 = sqlx::query_scalar(reports).fetch_one(&mut lock).await.unwrap();
        while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut lock).await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        line.set(Weather { mute: true, ..Weather::fine() });
        lock.execute("COMMIT").await.unwrap();
        let mut after = before;
        for _ in 0..1_000 {
            after = sqlx::query_scalar(reports).fetch_one(&mut lock).await.unwrap();
            if after > before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (before, after)
    });
    assert!(after > before, "it committed");
    let handed_over = installation.in_hand().handed_over;
    storage.kill();
    crew.storages.push(installation.storage("new"));
    let began = form::now();
    installation.wait("what the dead one had taken", Duration::from_secs(60), || {
        installation.in_hand().handed_over < handed_over.min((after - before) as usize)
            || installation.pages() == installation.web.truth.len() as i64
    });
    let waited = began.elapsed();
    installation.wait_for_the_end();
    let verdict = installation.assert_all_is_well(0);
    crew.end();
    let seen = format!(
        "{} pages were committed and not acknowledged; taken on after {waited:.1?}; {verdict}",
        after - before
    );
    held("F02", "a_storage_stage_that_dies_between_commit_and_acknowledgement_doubles_nothing", &seen);
}

/// F18: every storage stage stands still for many lease times.
#[test]
fn storage_stages_that_stand_still_cost_no_lease_and_no_page() {
    let span = Duration::from_secs(form::of(6, 300));
    let pages = form::of(60, 1_500);
    let installation = Installation::start(Plan { pages, ..Plan::default() });
    let mut crew = installation.crew(2, 2);
    installation.wait_for_share(10);
    crew.storages.iter().for_each(super::process::Role::freeze);
    let before = installation.requests().len();
    std::thread::sleep(span);
    let (meanwhile, waiting) = (installation.requests().len() - before, installation.in_hand().handed_over);
    crew.storages.iter().for_each(super::process::Role::thaw);
    crew.assert_all_run();
    installation.wait_for_the_end_within(Duration::from_secs(form::of(90, 600)));
    let verdict = installation.assert_all_is_well(0);
    crew.end();
    assert!(waiting <= 16_384, "more reports than the stream may hold: {waiting}");
    let seen = format!("{span:?}: {meanwhile} requests meanwhile, {waiting} reports waited; {verdict}");
    held("F18", "storage_stages_that_stand_still_cost_no_lease_and_no_page", &seen);
}

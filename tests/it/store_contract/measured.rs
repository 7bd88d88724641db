//! What a page costs in each store: CPU of this process and of the server, and that each page is there in the end. To see
//! the figures: `cargo test --test it measured -- --nocapture`.

use super::backends::{Backend, Sqlite};
use super::made::{at, crawl, entry, found, page, seed, stored};
use super::postgres::Postgres;
use crate::servers::cpu;
use crate::servers::postgres::Server;
use huntsman::crawl::report::{Entry, Found, Outcome, Report};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PAGES: usize = 1_024;
const BATCH: usize = 256;
const LINKS: usize = 62;

/// Reports on `PAGES` pages, each with `LINKS` links kept, of which the first `new` are new URLs.
fn reports(queued: &[huntsman::crawl::lease::Queued], new: usize) -> Vec<Vec<Entry>> {
    let report = |(n, url): (usize, &huntsman::crawl::lease::Queued)| {
        let link = |k: usize| format!("/section/{n}/an-article-with-a-name-of-its-own-{k}.html");
        let packed: Vec<String> = (0..LINKS)
            .map(|k| format!(r#"["{}","The anchor of link number {k}","","a"]"#, link(k)))
            .collect();
        let mut page = page(&format!("The title of page number {n}"));
        page.links = Some(format!(r#"[["http://h"],{}]"#, packed.join(",")));
        let found: Vec<Found> = (0..new).map(|k| found(&format!("http://h{}", link(k)))).collect();
        entry(Report { found, outcome: Outcome::Stored(Box::new(page)), ..stored(url) })
    };
    let mut entries = queued.iter().enumerate().map(report);
    std::iter::from_fn(|| Some(entries.by_ref().take(BATCH).collect::<Vec<_>>()))
        .take_while(|batch| !batch.is_empty())
        .collect()
}

async fn measure<B: Backend>(name: &str, backend: &B, new: usize, processes: impl Fn() -> Vec<String>) {
    let store = backend.store();
    let crawl = store.open_crawl("m", r#"{"traps":"follow"}"#, at(0)).await.unwrap().id;
    let seeds = (0..PAGES).map(|n| seed(&format!("http://h/seed/{n}"))).collect();
    let queued = store.accept(crawl, seeds, at(0)).await.unwrap();
    let batches = reports(&queued, new);
    let servers = || processes().iter().map(cpu).sum::<f64>();
    let (ours, theirs) = (cpu("self"), servers());
    #[expect(clippy::disallowed_methods, reason = "a measurement of real time")]
    let began = Instant::now();
    for batch in &batches {
        store.commit(batch).await.unwrap();
    }
    let took: Duration = began.elapsed();
    let tally = store.tally(crawl).await.unwrap();
    assert_eq!((tally.stored, tally.open), (PAGES as u64, (PAGES * new) as u64));
    let (ours, theirs) = (cpu("self") - ours, servers() - theirs);
    let micros = |seconds: f64| seconds * 1e6 / PAGES as f64;
    println!(
        "{name}, {LINKS} links, {new} new: {:.0} us of CPU a page ({:.0} here, {:.0} in the server), {:.0} pages a second",
        micros(ours + theirs),
        micros(ours),
        micros(theirs),
        PAGES as f64 / took.as_secs_f64()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_of_many_batches_is_stored_and_what_that_costs_is_printed() {
    for new in [1, LINKS] {
        let sqlite = Sqlite::new().await;
        measure("SQLite", &sqlite, new, Vec::new).await;
        let server = Arc::new(Server::start(&["fsync=on", "shared_buffers=256MB"]).await);
        let postgres = Postgres::on(Arc::clone(&server)).await;
        measure("Postgres", &postgres, new, || server.processes()).await;
    }
}

/// Statements are planned once, when the tables are empty and nobody has counted them: what a batch asks for must be looked up by
/// its key all the same, however many URLs are open later.
#[tokio::test]
async fn a_batch_reads_its_own_rows_also_where_it_was_planned_for_empty_tables() {
    const OPEN: usize = 2_000;
    let backend = Postgres::new().await;
    let (crawl, first) = crawl(backend.store(), "t", &["http://h/"]).await;
    backend.store().commit(&[entry(stored(&first[0]))]).await.unwrap();
    let seeds = (0..OPEN).map(|n| seed(&format!("http://h/{n}"))).collect();
    let queued = backend.store().accept(crawl, seeds, at(0)).await.unwrap();
    for urls in queued.chunks(20).take(10) {
        let batch: Vec<Entry> = urls.iter().map(|url| entry(stored(url))).collect();
        backend.store().commit(&batch).await.unwrap();
    }
    // A connection tells what it has read at its end at the latest.
    let backend = backend.with_new_connections().await;
    let read =
        || backend.number("SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'urls_key'");
    let told = async {
        while read().await < 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), told).await.expect("it says what was read by key");
    let open = backend
        .number("SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'urls_open'")
        .await;
    assert!(open < OPEN as i64, "200 URLs were looked for among all that are open: {open} entries read");
}

//! Several processes on one database, and a database that dies under them: nothing lost, nothing twice.

use super::backends::{Backend, SqlBackend};
use super::made::{at, crawl, entry, failed, linking, page, seed, stored};
use super::postgres::Postgres;
use crate::rng::Rng;
use crate::servers::postgres::Server;
use huntsman::crawl::lease::Queued;
use huntsman::crawl::report::{Entry, Outcome, Report};
use huntsman::store::postgres::PostgresStore;
use huntsman::store::{CrawlState, Crawls, Fence, Leadership, Store, StoreError};
use huntsman::wiring::lead::Lead;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

fn urls(most: usize) -> Vec<String> {
    (0..most).map(|n| format!("http://h/{n}")).collect()
}

async fn many(store: &dyn Store, most: usize) -> Vec<Queued> {
    let seeds = urls(most);
    crawl(store, "t", &seeds.iter().map(String::as_str).collect::<Vec<_>>()).await.1
}

/// Reports on all URLs, each with links to others of them and to new ones, in an order of its own.
fn batches(rng: &mut Rng, queued: &[Queued], size: usize) -> Vec<Vec<Entry>> {
    let mut order: Vec<&Queued> = queued.iter().collect();
    for at in (1..order.len()).rev() {
        order.swap(at, rng.range(0..at as u64 + 1) as usize);
    }
    let report = |rng: &mut Rng, url: &Queued| {
        let links: Vec<String> = (0..10).map(|_| format!("http://h/{}", rng.range(0..2_000))).collect();
        entry(linking(url, &links.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    order.chunks(size).map(|urls| urls.iter().map(|url| report(rng, url)).collect()).collect()
}

/// Four processes are given the same reports in different orders, with links that cross: the worst that repeated
/// deliveries can do.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_commit_the_same_reports_store_each_page_once() {
    let backend = Postgres::new().await;
    let queued = Arc::new(many(backend.store(), 400).await);
    let mut tasks = Vec::new();
    for number in 0..4 {
        let (store, queued) = (backend.another().await, Arc::clone(&queued));
        tasks.push(tokio::spawn(async move {
            let (mut effective, mut admitted) = (0, Vec::new());
            for batch in batches(&mut Rng::new(number), &queued, 40) {
                for one in store.commit(&batch).await.expect("no deadlock reaches us") {
                    effective += usize::from(one.effective);
                    admitted.extend(one.admitted.into_iter().map(|url| url.url));
                }
            }
            (effective, admitted)
        }));
    }
    let (mut effective, mut admitted) = (0, Vec::new());
    for task in tasks {
        let (more, new) = task.await.unwrap();
        effective += more;
        admitted.extend(new);
    }
    assert_eq!(effective, 400, "each visit closed its row once, in one of the processes");
    let contents = backend.contents().await;
    assert_eq!(contents.pages.len(), 400);
    assert_eq!(contents.fetches.len(), 400, "the same request, told four times");
    let distinct: HashSet<&String> = admitted.iter().collect();
    assert_eq!(distinct.len(), admitted.len(), "each new URL is answered to one process");
    assert_eq!(contents.urls.len(), 400 + admitted.len(), "and every new row to somebody");
    let deadlocks = "SELECT deadlocks::text FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(backend.texts(deadlocks).await, [Some("0".to_owned())], "nobody waited in a circle");
}

/// Commits a batch until the database takes it, as the storage stage does.
async fn stubbornly(store: &PostgresStore, batch: &[Entry]) {
    loop {
        match store.commit(batch).await {
            Ok(_) => return,
            Err(StoreError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(why) => panic!("{why}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_in_the_middle_of_commits_loses_nothing_and_doubles_nothing() {
    const DEATHS: u32 = 5;
    let server = Arc::new(Server::start(&[]).await);
    let backend = Postgres::on(Arc::clone(&server)).await;
    let queued = Arc::new(many(backend.store(), 300).await);
    let mut tasks = Vec::new();
    for number in 0..2 {
        let (store, queued) = (backend.another().await, Arc::clone(&queued));
        tasks.push(tokio::spawn(async move {
            let mut rng = Rng::new(number + 10);
            // The same reports again and again, so that there is always a commit to be killed.
            loop {
                for batch in batches(&mut rng, &queued, 10) {
                    stubbornly(&store, &batch).await;
                }
                if rng.chance(30) {
                    return;
                }
            }
        }));
    }
    let mut rng = Rng::new(3);
    for _ in 0..DEATHS {
        tokio::time::sleep(Duration::from_millis(rng.range(20..300))).await;
        server.kill();
        server.run().await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    backend.reconnect().await;
    let contents = backend.contents().await;
    assert_eq!(contents.pages.len(), 300, "each page once");
    let closed = contents.urls.iter().filter(|row| row.state == "stored").count();
    assert_eq!(closed, 300, "a row is closed where its page is, and only there");
    let distinct: HashSet<&String> = contents.urls.iter().map(|row| &row.url).collect();
    assert_eq!(distinct.len(), contents.urls.len());
    let open = backend.store().tally(queued[0].crawl).await.unwrap();
    assert_eq!(open.open + 300, contents.urls.len() as u64);
}

#[tokio::test]
async fn an_entry_that_the_database_refuses_is_given_up_with_the_evidence_and_the_rest_is_stored() {
    let backend = Postgres::new().await;
    let queued = many(backend.store(), 60).await;
    backend.execute("ALTER TABLE pages ADD CONSTRAINT no_poison CHECK (title <> 'poison')").await;
    backend.execute("ALTER TABLE urls ADD CONSTRAINT no_venom CHECK (url NOT LIKE '%venom%')").await;
    let mut batch = Vec::new();
    for (n, url) in queued.iter().enumerate() {
        let link = format!("http://h/new/{n}");
        let report = match n {
            7 | 8 | 59 => {
                let outcome = Outcome::Stored(Box::new(page("poison")));
                Report { outcome, ..linking(url, &[&link]) }
            }
            30 => linking(url, &[&link, "http://h/venom"]),
            _ => linking(url, &[&link]),
        };
        batch.push(entry(report));
    }
    let committed = backend.store().commit(&batch).await.unwrap();
    let silent: Vec<usize> = (0..60).filter(|n| !committed[*n].effective).collect();
    assert_eq!(silent, [30], "what it found has no rows, and must not be taken for seen");
    assert_eq!(committed.iter().filter(|one| one.stored).count(), 56);
    let contents = backend.contents().await;
    assert_eq!((contents.pages.len(), contents.dead_letters.len()), (56, 4));
    for letter in &contents.dead_letters {
        assert_eq!(letter.reason, "store-refused");
        let detail = letter.detail.as_ref().unwrap();
        assert!(detail.contains("no_poison") || detail.contains("no_venom"), "{detail}");
    }
    assert_eq!(contents.url(1, "http://h/7").state, "failed");
    assert_eq!(contents.url(1, "http://h/new/7").state, "open", "its links are kept");
    assert!(contents.urls.iter().all(|row| row.url != "http://h/new/30"), "unless they are to blame");
    assert_eq!(contents.urls.len(), 60 + 59);
}

#[tokio::test]
async fn leadership_changes_hands_when_it_expires_and_a_stale_fence_draws_no_epoch() {
    const SPAN: Duration = Duration::from_millis(400);
    let backend = Postgres::new().await;
    let (one, two) = (backend.as_postgres(), backend.another().await);
    let first = one.lead("one", SPAN).await.unwrap().expect("nobody leads");
    assert_eq!(one.draw_epoch(first).await.unwrap(), Some(1));
    assert_eq!(two.lead("two", SPAN).await.unwrap(), None, "another leads");
    tokio::time::sleep(SPAN / 2).await;
    assert_eq!(one.lead("one", SPAN).await.unwrap(), Some(first), "renewed under the same fence");
    tokio::time::sleep(SPAN / 2).await;
    assert_eq!(two.lead("two", SPAN).await.unwrap(), None, "the span began anew");
    assert_eq!(two.draw_epoch(Fence(first.0 + 1)).await.unwrap(), None, "a fence that nobody holds");
    tokio::time::sleep(SPAN).await;
    assert_eq!(one.draw_epoch(first).await.unwrap(), None, "its span is over");

    let second = two.lead("two", SPAN).await.unwrap().expect("expired");
    assert!(second > first);
    assert_eq!(one.draw_epoch(first).await.unwrap(), None, "stale");
    one.resign(first).await.unwrap();
    assert_eq!(one.lead("one", SPAN).await.unwrap(), None, "a stale fence resigns from nothing");
    assert_eq!(two.draw_epoch(second).await.unwrap(), Some(2), "greater than all before");
    two.resign(second).await.unwrap();
    let third = one.lead("one", SPAN).await.unwrap().expect("at once");
    assert!(third > second);
    assert_eq!(two.draw_epoch(second).await.unwrap(), None, "resigned");
    tokio::time::sleep(SPAN + SPAN / 4).await;
    let fourth = one.lead("one", SPAN).await.unwrap().expect("expired");
    assert!(fourth > third, "who lost it and takes it again is another leader");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_want_to_lead_one_does() {
    let backend = Postgres::new().await;
    let mut tasks = Vec::new();
    for number in 0..8 {
        let store = backend.another().await;
        tasks.push(tokio::spawn(async move {
            store.lead(&format!("p{number}"), Duration::from_secs(60)).await.unwrap()
        }));
    }
    let mut leaders = 0;
    for task in tasks {
        leaders += usize::from(task.await.unwrap().is_some());
    }
    assert_eq!(leaders, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_keeps_its_leadership_until_it_resigns_or_another_leads() {
    let backend = Postgres::new().await;
    let store: Arc<dyn Leadership> = Arc::new(backend.another().await);
    let lead =
        Lead::take(Arc::clone(&store), "test", "a database", || panic!("nobody to wait for")).await.unwrap();
    assert_eq!(store.draw_epoch(lead.fence()).await.unwrap(), Some(1));
    let fence = lead.fence();
    let waited = Arc::new(AtomicBool::new(false));
    let (told, next) = (Arc::clone(&waited), Arc::clone(&store));
    let next = tokio::spawn(async move {
        Lead::take(next, "test", "a database", || told.store(true, Ordering::Relaxed)).await.unwrap()
    });
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(waited.load(Ordering::Relaxed) && !next.is_finished(), "it waits, and says so");
    lead.resign().await.unwrap();
    let next = next.await.unwrap();
    assert!(next.fence() > fence);

    let lost = next.lost();
    assert!(!lost.is_cancelled());
    backend.execute("UPDATE leadership SET holder = 'another', fence = fence + 1").await;
    tokio::time::timeout(Duration::from_secs(10), lost.cancelled()).await.expect("it hears of it");
}

#[tokio::test]
async fn a_crawl_is_finished_only_where_nothing_is_open() {
    let backend = Postgres::new().await;
    let store = backend.as_postgres();
    let (one, urls) = crawl(store, "one", &["http://h/", "http://h/a"]).await;
    let (two, _) = crawl(store, "two", &[]).await;
    assert!(!store.finish(one, Duration::from_secs(1), at(5)).await.unwrap());
    assert_eq!(backend.contents().await.crawls[0].state, "running", "nothing changed");
    store.commit(&[entry(stored(&urls[0])), entry(failed(&urls[1]))]).await.unwrap();
    assert!(store.finish(one, Duration::from_secs(1), at(5)).await.unwrap());
    let rows = store.crawls().await.unwrap();
    let states: Vec<_> = rows.iter().map(|row| (&*row.name, row.state)).collect();
    assert_eq!(states, [("one", CrawlState::Finished), ("two", CrawlState::Running)]);
    assert_eq!(store.crawl("one").await.unwrap().unwrap().ran, Duration::from_secs(1));
    assert_eq!(store.crawl("three").await.unwrap(), None);
    store.change_settings(two, r#"{"depth":"3"}"#).await.unwrap();
    assert_eq!(store.crawl("two").await.unwrap().unwrap().settings, r#"{"depth":"3"}"#);
    assert_eq!(store.crawl("one").await.unwrap().unwrap().settings, r#"{"traps":"follow"}"#);
}

/// Seeds that come while the crawl is being finished come before it or after it, never into a finished crawl.
#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_that_gets_seeds_while_it_is_finished_does_not_stay_finished() {
    let backend = Postgres::new().await;
    let (id, _) = crawl(backend.store(), "t", &[]).await;
    for round in 0..30 {
        let (finisher, seeder) = (backend.another().await, backend.another().await);
        let finishing = tokio::spawn(async move { finisher.finish(id, Duration::ZERO, at(5)).await });
        let url = format!("http://h/{round}");
        let seeding = tokio::spawn(async move { seeder.accept(id, vec![seed(&url)], at(6)).await });
        finishing.await.unwrap().unwrap();
        let new = seeding.await.unwrap().unwrap();
        let state = backend.as_postgres().crawl("t").await.unwrap().unwrap().state;
        assert_eq!(state, CrawlState::Running, "round {round}: it has an open URL");
        backend.store().commit(&[entry(stored(&new[0]))]).await.unwrap();
    }
}

//! Random traces, given to the model and to each store: after each batch every answer and all that is stored must be
//! equal. A failure prints the seed of its trace.

use super::backends::{Backend, Sqlite};
use super::made::{entry, found, noted, page, seed, skipped};
use super::postgres::Postgres;
use crate::model_store::ModelStore;
use crate::rng::Rng;
use huntsman::crawl::host::HostKey;
use huntsman::crawl::lease::{CrawlId, Origin, Pace, Queued, Token};
use huntsman::crawl::report::{Entry, Fetched, Found, Note, Outcome, Report, RobotsNote, Skipped};
use huntsman::crawl::scope::ScopeKind;
use huntsman::crawl::sitemap::Sitemap;
use huntsman::crawl::time::Timestamp;
use huntsman::crawl::traps::Rule;
use huntsman::crawl::visit::{Remark, Remarks};
use huntsman::store::{CrawlState, Store, WhichParked};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;

/// Traces given to `SQLite`, and to Postgres, where each step is a few round trips to another process.
const TRACES: u64 = 300;
const POSTGRES_TRACES: u64 = 40;
const BATCHES: u64 = 40;
const HOSTS: [&str; 5] = ["h", "i:81", "j", "a.example.org", "b.example.org"];
const SMALL: &str = r#"{"host_pages":"4","host_urls":"3","domain_urls":"2","domain_hosts":"1"}"#;
const CRAWLS: [CrawlId; 2] = [CrawlId(1), CrawlId(2)];

#[test]
fn the_model_and_sqlite_answer_and_keep_the_same() {
    all_traces::<Sqlite>(TRACES);
}

#[test]
fn the_model_and_postgres_answer_and_keep_the_same() {
    all_traces::<Postgres>(POSTGRES_TRACES);
}

fn all_traces<B: Backend>(traces: u64) {
    let failed = &Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for worker in 0..2 {
            scope.spawn(move || {
                for number in (worker..traces).step_by(2) {
                    if let Err(why) = catch_unwind(AssertUnwindSafe(|| trace::<B>(number))) {
                        let text = why.downcast_ref::<String>().cloned();
                        let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                        failed.lock().unwrap().push((number, text.unwrap_or_default()));
                    }
                }
            });
        }
    });
    let failed = failed.lock().unwrap();
    println!("traces: seeds 0..{traces} of {BATCHES} batches, {} failed", failed.len());
    assert!(failed.is_empty(), "failing traces: {:#?}", &failed[..failed.len().min(3)]);
}

fn trace<B: Backend>(number: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut rng = Rng::new(number ^ 0x0057_04e5);
        let model = ModelStore::default();
        let mut backend = B::quick().await;
        // The second has budgets that are soon used up.
        for (name, settings) in [("one", "one"), ("two", SMALL)] {
            same(
                "open_crawl",
                &model.open_crawl(name, settings, when(&mut rng)).await,
                &backend.store().open_crawl(name, settings, Timestamp::EPOCH).await,
            );
        }
        for batch in 0..BATCHES {
            step(&mut rng, &model, backend.store(), batch).await;
            ask(&mut rng, &model, backend.store()).await;
            let expected = model.contents().with_texts(B::kept);
            let difference = expected.difference(&backend.contents().await);
            assert_eq!(difference, None, "after batch {batch}, the model and the store");
            if rng.chance(2) {
                backend = backend.reopened().await;
            }
        }
    });
}

fn same<T: std::fmt::Debug, E: std::fmt::Debug>(question: &str, model: &Result<T, E>, store: &Result<T, E>) {
    assert_eq!(format!("{model:?}"), format!("{store:?}"), "{question}: the model and the store");
}

/// One thing that somebody does with a store.
async fn step(rng: &mut Rng, model: &ModelStore, store: &dyn Store, batch: u64) {
    let crawl = rng.pick(&CRAWLS);
    let at = when(rng);
    match rng.range(0..20) {
        _ if batch == 0 => accept(rng, model, store, crawl).await,
        0..2 => accept(rng, model, store, crawl).await,
        2 => {
            let (state, ran) = (rng.pick(&CrawlState::ALL), Duration::from_millis(rng.range(0..5_000)));
            let told = model.set_state(crawl, state, ran, at).await;
            same("set_state", &told, &store.set_state(crawl, state, ran, at).await);
        }
        3 => {
            let name = rng.pick(&["one", "two"]);
            same("open_crawl", &model.open_crawl(name, "", at).await, &store.open_crawl(name, "", at).await);
        }
        4 => release(rng, model, store, crawl).await,
        _ => {
            let entries = rng.range(1..9);
            let batch: Vec<_> = (0..entries).map(|_| random_entry(rng, model)).collect();
            same("commit", &model.commit(&batch).await, &store.commit(&batch).await);
        }
    }
}

async fn accept(rng: &mut Rng, model: &ModelStore, store: &dyn Store, crawl: CrawlId) {
    let at = when(rng);
    let seeds: Vec<_> =
        (0..rng.range(0..6)).map(|_| Found { origin: origin(rng), ..seed(&url(rng)) }).collect();
    let told = model.accept(crawl, seeds.clone(), at).await;
    same("accept", &told, &store.accept(crawl, seeds, at).await);
}

async fn release(rng: &mut Rng, model: &ModelStore, store: &dyn Store, crawl: CrawlId) {
    let at = when(rng);
    let which = WhichParked {
        rule: rng.chance(40).then(|| rng.pick(&Rule::ALL)),
        host: rng.chance(30).then(|| HostKey::from_stored(rng.pick(&HOSTS))),
        key: rng.chance(20).then(|| found(&url(rng)).key),
    };
    let most = rng.range(1..6) as usize;
    let told = model.release(crawl, &which, most, at).await;
    same("release", &told, &store.release(crawl, &which, most, at).await);
}

/// Every question of the port, about one of the crawls, at times one that is not there.
async fn ask(rng: &mut Rng, model: &ModelStore, store: &dyn Store) {
    let crawl = rng.pick(&[CrawlId(1), CrawlId(1), CrawlId(2), CrawlId(2), CrawlId(3)]);
    same("tally", &model.tally(crawl).await, &store.tally(crawl).await);
    same("seeds", &model.seeds(crawl).await, &store.seeds(crawl).await);
    let (after, most) = (rng.pick(&["", "h", "i:81", "z"]), rng.range(0..4) as usize);
    let told = model.open_hosts(crawl, after, most).await;
    same("open_hosts", &told, &store.open_hosts(crawl, after, most).await);
    let most = rng.range(1..8) as usize;
    let host = HostKey::from_stored(rng.pick(&HOSTS));
    let told = model.open_urls(crawl, &host, most).await;
    same("open_urls", &told, &store.open_urls(crawl, &host, most).await);
    let keys: Vec<_> = (0..3).map(|_| found(&url(rng)).key).collect();
    same("known", &model.known(crawl, &keys).await, &store.known(crawl, &keys).await);
    let (mut told, mut kept) = (model.paces().await.unwrap(), store.paces().await.unwrap());
    told.sort_by(|one, other| one.0.cmp(&other.0));
    kept.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(told, kept, "paces: the model and the store");
}

/// A point in time, few enough that some are equal, and not in whole milliseconds.
fn when(rng: &mut Rng) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000 + rng.range(0..40) as i64 * 250)
}

/// One of few URLs, in one of several spellings.
fn url(rng: &mut Rng) -> String {
    let tail = rng.pick(&["", "", "?utm_source=x", "#part"]);
    format!("http://{}/{}{tail}", rng.pick(&HOSTS), rng.range(0..8))
}

fn origin(rng: &mut Rng) -> Origin {
    Origin {
        depth: rng.range(0..4) as u32,
        hops: rng.range(0..3) as u8,
        max_depth: rng.chance(50).then_some(3),
        priority: rng.pick(&[5, 5, 5, 0, 9]),
        seed: rng.chance(30).then_some(ScopeKind::Domain),
        sitemap: rng.chance(10).then(|| rng.pick(&Sitemap::ALL)),
    }
}

fn text(rng: &mut Rng) -> String {
    rng.pick(&["", "a", "it's \"quoted\"", "nul \0 and \u{1f600}", "\u{fffd}"]).to_owned()
}

/// A URL as somebody leased it: mostly as its row stands, else of an earlier attempt, or one that has no row.
fn leased(rng: &mut Rng, model: &ModelStore) -> Queued {
    let tables = model.tables();
    let rows: Vec<&Queued> = tables.urls.values().map(|row| &row.queued).collect();
    let stranger = found(&url(rng));
    let crawl = rng.pick(&CRAWLS);
    if rows.is_empty() || (rng.chance(5) && !tables.urls.contains_key(&(crawl, stranger.key))) {
        let Found { key, url, host, origin } = stranger;
        let due = Timestamp::EPOCH;
        return Queued { crawl, key, url, host, origin, visit: 1, attempt: 1, throttled: 0, due };
    }
    let row = rows[rng.range(0..rows.len() as u64) as usize].clone();
    match rng.range(0..10) {
        0 => Queued { attempt: row.attempt.saturating_sub(1), ..row },
        1 => Queued { attempt: row.attempt + 1, throttled: 0, ..row },
        2 => Queued { throttled: row.throttled + 1, ..row },
        3 => Queued { visit: row.visit + 1, ..row },
        _ => row,
    }
}

fn request(rng: &mut Rng) -> Fetched {
    let mut remarks = Remarks::default();
    remarks.add(Remark::Downgrade, rng.chance(20));
    let status = rng.chance(85).then(|| rng.pick(&[200, 301, 404, 503]));
    Fetched {
        status,
        error: if status.is_none() { Some("connect") } else { None },
        started: when(rng),
        first_byte: None,
        total: Duration::from_micros(rng.range(0..9_000)),
        wire_bytes: rng.range(0..1_000),
        body_bytes: rng.range(0..1_000),
        remarks,
    }
}

fn outcome(rng: &mut Rng) -> Outcome {
    let reason = rng.pick(&["http-404", "connect"]).to_owned();
    match rng.range(0..11) {
        0..4 => {
            let mut page = page(&text(rng));
            page.links = rng.chance(50).then(|| r#"[["http://h"],["/a","","","a"]]"#.to_owned());
            page.page.robots.nofollow = rng.chance(20);
            page.truncated = rng.chance(20).then_some("wire");
            page.page.links_total = rng.range(0..9);
            Outcome::Stored(Box::new(page))
        }
        4 => Outcome::Redirected { to: url(rng) },
        5 => Outcome::Disallowed { rule: text(rng) },
        6 => Outcome::Failed { reason, detail: text(rng) },
        8 => Outcome::Withheld { reason: rng.pick(&["content-signal", "noindex"]), detail: text(rng) },
        7 => Outcome::Read { reason: rng.chance(50).then_some(reason), detail: text(rng) },
        _ => Outcome::Retry { due: when(rng), counts: rng.chance(50), reason, detail: text(rng) },
    }
}

fn random_skip(rng: &mut Rng) -> Skipped {
    let reason = rng.pick(&["depth", "hops", "nofollow", "out-of-scope", "scheme", "far", "deep-path"]);
    let url = url(rng);
    let parked = Rule::from_word(reason).map(|_| Origin { seed: None, sitemap: None, ..origin(rng) });
    Skipped { parked, key: found(&url).key, detail: text(rng).into(), ..skipped(&url, reason) }
}

fn random_entry(rng: &mut Rng, model: &ModelStore) -> Entry {
    if rng.chance(25) {
        return noted(random_note(rng));
    }
    let found = (0..rng.range(0..4)).map(|_| Found { origin: origin(rng), ..found(&url(rng)) }).collect();
    let skipped = (0..rng.range(0..4)).map(|_| random_skip(rng)).collect();
    entry(Report {
        url: leased(rng, model),
        token: Token(rng.range(1..6) as i64),
        fetch: rng.chance(85).then(|| request(rng)),
        outcome: outcome(rng),
        at: when(rng),
        found,
        skipped,
    })
}

fn random_note(rng: &mut Rng) -> Note {
    let host = rng.pick(&HOSTS);
    let robots = rng.chance(50).then(|| RobotsNote {
        url: format!("http://{host}/robots.txt"),
        hop: rng.range(0..3) as u8,
        verdict: rng.pick(&["rules", "allow-all", "unreachable"]),
        detail: rng.pick(&["", "status 503"]).to_owned(),
        fetch: request(rng),
        token: Token(rng.range(1..6) as i64),
    });
    let pace = Pace {
        crawl_delay: rng.chance(40).then(|| Duration::from_micros(rng.range(0..5_000_000))),
        block_until: rng.chance(40).then(|| when(rng)),
        strikes: rng.range(0..3) as u32,
    };
    Note { crawl: rng.pick(&CRAWLS), host: HostKey::from_stored(host), pace, robots, at: when(rng) }
}

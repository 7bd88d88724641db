//! `kill -9` at twenty random moments of a crawl of 5,000 pages, `resume` after each.

use super::{run, said, sql, start, wait_until};
use crate::rng::Rng;
use huntsman::testweb::{RobotsKind, Settings, Testweb};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::time::Duration;

const KILLS: u64 = 20;
const HOSTS: u32 = 50;
const PAGES: u32 = 100;
const DELAY: Duration = Duration::from_millis(40);

#[test]
fn kill_nine_loses_nothing_stores_nothing_twice_and_asks_no_host_too_fast() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings = Settings {
        hosts: HOSTS,
        pages: PAGES,
        page_size: 2_000,
        links: 20,
        robots: RobotsKind::Rules,
        log: true,
        ..Settings::default()
    };
    let web = runtime.block_on(Testweb::start(settings)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("crawls/k.db");
    let seed = web.seeds()[0].clone();
    let seed_number = 20_261_123;
    println!("kill -9: seed {seed_number}");
    let mut rng = Rng::new(seed_number);

    let first = ["crawl", &seed, "--name", "k", "--scope", "any", "--delay", "40ms", "-q"];
    let resume = ["resume", "k", "--delay", "40ms", "-q"];
    let all = u64::from(HOSTS * PAGES);
    let mut in_flight = 0;
    for kill in 0..KILLS {
        let mut process = start(folder.path(), if kill == 0 { &first } else { &resume });
        // A random moment: after so many more requests, anywhere in the first nine tenths of the crawl.
        let target = web.requests() + rng.range(0..2 * all * 9 / 10 / KILLS);
        wait_until("requests", || web.requests() >= target || process.try_wait().unwrap().is_some());
        process.kill().unwrap();
        process.wait().unwrap();
        in_flight += not_committed(&web, &store);
    }
    let last = run(folder.path(), &resume);
    assert_eq!(last.status.code(), Some(0), "{}", said(&last));

    let truth: BTreeSet<String> =
        web.truth().filter(|page| page.reachable && page.status == Some(200)).map(|page| page.url).collect();
    let stored: Vec<String> = sql(&store, "select url from pages");
    let distinct: BTreeSet<String> = stored.iter().cloned().collect();
    assert_eq!(distinct.len(), stored.len(), "no page twice");
    assert_eq!(distinct, truth, "every page that can be reached, and no other");

    let repeats = repeats(&web);
    println!(
        "kill -9: {} pages, {KILLS} kills, {repeats} fetched again, {in_flight} were in flight",
        stored.len()
    );
    assert!(
        repeats <= in_flight,
        "{repeats} pages were fetched again, {in_flight} were in flight at the kills"
    );
    judge_pace(&web);
}

/// Pages that the server has answered and the file does not have: what was leased or handed over at a kill.
fn not_committed(web: &Testweb, store: &Path) -> usize {
    if !store.exists() {
        return fetched(web).len();
    }
    let closed: BTreeSet<String> =
        sql(store, "select url from urls where state <> 'open'").into_iter().collect();
    fetched(web).keys().filter(|url| !closed.contains(*url)).count()
}

fn fetched(web: &Testweb) -> HashMap<String, usize> {
    let mut fetched = HashMap::new();
    for request in web.log().iter().filter(|request| request.path != "/robots.txt") {
        *fetched.entry(format!("http://{}{}", request.host, request.path)).or_default() += 1;
    }
    fetched
}

fn repeats(web: &Testweb) -> usize {
    fetched(web).values().map(|times| times - 1).sum()
}

fn judge_pace(web: &Testweb) {
    let mut last: HashMap<String, Duration> = HashMap::new();
    for request in web.log() {
        if let Some(before) = last.insert(request.host.clone(), request.at) {
            let gap = request.at.saturating_sub(before);
            assert!(gap >= DELAY, "{} was asked after {gap:?}: {}", request.host, request.path);
        }
    }
}

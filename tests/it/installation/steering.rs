//! `add`, `pause`, `resume`, `cancel`: what an operator says counts within a second, at the servers of the web.

use super::{Installation, now};
use crate::program::{run, said, sql, wait_until};
use huntsman::testweb::{Settings, Testweb};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn large() -> Settings {
    Settings {
        hosts: 8,
        pages: 400,
        page_size: 1_000,
        links: 8,
        latency: Duration::from_millis(20),
        ..Settings::default()
    }
}

/// Asserts that nothing is asked for any more, from a second after now on.
fn is_quiet(web: &Testweb) {
    std::thread::sleep(SECOND);
    let before = web.requests();
    std::thread::sleep(SECOND + SECOND / 2);
    assert_eq!(web.requests(), before, "requests more than a second after it was said");
}

#[test]
fn a_pause_and_a_cancellation_count_within_a_second_and_resume_goes_on() {
    let fleet = Installation::new();
    let web = fleet.web(large());
    // No delay: a lease has many URLs, and a pause must not wait for its end.
    let _scheduler = fleet.scheduler(&["seeds.txt", "--name", "t", "--delay", "0s", "--traps", "follow"]);
    let (_node, _storage) = (fleet.node(&[]), fleet.storage());
    wait_until("some pages", || fleet.pages() > 100);
    let told = fleet.does(&["pause"]);
    assert!(told.contains("t is paused") && told.contains("huntsman resume t --frontier"), "{told}");
    is_quiet(&web);
    assert!(fleet.is("paused"));
    assert!(fleet.does(&["pause", "t"]).contains("is paused"), "again is no mistake");

    let stored = fleet.pages();
    assert!(fleet.does(&["resume", "t"]).contains("t goes on"));
    wait_until("more pages", || fleet.pages() > stored + 50);
    assert!(fleet.does(&["resume"]).contains("runs already"));

    assert!(fleet.does(&["cancel", "t"]).contains("t is cancelled"));
    is_quiet(&web);
    assert!(fleet.is("cancelled"));
    assert!(fleet.count("SELECT count(*) FROM urls WHERE state = 'open'") > 500, "they stay in the store");
    wait_until("nothing of the crawl is left in Redis", || keys_of_crawl(&fleet, 1).is_empty());
    let paused = fleet.run(&["pause", "t"]);
    assert_eq!(paused.status.code(), Some(2), "{}", said(&paused));

    let stored = fleet.pages();
    assert!(fleet.does(&["resume", "t"]).contains("t goes on"), "it can be taken up again");
    wait_until("more pages", || fleet.pages() > stored + 50);
}

/// Keys that are about one crawl: what is known of it, and its queues.
fn keys_of_crawl(fleet: &Installation, crawl: i64) -> Vec<String> {
    let keys: Vec<String> = fleet.redis.ask(&["KEYS", "*"]);
    let ends = ["c", "rules", "seeds", "known"].map(|kind| format!(":{kind}:{crawl}"));
    let queues = regex::Regex::new(&format!(r":[qrl]:\d+:{crawl}:")).unwrap();
    keys.into_iter().filter(|key| ends.iter().any(|end| key.ends_with(end)) || queues.is_match(key)).collect()
}

#[test]
fn of_two_crawls_one_is_cancelled_and_the_other_is_not_touched() {
    let fleet = Installation::new();
    let web = fleet.web(Settings { hosts: 3, pages: 60, ..large() });
    // Slow enough that neither is done before the first is cancelled, however busy the machine is.
    let _scheduler = fleet.scheduler(&["seeds.txt", "--name", "one", "--delay", "100ms"]);
    wait_until("the first crawl", || fleet.is("running"));
    fleet.wait_for("running");
    let more = fleet.scheduler(&["seeds.txt", "--name", "two", "--delay", "100ms"]);
    wait_until("the second crawl", || fleet.count("SELECT count(*) FROM crawls WHERE seeded = 1") == 2);
    more.kill();
    let (_node, _storage) = (fleet.node(&[]), fleet.storage());
    wait_until("some pages of both", || {
        fleet.count("SELECT count(DISTINCT crawl_id) FROM pages") == 2 && fleet.pages() > 20
    });
    let unnamed = fleet.run(&["cancel"]);
    assert_eq!(unnamed.status.code(), Some(2), "{}", said(&unnamed));
    assert!(said(&unnamed).contains("name one: one, two"), "{}", said(&unnamed));
    fleet.does(&["cancel", "one"]);
    fleet.wait_for("finished");
    let reachable = web.truth().filter(|page| page.reachable && page.status == Some(200)).count() as i64;
    assert_eq!(fleet.count("SELECT count(*) FROM pages WHERE crawl_id = 2"), reachable, "{}", fleet.logs());
    assert!(fleet.count("SELECT count(*) FROM pages WHERE crawl_id = 1") < reachable);
    wait_until("nothing of the first is left", || keys_of_crawl(&fleet, 1).is_empty());
}

#[test]
fn seeds_are_added_to_a_crawl_that_runs_and_to_one_that_is_finished() {
    let fleet = Installation::new();
    let web = fleet.web(Settings { hosts: 3, pages: 15, ..large() });
    let seeds = web.seeds();
    let _scheduler = fleet.scheduler(&[&seeds[0], "--name", "t", "--delay", "20ms"]);
    let (_node, _storage) = (fleet.node(&[]), fleet.storage());
    fleet.wait_for("running");
    let told = fleet.does(&["add", &seeds[1]]);
    assert!(told.contains("1 seed for t, 1 new"), "{told}");
    fleet.wait_for("finished");
    let of = |seed: &str| {
        let host = url::Url::parse(seed).unwrap();
        let host = format!("{}:{}", host.host_str().unwrap(), host.port().unwrap());
        fleet.count(&format!("SELECT count(*) FROM pages WHERE url LIKE 'http://{host}/%'"))
    };
    let truth = |seed: &str| {
        let is_one = |url: &str| url.starts_with(seed);
        web.truth().filter(|page| page.reachable && page.status == Some(200) && is_one(&page.url)).count()
            as i64
    };
    let all = [truth(&seeds[0]), truth(&seeds[1]), truth(&seeds[2])];
    assert_eq!([of(&seeds[0]), of(&seeds[1]), of(&seeds[2])], [all[0], all[1], 0], "{}", fleet.logs());
    let told = fleet.does(&["add", &seeds[2], &seeds[0], "--name", "t"]);
    assert!(told.contains("2 seeds for t, 1 new; it runs again"), "{told}");
    wait_until("the pages of the third", || of(&seeds[2]) == all[2]);
    fleet.wait_for("finished");
    let nobody = fleet.run(&["add", &seeds[0], "--name", "nobody"]);
    assert_eq!(nobody.status.code(), Some(2), "{}", said(&nobody));
}

#[test]
fn seeds_are_added_to_a_crawl_in_a_file_for_the_next_resume() {
    let fleet = Installation::new();
    let web = fleet.web(Settings { hosts: 2, pages: 10, latency: Duration::ZERO, ..large() });
    let (seeds, folder) = (web.seeds(), fleet.folder.path());
    let first = run(folder, &["crawl", &seeds[0], "--name", "t"]);
    assert_eq!(first.status.code(), Some(0), "{}", said(&first));
    let added = run(folder, &["add", &seeds[1], "--name", "t"]);
    assert_eq!(added.status.code(), Some(0), "{}", said(&added));
    assert!(said(&added).contains("1 seed for t, 1 new; huntsman resume visits them"), "{}", said(&added));
    let store = folder.join("crawls/t.db");
    let count = |query: &str| sql(&store, query)[0].parse::<i64>().unwrap();
    let before = count("select count(*) from pages");
    let resumed = run(folder, &["resume", "t"]);
    assert_eq!(resumed.status.code(), Some(0), "{}", said(&resumed));
    assert!(count("select count(*) from pages") >= before + 10);
    assert_eq!(count("select count(*) from urls where state = 'open'"), 0);
}

#[test]
fn settings_that_an_operator_changes_count_within_five_seconds() {
    let fleet = Installation::new();
    let web = fleet.web(Settings { hosts: 2, ..large() });
    let _scheduler = fleet.scheduler(&["seeds.txt", "--name", "t", "--delay", "20ms"]);
    let (_node, _storage) = (fleet.node(&[]), fleet.storage());
    wait_until("some pages", || fleet.pages() > 40);
    let told = fleet.does(&["resume", "t", "--delay", "1s"]);
    assert!(told.contains("with the settings of now"), "{told}");
    std::thread::sleep(5 * SECOND);
    let (before, asked) = (web.requests(), now());
    std::thread::sleep(3 * SECOND);
    let most = 2 * (asked.elapsed().as_secs() + 1);
    assert!(web.requests() - before <= most, "{} requests in {:?}", web.requests() - before, asked.elapsed());
}

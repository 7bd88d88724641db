//! `--max-pages` over a fleet, counted at the origin and in the store.

use super::Installation;
use crate::program::{said, wait_until};
use huntsman::testweb::{RobotsKind, Settings};
use std::time::Duration;

#[test]
fn a_page_limit_is_passed_by_no_more_than_what_is_leased() {
    const MOST: usize = 100;
    const EACH: usize = 4;
    let fleet = Installation::new();
    let latency = Duration::from_millis(30);
    let robots = RobotsKind::None;
    let web = fleet.web(Settings {
        hosts: 20,
        pages: 50,
        page_size: 1_000,
        links: 8,
        latency,
        robots,
        ..Settings::default()
    });
    let of_crawl = ["--name", "t", "--delay", "10ms", "--max-pages", "100"];
    let _scheduler = fleet.scheduler(&[&["seeds.txt"][..], &of_crawl].concat());
    let (_one, _two) = (fleet.storage(), fleet.storage());
    let nodes = [(); 3].map(|()| fleet.node(&["--concurrency", "4"]));
    fleet.wait_for("limited");
    wait_until("nothing is under way", || {
        let status: serde_json::Value =
            serde_json::from_slice(&fleet.run(&["status", "--json"]).stdout).unwrap();
        status["index"]["leased"] == 0 && status["index"]["lag"] == 0
    });
    let asked = web.log().iter().filter(|request| !request.path.ends_with("robots.txt")).count();
    let stored = fleet.pages() as usize;
    // With a delay, a lease is one URL, and each node has four at a time.
    let most = MOST + nodes.len() * EACH;
    assert!(
        (MOST..=most).contains(&stored) && asked <= most,
        "{stored} stored, {asked} asked for: {}",
        fleet.logs()
    );

    let told = fleet.run(&["resume", "t"]);
    assert_eq!(told.status.code(), Some(2), "{}", said(&told));
    assert!(said(&told).contains("--max-pages N"), "{}", said(&told));
    fleet.does(&["resume", "t", "--max-pages", "200"]);
    wait_until("the next limit", || fleet.pages() >= 200 && fleet.is("limited"));
    assert!(fleet.pages() as usize <= 200 + nodes.len() * EACH);
}

#[test]
fn a_crawl_says_that_it_stopped_at_its_page_limit() {
    let fleet = Installation::new();
    let _web = fleet.web(Settings { hosts: 4, pages: 50, page_size: 1_000, links: 8, ..Settings::default() });
    let crawl =
        ["crawl", "seeds.txt", "--name", "t", "--delay", "10ms", "--lease", "2s", "--max-pages", "30"];
    let told = fleet.does(&crawl);
    assert!(told.contains("the limit of 30 pages is reached"), "{told}");
    assert!(told.contains("--max-pages none"), "{told}");
    assert!((30..=30 + 64).contains(&fleet.pages()), "{}", fleet.pages());
}

//! `huntsman crawl` with both flags: one process, others beside it, and its end.

use super::{Installation, now};
use crate::program::{huntsman, said, wait_until};
use huntsman::testweb::Settings;
use std::time::Duration;

const DELAY: Duration = Duration::from_millis(50);

fn small() -> Settings {
    Settings { hosts: 4, pages: 20, page_size: 1_000, links: 8, ..Settings::default() }
}

#[test]
fn a_crawl_of_an_installation_ends_by_itself_like_one_in_a_file() {
    let fleet = Installation::new();
    let web = fleet.web(small());
    let crawl = ["crawl", "seeds.txt", "--name", "t", "--delay", "50ms", "--lease", "2s"];
    let mut command = huntsman(fleet.folder.path(), &[&crawl[..], &["--summary-json", "t.json"]].concat());
    let output = command
        .env("HUNTSMAN_FRONTIER", &fleet.index)
        .env("HUNTSMAN_STORE", &fleet.database)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    fleet.has_all(&web, DELAY);
    let told = said(&output);
    for part in ["4 seeds", "Finished in", "URLs found", "huntsman pages --limit 10 --store"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let summary = std::fs::read_to_string(fleet.folder.path().join("t.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["ended"]["how"], "finished");
    assert_eq!(summary["found"]["stored"], fleet.pages());
    assert!(fleet.is("finished"));
    let led = "SELECT count(*) FROM leadership WHERE expires_at > now()";
    assert_eq!(fleet.count(led), 0, "the leadership was given up");

    let again = fleet.does(&["resume", "t", "--lease", "2s"]);
    assert!(again.contains("Nothing is left of t"), "{again}");
    let nothing = fleet.run(&[
        "crawl",
        "http://127.0.0.1:1/",
        "--name",
        "u",
        "--delay",
        "0s",
        "--retries",
        "0",
        "--lease",
        "2s",
    ]);
    assert_eq!(nothing.status.code(), Some(3), "{}", said(&nothing));
}

#[test]
fn others_join_a_crawl_and_one_takes_over_when_it_dies() {
    let fleet = Installation::new();
    let web = fleet.web(Settings { hosts: 8, pages: 40, ..small() });
    let both = fleet.both();
    let crawl = ["crawl", "seeds.txt", "--name", "t", "--delay", "50ms", "--lease", "2s"];
    let first = fleet.start("crawl.log", &[&crawl[..], &both].concat());
    wait_until("the first pages", || fleet.pages() > 20);
    let (node, storage, scheduler) = (fleet.node(&[]), fleet.storage(), fleet.scheduler(&[]));
    let second = fleet.start("crawl.log", &[&crawl[..], &both].concat());
    wait_until("a third", || fleet.pages() > 100);
    first.kill();
    assert_eq!(second.code(), Some(0), "it stood by, and ends with its crawl: {}", fleet.logs());
    fleet.has_all(&web, DELAY);
    for role in [node, storage, scheduler] {
        assert_eq!(role.end(), Some(0), "{}", fleet.logs());
    }
}

#[test]
fn a_crawl_that_is_stopped_says_how_to_go_on_and_that_goes_on() {
    let fleet = Installation::new();
    let web = fleet.web(small());
    let crawl = ["crawl", "seeds.txt", "--name", "t", "--delay", "50ms", "--lease", "2s"];
    let first = fleet.start("crawl.log", &[&crawl[..], &fleet.both()].concat());
    wait_until("some pages", || fleet.pages() > 10);
    let asked = now();
    assert_eq!(first.end(), Some(143), "{}", fleet.logs());
    assert!(asked.elapsed() < Duration::from_secs(11), "{:?}", asked.elapsed());
    assert!(fleet.is("paused"), "{}", fleet.logs());
    let told = fleet.logs();
    assert!(told.contains("Paused after") && told.contains("huntsman resume t --frontier"), "{told}");
    let stored = fleet.pages();
    assert!(stored < 80, "it was stopped before its end");
    fleet.does(&["resume", "t", "--lease", "2s"]);
    fleet.has_all(&web, DELAY);
}

#[test]
fn a_process_that_leaves_an_installation_leaves_its_crawl_to_the_others() {
    let fleet = Installation::new();
    let web = fleet.web(small());
    let crawl = ["crawl", "seeds.txt", "--name", "t", "--delay", "50ms", "--lease", "2s"];
    let first = fleet.start("crawl.log", &[&crawl[..], &fleet.both()].concat());
    let (_node, _storage, _scheduler) = (fleet.node(&[]), fleet.storage(), fleet.scheduler(&[]));
    wait_until("some pages", || fleet.pages() > 10);
    wait_until("a node beside it", || fleet.nodes().len() == 2);
    first.signal("INT");
    assert_eq!(first.code(), Some(130), "{}", fleet.logs());
    assert!(fleet.logs().contains("the rest of the installation goes on"), "{}", fleet.logs());
    fleet.wait_for("finished");
    fleet.has_all(&web, DELAY);
}

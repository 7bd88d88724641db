//! `why` on what is hard to explain: robots.txt that moved or is out of reach, links that are no URL of ours, crawls that
//! share a store.

use super::raw_server::{RawServer, page};
use super::{run, said, sql};
use std::path::Path;

const PLAIN: &str = "Content-Type: text/plain\r\n";

fn crawl(folder: &Path, seed: &str, flags: &[&str]) {
    let output = run(folder, &[&["crawl", seed, "--name", "t", "--delay", "0"], flags].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

fn why(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, &[&["why"], arguments].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The line of the answer that begins with `label`.
fn line<'t>(text: &'t str, label: &str) -> &'t str {
    text.lines().find(|line| line.starts_with(label)).unwrap_or_else(|| panic!("no {label} in {text}"))
}

/// A site whose robots.txt is moved to `to`.
fn moved(to: String) -> RawServer {
    RawServer::start(move |path, _| match path {
        "/robots.txt" => (301, format!("Location: {to}\r\n"), String::new()),
        "/" => page(&["/a", "/no/b"]),
        _ => page(&[]),
    })
}

#[test]
fn a_robots_txt_that_is_moved_out_of_reach_makes_its_host_wait_in_the_store_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let site = moved("http://10.0.0.1/robots.txt".to_owned());
    crawl(folder, &site.url("/"), &["--wait", "200ms"]);
    let row = "select robots, coalesce(robots_status, 'none'), block_until > noted_at from hosts";
    let own = format!("{row} where host = '127.0.0.1:{}'", site.port);
    assert_eq!(sql(&folder.join("crawls/t.db"), &own), ["unreachable|none|1"], "the last verdict");
    let redirect = "select detail from fetches where outcome = 'redirect'";
    assert_eq!(sql(&folder.join("crawls/t.db"), redirect), ["http://10.0.0.1/robots.txt"]);
}

#[test]
fn rules_that_came_from_another_host_are_the_verdict_of_the_host_that_was_asked_first() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let other = RawServer::start(|path, _| match path {
        "/robots.txt" => (200, PLAIN.into(), "User-agent: *\nDisallow: /no\n".into()),
        _ => page(&[]),
    });
    let site = moved(other.url("/robots.txt"));
    crawl(folder, &site.url("/"), &[]);
    let store = folder.join("crawls/t.db");
    let own = format!("select robots, robots_status from hosts where host = '127.0.0.1:{}'", site.port);
    assert_eq!(sql(&store, &own), ["rules|200"]);
    let asked = "select count(*), count(distinct url) from fetches where kind = 'robots'";
    assert_eq!(sql(&store, asked), ["2|2"], "each request stands there once");
}

#[test]
fn links_that_are_too_long_are_told_apart_by_their_whole_text() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let long = format!("/{}", "x".repeat(3_000));
    let (one, two) = (format!("{long}1"), format!("{long}2"));
    let links = [one.clone(), two];
    let site = RawServer::start(move |path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&[&links[0], &links[1]]),
        _ => page(&[]),
    });
    crawl(folder, &site.url("/"), &["--summary-json", "s.json"]);
    let store = folder.join("crawls/t.db");
    let rows = "select count(*), max(length(url)) < 400, min(url like 'http://%') from skipped where reason = 'url-too-long'";
    assert_eq!(sql(&store, rows), ["2|1|1"]);
    let summary: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("s.json")).unwrap()).unwrap();
    assert_eq!(summary["found"]["total"], 3, "{summary}");
    let text = why(folder, &[&site.url(&one)]);
    assert!(line(&text, "skipped").contains("url-too-long"), "{text}");
    assert!(why(folder, &[&site.url(&format!("{long}3"))]).contains("never found"));
}

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

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
fn a_robots_txt_that_is_moved_out_of_reach_is_shown_hop_by_hop_with_until_when_its_host_waits() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let site = moved("http://10.0.0.1/robots.txt".to_owned());
    crawl(folder, &site.url("/"), &["--wait", "200ms"]);
    let row = "select robots, coalesce(robots_status, 'none'), block_until > noted_at from hosts";
    let own = format!("{row} where host = '127.0.0.1:{}'", site.port);
    assert_eq!(sql(&folder.join("crawls/t.db"), &own), ["unreachable|none|1"], "the last verdict");
    let text = why(folder, &[&site.url("/")]);
    let hops: Vec<&str> = text.lines().filter(|line| line.starts_with("robots.txt ")).collect();
    assert_eq!(hops.len(), 2, "{text}");
    assert!(hops[0].contains(&site.url("/robots.txt")) && hops[0].contains("301, redirect"), "{text}");
    assert!(hops[0].contains("http://10.0.0.1/robots.txt"), "{text}");
    assert!(
        hops[1].contains("http://10.0.0.1/robots.txt") && hops[1].contains("forbidden-address"),
        "{text}"
    );
    let waits = line(&text, "waits");
    assert!(waits.contains("robots.txt is unreachable") && waits.contains("until 20"), "{text}");
}

#[test]
fn a_robots_txt_that_answers_503_is_shown_with_until_when_its_host_waits() {
    let folder = tempfile::tempdir().unwrap();
    let site = RawServer::start(|path, _| match path {
        "/robots.txt" => (503, "Retry-After: 600\r\n".to_owned(), String::new()),
        _ => page(&[]),
    });
    crawl(folder.path(), &site.url("/"), &["--wait", "200ms"]);
    let text = why(folder.path(), &[&site.url("/")]);
    let asked = line(&text, "robots.txt ");
    assert!(asked.contains("503, unreachable") && asked.contains("status 503"), "{text}");
    assert!(line(&text, "waits").contains("robots.txt is unreachable"), "{text}");
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
    let text = why(folder, &[&site.url("/no/b")]);
    assert!(text.contains("excluded (robots)") && text.contains("line 2"), "{text}");
    let hops: Vec<&str> = text.lines().filter(|line| line.starts_with("robots.txt ")).collect();
    assert!(hops.len() == 2 && hops[1].contains(&other.url("/robots.txt")), "{text}");
    assert!(hops[1].contains("200, rules"), "{text}");
}

#[test]
fn what_robots_txt_forbids_was_found_on_the_page_that_links_there() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let site = RawServer::start(|path, _| match path {
        "/robots.txt" => (200, PLAIN.into(), "User-agent: *\nDisallow: /no\n".into()),
        "/" => page(&["/no/b"]),
        _ => page(&[]),
    });
    crawl(folder, &site.url("/"), &[]);
    let store = folder.join("crawls/t.db");
    assert_eq!(sql(&store, "select found_on from skipped where reason = 'robots'"), [site.url("/")]);
    let text = why(folder, &[&site.url("/no/b")]);
    assert!(line(&text, "skipped").contains(&format!("found on {} ", site.url("/"))), "{text}");
    // Stores of earlier versions name the URL itself.
    sql(&store, "update skipped set found_on = url");
    let text = why(folder, &[&site.url("/no/b")]);
    assert!(line(&text, "skipped").contains(&format!("found on {} ", site.url("/"))), "{text}");
}

#[test]
fn a_seed_that_robots_txt_forbids_was_given_by_the_operator() {
    let folder = tempfile::tempdir().unwrap();
    let site = RawServer::start(|path, _| match path {
        "/robots.txt" => (200, PLAIN.into(), "User-agent: *\nDisallow: /no\n".into()),
        _ => page(&[]),
    });
    run(folder.path(), &["crawl", &site.url("/no"), "--name", "t"]);
    let text = why(folder.path(), &[&site.url("/no")]);
    assert!(line(&text, "skipped").contains("a seed"), "{text}");
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

#[test]
fn a_robots_txt_that_was_asked_for_as_such_is_called_that() {
    let folder = tempfile::tempdir().unwrap();
    let other = RawServer::start(|_, _| (200, PLAIN.into(), String::new()));
    let site = moved(other.url("/rules/of/the/other"));
    crawl(folder.path(), &site.url("/"), &[]);
    for url in [site.url("/robots.txt"), other.url("/rules/of/the/other")] {
        let text = why(folder.path(), &[&url]);
        assert!(!text.contains("never found"), "{text}");
        assert!(line(&text, "verdict").contains("asked for as a robots.txt, not as a page"), "{text}");
    }
}

#[test]
fn what_one_crawl_gave_up_is_not_said_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let site = RawServer::start(|path, before| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&["/gone"]),
        "/gone" if before == 0 => (404, String::new(), String::new()),
        _ => page(&[]),
    });
    for name in ["one", "two"] {
        let seed = site.url("/");
        let output = run(folder, &["crawl", &seed, "--name", name, "--store", "sqlite:both.db"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    let of = |name: &str| why(folder, &[&site.url("/gone"), "--name", name, "--store", "sqlite:both.db"]);
    assert!(of("one").contains("given up"), "{}", of("one"));
    assert!(!of("two").contains("given up"), "{}", of("two"));
}

#[test]
fn a_redirect_leads_to_the_url_that_its_target_is_identical_with() {
    let folder = tempfile::tempdir().unwrap();
    let site = RawServer::start(|path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&["/old", "/%7Enew?b=2"]),
        "/old" => (302, "Location: /%7enew?utm_source=old&b=2\r\n".to_owned(), String::new()),
        _ => page(&[]),
    });
    crawl(folder.path(), &site.url("/"), &[]);
    let text = why(folder.path(), &[&site.url("/~new?b=2")]);
    assert!(line(&text, "redirected here").ends_with(&site.url("/old")), "{text}");
    assert!(!why(folder.path(), &[&site.url("/~new")]).contains("redirected here"));
}

#[test]
fn a_known_url_that_a_seed_redirects_to_is_as_deep_as_a_seed() {
    let folder = tempfile::tempdir().unwrap();
    let site = RawServer::start(|path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&["/new"]),
        "/old" => (301, "Location: /new\r\n".to_owned(), String::new()),
        "/new" => page(&["/deeper"]),
        _ => page(&["/too-deep"]),
    });
    // The page that links to the target comes first, so that the target is known as an outlink of depth 1, the last one.
    std::fs::write(folder.path().join("seeds.txt"), format!("{}\n{}\n", site.url("/"), site.url("/old")))
        .unwrap();
    crawl(folder.path(), "seeds.txt", &["--depth", "1"]);
    let store = folder.path().join("crawls/t.db");
    let rows = sql(
        &store,
        "select url, depth, seed from urls where url like '%/new' or url like '%eep%' order by url",
    );
    let (deeper, new) = (site.url("/deeper"), site.url("/new"));
    assert_eq!(rows, [format!("{deeper}|1|"), format!("{new}|0|host")]);
    assert_eq!(sql(&store, "select count(*), count(distinct url) from pages"), ["3|3"]);
    assert_eq!(sql(&store, "select url, reason from skipped"), [format!("{}|depth", site.url("/too-deep"))]);
}

//! What hosts ask for is kept, as they see it.

use super::raw_server::{RawServer, page};
use super::{run, said, sql, start, wait_until};
use huntsman::testweb::{RobotsKind, Settings, Testweb};
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn a_host_that_says_429_is_left_alone_as_long_as_it_asks() {
    let server = RawServer::start(|path, before| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&["/a", "/b", "/c"]),
        "/b" if before == 0 => (429, "Retry-After: 3\r\n".into(), String::new()),
        _ => page(&[]),
    });
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["crawl", &server.url("/"), "--name", "t", "--delay", "0s"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let log = server.log();
    let told = log.iter().position(|request| request.status == 429).expect("the 429");
    let gap = log[told + 1].at.saturating_sub(log[told].at);
    assert!(gap >= Duration::from_secs(3), "asked again after {gap:?}");
    assert!(gap < Duration::from_secs(6), "and not much later: {gap:?}");
    assert_eq!(sql(&folder.path().join("crawls/t.db"), "select count(*) from pages"), ["4"]);
}

/// A site of so many pages, all linked from its root, that takes its time for each.
fn site_that_takes(span: Duration, pages: usize) -> RawServer {
    let links: Vec<String> = (1..pages).map(|n| format!("/{n}")).collect();
    RawServer::start(move |path, _| {
        if path == "/robots.txt" {
            return (404, String::new(), String::new());
        }
        std::thread::sleep(span);
        let links: Vec<&str> = links.iter().map(String::as_str).collect();
        page(if path == "/" { &links } else { &[] })
    })
}

/// Gaps between its requests for pages.
fn gaps(server: &RawServer) -> Vec<Duration> {
    let log = server.log();
    let pages: Vec<_> = log.iter().filter(|request| request.path != "/robots.txt").collect();
    pages.windows(2).map(|two| two[1].at.saturating_sub(two[0].at)).collect()
}

#[test]
fn a_slow_host_is_left_alone_as_long_as_it_took_and_slows_no_other() {
    let slow = site_that_takes(Duration::from_millis(400), 5);
    let fast = site_that_takes(Duration::ZERO, 40);
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["crawl", &slow.url("/"), &fast.url("/"), "--name", "t", "--delay", "50ms"];
    let output = run(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let slow = gaps(&slow);
    let least = slow.iter().min().unwrap();
    assert!(
        slow.len() == 4 && *least >= Duration::from_millis(800),
        "its answer, and as long again: {slow:?}"
    );
    let mut fast = gaps(&fast);
    fast.sort();
    assert!(fast.len() == 39 && fast[0] >= Duration::from_millis(50), "{fast:?}");
    assert!(fast[20] < Duration::from_millis(300), "it does not wait for the slow one: {fast:?}");
}

#[test]
fn while_robots_txt_answers_503_no_page_is_fetched_and_none_is_lost() {
    let server = RawServer::start(|path, before| match path {
        "/robots.txt" if before < 2 => (503, "Retry-After: 1\r\n".into(), String::new()),
        "/robots.txt" => {
            (200, "Content-Type: text/plain\r\n".into(), "User-agent: *\nDisallow: /no\n".into())
        }
        "/" => page(&["/a", "/no/b"]),
        _ => page(&[]),
    });
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["crawl", &server.url("/"), "--name", "t"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let log = server.log();
    let paths: Vec<_> = log.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/robots.txt", "/robots.txt", "/robots.txt", "/", "/a"]);
    assert!(
        log[1].at.saturating_sub(log[0].at) >= Duration::from_secs(1)
            && log[2].at.saturating_sub(log[1].at) >= Duration::from_secs(1)
    );
    let store = folder.path().join("crawls/t.db");
    assert_eq!(sql(&store, "select state, count(*) from urls group by 1"), ["excluded|1", "stored|2"]);
    let rule = sql(&store, "select detail from skipped where reason = 'robots'");
    assert!(rule[0].contains("line 2"), "{rule:?}");
}

#[test]
fn when_all_that_is_left_is_waiting_the_crawl_ends_and_says_so() {
    let server = RawServer::start(|path, _| match path {
        "/robots.txt" => (503, "Retry-After: 3600\r\n".into(), String::new()),
        _ => page(&[]),
    });
    let folder = tempfile::tempdir().unwrap();
    let summary = folder.path().join("s.json");
    let arguments = ["crawl", &server.url("/"), "--name", "t", "--wait", "2s", "--summary-json", "s.json"];
    let output = run(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("1 URL of 1 host wait until"), "{}", said(&output));
    let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(summary).unwrap()).unwrap();
    assert_eq!((&summary["found"]["waiting"], &summary["found"]["total"]), (&1.into(), &1.into()));
    assert_eq!(server.log().len(), 1, "only robots.txt was asked for, once");
}

/// 1,000 hosts of 20 pages, one second apart: the pace of each host is kept and nearly all of it is used.
#[test]
fn a_thousand_hosts_are_asked_once_a_second_each() {
    const HOSTS: u32 = 1_000;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let settings = Settings {
        hosts: HOSTS,
        pages: 20,
        page_size: 1_000,
        links: 20,
        flat: true,
        robots: RobotsKind::Allow,
        log: true,
        ..Settings::default()
    };
    let web = runtime.block_on(Testweb::start(settings)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let seeds = web.seeds().iter().fold(String::new(), |mut text, seed| {
        writeln!(text, "{seed}").unwrap();
        text
    });
    std::fs::write(folder.path().join("seeds.txt"), seeds).unwrap();
    let arguments = ["crawl", "seeds.txt", "--name", "t", "--delay", "1s", "--scope", "host", "-q"];
    let output = run(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));

    let log = web.log();
    let mut last: HashMap<&str, Duration> = HashMap::new();
    for request in &log {
        if let Some(before) = last.insert(&request.host, request.at) {
            let gap = request.at.saturating_sub(before);
            assert!(gap >= Duration::from_secs(1), "{} was asked after {gap:?}", request.host);
        }
    }
    let first = log.iter().map(|request| request.at).min().unwrap();
    let window = (first + Duration::from_secs(2))..(first + Duration::from_secs(18));
    let requests = log.iter().filter(|request| window.contains(&request.at)).count();
    let share = requests as f64 / (16.0 * f64::from(HOSTS));
    println!("flat web: {requests} requests between the 2nd and the 18th second, {:.1} %", share * 100.0);
    assert!(share >= 0.97, "{:.1} % of what the delays allow", share * 100.0);
}

/// A host that asks for a crawl delay of one second until `changed` says what it answers instead.
fn delaying(
    changed: Arc<AtomicBool>,
    instead: impl Fn(&str) -> Option<(u16, String, String)> + Send + Sync + 'static,
) -> RawServer {
    RawServer::start(move |path, _| {
        let instead = if changed.load(Ordering::SeqCst) { instead(path) } else { None };
        instead.unwrap_or_else(|| match path {
            "/robots.txt" => (200, String::new(), "User-agent: *\nCrawl-delay: 1\n".into()),
            "/" => page(&["/a", "/b", "/c"]),
            _ => page(&[]),
        })
    })
}

#[test]
fn a_known_crawl_delay_is_kept_while_robots_txt_moves_or_fails() {
    let changed = Arc::new(AtomicBool::new(false));
    let server = delaying(Arc::clone(&changed), |path| match path {
        "/robots.txt" => Some((302, "Location: /moved.txt\r\n".into(), String::new())),
        "/moved.txt" => Some((503, String::new(), String::new())),
        _ => None,
    });
    let folder = tempfile::tempdir().unwrap();
    let crawl = ["crawl", &server.url("/"), "--name", "t", "-n", "1"];
    assert_eq!(run(folder.path(), &crawl).status.code(), Some(0));
    changed.store(true, Ordering::SeqCst);
    let before = server.log().len();
    let output = run(folder.path(), &["resume", "t", "-n", "none", "--wait", "10s"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let asked = server.log().split_off(before);
    assert_eq!(asked.iter().map(|one| &*one.path).collect::<Vec<_>>(), ["/robots.txt", "/moved.txt"]);
    let gap = asked[1].at.saturating_sub(asked[0].at);
    assert!(gap >= Duration::from_millis(990), "{gap:?}");
    let delay = sql(&folder.path().join("crawls/t.db"), "select crawl_delay_ms from hosts");
    assert_eq!(delay, ["1000"], "no answer says nothing of the delay");
}

#[test]
fn a_new_crawl_in_a_store_waits_as_a_resumed_one_does() {
    let server = RawServer::start(|path, _| match path {
        "/robots.txt" => (404, String::new(), String::new()),
        "/" => page(&["/a", "/b", "/c"]),
        _ => page(&[]),
    });
    let folder = tempfile::tempdir().unwrap();
    let url = server.url("/");
    let crawl =
        |name| ["crawl", &url, "--delay", "2s", "--store", "sqlite:s.db", "--name", name].map(str::to_owned);
    let arguments = crawl("a");
    let mut first = start(folder.path(), &arguments.each_ref().map(String::as_str));
    wait_until("a page", || server.log().len() >= 2);
    first.kill().unwrap();
    first.wait().unwrap();
    let before = server.log().len();
    let arguments = crawl("b");
    let mut second = start(folder.path(), &arguments.each_ref().map(String::as_str));
    wait_until("the second crawl", || server.log().len() > before);
    second.kill().unwrap();
    second.wait().unwrap();
    let log = server.log();
    let gap = log[before].at.saturating_sub(log[before - 1].at);
    assert!(gap >= Duration::from_millis(1_990), "{gap:?}");
}

#[test]
fn every_request_for_robots_txt_has_its_row() {
    let server = RawServer::start(|path, _| match path {
        "/robots.txt" => (302, "Location: /robots.txt\r\n".into(), String::new()),
        _ => page(&[]),
    });
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["crawl", &server.url("/"), "--name", "t", "--wait", "1s"]);
    let asked = server.log().iter().filter(|one| one.path == "/robots.txt").count();
    assert!(asked > 1, "{asked}");
    let rows = "select count(*), count(distinct attempt) from fetches where kind = 'robots'";
    assert_eq!(sql(&folder.path().join("crawls/t.db"), rows), [format!("{asked}|{asked}")]);
}

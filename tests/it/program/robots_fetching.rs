//! Section 2.3 of RFC 9309 and what the field adds, as the server sees it: how robots.txt is asked for, how long it is
//! believed, and what happens where it cannot be had. RB01 to RB26 and RB33 stand beside the rules, in `crawl::robots`.

use super::raw_server::{RawServer, page};
use super::{run, said, sql};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const TEXT: &str = "Content-Type: text/plain\r\n";

type Answer = (u16, String, String);

fn rules(text: &str) -> Answer {
    (200, TEXT.into(), text.into())
}

fn status(status: u16) -> Answer {
    (status, String::new(), String::new())
}

fn moved(to: &str) -> Answer {
    (302, format!("Location: {to}\r\n"), String::new())
}

/// A site of `/` and two pages, whose `/robots.txt` and what it leads to are answered by `robots`.
fn site(robots: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> RawServer {
    RawServer::start(move |path, _| match (robots(path), path) {
        (Some(answer), _) => answer,
        (None, "/") => page(&["/a", "/no/b"]),
        (None, "/a" | "/no/b") => page(&[]),
        (None, _) => status(404),
    })
}

fn robots(answer: impl Fn() -> Answer + Send + Sync + 'static) -> RawServer {
    site(move |path| (path == "/robots.txt").then(&answer))
}

/// Crawls without a delay of ours, and without waiting for hosts that want to be left alone.
fn crawl(folder: &Path, seeds: &[&str]) {
    crawl_with(folder, seeds, &["--delay", "0s", "--wait", "100ms"]);
}

fn crawl_with(folder: &Path, seeds: &[&str], flags: &[&str]) {
    let output = run(folder, &[&["crawl"], seeds, &["--name", "t"], flags].concat());
    // Where robots.txt is unreachable, no page can be fetched.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", said(&output));
}

fn paths(server: &RawServer) -> Vec<String> {
    server.log().into_iter().map(|request| request.path).collect()
}

/// What is asked of a site with this robots.txt.
fn asked(answer: impl Fn() -> Answer + Send + Sync + 'static) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let site = robots(answer);
    crawl(folder.path(), &[&site.url("/")]);
    paths(&site)
}

const EVERYTHING: [&str; 4] = ["/robots.txt", "/", "/a", "/no/b"];

#[test]
fn rb27_each_scheme_host_and_port_is_asked_for_its_own_file_first() {
    let folder = tempfile::tempdir().unwrap();
    let one = robots(|| rules("User-agent: *\nDisallow: /no"));
    let other = robots(|| status(404));
    crawl(folder.path(), &[&one.url("/"), &other.url("/")]);
    assert_eq!(paths(&one), ["/robots.txt", "/", "/a"]);
    assert_eq!(paths(&other), EVERYTHING);
}

#[test]
fn rb28_a_file_without_content_allows_everything() {
    assert_eq!(asked(|| status(204)), EVERYTHING);
    assert_eq!(asked(|| rules("")), EVERYTHING);
    assert_eq!(asked(|| rules("User-agent: *\nDisallow: /no")), ["/robots.txt", "/", "/a"]);
}

/// B3: redirects of robots.txt, to another host too.
#[test]
fn rb29_five_redirects_are_followed_and_the_rules_bind_whom_was_asked_first() {
    let folder = tempfile::tempdir().unwrap();
    let other = site(|path| (path == "/5").then(|| rules("User-agent: *\nDisallow: /no")));
    let last = other.url("/5");
    let one = site(move |path| match path {
        "/robots.txt" => Some(moved("/1")),
        "/1" => Some(moved("/2")),
        "/2" => Some(moved("/3")),
        "/3" => Some(moved("/4")),
        "/4" => Some(moved(&last)),
        _ => None,
    });
    crawl(folder.path(), &[&one.url("/"), &other.url("/")]);
    assert_eq!(paths(&one), ["/robots.txt", "/1", "/2", "/3", "/4", "/", "/a"]);
    let mut of_other = paths(&other);
    of_other.retain(|path| path != "/5");
    assert_eq!(of_other, EVERYTHING, "the host that served the rules is not bound by them");

    let folder = tempfile::tempdir().unwrap();
    let endless = site(|path| {
        let hop = path.strip_prefix("/r").map(|hop| hop.parse().unwrap_or(0));
        hop.map(|hop: u32| moved(&format!("/r{}", hop + 1)))
    });
    crawl(folder.path(), &[&endless.url("/")]);
    assert_eq!(
        paths(&endless),
        ["/robots.txt", "/r1", "/r2", "/r3", "/r4", "/r5"],
        "one too many: unreachable"
    );
    crate::hostile::shown(
        "B3",
        "five redirects are followed, each at the pace of its host; the rules bind who was asked first; a sixth forbids everything",
    );
}

#[test]
fn rb30_a_missing_file_allows_everything_but_429_does_not() {
    for code in [400, 401, 403, 404, 410, 451] {
        assert_eq!(asked(move || status(code)), EVERYTHING, "{code}");
    }
    assert_eq!(asked(|| status(429)), ["/robots.txt"]);
}

/// B4: whatever fails forbids.
#[test]
fn rb31_a_file_that_cannot_be_had_forbids_everything_and_the_urls_wait() {
    let broken: [fn() -> Answer; 3] = [
        || status(500),
        || status(503),
        || (200, "Content-Length: 1\r\n".to_owned(), "User-agent: *\nAllow: /".to_owned()),
    ];
    for (number, answer) in broken.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let site = robots(answer);
        crawl(folder.path(), &[&site.url("/")]);
        assert!(paths(&site).iter().all(|path| path == "/robots.txt"), "{number}: {:?}", paths(&site));
        let open = sql(&folder.path().join("crawls/t.db"), "select count(*) from urls where state = 'open'");
        assert_eq!(open, ["1"], "{number}: it is not lost");
    }
    crate::hostile::shown("B4", "no page is asked for, and the URLs wait");
}

#[test]
fn rb32_however_long_it_is_unreachable_nothing_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let site = robots(|| (503, "Retry-After: 1\r\n".into(), String::new()));
    crawl_with(folder.path(), &[&site.url("/")], &["--delay", "0s", "--wait", "4s"]);
    let paths = paths(&site);
    assert!(paths.len() > 1 && paths.iter().all(|path| path == "/robots.txt"), "{paths:?}");
}

#[test]
fn rb34_why_shows_when_the_file_was_asked_for_its_status_and_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let site = robots(|| rules("# ours\nUser-agent: *\nDisallow: /no"));
    crawl(folder.path(), &[&site.url("/")]);
    let output = run(folder.path(), &["why", &site.url("/no/b")]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("robots.txt")).expect("the request");
    assert!(line.contains("200") && line.contains("20") && line.contains(&site.url("/robots.txt")), "{text}");
    assert!(text.contains("line 3") && text.contains("Disallow: /no"), "{text}");
    let row = "select robots, robots_status, robots_fetched_at is not null from hosts";
    assert_eq!(sql(&folder.path().join("crawls/t.db"), row), ["rules|200|1"]);
}

#[test]
fn rb35_the_file_takes_a_turn_of_its_host_and_is_asked_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let site = robots(|| status(404));
    let seeds: Vec<String> = ["/", "/a", "/no/b"].map(|path| site.url(path)).into();
    let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
    crawl_with(folder.path(), &seeds, &["--delay", "400ms", "--concurrency", "16"]);
    let log = site.log();
    assert_eq!(log.iter().filter(|request| request.path == "/robots.txt").count(), 1);
    assert_eq!(log[0].path, "/robots.txt");
    for pair in log.windows(2) {
        let gap = pair[1].at.saturating_sub(pair[0].at);
        assert!(gap >= Duration::from_millis(390), "{gap:?} before {}", pair[1].path);
    }
}

/// B11: rules that change.
#[test]
fn rb36_the_rules_of_now_count_and_those_of_the_target_of_a_redirect() {
    let folder = tempfile::tempdir().unwrap();
    let changed = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&changed);
    let site =
        robots(
            move || {
                if seen.load(Ordering::SeqCst) { rules("User-agent: *\nDisallow: /no") } else { status(404) }
            },
        );
    crawl_with(folder.path(), &[&site.url("/")], &["--delay", "0s", "--max-pages", "1"]);
    assert_eq!(paths(&site), ["/robots.txt", "/"], "its links are queued");
    changed.store(true, Ordering::SeqCst);
    let output = run(folder.path(), &["resume", "t", "--max-pages", "none"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(paths(&site), ["/robots.txt", "/", "/robots.txt", "/a"]);

    let folder = tempfile::tempdir().unwrap();
    let target = robots(|| rules("User-agent: *\nDisallow: /no"));
    let to = target.url("/no/b");
    let source = RawServer::start(move |path, _| if path == "/" { moved(&to) } else { status(404) });
    crawl(folder.path(), &[&source.url("/")]);
    assert_eq!(paths(&target), ["/robots.txt"]);
    crate::hostile::shown("B11", "a URL that was queued is judged by the rules of when it is asked for");
}

#[test]
fn rb37_what_the_file_says_reaches_no_terminal_raw() {
    let folder = tempfile::tempdir().unwrap();
    let site =
        robots(|| rules("User-agent: *\nDisallow: /no\u{9b}31m\u{202e}\nDisallow: /no # \u{1b}]0;x\u{7}"));
    crawl(folder.path(), &[&site.url("/")]);
    let url = site.url("/no/b");
    for arguments in [&["why", &url][..], &["robots", &url], &["query", "select detail from skipped"]] {
        let output = run(folder.path(), arguments);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(text.contains("/no"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{7}']), "{text:?}");
    }
}

#[test]
fn rb38_the_file_belongs_to_the_name_and_not_to_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let site = robots(|| status(404));
    let by_name = format!("http://localhost:{}/", site.port);
    crawl(folder.path(), &[&site.url("/"), &by_name]);
    assert_eq!(paths(&site).iter().filter(|path| *path == "/robots.txt").count(), 2);
}

#[test]
fn rb30_by_option_who_refuses_the_file_refuses_everything() {
    for code in [401, 403] {
        let folder = tempfile::tempdir().unwrap();
        let site = robots(move || status(code));
        let flags = ["--delay", "0s", "--wait", "100ms", "--robots-refused", "disallow"];
        crawl_with(folder.path(), &[&site.url("/")], &flags);
        assert_eq!(paths(&site), ["/robots.txt"], "{code}");
        let why = run(folder.path(), &["why", &site.url("/")]);
        let why = String::from_utf8(why.stdout).unwrap();
        assert!(why.contains(&format!("it was refused with status {code}")), "{why}");
        assert!(why.contains("robots.txt disallow-all"), "{why}");
    }
}

/// A site that says something of uses of its content, and a page that says noindex; crawled with these flags.
fn crawled_with_wishes(folder: &Path, signals: &'static str, flags: &[&str]) -> Vec<String> {
    let site = RawServer::start(move |path, _| match path {
        "/robots.txt" => rules(&format!("User-agent: *\nContent-Signal: {signals}\nAllow: /\n")),
        "/" => page(&["/header", "/meta", "/other"]),
        "/header" => {
            (200, "Content-Type: text/html\r\nX-Robots-Tag: huntsman: noindex\r\n".into(), "x".into())
        }
        "/meta" => (200, "Content-Type: text/html\r\n".into(), "<meta name=huntsman content=NONE>".into()),
        "/other" => (
            200,
            "Content-Type: text/html\r\nX-Robots-Tag: otherbot: noindex, nofollow\r\n".into(),
            "x".into(),
        ),
        _ => status(404),
    });
    crawl_with(folder, &[&site.url("/")], &[&["--delay", "0s", "--wait", "100ms"], flags].concat());
    paths(&site)
}

#[test]
fn content_signals_are_recorded_and_by_option_a_no_keeps_pages_out() {
    let pages = "select count(*), min(signal_search), min(signal_ai_input), min(signal_ai_train) from pages";
    let skipped = "select reason, detail, count(*) from skipped group by 1, 2";
    let no = "search=yes, ai-train=no";
    let all = ["/robots.txt", "/", "/header", "/meta", "/other"];
    let check = |flags: &[&str], asked: &[&str], stored: &str, out: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(crawled_with_wishes(folder.path(), no, flags), asked, "{flags:?}");
        let store = folder.path().join("crawls/t.db");
        assert_eq!(sql(&store, pages), [stored], "{flags:?}");
        assert_eq!(sql(&store, skipped), out, "{flags:?}");
        folder
    };
    check(&[], &all, "4|yes||no", &[]);
    let folder = check(
        &["--on-signal", "skip-store"],
        &all,
        "0|||",
        &["content-signal|robots.txt says ai-train=no|4"],
    );
    let rows = "select state, reason, count(*) from urls group by 1, 2";
    assert_eq!(sql(&folder.path().join("crawls/t.db"), rows), ["excluded|content-signal|4"]);
    check(
        &["--on-signal", "skip-fetch"],
        &["/robots.txt"],
        "0|||",
        &["content-signal|robots.txt says ai-train=no|1"],
    );
    check(&["--on-signal", "skip-fetch", "--purpose", "search"], &all, "4|yes||no", &[]);
}

#[test]
fn noindex_for_us_is_recorded_and_by_option_keeps_the_page_out() {
    let folder = tempfile::tempdir().unwrap();
    crawled_with_wishes(folder.path(), "search=yes", &[]);
    let store = folder.path().join("crawls/t.db");
    let robots = "select robots from pages order by id";
    let mut said = sql(&store, robots);
    said.sort();
    assert_eq!(said, ["", "", "noindex", "noindex,nofollow"], "what is said to others is not for us");

    let folder = tempfile::tempdir().unwrap();
    crawled_with_wishes(folder.path(), "search=yes", &["--on-noindex", "skip-store"]);
    let store = folder.path().join("crawls/t.db");
    assert_eq!(sql(&store, "select count(*) from pages"), ["2"]);
    assert_eq!(sql(&store, "select count(*) from skipped where reason = 'noindex'"), ["2"]);
}
